import { expect, test } from 'vitest';
import type { TryOutcome } from '../../src/engine/engine.ts';
import { DELIVERED_KEPT_MS, makeKeptOutcomes } from '../../src/engine/kept-outcomes.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { AT, expression } from '../store/samples.ts';

const outcomeOf = (workflow: string, number: number): TryOutcome => ({
  workflow: workflow as WorkflowId,
  workitem: expression(`0_${number}`),
  claim: 'c',
  send: 'active',
  number,
  startedAt: AT,
  endedAt: AT,
  result: { kind: 'delivered', status: 200 },
});

test('of a workflow with very many ends of tries a step takes so many along, the oldest; the rest is written in its time', () => {
  const time = manualTime();
  const written: number[] = [];
  const kept = makeKeptOutcomes({ time, log: silentLog }, (outcomes) =>
    written.push(...outcomes.map((one) => one.number)),
  );
  for (let number = 1; number <= 7; number++) kept.keep(outcomeOf('wide', number), DELIVERED_KEPT_MS);
  kept.keep(outcomeOf('other', 9), DELIVERED_KEPT_MS);
  expect(kept.take('wide' as WorkflowId, 3).map((one) => one.number)).toEqual([1, 2, 3]);
  expect(kept.size()).toBe(5);
  expect(kept.take('wide' as WorkflowId, 3).map((one) => one.number)).toEqual([4, 5, 6]);
  expect(written).toEqual([]);
  time.pass(DELIVERED_KEPT_MS);
  expect(written).toEqual([7, 9]);
  expect(kept.take('wide' as WorkflowId, 3)).toEqual([]);
  expect(kept.size()).toBe(0);
});
