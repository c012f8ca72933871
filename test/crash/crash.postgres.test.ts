import { expect, test } from 'vitest';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { crash, IN_FLIGHT_MIN } from './crash.ts';

/** Twenty starts, on a machine that does other things too. */
const LIMIT_MS = 400_000;

test.runIf(hasPostgres())(
  'a server on Postgres, killed twenty times, loses nothing and does nothing twice',
  { timeout: LIMIT_MS },
  async () => {
    const database = await freshDatabase();
    try {
      const { seed, kills, verdict } = await crash({ DATABASE_URL: database.url }, Date.now() % 1_000_000);
      console.log(`Killed ${kills.length} times, seed ${seed}: ${JSON.stringify(verdict)}`);
      expect(verdict.violations).toEqual([]);
      expect(kills).toHaveLength(20);
      expect(Math.min(...kills.map(({ inFlight }) => inFlight))).toBeGreaterThanOrEqual(IN_FLIGHT_MIN);
    } finally {
      await database.drop();
    }
  },
);
