import { describe } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { describeStore } from './contract.ts';

const ways = [
  { name: 'the store on Postgres', prepared: true, profile: 'postgres' },
  { name: 'the store on Postgres without named statements', prepared: false, profile: 'postgres' },
  { name: 'the store on Postgres as if it were many', prepared: true, profile: 'distributed' },
] as const;

describe.runIf(hasPostgres())('on Postgres', () => {
  for (const { name, prepared, profile } of ways)
    describeStore(name, async () => {
      const database = await freshDatabase();
      const store = await openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared, profile });
      return {
        store,
        close: async () => {
          await store.close();
          await database.drop();
        },
      };
    });
});
