import { beforeEach, expect, test } from 'vitest';
import type { EngineStimulus } from '../../src/engine/engine.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { Answer } from '../../src/model/stimulus.ts';
import { stoppedClock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { type Log, silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import type { AgendaPeek, Store } from '../../src/store/store.ts';
import { makeTimers } from '../../src/worker/timers.ts';
import { type Database, makeDatabase } from '../simulation/database.ts';
import { openSimulated, perfectLink } from '../simulation/store.ts';
import { until } from '../support/engine-parts.ts';

/* Processes that die in the middle of a step: the marks of agenda rows that were due before the process began. */

const LEASE_SECONDS = 30;
const NOW = 1_000_000;

let now: number;
let database: Database;
let store: Store;
/** What is due, by its id. */
let due: Map<string, AgendaPeek>;
let lines: string[];

const row = (id: string, dueAt: number): AgendaPeek => ({
  workflow: 'w' as WorkflowId,
  id,
  kind: 'timer',
  dueAt,
  path: null,
});

beforeEach(() => {
  now = NOW;
  database = makeDatabase(() => now);
  store = openSimulated(database, { link: perfectLink, ids: randomIds() });
  due = new Map();
  lines = [];
});

const ok: Answer = { ok: true, value: null };

/** A process that takes up what is due; `kills`: the rows whose step never ends. */
function begin(nodeId: string, kills: readonly string[] = []) {
  const fed: string[] = [];
  const log: Log = { ...silentLog, error: (_, { event }) => void lines.push(String(event)) };
  const advance = async ([stimulus]: readonly EngineStimulus[]): Promise<readonly Answer[]> => {
    const event = stimulus?.event;
    if (event?.kind !== 'due' && event?.kind !== 'give_up') throw new Error('Nothing else is fed');
    fed.push(event.kind === 'due' ? event.agenda : `given up: ${event.agenda}`);
    if (event.kind === 'due' && kills.includes(event.agenda)) return new Promise(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    due.delete(event.agenda);
    return [ok];
  };
  const timers = makeTimers({
    store: { ...store, peekAgenda: async () => [...due.values()] },
    engine: { advance },
    clock: stoppedClock(now),
    time: manualTime(),
    ids: randomIds(),
    log,
    settings: { nodeId, leaseSeconds: LEASE_SECONDS },
    share: () => ({ share: 0, shares: 1 }),
    expect: () => {},
  });
  timers.wake();
  return { timers, fed };
}

/** The process is gone, and so long that nobody thinks it alive. */
const die = (): void => {
  now += LEASE_SECONDS * 1000 + 1;
};
const marks = () => database.tables.get('attempt')?.size ?? 0;

test('a row that three processes have died of is not tried a fourth time, and no other suffers', async () => {
  due = new Map(['bad', 'b', 'c'].map((id) => [id, row(id, NOW + 1)]));
  const bad = ['bad'];
  // It became due here: nobody looks at it twice.
  const first = begin('one', bad);
  await until(() => due.size === 1);
  expect(first.fed).toEqual(['bad', 'b', 'c']);
  expect(marks()).toBe(0);

  die();
  for (const id of ['b', 'c']) due.set(id, row(id, NOW + 2));
  const second = begin('two', bad);
  await until(() => due.size === 1);
  expect(second.fed).toEqual(['bad', 'b', 'c']);

  die();
  for (const id of ['b', 'c']) due.set(id, row(id, NOW + 3));
  const third = begin('three', bad);
  await until(() => third.fed.length === 3);
  expect(third.fed).toEqual(['b', 'c', 'bad']);

  die();
  const fourth = begin('four', bad);
  await fourth.timers.quiet();
  expect(fourth.fed).toEqual(['given up: bad']);
  expect(lines).toEqual(['agenda.given_up']);
  expect(marks()).toBe(0);
});

test('while a row is handled that a process has died with, nothing else is, and afterwards everything', async () => {
  due = new Map(['bad', 'b'].map((id) => [id, row(id, NOW - 1)]));
  begin('one', ['bad', 'b']);
  await until(() => marks() === 2);
  die();
  const { fed, timers } = begin('two', ['bad']);
  await until(() => fed.length === 1);
  expect(fed).toEqual(['bad']);
  due.set('late', row('late', now));
  timers.take([{ workflow: 'w' as WorkflowId, id: 'late', dueAt: now }]);
  expect(fed).toEqual(['bad']);

  die();
  const after = begin('three');
  await after.timers.quiet();
  // `b` was never handled alone: whatever died, it was not proved to be of it.
  expect(after.fed.toSorted()).toEqual(['b', 'given up: bad', 'late']);
  expect(marks()).toBe(0);
});

test('a row that a process alive has marked is left to it', async () => {
  due.set('a', row('a', NOW - 1));
  begin('one', ['a']);
  await until(() => marks() === 1);
  const { fed, timers } = begin('two');
  await timers.quiet();
  expect(fed).toEqual([]);
});

test('what ends in order leaves no mark behind', async () => {
  due = new Map(Array.from({ length: 150 }, (_, i) => [`a${i}`, row(`a${i}`, NOW - 1)]));
  const { fed, timers } = begin('one');
  await until(() => due.size === 0);
  await timers.quiet();
  await timers.stop();
  expect(fed).toHaveLength(150);
  expect(marks()).toBe(0);
});
