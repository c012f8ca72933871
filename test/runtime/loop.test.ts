import { expect, test } from 'vitest';
import { seededIds } from '../../src/runtime/ids.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { makeLoop } from '../../src/runtime/loop.ts';
import { backoffMs, manualTime, pause } from '../../src/runtime/process-time.ts';

const around = () => ({ name: 'test', time: manualTime(), ids: seededIds(1), log: silentLog });

test('a loop sleeps until it is woken, and any number of calls make one more pass', async () => {
  let passes = 0;
  const loop = makeLoop({
    ...around(),
    work: async () => {
      passes += 1;
      return false;
    },
  });
  await loop.settled();
  expect(passes).toBe(0);
  loop.wake();
  loop.wake();
  loop.wake();
  await loop.settled();
  expect(passes).toBe(2); // the first began at once, the others asked for one more
});

test('a loop goes on as long as its work asks for more', async () => {
  let left = 5;
  const loop = makeLoop({ ...around(), work: async () => --left > 0 });
  loop.wake();
  await loop.settled();
  expect(left).toBe(0);
});

test('a pass that throws is tried again after a growing wait, and the loop goes on by itself', async () => {
  const parts = around();
  let failures = 3;
  let passes = 0;
  const loop = makeLoop({
    ...parts,
    work: async () => {
      passes += 1;
      if (failures-- > 0) throw new Error('away');
      return false;
    },
  });
  loop.wake();
  const waits: number[] = [];
  for (let i = 0; i < 3; i++) {
    await untilTrue(() => parts.time.next() !== null);
    const wait = (parts.time.next() as number) - parts.time.now();
    waits.push(wait);
    loop.wake(); // being woken does not shorten the wait
    parts.time.pass(wait);
  }
  await loop.settled();
  expect(passes).toBe(4);
  expect(waits[1]).toBeGreaterThan(waits[0] as number);
  expect(waits[2]).toBeGreaterThan(waits[1] as number);
});

test('a stopped loop finishes its pass and begins no other', async () => {
  let release = (): void => {};
  let passes = 0;
  const loop = makeLoop({
    ...around(),
    work: async () => {
      passes += 1;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return true;
    },
  });
  loop.wake();
  const stopped = loop.stop();
  release();
  await stopped;
  loop.wake();
  await loop.settled();
  expect(passes).toBe(1);
});

test('waits double up to their bound, a quarter more or less', () => {
  const wait = (failures: number, fraction: number): number =>
    backoffMs({ failures, firstMs: 100, mostMs: 5_000, fraction });
  expect([1, 2, 3, 10, 1000].map((failures) => wait(failures, 0.5))).toEqual([100, 200, 400, 5_000, 5_000]);
  expect([wait(1, 0), wait(1, 0.999)].map(Math.round)).toEqual([75, 125]);
});

test('manual time runs what is due, each at its own time', () => {
  const time = manualTime(1_000);
  const seen: [string, number][] = [];
  time.after(20, () => seen.push(['b', time.now()]));
  time.after(10, () => {
    seen.push(['a', time.now()]);
    time.after(5, () => seen.push(['a2', time.now()]));
  });
  const cancel = time.after(15, () => seen.push(['never', time.now()]));
  cancel();
  time.pass(19);
  expect(seen).toEqual([
    ['a', 1_010],
    ['a2', 1_015],
  ]);
  expect(time.next()).toBe(1_020);
  time.pass(1);
  expect(seen.at(-1)).toEqual(['b', 1_020]);
  expect(time.next()).toBeNull();
});

test('a pause ends early when it is called off', async () => {
  const time = manualTime();
  const off = new AbortController();
  const paused = pause(time, 1_000_000, off.signal);
  off.abort();
  await paused;
  expect(time.next()).toBeNull();
});

/** Lets promises go on until `look` says so. */
async function untilTrue(look: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000 && !look(); i++) await new Promise((resolve) => setImmediate(resolve));
  expect(look()).toBe(true);
}
