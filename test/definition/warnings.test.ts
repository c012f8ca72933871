import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nearestName } from '../../src/definition/near-names.ts';
import { readDefinition } from '../../src/definition/read.ts';
import { type WarningOptions, warningsOf } from '../../src/definition/warnings.ts';

function warned(text: string, options: WarningOptions = {}): string[] {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(read.errors.map(({ message }) => message).join());
  const { placeOf, doubts } = read;
  return warningsOf(read.tree, { placeOf, ...(doubts === undefined ? {} : { doubts }), ...options }).map(
    ({ code, pointer, line, column }) => `${code} ${pointer} ${line}:${column}`,
  );
}

test.each([
  ['sequense', 'sequence'],
  ['concurence', 'concurrence'],
  ['seqeunce', 'sequence'],
  ['itreator', 'iterator'],
  ['paticipant', 'participant'],
  ['cancel_proces', 'cancel_process'],
])('%s is taken for %s', (written, meant) => {
  expect(nearestName(written, ['cancel_process', 'iterator', 'participant', 'concurrence', 'sequence'])).toBe(meant);
});

test.each(['dave', 'bill', 'alice', 'store', 'reviewer', 'billing', 'avery_the_great', 'sequence'])(
  '%s is a name like any other',
  (name) => {
    expect(nearestName(name, ['save', 'kill', 'await', 'restore', 'rewind', 'listen', 'every', 'sequence'])).toBeNull();
  },
);

test('a misspelt expression is warned of with its place and what is meant', () => {
  const read = readDefinition('define x\n  sequense\n    alice\n');
  if (!read.ok) throw new Error('it should be read');
  expect(warningsOf(read.tree, { placeOf: read.placeOf })).toEqual([
    {
      code: 'expression_misspelt',
      message: '"sequense" is taken for a participant; is "sequence" meant?',
      pointer: '/2/0',
      line: 2,
      column: 3,
    },
  ]);
});

test('a misspelt name of a definition is warned of, too', () => {
  expect(warned("define x\n  aproval\n  define approval\n    alice approval: 'x'\n")).toEqual([
    'expression_misspelt /2/0 2:3',
    'definition_unused /2/1 3:3',
  ]);
});

test('a participant with a callback is meant, whatever it is near to', () => {
  expect(warned('define x\n  sequenca\n', { callbacks: { sequenca: 'http://x' } })).toEqual([]);
});

test.each(['timout', 'on_eror', 'time_out', 'timerss', 'on_cancle'])('the attribute %s is warned of', (key) => {
  expect(warned(`define x\n  sequence\n    alice ${key}: '2d'\n`)).toEqual(['attribute_misspelt /2/0/2/0 3:5']);
});

test('attributes of one expression are known there, near misses are warned of', () => {
  expect(warned("define x\n  concurrence merge_type: 'mix', remaining: 'wait'\n    alice\n    bob\n")).toEqual([]);
  expect(warned("define x\n  concurrence merge_typ: 'mix'\n    alice\n    bob\n")).toEqual([
    'attribute_misspelt /2/0 2:3',
  ]);
});

test('names of fields and patterns are nobody’s mistake', () => {
  expect(
    warned(
      "define x\n  set timout: 1\n  set 'f:on_eror': 2\n  filter 'timout', type: 'string'\n  alice task: 'timout'\n",
    ),
  ).toEqual([]);
});

test('a participant with children is warned of, a bound name is not', () => {
  expect(warned('define x\n  alice\n    bob\n')).toEqual(['children_ignored /2/0 2:3']);
  expect(warned('define x\n  twice\n    bob\n  define twice\n    apply\n')).toEqual([]);
});

test('what stands behind an end is warned of once; a condition or a handler makes it reachable', () => {
  expect(warned('define x\n  alice\n  terminate\n  bob\n  carol\n')).toEqual(['unreachable /2/2 4:3']);
  expect(warned('define x\n  cursor\n    alice\n    break\n    bob\n')).toEqual(['unreachable /2/0/2/2 5:5']);
  expect(warned('define x\n  loop\n    sequence\n      rewind\n      bob\n    carol\n')).toEqual([
    'unreachable /2/0/2/0/2/1 5:7',
  ]);
  // Where a command may lead behind it, or there may be nobody to take it, nothing is said.
  expect(warned("define x\n  cursor\n    jump to: 'bob'\n    break\n    bob\n")).toEqual([]);
  expect(warned("define x\n  cursor\n    break if: '${a}'\n    bob\n")).toEqual([]);
  expect(warned("define x\n  cursor\n    break ref: 'other'\n    bob\n")).toEqual([]);
  expect(warned('define x\n  sequence\n    break\n    bob\n')).toEqual([]);
  expect(warned("define x\n  terminate if: '${f:stop}'\n  bob\n")).toEqual([]);
  expect(warned("define x\n  error 'no', on_error: 'pass'\n  bob\n")).toEqual([]);
  expect(warned('define x\n  concurrence\n    stall\n    bob\n')).toEqual([]);
});

test('a definition that nothing calls is warned of, unless names are put together at run time', () => {
  expect(warned('define x\n  alice\n  define lost\n    bob\n')).toEqual(['definition_unused /2/1 3:3']);
  expect(warned("define x\n  alice on_error: '1m: retry, found'\n  define found\n    bob\n")).toEqual([]);
  expect(warned("define x\n  subprocess '${f:which}'\n  define lost\n    bob\n")).toEqual([]);
});

test('a participant without a callback is warned of when callbacks are by name', () => {
  const callbacks = { alice: 'http://a' };
  expect(warned("define x\n  alice\n  bob\n  participant 'carol'\n  participant '${f:who}'\n", { callbacks })).toEqual([
    'callback_missing /2/1 3:3',
    'callback_missing /2/2 4:3',
  ]);
  expect(warned('define x\n  constructor\n', { callbacks })).toEqual(['callback_missing /2/0 2:3']);
  expect(warned('define x\n  bob\n')).toEqual([]);
});

test('a condition that asks a field for null is warned of', () => {
  expect(warned("define x\n  alice if: '${owner} is null'\n")).toEqual(['null_condition /2/0 2:3']);
  expect(warned("define x\n  alice if: '${owner} is not set'\n  bob if: '${f:x} is nullable'\n")).toEqual([]);
});

test('a definition of many faults gets twenty warnings', () => {
  expect(warned(`define x\n${'  sequense\n'.repeat(30)}`)).toHaveLength(20);
});

test('the examples of the project get no warnings', () => {
  const files = readdirSync('examples', { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(radial|xml|json)$/.test(file),
  );
  for (const file of files) {
    const read = readDefinition(readFileSync(`examples/${file}`, 'utf8'));
    if (read.ok) expect([file, warningsOf(read.tree)]).toEqual([file, []]);
  }
});

test.each([
  ['a line between two levels', 'define\n  sequence\n      alpha\n    bravo', ['indentation_uneven /2/0/2/1 4:5']],
  ['a line that comes back too far', 'define\n   sequence\n  alpha', ['indentation_uneven /2/1 3:3']],
  [
    'lines of two and of four blanks, each in its own block',
    'define\n  sequence\n      alpha\n      bravo\n  charly',
    [],
  ],
])('of Radial %s is told', (_what, text, expected) => {
  expect(warned(text)).toEqual(expected);
});

test.each([
  ['the value of an attribute', "define\n  alpha task: 'x", ['quote_open /2/0 2:3']],
  ['a bare text', 'define\n  alpha "x\n  bravo', ['quote_open /2/0 2:3']],
  ['a value in a list', "define\n  alpha list: [ 'x ]", ['quote_open /2/0 2:3']],
  ['an apostrophe within a word', "define\n  alpha task: it's", []],
  ['a quote within quotes', 'define\n  alpha task: "\'tis", other: \'"\'', []],
])('an open quote is told in %s', (_what, text, expected) => {
  expect(warned(text)).toEqual(expected);
});
