import { describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { writeTo } from './contract.ts';
import { exerciseEverything } from './exercise.ts';
import { AT, changes, workflow, workflowId } from './samples.ts';

/* What only a server can be asked: to come up from nothing, and to stay fast when it has grown. */

describe.runIf(hasPostgres())('an empty Postgres', () => {
  test('five servers that start at once all come up', async () => {
    const database = await freshDatabase({ empty: true });
    const stores = await Promise.all(
      [1, 2, 3, 4, 5].map(() => openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared: true })),
    );
    const id = workflowId();
    await writeTo(stores[0] as Store, [changes(workflow(id))]);
    for (const store of stores) expect((await store.read.workflow(id))?.id).toBe(id);
    await Promise.all(stores.map((store) => store.close()));
    await database.drop();
  });

  test('plans made on empty tables still go by index when there are 100,000 rows', async () => {
    const database = await freshDatabase();
    // One connection for the engine, so that the plans that were made are those that are used.
    const store = await openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared: true, connectionsMax: 4 });
    await exerciseEverything(store);
    await database.query(fill);
    await exerciseEverything(store);
    await store.close();
    const walks = await database.query(`
      select indexrelname as index, idx_tup_read::integer as read from pg_stat_user_indexes where idx_tup_read > 2000`);
    // Entries looked at, whether or not the row behind them was wanted.
    expect(walks).toEqual([]);
    const touched = await database.query(`
      select relname as table, sum(seq_tup_read)::integer as walked, sum(idx_tup_fetch)::integer as fetched
      from pg_stat_user_tables where n_live_tup > 1000 or seq_tup_read > 1000 group by relname`);
    expect(touched.length).toBeGreaterThan(5);
    for (const table of touched) expect(table, JSON.stringify(table)).toMatchObject({ walked: 0 });
    for (const { table, fetched } of touched) expect(Number(fetched), `${table} by index`).toBeLessThan(2_000);
    await database.drop();
  });
});

/** 100,000 workflows that wait, each with some of everything; written behind the store's back and not analysed. */
const fill = `
  insert into workflow (shard, id, tenant, ver, name, definition, status, launched_at, updated_at, last_n, callbacks, header, state, fields)
    select n % 256, 'w' || n, 'default', 1, 'a name', 'hash', 'running', n, n, 1, '""', '{}', '{}', '{}' from generate_series(1, 100000) n;
  insert into branch select n % 256, 'w' || n, '0.1', '0', 'at', 'branch', 0, 1, null, null, '{}', '{}' from generate_series(1, 100000) n;
  insert into workitem select n % 256, 'w' || n, 'i', 'default', '0', 'p' || n % 1000, 'open', '{}', '{}', null, null, n, 1, 'u',
      'active', null, 0, ${AT} + n, null, '[]' from generate_series(1, 100000) n;
  insert into agenda select n % 256, 'w' || n, 'a', 'timer', ${AT} + n, null, '0', '{}' from generate_series(1, 100000) n;
  insert into history select n % 256, 'w' || n, 1, 1, n, '[]' from generate_series(1, 100000) n;
  insert into listener select n % 256, 'w' || n, 'l', 'default', '0', 'received', 'tenant', 'p' || n, '{}' from generate_series(1, 100000) n;
  insert into error select n % 256, 'w' || n, 'e', 'default', '0', true, 'c', 'm', n, '{}' from generate_series(1, 100000) n;
  insert into variable select n % 256, 'w' || n, 's', 'v', '1' from generate_series(1, 100000) n;
  insert into definition select 'h' || n, 't', now() - interval '30 days' from generate_series(1, 100000) n;
  insert into idempotency_key select 's', 'k' || n, 'f', ${AT} + n from generate_series(1, 100000) n`;
