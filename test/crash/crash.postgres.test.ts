import { expect, test } from 'vitest';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { crash, type Deaths, IN_FLIGHT_MIN } from './crash.ts';

/** Twenty starts, on a machine that does other things too. */
const LIMIT_MS = 400_000;

const DEATHS: Deaths = {
  ...{ 'before commit': 3, 'in commit': 3, 'after commit': 3 },
  ...{ 'during post': 4, 'after 2xx': 3, 'at random': 4 },
};

test.runIf(hasPostgres())(
  'a server on Postgres, killed twenty times, loses nothing and does nothing twice',
  { timeout: LIMIT_MS },
  async () => {
    const database = await freshDatabase();
    try {
      const { seed, kills, verdict } = await crash({ DATABASE_URL: database.url }, DEATHS, Date.now() % 1_000_000);
      console.log(`Killed ${kills.length} times, seed ${seed}: ${JSON.stringify(verdict)}`);
      expect(verdict.violations).toEqual([]);
      expect(kills).toHaveLength(20);
      expect(Math.min(...kills.map(({ inFlight }) => inFlight))).toBeGreaterThanOrEqual(IN_FLIGHT_MIN);
    } finally {
      await database.drop();
    }
  },
);
