import { describe, expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import type { Fields, Json } from '../../src/model/json.ts';
import { withKey } from '../../src/model/json.ts';
import { isOver } from '../../src/model/rows.ts';
import { makeTree, type Tree } from '../../src/model/tree.ts';
import { type Driver, drive, type Options } from '../properties/driver.ts';

/*
 * Workflows that would run for ever, or grow without end. Each is kept within bounds, takes turns with its neighbours, and can be
 * stopped.
 */

/** Turns are short here, so that few messages show what a thousand would. */
const TURN = { messages: 40 } as const;

function tree(text: string): Tree {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return read.tree;
}
const run = (text: string, options: Options = {}): Driver =>
  drive(tree(text), { limits: TURN, firings: 8, ...options });
const error = (driver: Driver): { readonly class: string; readonly message: string } | undefined =>
  [...driver.world.whole(driver.id).errors.values()][0];
const status = (driver: Driver): string | null => driver.status();

function settleFully(driver: Driver, turns = 200): void {
  for (let turn = 0; turn < turns; turn++) if (driver.settle()) return;
  throw new Error(`Not at rest after ${turns} times 8 turns`);
}

/** A workflow that never rests: whatever one step does is bounded, a cancel gets in behind, a kill ends it at once. */
describe.each([
  ['repeat without waiting', 'define\n  repeat\n    noop\n'],
  ['a cursor that rewinds for ever', "define\n  cursor rewind_if: 'true'\n    noop\n"],
  ['a retry without delay', 'define on_error: retry\n  error again\n'],
  [
    'a retry without delay further up',
    "define\n  sequence on_error: 'redo'\n    sequence\n      error 'again and again'\n",
  ],
  ['a redo of its own tag', 'define\n  sequence tag: x\n    redo x\n'],
  [
    'sub-processes that call each other, one after the other',
    'define\n  repeat\n    a\n  define a\n    b\n  define b\n    noop\n',
  ],
  ['a jump back', 'define\n  cursor\n    noop\n    jump to: noop\n'],
  ['an iterator that goes back for ever', "define\n  iterator on: 'a, b'\n    noop\n    rewind if: '${v:i} == b'\n"],
])('%s', (_, text) => {
  test('goes on in turns of a bounded number of messages', () => {
    const driver = run(text);
    expect(driver.settle()).toBe(false);
    expect(status(driver)).toBe('running');
    const rows = driver.world.whole(driver.id);
    expect(rows.agenda.size).toBe(1);
    for (const row of driver.world.history(driver.id)) expect(row.lastN - row.firstN).toBeLessThan(4 * TURN.messages);
  });

  test('takes its turn behind whoever came before it', () => {
    const driver = run(text);
    const due = driver.world.firstDue();
    expect(due?.row.kind).toBe('continue');
    expect(due?.row.dueAt).toBe(driver.world.now());
  });

  test('can be cancelled', () => {
    const driver = run(text);
    driver.stimulate({ kind: 'cancel' });
    settleFully(driver);
    expect(status(driver)).toBe('cancelled');
  });

  test('can be killed, at once', () => {
    const driver = run(text);
    driver.stimulate({ kind: 'kill' });
    expect(status(driver)).toBe('killed');
  });

  test('stands still while it is paused, and goes on', () => {
    const driver = run(text);
    driver.stimulate({ kind: 'pause' });
    expect(driver.settle()).toBe(true);
    driver.stimulate({ kind: 'resume' });
    expect(driver.settle()).toBe(false);
    driver.stimulate({ kind: 'kill' });
    expect(status(driver)).toBe('killed');
  });
});

describe('names and recursion', () => {
  test('aliases that lead to each other in a circle are an error of the workflow', () => {
    const driver = run("define\n  set 'v:a': b\n  set 'v:b': a\n  a\n");
    expect(status(driver)).toBe('error');
    expect(error(driver)?.message).toContain('circle');
  });

  test('an alias of itself is one, too', () => {
    expect(error(run("define\n  set 'v:a': a\n  a\n"))?.message).toContain('circle');
  });

  test('recursion without end stops at the depth that is allowed', () => {
    const driver = run('define\n  define again\n    again\n  again\n', { limits: { messages: 100_000, depth: 60 } });
    expect(error(driver)).toMatchObject({ class: 'LimitExceeded' });
    expect(error(driver)?.message).toContain('60 deep');
    driver.stimulate({ kind: 'cancel' });
    settleFully(driver);
    expect(status(driver)).toBe('cancelled');
  });

  test('recursion that forks stops at the number of expressions that is allowed', () => {
    const text = 'define\n  define again\n    concurrence\n      again\n      again\n      again\n  again\n';
    const driver = run(text, { limits: { ...TURN, expressions: 300 }, firings: 400 });
    settleFully(driver);
    expect(error(driver)).toMatchObject({ class: 'LimitExceeded' });
    driver.stimulate({ kind: 'kill' });
    settleFully(driver);
    expect(status(driver)).toBe('killed');
  });

  test('a block that applies itself is bounded as any recursion', () => {
    const driver = run('define\n  define a\n    apply\n  a\n    a\n      noop\n', { limits: { ...TURN, depth: 40 } });
    settleFully(driver);
    expect(['error', 'completed']).toContain(status(driver));
  });
});

describe('sizes', () => {
  test.each([
    ['iterator times: 100001\n    noop', 'LimitExceeded'],
    ['citerator times: 1e15\n    noop', 'LimitExceeded'],
    ['citerator times: 100001\n    noop', 'LimitExceeded'],
  ])('%s is refused', (line, name) => {
    expect(error(run(`define\n  ${line}\n`))?.class).toBe(name);
  });

  test('an iterator of a hundred thousand turns goes on in turns, and can be cancelled', () => {
    const driver = run('define\n  iterator times: 100000\n    noop\n');
    expect(driver.settle()).toBe(false);
    driver.stimulate({ kind: 'cancel' });
    settleFully(driver);
    expect(status(driver)).toBe('cancelled');
  });

  test('an index far outside a list is refused instead of filled up with nulls', () => {
    const driver = run("define\n  set 'l.999999999': 1\n", { fields: { l: [] } });
    expect(error(driver)?.class).toBe('IndexError');
  });

  test('fields that grow past their limit are an error where they would be delivered', () => {
    const driver = run("define\n  repeat\n    set f: a, value: '${f:a}${f:a}'\n    alpha if: '${f:big}'\n", {
      fields: { a: 'x'.repeat(1_000) },
      firings: 400,
    });
    settleFully(driver);
    expect(status(driver)).toBe('error');
    driver.stimulate({ kind: 'cancel' });
    settleFully(driver);
    expect(isOver(driver.status() ?? 'running')).toBe(true);
  });

  test('a substitution that would explode is an error', () => {
    const fields = { a: 'x'.repeat(100_000) };
    const driver = run(`define\n  set b: '${'${f:a}'.repeat(50)}'\n`, { fields });
    expect(error(driver)?.message).toContain('more than');
  });

  test('substituted text is not read again, however it looks', () => {
    const driver = run("define\n  set b: '${f:a}'\n  set c: '${f:b}'\n", { fields: { a: '${f:a}${v:x}$f:a' } });
    expect(driver.result()).toMatchObject({ b: '${f:a}${v:x}$f:a', c: '${f:a}${v:x}$f:a' });
  });

  test('a deep definition runs as deep as is allowed, and no deeper', () => {
    let deep = makeTree('noop');
    for (let i = 0; i < 120; i++) deep = makeTree('sequence', [], [deep]);
    const root = makeTree('define', [], [deep]);
    expect(drive(root, { limits: { depth: 200 } }).status()).toBe('completed');
    expect(error(drive(root, { limits: { depth: 100 } }))?.class).toBe('LimitExceeded');
  });

  test('past tags are kept up to a bound', () => {
    const driver = run(
      "define\n  iterator times: 60\n    noop tag: 't${v:i}'\n  save to_v: 's'\n  alpha at: '${v:/__past_tags__.-1.0}', first: '${v:/__past_tags__.0.0}'\n",
      {
        limits: { messages: 1_000, pastTags: 10 },
      },
    );
    const [workitem] = driver.world.whole(driver.id).workitems.values();
    expect(JSON.parse(workitem?.params ?? '{}')).toMatchObject({ at: 't59', first: 't50' });
  });

  test('more variables than fit into a scope get rows of their own, and go with it', () => {
    const driver = run(
      "define\n  let\n    iterator times: 100\n      set 'v:n${v:i}': '${v:i}'\n    alpha first: '${v:n0}', last: '${v:n99}'\n",
      {
        limits: { messages: 10_000 },
      },
    );
    expect(driver.world.whole(driver.id).variables.size).toBeGreaterThan(30);
    const [workitem] = driver.open();
    expect(JSON.parse(driver.world.whole(driver.id).workitems.get(workitem?.id ?? '')?.params ?? '{}')).toMatchObject({
      first: '0',
      last: '99',
    });
    if (workitem !== undefined) driver.stimulate({ kind: 'proceed', workitem: workitem.id, fields: {} });
    expect(driver.world.whole(driver.id).variables.size).toBe(0);
    expect(status(driver)).toBe('completed');
  });
});

describe('regular expressions from strangers', () => {
  const evil = ['(a+)+$', '(a|a)*$', '(a|aa)+$', '(.*a){20}$', '(x+x+)+y', '^(([a-z])+.)+[A-Z]([a-z])+$'];
  const long = `${'a'.repeat(20_000)}!`;

  test.each(evil)('/%s/ takes time in proportion to the text, as a condition, a filter and a pattern', (source) => {
    const patterned = `define\n  sequence on_error: [ [ '/${source}/', pass ] ]\n    error '\${f:long}'\n`;
    const texts = [
      `define\n  noop if: "\${f:long} =~ /${source}/"\n`,
      `define\n  filter long, match: '${source}', or: 'no'\n`,
      `define\n  given '\${f:long}'\n    of '/${source}/'\n      noop\n`,
      patterned,
    ];
    for (const text of texts) expect(status(run(text, { fields: { long } }))).not.toBe('running');
  });

  test.each(['(?=a)', '(a)\\\\1', 'a{2000}{2000}', `${'a'.repeat(1_001)}`, '(?<n>a)\\\\k<n>'])(
    '/%s/ is an error of the workflow',
    (source) => {
      const driver = run(`define\n  filter a, match: '${source}'\n`, { fields: { a: 'b' } });
      expect(error(driver)?.message).toContain('regular expression');
    },
  );
});

describe('names that mean something to JavaScript', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
  const polluted = (): boolean =>
    Object.hasOwn(Object.prototype, 'polluted') || ({} as { polluted?: Json }).polluted !== undefined;

  test.each(names)('%s is an ordinary field, variable, tag and participant', (name) => {
    const text = [
      'define',
      `  set f: '${name}', value: 1`,
      `  set v: '${name}', value: 2`,
      `  set f: '${name}.polluted', value: 3`,
      `  noop tag: '${name}'`,
      `  inc v: '${name}'`,
      `  participant '${name}', got: '\${f:${name}}', var: '\${v:${name}}', none: '\${f:x.${name}}\${v:y.${name}}'`,
      '',
    ].join('\n');
    const driver = run(text, { fields: { x: {} } });
    const [open] = driver.open();
    expect(open?.participant).toBe(name);
    const row = driver.world.whole(driver.id).workitems.get(open?.id ?? '');
    expect(JSON.parse(row?.params ?? '{}')).toMatchObject({ none: '' });
    expect(polluted()).toBe(false);
  });

  test.each(names)('%s can be launched with and answered with', (name) => {
    const field = (value: Json): Fields => withKey({}, name, value);
    const driver = run(`define\n  alpha\n  set f: copy, value: '$f:${name}'\n  bravo\n`, { fields: field('in') });
    const [open] = driver.open();
    if (open !== undefined) driver.stimulate({ kind: 'proceed', workitem: open.id, fields: field({ polluted: true }) });
    expect(Object.getOwnPropertyDescriptor(driver.result(), 'copy')?.value).toEqual({ polluted: true });
    expect(polluted()).toBe(false);
  });

  test('nobody reads a variable called constructor that nobody set', () => {
    const driver = run("define\n  constructor\n  alpha if: '${v:constructor} is set'\n");
    expect(driver.open().map((each) => each.participant)).toEqual(['constructor']);
  });
});
