import { expect, test } from 'vitest';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { ALL_CASES_MS_MAX, playSide } from './server.ts';

test.runIf(hasPostgres())(
  'cases over HTTP, on Postgres: the other half and some of each kind, or all',
  { timeout: ALL_CASES_MS_MAX },
  async () => {
    const database = await freshDatabase();
    try {
      expect(await playSide('postgres', { DATABASE_URL: database.url })).toEqual([]);
    } finally {
      await database.drop();
    }
  },
);
