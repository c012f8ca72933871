import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bareView } from '../../src/model/changes.ts';
import type { WorkflowRow } from '../../src/model/rows.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { openStore } from '../../src/store/open.ts';
import { OutcomeUnknown, type Save, type Store, StoreUnavailable } from '../../src/store/store.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { type Cut, type Proxy as CuttingProxy, startProxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';
import { writeTo } from './contract.ts';
import { changes, history, save, workflow, workflowId, workitem } from './samples.ts';

/* A save in one round trip over a connection that is cut exactly there: what is answered is what happened, and nothing happens twice. */

describe.runIf(hasPostgres())('a save in one round trip whose connection is cut', () => {
  let database: Database;
  let proxy: CuttingProxy;
  /** `one` speaks through the proxy. */
  let one: Store;
  let two: Store;
  beforeAll(async () => {
    database = await freshDatabase();
    proxy = await startProxy(database.url);
    const settings = { dataDir: 'memory:', prepared: true, log: () => {} };
    one = await openStore({ ...settings, databaseUrl: proxy.url });
    two = await openStore({ ...settings, databaseUrl: database.url });
  });
  afterEach(() => proxy.accept());
  afterAll(async () => {
    await Promise.all([one.close(), two.close()]);
    await proxy.close();
    await database.drop();
  });

  const saveAtOnce = (store: Store, of: Save, remembered: WorkflowRow | null): Promise<'committed' | 'stale'> => {
    if (store.saveAtOnce === null) throw new Error('Postgres can save in one round trip');
    return store.saveAtOnce(of, new Map(remembered === null ? [] : [[remembered.id, bareView(remembered)]]));
  };
  const launchOf = (row: WorkflowRow): Save =>
    save([changes(row, { workitems: [workitem('0_0')] }, { history: [history(1)] })]);
  const next = (row: WorkflowRow): WorkflowRow => ({ ...row, ver: row.ver + 1, lastN: row.lastN + 1 });
  const stepOf = (row: WorkflowRow, given: Partial<WorkflowRow> = {}, sweep = false): Save =>
    save([changes({ ...next(row), ...given }, {}, { history: [history(row.lastN + 1)], sweep })]);

  const ways: readonly Cut[] = ['before', 'after', 'limbo'];

  test.each(ways)('%s a launch', async (how) => {
    const row = workflow(workflowId());
    proxy.cutNextCommit(how);
    const cuts = proxy.cuts();
    expect(await saveAtOnce(one, launchOf(row), null)).toBe('committed');
    expect(proxy.cuts()).toBe(cuts + 1);
    expect(await two.read.workflow(DEFAULT_TENANT, row.id)).toMatchObject({ ver: 1 });
    expect(await two.read.history(DEFAULT_TENANT, row.id, 0, 10)).toHaveLength(1);
  });

  test.each(ways)('%s a step', async (how) => {
    const row = workflow(workflowId());
    await writeTo(two, [...launchOf(row).changes.values()]);
    proxy.cutNextCommit(how);
    expect(await saveAtOnce(one, stepOf(row), row)).toBe('committed');
    expect(await two.read.workflow(DEFAULT_TENANT, row.id)).toMatchObject({ ver: 2, lastN: 2 });
    expect(await two.read.history(DEFAULT_TENANT, row.id, 0, 10)).toHaveLength(2);
  });

  test.each(ways)('%s the end of a workflow, which takes several statements', async (how) => {
    const row = workflow(workflowId());
    await writeTo(two, [...launchOf(row).changes.values()]);
    proxy.cutNextCommit(how);
    const over = { status: 'completed', endedAt: row.updatedAt } as const;
    expect(await saveAtOnce(one, stepOf(row, over, true), row)).toBe('committed');
    expect(await two.read.workflow(DEFAULT_TENANT, row.id)).toMatchObject({ ver: 2, status: 'completed' });
    expect(await two.read.history(DEFAULT_TENANT, row.id, 0, 10)).toHaveLength(2);
  });

  test('although others have stepped the workflow since', async () => {
    for (const how of ways) {
      const row = workflow(workflowId());
      await writeTo(two, [...launchOf(row).changes.values()]);
      expect(await saveAtOnce(two, stepOf(row, { name: 'theirs' }), row)).toBe('committed');
      proxy.cutNextCommit(how);
      expect(await saveAtOnce(one, stepOf(row, { name: 'ours' }), row), how).toBe('stale');
      expect(await two.read.workflow(DEFAULT_TENANT, row.id)).toMatchObject({ ver: 2, name: 'theirs' });
    }
  });

  test('it took effect, and others have gone on before anybody asked', async () => {
    const row = workflow(workflowId());
    await writeTo(two, [...launchOf(row).changes.values()]);
    proxy.cutNextCommit('after');
    const ours = saveAtOnce(one, stepOf(row), row);
    let theirs: 'committed' | 'stale' = 'stale';
    while (theirs === 'stale') theirs = await saveAtOnce(two, stepOf(next(row), { name: 'theirs' }), next(row));
    expect(await ours).toBe('committed');
    expect(await two.read.workflow(DEFAULT_TENANT, row.id)).toMatchObject({ ver: 3, name: 'theirs' });
    expect(await two.read.history(DEFAULT_TENANT, row.id, 0, 10)).toHaveLength(3);
  });

  test('a row that a node holds and does not let go is not waited for longer than its patience', async () => {
    const row = workflow(workflowId());
    await writeTo(two, [...launchOf(row).changes.values()]);
    const frozen = await two.begin([{ workflow: row.id, needs: [] }]);
    expect(await saveAtOnce(one, stepOf(row), row)).toBe('stale');
    // Nor is it while nobody knows what became of the first attempt: that one is asked for until there is an answer.
    proxy.cutNextCommit('after');
    const cuts = proxy.cuts();
    const unknown = saveAtOnce(one, stepOf(row), row);
    while (proxy.cuts() === cuts) await new Promise((resolve) => setImmediate(resolve));
    const other = await two.begin([{ workflow: row.id, needs: [] }]);
    expect(other.busy).toEqual([row.id]);
    await other.rollback();
    await frozen.rollback();
    expect(await unknown).toBe('committed');
    expect(await two.read.history(DEFAULT_TENANT, row.id, 0, 10)).toHaveLength(2);
  });

  test('and the database, which has ended it, takes nothing more: certainly nothing was written', async () => {
    const row = workflow(workflowId());
    await writeTo(one, [...launchOf(row).changes.values()]);
    const operator = new pg.Client({ connectionString: database.url });
    await operator.connect();
    const name = new URL(database.url).pathname.slice(1);
    const holder = await two.begin([{ workflow: row.id, needs: [] }]);
    await operator.query(`alter database ${name} set default_transaction_read_only = on`);
    // The session is ended while it waits for the row that another holds; those that begin afterwards may only read.
    const refused = saveAtOnce(one, stepOf(row), row).catch((error: unknown) => error);
    await until('it waits', async () => {
      const { rowCount } = await operator.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`);
      return rowCount === 1;
    });
    expect(await refused).toBeInstanceOf(StoreUnavailable);
    await operator.query(`alter database ${name} reset default_transaction_read_only`);
    await holder.rollback();
    expect(await two.read.workflow(DEFAULT_TENANT, row.id)).toMatchObject({ ver: 1 });
    // Sessions that may only read are not for the tests that follow.
    await operator.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`);
    await operator.end();
  });

  test('and the database stays away: nobody knows; before anything was sent, it is only unavailable', {
    timeout: 60_000,
  }, async () => {
    const row = workflow(workflowId());
    await writeTo(two, [...launchOf(row).changes.values()]);
    proxy.cutNextCommit('after');
    const cuts = proxy.cuts();
    const outcome = expect(saveAtOnce(one, stepOf(row), row)).rejects.toThrow(OutcomeUnknown);
    while (proxy.cuts() === cuts) await new Promise((resolve) => setImmediate(resolve));
    proxy.refuse();
    await outcome;
    await expect(saveAtOnce(one, stepOf(row), row)).rejects.toThrow(StoreUnavailable);
    proxy.accept();
    expect(await two.read.workflow(DEFAULT_TENANT, row.id)).toMatchObject({ ver: 2 });
    expect(await saveAtOnce(one, stepOf(row), row)).toBe('stale');
  });
});
