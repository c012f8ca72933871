import { expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import { step as realStep } from '../../src/interpreter/step.ts';
import { LIMITS } from '../../src/model/stimulus.ts';
import { drive } from '../properties/driver.ts';
import type { Step } from '../support/world.ts';

/* Messages that wait for the next turn of a workflow, where they are large: each is written once, however many turns there are. */

const LIMITED = { ...LIMITS, work: 10_000 };
const SIZE = 5_000;

const treeOf = (text: string) => {
  const read = readDefinition(text);
  if (!('tree' in read)) throw new Error(`not read: ${JSON.stringify(read)}`);
  return read.tree;
};

/** Steps that count the characters of what they write for the next turns, and the messages they set down. */
function counting(): { readonly step: Step; readonly written: () => number; readonly setDown: () => number } {
  let written = 0;
  let setDown = 0;
  return {
    step: (...given) => {
      const result = realStep(...given);
      if (result.kind === 'stepped')
        for (const op of result.changes?.agenda.values() ?? []) {
          if (op.kind !== 'put' || op.row.kind !== 'continue') continue;
          written += op.row.payload.length;
          if (op.row.id !== 'continue') setDown += 1;
        }
      return result;
    },
    written: () => written,
    setDown: () => setDown,
  };
}

/** Branches with a large field each, and one that all of them have. */
const OWN = '    sequence\n      set "f:x": "${f:t}y"\n      set "f:z": 1\n';
const SHARED = '    set "f:x": 1\n';

const run = (count: number, limits: typeof LIMITS, branch = OWN, size = SIZE) => {
  const counted = counting();
  const definition = `define a\n  concurrence merge_type: 'mix', over_if: '$\{f:t} == 1'\n${branch.repeat(count)}  alpha\n`;
  const driver = drive(treeOf(definition), {
    limits,
    step: counted.step,
    fields: { t: 'x'.repeat(size) },
    firings: 1_000,
  });
  return { ...counted, driver };
};

test('what a workflow is told in many turns it is told in the same order as in one', () => {
  const many = run(6, LIMITED);
  const one = run(6, LIMITS);
  expect(many.setDown()).toBeGreaterThan(0);
  expect(one.setDown()).toBe(0);
  const [a, b] = [many.driver.played(), one.driver.played()];
  expect([a.dispatches, a.errors, a.fields, a.status]).toEqual([b.dispatches, b.errors, b.fields, b.status]);
  // Nothing is left of what was set down.
  expect(many.driver.world.whole(many.driver.id).agenda.size).toBe(0);
});

test('twice as many branches with large fields write twice as much, and not four times', () => {
  const [less, more] = [run(10, LIMITED).written(), run(20, LIMITED).written()];
  expect(less).toBeGreaterThan(10 * SIZE);
  expect(more).toBeLessThan(2.5 * less);
});

test('what all branches have is written once a turn, however large it is', () => {
  for (const size of [25_000, 50_000]) {
    const many = run(50, LIMITED, SHARED, size);
    expect(many.driver.played().dispatches).toHaveLength(1);
    // A turn handles one message at least.
    expect(many.written()).toBeLessThan(100 * 1.5 * size);
  }
});

test('a workflow that is killed takes what was set down with it', () => {
  const killed = run(20, { ...LIMITED, messages: 5 });
  killed.driver.stimulate({ kind: 'kill' });
  killed.driver.settle();
  expect(killed.driver.status()).toBe('killed');
  expect(killed.driver.world.whole(killed.driver.id).agenda.size).toBe(0);
});

test('an expression that fails once for each of its branches keeps the last error, in one turn as in many', () => {
  const failing = (limits: Partial<typeof LIMITS>) => {
    let stringified = 0;
    const stringify = JSON.stringify;
    JSON.stringify = ((value: { message?: unknown; deviations?: unknown }, ...more: []) => {
      if (value?.message !== undefined && value.deviations !== undefined) stringified += 1;
      return stringify(value, ...more);
    }) as typeof stringify;
    try {
      const many = drive(treeOf(`define a\n  concurrence merge_type: 'stack'\n${SHARED.repeat(30)}`), {
        limits: { ...LIMITS, mergeCharacters: 20_000, ...limits },
        fields: { t: 'x'.repeat(SIZE) },
        firings: 1_000,
      });
      const [row] = many.world.whole(many.id).errors.values();
      return { stringified, row };
    } finally {
      JSON.stringify = stringify;
    }
  };
  const [one, many] = [failing({}), failing({ messages: 1 })];
  for (const { row } of [one, many]) {
    expect(row).toMatchObject({ class: 'LimitExceeded' });
    expect(/from\W+([\d_]+)!/.exec(row?.details ?? '')?.[1]).toBe('0_0_29');
  }
  expect(one.stringified).toBe(2);
  expect(many.stringified).toBeGreaterThan(20);
});

test('a turn loads and changes no more of large branches than it has work for', () => {
  const large = 30_000;
  const work = 4 * large;
  const within = '      sequence\n        unset f: "t"\n        noop _\n        noop _\n        noop _\n';
  const definition = `define a\n  concurrence merge_type: 'ignore'\n${`    sequence\n      set "f:t": "$\{f:t}y"\n${within}`.repeat(40)}  alpha\n`;
  let [loaded, changed] = [0, 0];
  const driver = drive(treeOf(definition), {
    limits: { ...LIMITS, work },
    step: (...given) => {
      const result = realStep(...given);
      if (result.kind !== 'stepped') return result;
      const sizeOf = ({ state, fields }: { readonly state: string; readonly fields: string }): number =>
        state.length + fields.length;
      loaded = Math.max(
        loaded,
        [...given[0].strands.values()].reduce((sum, row) => sum + sizeOf(row), 0),
      );
      const puts = [...(result.changes?.strands.values() ?? [])].flatMap((op) => (op.kind === 'put' ? [op.row] : []));
      changed = Math.max(
        changed,
        puts.reduce((sum, row) => sum + sizeOf(row), 0),
      );
      return result;
    },
    fields: { t: 'x'.repeat(large) },
    firings: 1_000,
  });
  expect(driver.played().dispatches).toHaveLength(1);
  expect(loaded).toBeLessThan(30 * large);
  expect(changed).toBeLessThan(12 * large);
});
