import { expect, test } from 'vitest';
import { manualTime } from '../../src/runtime/process-time.ts';
import type { Glance, Occasional } from '../../src/store/tables/change-mark.ts';
import { makeInUse, UNTOLD_MS_MAX } from '../../src/worker/in-use.ts';

function waitingFor(...kinds: readonly Occasional[]) {
  const time = manualTime();
  const woken: string[] = [];
  let hear: (glance: Glance) => void = () => {};
  const inUse = makeInUse({
    time,
    store: {
      onGlance: (listener) => {
        hear = listener;
        return () => {
          hear = () => {};
        };
      },
    },
  });
  const cancels = kinds.map((kind) => inUse.of(kind)(() => woken.push(kind)));
  const tell = (...used: readonly Occasional[]): void => {
    const none = { batches: false, deliveries: false, events: false, schedules: false };
    hear({ inUse: { ...none, ...Object.fromEntries(used.map((kind) => [kind, true])) } });
  };
  return { time, woken, tell, cancels, inUse };
}

test('who waits is woken once, when there is some of its kind', () => {
  const { woken, tell } = waitingFor('batches', 'schedules');
  tell();
  expect(woken).toEqual([]);
  tell('schedules', 'events');
  tell('schedules');
  expect(woken).toEqual(['schedules']);
});

test('while it is told that there is none nobody looks; where nothing is told any more everybody does', () => {
  const { time, woken, tell, inUse } = waitingFor('batches', 'schedules');
  for (let told = 0; told < 20; told++) {
    time.pass(UNTOLD_MS_MAX / 3);
    tell();
  }
  expect(woken).toEqual([]);
  inUse.stop();
  time.pass(UNTOLD_MS_MAX - 1);
  expect(woken).toEqual([]);
  time.pass(1);
  expect(woken).toEqual(['batches', 'schedules']);
});

test('who has called it off is not woken', () => {
  const { time, woken, tell, cancels } = waitingFor('batches');
  for (const cancel of cancels) cancel();
  tell('batches');
  time.pass(UNTOLD_MS_MAX * 2);
  expect(woken).toEqual([]);
});
