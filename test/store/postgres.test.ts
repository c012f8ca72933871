import { describe } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { fewOrAll } from '../support/all.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { describeStore } from './contract.ts';
import { inPartitions } from './partitions.ts';
import { describeSaveAtOnce } from './remembered.ts';

const ways = [
  { name: 'the store on Postgres', prepared: true, profile: 'postgres', parts: false },
  { name: 'the store on Postgres without named statements', prepared: false, profile: 'postgres', parts: false },
  { name: 'the store on Postgres in parts by shard', prepared: false, profile: 'distributed', parts: true },
] as const;

describe.runIf(hasPostgres())('on Postgres', () => {
  for (const { name, prepared, profile, parts } of ways) {
    const open = async () => {
      const database = await freshDatabase();
      if (parts) await inPartitions(database);
      const store = await openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared, profile });
      return {
        store,
        close: async () => {
          await store.close();
          await database.drop();
        },
      };
    };
    describeStore(name, open, {
      spreads: profile === 'postgres',
      // Theirs are single statements: with a name they are asked on Postgres, without one where it is in parts.
      freeTables: prepared || parts || fewOrAll(false, true),
    });
    if (profile === 'postgres') describeSaveAtOnce(name, open);
  }
});
