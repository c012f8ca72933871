import { expect, test } from 'vitest';
import { ALL_CASES_MS_MAX } from '../conformance/server.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { playAllBpmn } from './http.ts';

test.runIf(hasPostgres())('every BPMN case over HTTP, on Postgres', { timeout: ALL_CASES_MS_MAX }, async () => {
  const database = await freshDatabase();
  try {
    expect(await playAllBpmn({ DATABASE_URL: database.url })).toEqual([]);
  } finally {
    await database.drop();
  }
});
