import { expect, test } from 'vitest';
import { ALL_CASES_MS_MAX } from '../conformance/server.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { playBpmnSide } from './http.ts';

test.runIf(hasPostgres())(
  'BPMN cases over HTTP, on Postgres: the other half and some of each kind, or all',
  { timeout: ALL_CASES_MS_MAX },
  async () => {
    const database = await freshDatabase();
    try {
      expect(await playBpmnSide('postgres', { DATABASE_URL: database.url })).toEqual([]);
    } finally {
      await database.drop();
    }
  },
);
