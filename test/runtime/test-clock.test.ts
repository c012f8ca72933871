import { expect, test } from 'vitest';
import { stoppedClock } from '../../src/runtime/clock.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { makeTestClock, QUIET_MS_MAX, TEST_CLOCK_SETTING } from '../../src/runtime/test-clock.ts';

const START = 1_000_000;

/** A world in which something falls due every so often, and being quiet means having done it. */
function world(options: { readonly dues: readonly number[]; readonly settings?: Map<string, string> }) {
  const settings = options.settings ?? new Map<string, string>();
  const time = manualTime();
  let due = options.dues.map((seconds) => START + seconds * 1000);
  const done: number[] = [];
  const state = { other: false, restless: false };
  const clock = makeTestClock({
    base: stoppedClock(START),
    time,
    readSetting: async (name) => settings.get(name) ?? null,
    writeSetting: async (name, value) => void settings.set(name, value),
    nextDueAt: async () => due[0] ?? null,
    quiet: async () => {
      if (state.restless) return new Promise(() => {});
      for (const at of due.filter((one) => one <= clock.now())) {
        done.push((clock.now() - START) / 1000);
        due = due.filter((one) => one !== at);
      }
    },
    hasOtherLiveNode: async () => state.other,
  });
  return { clock, done, settings, state, time };
}

test('the clock stops at every due time on its way, exactly', async () => {
  const { clock, done } = world({ dues: [30, 61, 123, 396] });
  await clock.advance(29);
  expect(done).toEqual([]);
  await clock.advance(1);
  expect(done).toEqual([30]);
  await clock.advance(200);
  expect(done).toEqual([30, 61, 123]);
  expect(clock.now()).toBe(START + 230_000);
});

test('an advance of nothing waits for quiet and leaves the time alone', async () => {
  const { clock, done, settings } = world({ dues: [0, 5] });
  await clock.advance(0);
  expect(done).toEqual([0]);
  expect(clock.now()).toBe(START);
  expect(settings.size).toBe(0);
});

test('two advances at once go one after the other', async () => {
  const { clock } = world({ dues: [10] });
  await Promise.all([clock.advance(10), clock.advance(10)]);
  expect(clock.now()).toBe(START + 20_000);
});

test('the offset survives a restart', async () => {
  const first = world({ dues: [] });
  await first.clock.advance(3_600);
  expect(first.settings.get(TEST_CLOCK_SETTING)).toBe('3600000');
  const second = world({ dues: [], settings: first.settings });
  expect(second.clock.now()).toBe(START);
  await second.clock.restore();
  expect(second.clock.now()).toBe(START + 3_600_000);
});

test('the clock is not moved beside another live node', async () => {
  const { clock, state } = world({ dues: [] });
  state.other = true;
  await expect(clock.advance(1)).rejects.toMatchObject({ code: 'conflict' });
  expect(clock.now()).toBe(START);
  state.other = false;
  await clock.advance(1);
  expect(clock.now()).toBe(START + 1_000);
});

test('waiting for a workflow that never rests ends with a complaint', async () => {
  const { clock, state, time } = world({ dues: [] });
  state.restless = true;
  const advanced = expect(clock.advance(1)).rejects.toMatchObject({ code: 'conflict' });
  while (time.next() === null) await new Promise((resolve) => setImmediate(resolve));
  time.pass(QUIET_MS_MAX);
  await advanced;
});
