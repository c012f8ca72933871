import { expect, test } from 'vitest';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { ALL_CASES_MS_MAX, playAll } from './server.ts';

test.runIf(hasPostgres())('every case over HTTP, on Postgres', { timeout: ALL_CASES_MS_MAX }, async () => {
  const database = await freshDatabase();
  try {
    expect(await playAll({ DATABASE_URL: database.url })).toEqual([]);
  } finally {
    await database.drop();
  }
});
