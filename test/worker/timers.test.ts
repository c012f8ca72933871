import { expect, test } from 'vitest';
import { shardOf, type WorkflowId } from '../../src/model/ids.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { makeTimers } from '../../src/worker/timers.ts';
import { makeDatabase } from '../simulation/database.ts';
import { openSimulated, perfectLink } from '../simulation/store.ts';

test('the node whose share a timer is hears of one that is due soon; of its own and of later ones nobody is told', () => {
  const time = manualTime();
  let told = 0;
  const expected: number[] = [];
  const timers = makeTimers({
    store: {
      ...openSimulated(makeDatabase(time.now), { link: perfectLink, ids: randomIds() }),
      peekAgenda: async () => [],
      wakeOthers: () => {
        told += 1;
      },
    },
    engine: { advance: async () => [] },
    clock: { now: time.now },
    time,
    ids: randomIds(),
    log: silentLog,
    settings: { nodeId: 'node', leaseSeconds: 30 },
    share: () => ({ share: 0, shares: 2 }),
    expect: (at) => void expected.push(at),
  });
  const idOf = (share: number): WorkflowId => {
    const id = Array.from({ length: 100 }, (_, i) => `w${i}`).find((one) => shardOf(one as WorkflowId) % 2 === share);
    return (id ?? '') as WorkflowId;
  };
  timers.take([{ workflow: idOf(0), id: 'a', dueAt: 1_000 }]);
  timers.take([{ workflow: idOf(1), id: 'b', dueAt: 3_600_000 }]);
  expect(told).toBe(0);
  timers.take([{ workflow: idOf(1), id: 'c', dueAt: 1_000 }]);
  expect(told).toBe(1);
  expect(expected).toEqual([1_000, 3_600_000, 1_000]);
});
