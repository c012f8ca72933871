import { expect, test } from 'vitest';
import { fewOrAll } from '../support/all.ts';
import { CHAOS_MS_MAX, chaos, plan, SHORT, WHOLE } from './chaos.ts';

const size = fewOrAll(SHORT, WHOLE);

test('three nodes on Postgres, killed, frozen, cut off and without their database: nothing is lost or done twice', {
  timeout: 2 * CHAOS_MS_MAX,
}, async () => {
  const seed = Date.now() % 1_000_000;
  const lines: string[] = [`npm run chaos -- --seed ${seed}${size === SHORT ? ' --short' : ''}`];
  const result = await chaos(seed, size, (line) => lines.push(line));
  if (typeof result === 'string') {
    console.warn(`The chaos test does not run: ${result}.`);
    return;
  }
  console.log(lines.join('\n'));
  expect(result.verdict.violations, lines.join('\n')).toEqual([]);
  expect(result.troubles).toHaveLength(plan(seed, size).length);
  expect(result.verdict.workflows).toBeGreaterThan(0);
});
