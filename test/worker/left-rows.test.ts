import { beforeEach, expect, test } from 'vitest';
import type { EngineStimulus } from '../../src/engine/engine.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { Answer } from '../../src/model/stimulus.ts';
import { stoppedClock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { type Log, silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import type { AgendaPeek, Store } from '../../src/store/store.ts';
import { ALONE_AT_FIRST_MAX, LIVED_MS_MIN } from '../../src/worker/left-rows.ts';
import { AGENDA_LOOK_MAX, makeTimers } from '../../src/worker/timers.ts';
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
  const time = manualTime();
  const timers = makeTimers({
    store: { ...store, peekAgenda: async ({ limit }) => [...due.values()].slice(0, limit) },
    engine: { advance },
    clock: stoppedClock(now),
    time,
    ids: randomIds(),
    log,
    settings: { nodeId, leaseSeconds: LEASE_SECONDS },
    share: () => ({ share: 0, shares: 1 }),
    expect: () => {},
  });
  timers.wake();
  /** It goes on living until what others died of is tried again. */
  const live = (): void => time.pass(LIVED_MS_MIN);
  return { timers, fed, live };
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
  await until(() => second.fed.length === 1);
  expect(second.fed).toEqual(['bad']);

  die();
  for (const id of ['b', 'c']) due.set(id, row(id, NOW + 3));
  const third = begin('three', bad);
  await third.timers.quiet();
  expect(third.fed).toEqual(['b', 'c']);
  third.live();
  await until(() => third.fed.length === 3);
  expect(third.fed.at(-1)).toBe('bad');

  die();
  const fourth = begin('four', bad);
  await fourth.timers.quiet();
  expect(fourth.fed).toEqual(['given up: bad']);
  expect(lines).toEqual(['agenda.given_up']);
  expect(marks()).toBe(0);
});

test('a process that is killed again and again from outside gives nothing up, however often it dies with a row', async () => {
  due = new Map(['a', 'b', 'c'].map((id) => [id, row(id, NOW - 1)]));
  const all = ['a', 'b', 'c'];
  // Each is killed while the first that it comes to is handled, and then before it comes to any.
  for (const node of ['one', 'two', 'three']) {
    const { fed } = begin(node, all);
    await until(() => fed.length === 1);
    die();
  }
  for (const node of ['four', 'five', 'six']) {
    const { fed, timers } = begin(node, all);
    await timers.quiet();
    expect(fed).toEqual([]);
    die();
  }
  const last = begin('last');
  await last.timers.quiet();
  expect(last.fed).toEqual([]);
  last.live();
  await until(() => due.size === 0);
  await last.timers.quiet();
  expect(last.fed.toSorted()).toEqual(['a', 'b', 'c']);
  expect(lines).toEqual([]);
  expect(marks()).toBe(0);
});

test('while a row is handled alone, nothing else is, and afterwards everything', async () => {
  due = new Map(['bad', 'b'].map((id) => [id, row(id, NOW - 1)]));
  const { fed, timers } = begin('one', ['bad']);
  await until(() => fed.length === 1);
  due.set('late', row('late', now));
  timers.take([{ workflow: 'w' as WorkflowId, id: 'late', dueAt: now }]);
  expect(fed).toEqual(['bad']);

  die();
  const after = begin('two');
  await after.timers.quiet();
  after.live();
  await until(() => due.size === 0);
  await after.timers.quiet();
  expect(after.fed).toEqual(['b', 'late', 'bad']);
  expect(marks()).toBe(0);
});

test('more rows than a process can have been at are handled together, and alone once one has died with them', async () => {
  const many = ALONE_AT_FIRST_MAX + 3;
  due = new Map(Array.from({ length: many }, (_, i) => [`a${i}`, row(`a${i}`, NOW - 1)]));
  const beyond = [...due.keys()].slice(ALONE_AT_FIRST_MAX);
  const first = begin('one', beyond);
  await until(() => first.fed.length === many);
  expect(marks()).toBe(3);
  die();
  const second = begin('two');
  await second.timers.quiet();
  expect(second.fed).toEqual(beyond);
  expect(AGENDA_LOOK_MAX).toBeLessThan(ALONE_AT_FIRST_MAX);
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
