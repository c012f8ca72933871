import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { WorkflowId } from '../../src/model/ids.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { openStore } from '../../src/store/open.ts';
import { definitionPiece } from '../../src/store/save-statements.ts';
import type { Store } from '../../src/store/store.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { writeTo } from './contract.ts';
import { changes, workflow, workflowId } from './samples.ts';

/* Definitions that nobody refers to go, and never one that a launch under way is about to refer to. */

describe.runIf(hasPostgres()).each(['postgres', 'distributed'] as const)('definitions on %s', (profile) => {
  let database: Database;
  let store: Store;
  beforeAll(async () => {
    database = await freshDatabase();
    store = await openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared: true, profile });
  });
  afterAll(async () => {
    await store.close();
    await database.drop();
  });

  const fresh = (): string => `hash of ${workflowId()}`;
  const launch = (hash: string, id: WorkflowId = workflowId()): Promise<'committed' | 'lost'> =>
    writeTo(store, [
      changes(workflow(id, { definition: hash }), {}, { definitions: new Map([[hash, `text ${hash}`]]) }),
    ]);
  const age = (hash: string, days: number): Promise<unknown> =>
    database.query(`update definition set used_at = now() - $2 * interval '1 day' where hash = $1`, [hash, days]);
  const collect = async (): Promise<void> => {
    // Twice: the first may begin in the middle of the hashes.
    for (let i = 0; i < 2; i++) await store.retire({ endedBefore: 0, now: 0, limit: 10 });
  };
  /** Another node, in the middle of a transaction. */
  const other = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('begin');
    return client;
  };
  const launchBy = (client: pg.Client, hash: string): Promise<unknown> =>
    client.query(`with ${definitionPiece.text(1)} select 1`, [JSON.stringify([{ hash, stored: `text ${hash}` }])]);
  const insertWorkflow = (client: pg.Client, hash: string): Promise<unknown> =>
    client.query(
      `insert into workflow (shard, id, tenant, ver, definition, status, launched_at, updated_at, last_n, callbacks, header, state, fields)
       values (0, $1, 'default', 1, $2, 'running', 1, 1, 1, '""', '{}', '{}', '{}')`,
      [workflowId(), hash],
    );
  /** Resolves once somebody waits for a lock in this database. */
  const somebodyWaits = async (): Promise<void> => {
    for (;;) {
      const [row] = await database.query(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (row?.['n'] === 1) return;
    }
  };

  test('that nobody refers to go once they were not launched for a week', async () => {
    const [unused, used, young] = [fresh(), fresh(), fresh()];
    await launch(used);
    for (const hash of [unused, young]) {
      const id = workflowId();
      await launch(hash, id);
      await database.query('delete from workflow where id = $1', [id]);
    }
    for (const hash of [unused, used]) await age(hash, 8);
    await age(young, 6);
    await collect();
    expect(await store.definitions.text(unused)).toBe(null);
    for (const hash of [used, young]) expect(await store.definitions.text(hash)).toBe(`text ${hash}`);
  });

  test('are all looked at in time, however many there are', async () => {
    await database.query(
      `insert into definition select 'many ' || lpad(n::text, 5, '0'), 'text', now() - interval '30 days' from generate_series(1, 1000) n`,
    );
    const kept = 'many 00500';
    await database.query(
      `insert into workflow (shard, id, tenant, ver, definition, status, launched_at, updated_at, last_n, callbacks, header, state, fields)
       values (7, 'keeps one', 'default', 1, $1, 'running', 1, 1, 1, '""', '{}', '{}', '{}')`,
      [kept],
    );
    for (let calls = 0; calls < 10; calls++) await store.retire({ endedBefore: 0, now: 0, limit: 10 });
    expect(await database.query(`select hash from definition where hash like 'many %'`)).toEqual([{ hash: kept }]);
  });

  test('that are launched while they are thrown away stay: the launch comes first', async () => {
    const hash = fresh();
    await launch(hash);
    await database.query('delete from workflow where definition = $1', [hash]);
    await age(hash, 8);
    const client = await other();
    await launchBy(client, hash);
    await insertWorkflow(client, hash);
    const collected = collect();
    await somebodyWaits();
    await client.query('commit');
    await collected;
    expect(await store.definitions.text(hash)).toBe(`text ${hash}`);
  });

  test('that are launched while they are thrown away come back: the launch comes second', async () => {
    const hash = fresh();
    await launch(hash);
    await database.query('delete from workflow where definition = $1', [hash]);
    await age(hash, 8);
    const client = await other();
    await client.query('delete from definition where hash = $1', [hash]);
    const id = workflowId();
    const launched = launch(hash, id);
    await somebodyWaits();
    await client.query('commit');
    // A serializable database says that the launch has to be run again.
    if ((await launched) === 'lost') expect(await launch(hash, id)).toBe('committed');
    expect(await store.definitions.text(hash)).toBe(`text ${hash}`);
    expect((await store.read.workflow(DEFAULT_TENANT, id))?.definition).toBe(hash);
  });

  test('make nobody wait who launches what was launched today already', async () => {
    const hash = fresh();
    await launch(hash);
    const client = await other();
    await launchBy(client, hash);
    expect(await launch(hash)).toBe('committed');
    await client.query('rollback');
  });

  test('are marked again when the last launch was more than a day ago', async () => {
    const hash = fresh();
    await launch(hash);
    await age(hash, 2);
    await launch(hash);
    const [row] = await database.query(
      `select used_at > now() - interval '1 hour' as marked from definition where hash = $1`,
      [hash],
    );
    expect(row?.['marked']).toBe(true);
  });
});
