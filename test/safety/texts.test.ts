import { expect, test } from 'vitest';
import type { Fields } from '../../src/model/json.ts';
import { play } from '../interpreter/play.ts';

/* What strangers write: times that are none, names with dots, faces cut in two. Each ends in what a person can act on. */

const started = (text: string, fields: Fields = {}): ReturnType<typeof play> => play(text, { fields });

test.each([
  ['timeout', `define x\n  alpha timeout: '${'1'.repeat(400)}x'\n`],
  ['wait', `define x\n  wait '${'9'.repeat(900)}?'\n`],
  ['timers', `define x\n  alpha timers: '${'1'.repeat(500)}x: beta'\n`],
  ['dots', `define x\n  wait '${'1.1'.repeat(300)}z'\n`],
  ['far too long', `define x\n  wait '${'1'.repeat(100_000)}x'\n`],
])('a text of many digits that is no time is an error at once: %s', (_, text) => {
  expect(started(text).errors[0]).toMatch(/^ArgumentError: (?:invalid time duration|a time has at most)/);
});

test('digits without end are no list of retries', () => {
  const { errors } = started(`define x\n  error 'no', on_error: '${'1'.repeat(200_000)}'\n`);
  expect(errors[0]).toMatch(/^LimitExceeded: the name of a participant is longer/);
});

test('more timers than an expression may have are refused, and none is left behind', () => {
  const { errors, driver } = started(`define x\n  alpha timers: '${'1h: a, '.repeat(1_000)}1h: b'\n`);
  expect(errors).toEqual(['LimitExceeded: timers: 1001 entries are more than the 1000 that one expression may have']);
  expect([...driver.world.whole(driver.id).agenda.values()].filter((row) => row.kind === 'timer')).toEqual([]);
});

test('timers whose last time cannot be read leave none behind', () => {
  const { errors, driver } = started("define x\n  alpha timers: '1h: a, soon: b'\n");
  expect(errors[0]).toContain('invalid time duration "soon"');
  expect([...driver.world.whole(driver.id).agenda.values()].filter((row) => row.kind === 'timer')).toEqual([]);
});

test('cron lines that take long to find have a bound', () => {
  const { errors } = started(`define x\n  alpha timers: '${'0 0 29 2 mon: a, '.repeat(999)}1h: b'\n`);
  expect(errors[0]).toMatch(/^LimitExceeded: finding the times of the timers takes more work than is allowed/);
});

const HALF = /\p{Surrogate}/u;
const FACE = '\u{1F600}';

test.each([0, 1])('a text is cut for a message between characters, with %d letters before the faces', (letters) => {
  const m = 'z'.repeat(letters) + FACE.repeat(500);
  for (const text of [
    "define x\n  wait '${f:m}'\n",
    "define x\n  alpha timers: '${f:m}'\n",
    "define x\n  alpha if: '${f:m} > 1'\n",
    "define x\n  alpha if: 'a =~ /(?=${f:m})/'\n",
    'define x\n  filter "f:m"\n',
    "define x\n  alpha filter: '$f:l'\n",
  ]) {
    const { errors } = started(text, { m, l: [m] });
    expect([text, errors.length, errors.every((error) => !HALF.test(error))]).toEqual([text, 1, true]);
  }
});

test('the empty separator gives characters', () => {
  const { driver } = started("define x\n  iterator on: 'a\u{1F600}b', sep: '', to: 'f:c'\n    push 'l', f_val: 'c'\n", {
    l: [],
  });
  expect(driver.result()).toMatchObject({ l: ['a', FACE, 'b'] });
});

test('a sub-process may have dots in its name, as a head, by subprocess and in a handler', () => {
  const definition = "\n  define 'db-1.example.org'\n    checker\n";
  expect(started(`define x\n  subprocess 'db-1.example.org'${definition}`).seen).toEqual(['checker']);
  expect(started(`define x\n  db-1.example.org${definition}`).seen).toEqual(['checker']);
  expect(started(`define x\n  error 'no', on_error: 'db-1.example.org'${definition}`).seen).toEqual(['checker']);
});

test('a tag may have dots in its name', () => {
  const { seen, status } = started("define x\n  concurrence\n    sp tag: 'v1.2'\n    undo ref: 'v1.2'\n  after\n");
  expect(seen).toEqual(['sp', 'cancel sp', 'after']);
  expect(status).toBe('completed');
});

test('a path into a value comes before a name with a dot', () => {
  const { seen } = started("define x\n  set 'v:a': { 'b': 'inside' }\n  alpha if: '${v:a.b} == inside'\n");
  expect(seen).toEqual(['alpha']);
});

test('a variable that was set under a name with a dot is unset under it', () => {
  const { seen } = started("define x\n  set 'v:a.b': 1\n  unset 'v:a.b'\n  alpha if: '${v:a.b} is set'\n");
  expect(seen).toEqual([]);
});

test('a tag hides no participant of its name', () => {
  const { seen, errors } = started("define x\n  sequence tag: 'cleanup'\n    cleanup\n  after\n");
  expect([seen, errors]).toEqual([['cleanup', 'after'], []]);
});

test('a tag hides no sub-process of its name, inside of it or afterwards', () => {
  const { seen, errors } = started(
    "define x\n  sequence tag: 'cleanup'\n    cleanup\n    subprocess 'cleanup'\n  cleanup\n  define cleanup\n    sweeper\n",
  );
  expect([seen, errors]).toEqual([['sweeper', 'sweeper', 'sweeper'], []]);
});

test('a tag of the name of a sub-process is found by those who ask for the tag', () => {
  const { seen } = started(
    "define x\n  concurrence\n    sp tag: 'cleanup'\n    undo ref: 'cleanup'\n  cleanup\n  define cleanup\n    sweeper\n",
  );
  expect(seen).toEqual(['sp', 'cancel sp', 'sweeper']);
});

test('two branches with one tag leave the sub-process of that name where it was', () => {
  const { seen } = started(
    "define x\n  concurrence\n    alpha tag: 'cleanup'\n    beta tag: 'cleanup'\n  cleanup\n  define cleanup\n    sweeper\n",
  );
  expect(seen).toEqual(['alpha', 'beta', 'sweeper']);
});

test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('the tag %s is counted like any other', (tag) => {
  const { driver } = started(`define x\n  concurrence\n    alpha tag: '${tag}'\n    sp tag: '${tag}'\n`);
  expect(driver.world.whole(driver.id).workflow?.header).toContain(`"${tag}":1`);
});

test('stack over an empty list tells its attributes', () => {
  const { driver } = started("define x\n  concurrent_iterator on_f: 'l', merge_type: stack\n    alpha\n", { a: 1 });
  expect(driver.result()).toMatchObject({ a: 1, stack_attributes: { on_f: 'l', merge_type: 'stack' } });
});

test('a filter of too many rules over too many fields ends with its bound', () => {
  const rules = Array.from({ length: 2_000 }, (_, i) => ({ fields: '/^.*$/', set: i }));
  const fields = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, i]));
  const { errors } = started("define x\n  alpha filter: '$rules'\n", { ...fields, rules });
  expect(errors[0]).toMatch(/^LimitExceeded: the filter takes more work than is allowed/);
});
