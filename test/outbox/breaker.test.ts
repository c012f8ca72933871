import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BreakerSign, makeBreakers, OPEN_MAX, OPEN_SECONDS_MAX } from '../../src/outbox/breaker.ts';
import { manualTime } from '../../src/runtime/process-time.ts';

function around(failures: number, seconds = 30, fraction = 0.5) {
  const time = manualTime();
  let halfOpened = 0;
  const breakers = makeBreakers({
    failures,
    seconds,
    time,
    fraction: () => fraction,
    onHalfOpen: () => (halfOpened += 1),
  });
  return { time, breakers, halfOpened: () => halfOpened };
}

test('opens after so many failures in a row, asks once, and closes or stays away for twice as long', () => {
  const { time, breakers, halfOpened } = around(3);
  expect([breakers.heard('h', 'fails'), breakers.heard('h', 'fails')]).toEqual([false, false]);
  breakers.heard('h', 'works');
  expect([1, 2, 3].map(() => breakers.heard('h', 'fails'))).toEqual([false, false, true]);
  expect([breakers.of('h'), breakers.shut(), breakers.of('other')]).toEqual(['open', ['h'], 'closed']);
  // A try that was under way says nothing new.
  expect(breakers.heard('h', 'fails')).toBe(false);
  time.pass(29_999);
  expect(breakers.of('h')).toBe('open');
  time.pass(1);
  expect([breakers.of('h'), breakers.shut(), halfOpened()]).toEqual(['half-open', [], 1]);
  expect(breakers.heard('h', 'nothing')).toBe(false);
  expect(breakers.heard('h', 'fails')).toBe(true);
  time.pass(59_999);
  expect(breakers.of('h')).toBe('open');
  time.pass(1);
  breakers.heard('h', 'works');
  expect([breakers.of('h'), breakers.all()]).toEqual(['closed', []]);
  expect(breakers.heard('h', 'fails')).toBe(false);
});

test('is never open for longer than five minutes and a fifth, and differs from node to node', () => {
  for (const [fraction, factor] of [
    [0, 0.8],
    [1, 1.2],
  ] as const) {
    const { time, breakers } = around(1, 30, fraction);
    breakers.heard('h', 'fails');
    for (const seconds of [30, 60, 120, 240, OPEN_SECONDS_MAX, OPEN_SECONDS_MAX]) {
      time.pass(seconds * factor * 1000 - 1);
      expect(breakers.of('h')).toBe('open');
      time.pass(1);
      expect(breakers.of('h')).toBe('half-open');
      breakers.heard('h', 'fails');
    }
  }
});

test('is off when it is not asked for', () => {
  const { breakers } = around(0);
  for (let i = 0; i < 1_000; i++) expect(breakers.heard('h', 'fails')).toBe(false);
  expect(breakers.of('h')).toBe('closed');
});

test('whatever happens, an open host has a way back, and so many are open at most', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          host: fc.constantFrom('a', 'b'),
          sign: fc.constantFrom<BreakerSign>('works', 'fails', 'nothing'),
          ms: fc.nat(400_000),
        }),
      ),
      (signs) => {
        const { time, breakers } = around(2);
        for (const { host, sign, ms } of signs) {
          breakers.heard(host, sign);
          time.pass(ms);
        }
        time.pass(OPEN_SECONDS_MAX * 1_200);
        return breakers.shut().length === 0 && ['a', 'b'].every((host) => breakers.of(host) !== 'open');
      },
    ),
  );
  const { breakers } = around(1);
  for (let i = 0; i < OPEN_MAX + 10; i++) breakers.heard(`h${i}`, 'fails');
  expect(breakers.all()).toHaveLength(OPEN_MAX);
});
