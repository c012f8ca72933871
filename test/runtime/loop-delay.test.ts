import { expect, test } from 'vitest';
import { watchLoopDelay } from '../../src/runtime/loop-delay.ts';
import { until } from '../support/until.ts';

/** For so long the process does nothing else, in milliseconds: a multiple of what is measured without it. */
const HELD_MS = 200;

test('a process that is held up again and again says for how long', async () => {
  const delay = watchLoopDelay();
  try {
    const late = await until('a turn that was held up was measured', () => {
      const since = performance.now();
      while (performance.now() - since < HELD_MS);
      const found = delay.lately();
      return found === null || found < HELD_MS / 2 ? null : found;
    });
    expect(late).toBeGreaterThanOrEqual(HELD_MS / 2);
  } finally {
    delay.stop();
  }
  // What was asked for is forgotten.
  delay.lately();
  expect(delay.lately()).toBe(null);
});
