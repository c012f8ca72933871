import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { readConfig } from '../../src/server/config.ts';
import { warningsOf } from '../../src/server/warnings.ts';
import { openStore } from '../../src/store/open.ts';
import type { Reads, Store } from '../../src/store/store.ts';
import { engineOn, launch } from '../support/engine-parts.ts';
import { SERVER } from '../support/origin.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { until } from '../support/until.ts';

/* The order of all events, on a Postgres with transactions that take their time. */

/** The edge, once it has passed everything that is there. Transactions of others, in any database of the cluster, hold it back. */
const settled = (recorded: NonNullable<Reads['recorded']>): Promise<number> =>
  until('the end of other transactions', async () => {
    const { upTo, hasLater } = await recorded.edge();
    return hasLater ? null : upTo;
  });

describe.runIf(hasPostgres())('the order of all events', () => {
  let database: Database;
  let store: Store;
  let recorded: NonNullable<Reads['recorded']>;
  beforeAll(async () => {
    database = await freshDatabase();
    store = await openStore({ databaseUrl: database.url, dataDir: '', prepared: true });
    recorded = store.read.recorded as NonNullable<Reads['recorded']>;
  }, 120_000);
  afterAll(async () => {
    await store.close();
    await database.drop();
  }, 60_000);

  test('shows nothing before what may still come, and everything once that is over', async () => {
    const here = engineOn(store);
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('begin');
    const number = Number((await other.query<{ id: string }>('select pg_current_xact_id()::text as id')).rows[0]?.id);
    const id = await launch(here, 'define\n  alpha\n');
    const held = await recorded.edge();
    expect(held.hasLater).toBe(true);
    expect(held.upTo).toBeLessThanOrEqual(number);
    expect((await recorded.rows(0, held.upTo, 10)).map(({ workflow }) => workflow)).not.toContain(id);
    const pid = Number((await other.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid);
    // Those of others end soon.
    await until('the oldest transaction is ours', async () => (await recorded.holder())?.pid === pid);
    const holder = await recorded.holder();
    expect(holder).toMatchObject({ database: new URL(database.url).pathname.slice(1), seconds: expect.any(Number) });
    // Whoever asks what to look at is told of it, once events have waited for half a minute.
    const identity = { isOpen: () => true, secrets: { isForMany: () => false } };
    const told = (lateMs: number) =>
      warningsOf(readConfig({}), identity, DEFAULT_TENANT, { lateMs, holder: async () => holder });
    expect(await told(29_000)).toEqual([]);
    expect(await told(31_000)).toEqual([
      expect.stringContaining(`select pg_terminate_backend(${holder?.pid}) ends it`),
    ]);
    await other.query('commit');
    await other.end();
    const upTo = await settled(recorded);
    expect((await recorded.rows(0, upTo, 10)).map(({ workflow }) => workflow)).toContain(id);
  });

  test('of one workflow is its own, also where the transaction with the lower number came second', async () => {
    const here = engineOn(store);
    const id = await launch(here, 'define\n  alpha\n');
    const first = await store.begin([{ workflow: id, needs: [] }]);
    const loaded = first.loaded.get(id)?.workflow;
    await first.rollback();
    expect(loaded?.id).toBe(id);
    // A number is given, then the workflow moves under a higher one, then the first one writes.
    const slow = new pg.Client({ connectionString: database.url });
    await slow.connect();
    await slow.query('begin');
    const { rows } = await slow.query<{ id: string }>('select pg_current_xact_id()::text as id');
    await here.engine.advance([{ workflow: id, origin: SERVER, event: { kind: 'pause' } }]);
    const [last] = (
      await slow.query<{ shard: number; n: number; position: string }>(
        'select shard, last_n as n, position from history where workflow_id = $1 order by first_n desc limit 1',
        [id],
      )
    ).rows;
    expect(Number(last?.position)).toBeGreaterThan(Number(rows[0]?.id));
    await slow.query('rollback');
    await slow.end();
    await here.engine.advance([{ workflow: id, origin: SERVER, event: { kind: 'resume' } }]);
    const all = await recorded.rows(0, await settled(recorded), 1000);
    const own = all.filter(({ workflow }) => workflow === id).sort((a, b) => a.row.firstN - b.row.firstN);
    expect(own.map(({ position }) => position)).toEqual(own.map(({ position }) => position).sort((a, b) => a - b));
  });

  test('goes on where rows of a younger cluster have higher positions', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('update history set position = position + 1000000000 where position is not null');
    const top = Number((await client.query<{ top: string }>('select max(position) as top from history')).rows[0]?.top);
    await client.end();
    const again = await Promise.all(
      Array.from({ length: 3 }, () => openStore({ databaseUrl: database.url, dataDir: '', prepared: true })),
    );
    const edges = await Promise.all(again.map((each) => each.read.recorded?.edge()));
    for (const edge of edges) expect(edge?.upTo).toBeGreaterThan(top);
    const here = engineOn(again[0] as Store);
    const id = await launch(here, 'define\n  alpha\n');
    const upTo = await settled(again[1]?.read.recorded as NonNullable<Reads['recorded']>);
    const rows = await again[2]?.read.recorded?.rows(top + 1, upTo, 10);
    expect(rows?.map(({ workflow }) => workflow)).toEqual([id]);
    await Promise.all(again.map((each) => each.close()));
  }, 60_000);
});
