import { describe } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { describeStore } from './contract.ts';

describe.runIf(hasPostgres())('on Postgres', () => {
  for (const prepared of [true, false])
    describeStore(prepared ? 'the store on Postgres' : 'the store on Postgres without named statements', async () => {
      const database = await freshDatabase();
      const store = await openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared });
      return {
        store,
        close: async () => {
          await store.close();
          await database.drop();
        },
      };
    });
});
