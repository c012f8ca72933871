import { describe, expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import type { Fields } from '../../src/model/json.ts';
import type { Limits } from '../../src/model/stimulus.ts';
import { type Driver, drive } from '../properties/driver.ts';

/*
 * Workflows whose values grow without end. Each meets a bound with a name: an error that waits at the expression, to be replayed or
 * cancelled. Bounds are small here, so that little shows what much would.
 */

const SMALL: Partial<Limits> = {
  work: 50_000,
  messageWork: 800_000,
  fieldsCharacters: 100_000,
  variablesCharacters: 100_000,
  mergeCharacters: 200_000,
  keptCharacters: 1_000_000,
};

function run(text: string, fields: Fields = {}, limits: Partial<Limits> = {}): Driver {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return drive(read.tree, { fields, limits: { ...SMALL, ...limits }, firings: 400 });
}

const errors = (driver: Driver): readonly string[] =>
  [...driver.world.whole(driver.id).errors.values()].map((row) => row.class);

/** Characters of everything the workflow keeps. */
function kept(driver: Driver): number {
  const { workflow, strands, variables, agenda } = driver.world.whole(driver.id);
  return JSON.stringify([workflow, [...strands], [...variables], [...agenda]]).length;
}

const big = 'x'.repeat(9_000);
const list = Array.from({ length: 1_000 }, (_, i) => `item ${i}`);

describe.each([
  ['a merge that concatenates', "define\n  repeat\n    concurrence merge_type: 'concat'\n      sequence\n      sequence\n", { a: ['x'] }],
  ['a merge that stacks', "define\n  repeat\n    concurrence merge_type: 'stack'\n      sequence\n      sequence\n", { a: ['x'] }],
  ['a merge that isolates', "define\n  repeat\n    concurrence merge_type: 'isolate'\n      sequence\n      sequence\n", { a: ['x'] }],
  ['a list of itself, twice', "define\n  repeat\n    set 'f:a': ['$f:a', '$f:a']\n", { a: 1 }],
  ['an object of itself, twice', "define\n  repeat\n    set 'f:a': { b: '$f:a', c: '$f:a' }\n", { a: 1 }],
  ['a list of itself, once', "define\n  repeat\n    set 'f:a': ['$f:a']\n", { a: 1 }],
  ['a text of itself, twice', "define\n  repeat\n    set 'f:a': '${f:a}${f:a}'\n", { a: 'x' }],
  ['a text of a variable, twice', "define\n  set 'v:a': 'x'\n  repeat\n    set 'v:a': '${v:a}${v:a}'\n", {}],
  ['a list of a variable, twice', "define\n  set 'v:a': 'x'\n  repeat\n    set 'v:a': ['$v:a', '$v:a']\n", {}],
  ['fields saved within themselves', "define\n  repeat\n    save to_f: 'a'\n", {}],
  ['fields pushed into a list', "define\n  repeat\n    push 'f:a': '$f:.'\n", { a: [] }],
  ['fields restored into themselves', "define\n  repeat\n    sequence\n      save to_v: 'a'\n      restore from_v: 'a', to_f: 'b'\n", {}],
  ['a variable for each round', "define\n  repeat\n    sequence\n      inc 'f:i'\n      set 'v:x${f:i}': '$f:a'\n", { a: big, i: 0 }],
  ['a field for each round', "define\n  repeat\n    sequence\n      inc 'f:i'\n      set 'f:x${f:i}': '$f:a'\n", { a: big, i: 0 }],
  ['variables of a branch copied out', "define\n  set 'v:a': 'x'\n  repeat\n    sequence scope: true, vars_to_f: 'b'\n      set 'v:c': ['$f:b', '$f:b']\n", { b: 1 }],
  ['branches that each grow', "define\n  citerator times: 60, merge_type: 'isolate'\n    set 'f:b': '${f:a}${v:i}'\n", { a: big }],
  ['forgotten branches with copies of a large variable', "define\n  set 'v:a': '$f:a'\n  repeat\n    sequence forget: true\n      stall\n", { a: big }],
  ['a name that grows', "define\n  set 'v:n': 'x'\n  repeat\n    sequence\n      set 'v:n': '${v:n}${v:n}'\n      set 'v:${v:n}': 1\n", {}],
  ['a tag that grows', "define\n  repeat\n    sequence\n      set 'f:n': '${f:n}${f:n}'\n      noop tag: '${f:n}'\n", { n: 'x' }],
] as [string, string, Fields][])('%s', (_, text, fields) => {
  test('ends in an error with the name of its bound, and keeps little', () => {
    const driver = run(text, fields);
    expect(errors(driver)).toContain('LimitExceeded');
    expect(driver.status()).toBe('error');
    expect(kept(driver)).toBeLessThan(2_500_000);
  });

  test('can be replayed, and is gone when it is cancelled or killed', () => {
    const driver = run(text, fields);
    const [row] = driver.world.whole(driver.id).errors.values();
    if (row === undefined) throw new Error('no error waits');
    expect(driver.stimulate({ kind: 'replay', expression: row.id, fields: null, tree: null })).toMatchObject({ ok: true });
    driver.settle();
    expect(errors(driver)).toContain('LimitExceeded');
    driver.stimulate({ kind: 'kill' });
    driver.settle();
    expect(driver.status()).toBe('killed');
  });
}); // biome-ignore format: a table

test('what is repaired goes on', () => {
  const driver = run("define\n  set 'f:a': '${f:a}${f:a}${f:a}'\n  set 'f:b': '${f:a}${f:a}${f:a}'\n  alpha\n", {
    a: 'x'.repeat(20_000),
  });
  const [row] = driver.world.whole(driver.id).errors.values();
  expect(row?.class).toBe('LimitExceeded');
  driver.stimulate({ kind: 'replay', expression: row?.id as never, fields: { a: 'y' }, tree: null });
  driver.settle();
  expect(driver.open().map(({ participant }) => participant)).toEqual(['alpha']);
});

test('a list of many elements is gone through in turns, to its end', () => {
  const driver = run("define\n  iterator on: '$f:list'\n    inc 'f:n'\n  alpha n: '$f:n'\n", { list, n: 0 });
  while (!driver.settle());
  expect(driver.open()).toHaveLength(1);
  const [row] = driver.world.whole(driver.id).workitems.values();
  expect(JSON.parse(row?.params ?? '{}')).toMatchObject({ n: 1_000 });
});

test('steps over large fields end early and the rest takes its turn', () => {
  const driver = run("define\n  sequence\n    repeat\n      set 'f:b': '${f:a}'\n", { a: 'x'.repeat(20_000) });
  expect(errors(driver)).toEqual([]);
  const rows = driver.world.history(driver.id);
  for (const row of rows) expect(row.lastN - row.firstN).toBeLessThan(40);
});

test('what has used up the work of a message is told as an error with the name of its bound', () => {
  const driver = run(
    "define\n  repeat\n    concurrence merge_type: 'concat'\n      sequence\n      sequence\n",
    { a: ['x'] },
    { messageWork: 30_000 },
  );
  const rows = [...driver.world.whole(driver.id).errors.values()];
  expect(rows.map((row) => row.class)).toEqual(['LimitExceeded']);
  expect(rows[0]?.message).toContain('more than 30000 characters and elements');
});

test('fields that are large are kept once beside an error, and are there again when it is replayed', () => {
  const driver = run("define\n  concurrence merge_type: 'concat'\n    sequence\n    sequence\n  alpha\n", {
    a: Array.from({ length: 15_000 }, () => 'x'),
  });
  const [row] = driver.world.whole(driver.id).errors.values();
  if (row === undefined) throw new Error('no error waits');
  expect(row.details.length).toBeLessThan(130_000);
  driver.stimulate({ kind: 'replay', expression: row.id, fields: null, tree: null });
  driver.settle();
  expect(errors(driver)).toEqual(['LimitExceeded']);
  driver.stimulate({ kind: 'replay', expression: row.id, fields: { a: ['y'] }, tree: null });
  driver.settle();
  expect(driver.open().map(({ participant }) => participant)).toEqual(['alpha']);
});

test('a launch with large fields reaches its first participant in one step', () => {
  const driver = run('define\n  sequence\n    sequence\n      alpha\n', { a: 'x'.repeat(90_000) });
  expect(driver.open()).toHaveLength(1);
  expect(driver.world.history(driver.id)).toHaveLength(1);
});
