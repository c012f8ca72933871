import { expect, test } from 'vitest';
import { stoppedClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { TookTooLong } from '../../src/store/store.ts';
import { keepHouse } from '../../src/worker/house-keeping.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Lets everything that has been asked for happen. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('once a minute what has been over for long enough goes, in portions, and every five minutes the database tidies up', async () => {
  const time = manualTime();
  const asked: { readonly endedBefore: number; readonly now: number; readonly limit: number }[] = [];
  let left = 450;
  let tidied = 0;
  const house = keepHouse({
    store: {
      retire: async (request) => {
        asked.push(request);
        const gone = Math.min(left, request.limit);
        left -= gone;
        return gone;
      },
      retirePortion: async () => 0,
      tidy: async () => {
        tidied += 1;
      },
    },
    clock: stoppedClock(100 * DAY_MS),
    time,
    log: silentLog,
    retainEndedDays: 30,
    retainAuditDays: 400,
    retainBatchesDays: 30,
    retainMovedDays: 500,
  });
  time.pass(MINUTE_MS - 1);
  await settle();
  expect(asked).toEqual([]);
  time.pass(1);
  await settle();
  expect(left).toBe(0);
  expect(asked.length).toBe(3);
  expect(asked[0]).toMatchObject({
    endedBefore: 70 * DAY_MS,
    now: 100 * DAY_MS,
    keepMs: { audit: 400 * DAY_MS, batch: 30 * DAY_MS, moved: 500 * DAY_MS },
  });
  for (let minute = 2; minute <= 5; minute++) {
    time.pass(MINUTE_MS);
    await settle();
  }
  expect([asked.length, tidied]).toEqual([7, 1]);
  await house.stop();
  time.pass(10 * MINUTE_MS);
  await settle();
  expect(asked.length).toBe(7);
});

test('when so many workflows at once take the database too long, fewer go at once, and all of them go', async () => {
  const time = manualTime();
  const asked: number[] = [];
  let left = 120;
  const house = keepHouse({
    store: {
      retire: async ({ limit }) => {
        asked.push(limit);
        if (Math.min(left, limit) > 30) throw new TookTooLong('too long');
        const gone = Math.min(left, limit);
        left -= gone;
        return gone;
      },
      retirePortion: async () => 0,
      tidy: async () => {},
    },
    clock: stoppedClock(100 * DAY_MS),
    time,
    log: silentLog,
    retainEndedDays: 30,
    retainAuditDays: 400,
    retainBatchesDays: 30,
    retainMovedDays: 400,
  });
  time.pass(MINUTE_MS);
  for (let i = 0; i < 50 && left > 0; i++) await settle();
  expect(left).toBe(0);
  expect(asked.slice(0, 4)).toEqual([200, 100, 50, 25]);
  await house.stop();
});

test('one that takes too long alone goes in portions, and those behind it go, too', async () => {
  const time = manualTime();
  let [rows, left] = [50_000, 3];
  const portions: number[] = [];
  const house = keepHouse({
    store: {
      retire: async ({ limit }) => {
        if (rows > 0) throw new TookTooLong('too long');
        const gone = Math.min(left, limit);
        left -= gone;
        return gone;
      },
      retirePortion: async (request) => {
        const gone = Math.min(rows, request.rows);
        rows -= gone;
        portions.push(gone);
        return gone;
      },
      tidy: async () => {},
    },
    clock: stoppedClock(100 * DAY_MS),
    time,
    log: silentLog,
    retainEndedDays: 30,
    retainAuditDays: 400,
    retainBatchesDays: 30,
    retainMovedDays: 400,
  });
  time.pass(MINUTE_MS);
  for (let i = 0; i < 50 && left > 0; i++) await settle();
  expect([left, portions]).toEqual([0, [20_000, 20_000, 10_000, 0]]);
  await house.stop();
});

test('one node keeps house for all; the others look now and then', async () => {
  const time = manualTime();
  let isOurs = true;
  let asked = 0;
  const house = keepHouse({
    store: {
      retire: async () => {
        asked += 1;
        return 0;
      },
      retirePortion: async () => 0,
      tidy: async () => {},
    },
    clock: stoppedClock(100 * DAY_MS),
    time,
    log: silentLog,
    retainEndedDays: 30,
    retainAuditDays: 400,
    retainBatchesDays: 30,
    retainMovedDays: 400,
    isOurs: () => isOurs,
  });
  const minutes = async (n: number): Promise<number> => {
    const before = asked;
    for (let minute = 0; minute < n; minute++) {
      time.pass(MINUTE_MS);
      await settle();
    }
    return asked - before;
  };
  expect(await minutes(10)).toBe(10);
  isOurs = false;
  expect(await minutes(10)).toBe(1);
  isOurs = true;
  expect(await minutes(10)).toBe(10);
  await house.stop();
});
