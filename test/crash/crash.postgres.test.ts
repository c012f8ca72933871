import { expect, test } from 'vitest';
import { fewOrAll } from '../support/all.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { crash, type Deaths, IN_FLIGHT_MIN, inEachWay, inTotal } from './crash.ts';

/** Twenty starts, on a machine that does other things too. */
const LIMIT_MS = 400_000;

const DEATHS: Deaths = fewOrAll(inEachWay(2), { ...inEachWay(3), 'during post': 4, 'at random': 4 });

test.runIf(hasPostgres())(
  'a server on Postgres, killed several times in every way, loses nothing and does nothing twice',
  { timeout: LIMIT_MS },
  async () => {
    const database = await freshDatabase();
    try {
      const { seed, kills, verdict } = await crash({ DATABASE_URL: database.url }, DEATHS, Date.now() % 1_000_000);
      console.log(`Killed ${kills.length} times, seed ${seed}: ${JSON.stringify(verdict)}`);
      expect(verdict.violations).toEqual([]);
      expect(kills).toHaveLength(inTotal(DEATHS));
      expect(Math.min(...kills.map(({ inFlight }) => inFlight))).toBeGreaterThanOrEqual(IN_FLIGHT_MIN);
    } finally {
      await database.drop();
    }
  },
);
