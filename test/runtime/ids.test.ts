import { expect, test } from 'vitest';
import { randomIds, seededIds } from '../../src/runtime/ids.ts';

test.each([
  ['random', () => randomIds()],
  ['seeded', () => seededIds(7)],
])('%s ids are 32 hexadecimal digits and do not repeat', (_, make) => {
  const ids = make();
  const made = Array.from({ length: 20_000 }, () => ids.hex());
  expect(new Set(made).size).toBe(made.length);
  expect(made.filter((id) => !/^[0-9a-f]{32}$/.test(id))).toEqual([]);
  const workflows = Array.from({ length: 5_000 }, () => ids.workflow(Date.UTC(2015, 9, 5, 12, 47)));
  expect(new Set(workflows).size).toBe(workflows.length);
  expect(workflows.filter((id) => !/^20151005-1247-[a-z]+-[a-z]+$/.test(id))).toEqual([]);
  const fractions = Array.from({ length: 1_000 }, () => ids.fraction());
  expect(fractions.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true);
  expect(Math.max(...fractions) - Math.min(...fractions)).toBeGreaterThan(0.5);
});

test('the same seed gives the same ids, another seed others', () => {
  const [a, b, c] = [seededIds(1), seededIds(1), seededIds(2)].map((ids) => [ids.hex(), ids.workflow(0), ids.hex()]);
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
});
