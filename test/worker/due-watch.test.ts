import { expect, test } from 'vitest';
import { randomIds } from '../../src/runtime/ids.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import type { Glance } from '../../src/store/tables/change-mark.ts';
import { makeDueWatch } from '../../src/worker/due-watch.ts';
import { until } from '../support/engine-parts.ts';
import { promised } from '../support/worker-parts.ts';

test('a due time told while the next one is being asked is kept, whichever is sooner', async () => {
  const time = manualTime();
  const questions: ReturnType<typeof promised<number | null>>[] = [];
  let due = 0;
  const watch = makeDueWatch({
    store: {
      nextDueAt: () => {
        const question = promised<number | null>();
        questions.push(question);
        return question.promise;
      },
      onWake: async () => async () => {},
      hearsWakes: () => false,
      onGlance: () => () => {},
    },
    clock: { now: time.now },
    time,
    ids: randomIds(),
    log: silentLog,
    onDue: () => {
      due += 1;
    },
  });
  await watch.start();
  await until(() => questions.length === 1);
  watch.expect(100);
  questions[0]?.keep(900);
  await new Promise((resolve) => setImmediate(resolve));
  time.pass(100);
  expect(due).toBe(1);
  // And the look that follows finds the later one.
  await until(() => questions.length === 2);
  questions[1]?.keep(900);
  await new Promise((resolve) => setImmediate(resolve));
  time.pass(799);
  expect(due).toBe(1);
  time.pass(1);
  expect(due).toBe(2);
  // One that is far away is left to the polls, and hides none that is told later.
  await until(() => questions.length === 3);
  questions[2]?.keep(60_000);
  await new Promise((resolve) => setImmediate(resolve));
  watch.expect(59_000);
  watch.expect(1_500);
  time.pass(600);
  expect(due).toBe(3);
  const stopped = watch.stop();
  for (const question of questions) question.keep(null);
  await stopped;
});

test('a hint of another node makes this one look for what will be due', async () => {
  const time = manualTime();
  let next: number | null = null;
  let asked = 0;
  let due = 0;
  let hint = (): void => {};
  const watch = makeDueWatch({
    store: {
      nextDueAt: async () => {
        asked += 1;
        return next;
      },
      onWake: async (wake) => {
        hint = wake;
        return async () => {};
      },
      hearsWakes: () => true,
      onGlance: () => () => {},
    },
    clock: { now: time.now },
    time,
    ids: randomIds(),
    log: silentLog,
    onDue: () => {
      due += 1;
    },
  });
  await watch.start();
  await until(() => asked === 1);
  next = 300;
  hint();
  await until(() => asked === 2);
  await new Promise((resolve) => setImmediate(resolve));
  const before = due;
  time.pass(300);
  expect(due).toBe(before + 1);
  await watch.stop();
});

test('where hints are heard it looks seldom, and what it finds far away is on time all the same', async () => {
  const time = manualTime();
  const DUE_AT = 47_000;
  let asked = 0;
  const dueAt: number[] = [];
  const watch = makeDueWatch({
    store: {
      nextDueAt: async (after) => {
        asked += 1;
        return (after ?? 0) < DUE_AT ? DUE_AT : null;
      },
      onWake: async () => async () => {},
      hearsWakes: () => true,
      onGlance: () => () => {},
    },
    clock: { now: time.now },
    time,
    ids: randomIds(),
    log: silentLog,
    onDue: () => dueAt.push(time.now()),
  });
  await watch.start();
  while (time.now() < DUE_AT) {
    await new Promise((resolve) => setImmediate(resolve));
    time.pass(100);
  }
  expect(dueAt).toEqual([DUE_AT]);
  // Every 11 to 14 seconds, and at the start.
  expect(asked).toBeGreaterThanOrEqual(4);
  expect(asked).toBeLessThanOrEqual(8);
  await watch.stop();
});

test('what the node has asked anyway is a look: nothing is asked twice, and what is due is on time', async () => {
  const time = manualTime();
  let asked = 0;
  let hear: (glance: Pick<Glance, 'dueAt'>) => void = () => {};
  const dueAt: number[] = [];
  const watch = makeDueWatch({
    store: {
      nextDueAt: async () => {
        asked += 1;
        return null;
      },
      onWake: async () => async () => {},
      hearsWakes: () => true,
      onGlance: (listener) => {
        hear = (glance) => listener({ ...glance, inUse: NONE });
        return () => {};
      },
    },
    clock: { now: time.now },
    time,
    ids: randomIds(),
    log: silentLog,
    onDue: () => dueAt.push(time.now()),
  });
  const loopsRound = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await watch.start();
  await until(() => asked === 1);
  for (let told = 0; told < 6; told++) {
    time.pass(10_000);
    hear({ dueAt: null });
    await loopsRound();
  }
  expect(asked).toBe(1);
  hear({ dueAt: time.now() + 4_321 });
  time.pass(4_320);
  expect(dueAt).toEqual([]);
  time.pass(1);
  expect(dueAt).toEqual([64_321]);
  await until(() => asked === 2);
  await loopsRound();
  // One that takes many questions tells nothing of that: it looks for itself.
  for (let told = 0; told < 3; told++) {
    time.pass(10_000);
    hear({});
    await loopsRound();
  }
  expect(asked).toBeGreaterThan(3);
  // Something is due already: it is looked at.
  const before = asked;
  hear({ dueAt: time.now() });
  await until(() => asked > before);
  await watch.stop();
});

const NONE = { batches: false, deliveries: false, events: false, schedules: false };
