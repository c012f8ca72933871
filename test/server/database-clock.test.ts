import { afterEach, expect, test, vi } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { makeDatabaseClock } from '../../src/server/database-clock.ts';

const START = Date.UTC(2026, 0, 1);

async function clock() {
  const time = manualTime(5_000);
  const database = { ahead: 0 };
  const made = await makeDatabaseClock({
    store: { databaseTime: () => Promise.resolve(START + (time.now() - 5_000) + database.ahead) },
    time,
    log: silentLog,
  });
  const look = async (): Promise<void> => {
    // To the look and no further: it must find the time at which it asked.
    time.pass((time.next() ?? 0) - time.now());
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { made, time, database, look };
}

afterEach(() => {
  vi.restoreAllMocks();
});

test('a step of the clock of the machine moves no business time', async () => {
  const { made, time } = await clock();
  const machine = vi.spyOn(Date, 'now').mockReturnValue(START);
  expect(made.now()).toBe(START);
  machine.mockReturnValue(START + 50_000);
  expect(made.now()).toBe(START);
  machine.mockReturnValue(START - 50_000);
  time.pass(1_500);
  expect(made.now()).toBe(START + 1_500);
});

test('drift is corrected without time ever running back', async () => {
  const { made, time, database, look } = await clock();
  database.ahead = -40;
  time.pass(59_000);
  const before = made.now();
  await look();
  let last = before;
  for (let i = 0; i < 100; i++) {
    time.pass(1);
    expect(made.now()).toBeGreaterThanOrEqual(last);
    last = made.now();
  }
  expect(last).toBe(START + time.now() - 5_000 - 40);
});

test.each([3_600_000, -3_600_000])('a clock of the database that was set by %i ms is followed', async (ms) => {
  const { made, time, database, look } = await clock();
  made.now();
  database.ahead = ms;
  await look();
  expect(made.now()).toBe(START + time.now() - 5_000 + ms);
});
