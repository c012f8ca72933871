import { afterEach, beforeEach, describe, test } from 'vitest';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { fiveNotices, twelveTriesThenError, twelveTriesThenHandler } from './scenarios.ts';

describe.runIf(hasPostgres())('the schedule of tries, on Postgres', { timeout: 180_000 }, () => {
  let database: Database;
  beforeEach(async () => {
    database = await freshDatabase();
  });
  afterEach(() => database.drop());

  test('twelve tries at their times, with a restart in the middle, none early, a thirteenth never; then the workflow is in error', () =>
    twelveTriesThenError({ DATABASE_URL: database.url }, 7));
  test('the same in one go; then the handler of the error', () =>
    twelveTriesThenHandler({ DATABASE_URL: database.url }));
  test('notices have a short schedule of their own, with a restart in the middle', () =>
    fiveNotices({ DATABASE_URL: database.url }, 3));
});
