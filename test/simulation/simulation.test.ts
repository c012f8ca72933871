import { describe, expect, test } from 'vitest';
import { FLAWS, HEARD_FLAWS, type HeardFlaw, type PlainFlaw } from './flaws.ts';
import { simulateHeard } from './heard.ts';
import { simulate } from './world.ts';

/* Some worlds on every run, the same each time; ten thousand on demand (README.md). */

const SEEDS = 75;
const FIRST_SEED = 1;
const CHUNK = 25;

/** In so many worlds each planted bug must have been found: some ten times as many as it takes on average. */
const FOUND_WITHIN: { readonly [flaw in PlainFlaw]: number } = {
  'skip the lease check': 40,
  'believe the lease': 300,
  'post before the commit': 10,
  'load before the lock': 150,
  'drop an ack': 60,
  'notice without waiting': 150,
  'believe the memory': 20,
  'take silence for a no': 60,
};

/** The same of worlds of events and schedules. */
const HEARD_WITHIN: { readonly [flaw in HeardFlaw]: number } = {
  'look before the row': 110,
  'receive without a lock': 130,
  'give nothing back': 20,
  'decide twice': 40,
};

const HEARD_SEEDS = 12;

describe('simulated worlds', () => {
  const chunks = Array.from({ length: SEEDS / CHUNK }, (_, i) => FIRST_SEED + i * CHUNK);
  test.each(chunks)(
    `keep every promise, seed %d and the ${CHUNK - 1} after it`,
    async (first) => {
      for (let seed = first; seed < first + CHUNK; seed++) {
        const { problems, tail } = await simulate({ seed });
        const told = [...tail, ...problems, `again: npm run simulate -- --seed ${seed} --runs 1`].join('\n');
        expect(problems.length, told).toBe(0);
      }
    },
    60_000,
  );

  test(`with events and schedules keep every promise, seed 1 and the ${HEARD_SEEDS - 1} after it`, async () => {
    for (let seed = 1; seed <= HEARD_SEEDS; seed++) {
      const { problems, tail } = await simulateHeard({ seed });
      const told = [...tail, ...problems, `again: npm run simulate -- --heard --seed ${seed} --runs 1`].join('\n');
      expect(problems.length, told).toBe(0);
    }
  }, 60_000);

  test('the same seed gives the same world, to the last event', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const [first, second] = [await simulate({ seed }), await simulate({ seed })];
      expect(second.hash).toBe(first.hash);
      expect(second.events).toBe(first.events);
    }
  });

  test('another seed gives another world', async () => {
    const hashes = new Set<string>();
    for (let seed = 1; seed <= 10; seed++) hashes.add((await simulate({ seed })).hash);
    expect(hashes.size).toBe(10);
  });
});

describe('a simulation can fail', () => {
  test.each(FLAWS)(
    '%s is found',
    async (flaw) => {
      let seed = 1;
      while (seed <= FOUND_WITHIN[flaw] && (await simulate({ seed, flaw })).problems.length === 0) seed += 1;
      expect(seed, `not found within ${FOUND_WITHIN[flaw]} worlds`).toBeLessThanOrEqual(FOUND_WITHIN[flaw]);
    },
    60_000,
  );

  test.each(HEARD_FLAWS)(
    '%s is found, where events and schedules are',
    async (flaw) => {
      let seed = 1;
      while (seed <= HEARD_WITHIN[flaw] && (await simulateHeard({ seed, flaw })).problems.length === 0) seed += 1;
      expect(seed, `not found within ${HEARD_WITHIN[flaw]} worlds`).toBeLessThanOrEqual(HEARD_WITHIN[flaw]);
    },
    60_000,
  );
});
