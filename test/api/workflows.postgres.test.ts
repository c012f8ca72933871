import { describe } from 'vitest';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { describeWorkflows } from './workflows.ts';

describe.runIf(hasPostgres())('on Postgres', () => {
  describeWorkflows(async () => {
    const database = await freshDatabase();
    return { settings: { DATABASE_URL: database.url }, close: database.drop };
  });
});
