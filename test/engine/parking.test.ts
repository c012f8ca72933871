import { expect, test } from 'vitest';
import type { Waiting } from '../../src/engine/entry.ts';
import { BUSY_MS_MAX, makeParking } from '../../src/engine/parking.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { manualTime } from '../../src/runtime/process-time.ts';

const id = 'w' as WorkflowId;
const waiting = (seed: string): Waiting => ({
  entry: {
    kind: 'stimulus',
    workflow: id,
    stimulus: { workflow: id, origin: { by: 'server' }, event: { kind: 'due', agenda: seed } },
    seed,
    at: 0,
  },
  caller: null,
});
const seeds = (list: readonly Waiting[]): readonly string[] => list.map(({ entry }) => entry.seed);

function parking() {
  const time = manualTime();
  const turns: WorkflowId[] = [];
  return {
    time,
    turns,
    ...makeParking({ time, waitMs: (failures) => failures * 100, again: (one) => turns.push(one) }),
  };
}

test('what comes for a parked workflow waits behind what came first, in order', () => {
  const { gather, park, free } = parking();
  expect(gather(waiting('a'))).toBe(false);
  expect(park(id, [waiting('a'), waiting('b')])).toEqual([]);
  expect(gather(waiting('c'))).toBe(true);
  expect(seeds(free(id))).toEqual(['a', 'b', 'c']);
  expect(gather(waiting('d'))).toBe(false);
});

test('the turn of a parked workflow comes later each time it is found locked, with what was taken back before the rest', () => {
  const { gather, park, take, time, turns } = parking();
  park(id, [waiting('a'), waiting('b')]);
  gather(waiting('c'));
  time.pass(99);
  expect(turns).toEqual([]);
  time.pass(1);
  expect(turns).toEqual([id]);
  const taken = take(id, 2);
  expect(seeds(taken)).toEqual(['a', 'b']);
  park(id, taken);
  time.pass(199);
  expect(turns).toHaveLength(1);
  time.pass(1);
  expect(turns).toHaveLength(2);
  expect(seeds(take(id, 10))).toEqual(['a', 'b', 'c']);
});

test('a workflow that is locked for too long is given up with all that waits for it', () => {
  const { gather, park, time } = parking();
  park(id, [waiting('a')]);
  time.pass(BUSY_MS_MAX);
  expect(seeds(park(id, []))).toEqual(['a']);
  expect(gather(waiting('b'))).toBe(false);
});

test('a workflow for which nothing waits is not parked', () => {
  const { gather, park, time, turns } = parking();
  expect(park(id, [])).toEqual([]);
  expect(gather(waiting('a'))).toBe(false);
  time.pass(BUSY_MS_MAX);
  expect(turns).toEqual([]);
});
