import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_DURATION_MS, parseDuration } from '../../src/language/duration.ts';

test.each<[string, number]>([
  ['', 0],
  ['0s', 0],
  ['1s', 1_000],
  ['1000', 1_000_000],
  ['0.3s', 300],
  ['.5s', 500],
  ['1.s', 1_000],
  ['1.5', 1_500],
  ['1m', 60_000],
  ['1M', 30 * 86_400_000],
  ['1h30', 3_630_000],
  ['1h30m', 5_400_000],
  ['30m1h', 5_400_000],
  ['1h1h', 7_200_000],
  ['2d10h', 208_800_000],
  ['1w', 604_800_000],
  ['1y', 365 * 86_400_000],
  ['-10m', -600_000],
  ['-0s', 0],
  ['1000y', MAX_DURATION_MS],
])('%j is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  'soon',
  '1x',
  '2 d',
  '2d 10h',
  '.',
  's',
  '-',
  '--1s',
  '+1s',
  '1S',
  '1H',
  '1d-2h',
  '1e3',
  ' 1s',
  '1001y',
  '9'.repeat(400),
])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeNull();
});

test('a long text that is no duration is told at once', () => {
  expect(parseDuration(`${'1'.repeat(100_000)}x`)).toBeNull();
});

test('a duration is the sum of its parts', () => {
  const seconds = { y: 31_536_000, M: 2_592_000, w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 };
  const part = fc.tuple(fc.nat(99), fc.constantFrom(...Object.entries(seconds)));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
      const text = parts.map(([count, [unit]]) => `${count}${unit}`).join('');
      const total = parts.reduce((sum, [count, [, size]]) => sum + count * size * 1_000, 0);
      expect(parseDuration(text)).toBe(total);
    }),
  );
});
