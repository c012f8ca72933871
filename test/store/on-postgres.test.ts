import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { WorkitemRow } from '../../src/model/rows.ts';
import { openStore } from '../../src/store/open.ts';
import { type Store, StoreUnavailable, type Transaction } from '../../src/store/store.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { type Proxy as CuttingProxy, startProxy } from '../support/proxy.ts';
import { loadFrom, peek, writeTo } from './contract.ts';
import {
  AT,
  agenda,
  changes,
  error,
  expression,
  gone,
  history,
  listener,
  patch,
  put,
  save,
  strand,
  variable,
  workflow,
  workflowId,
  workitem,
} from './samples.ts';

/* What only a server that others use at the same time, over connections that break, can be asked. */

describe.runIf(hasPostgres())('two stores on one Postgres', () => {
  let database: Database;
  let proxy: CuttingProxy;
  /** `one` and `two` are two nodes; `one` speaks through the proxy. */
  let one: Store;
  let two: Store;
  const troubles: string[] = [];

  beforeAll(async () => {
    database = await freshDatabase();
    proxy = await startProxy(database.url);
    const settings = { dataDir: 'memory:', prepared: true, log: (message: string) => troubles.push(message) };
    one = await openStore({ ...settings, databaseUrl: proxy.url });
    two = await openStore({ ...settings, databaseUrl: database.url });
  });
  afterEach(() => proxy.accept());
  afterAll(async () => {
    await Promise.all([one.close(), two.close()]);
    await proxy.close();
    await database.drop();
  });

  const launched = async (): Promise<WorkflowId> => {
    const id = workflowId();
    await writeTo(two, [changes(workflow(id), { workitems: [workitem('0_0')] })]);
    return id;
  };
  /** A step like a proceed: one workitem goes, another comes. */
  const proceed = (transaction: Transaction, id: WorkflowId): Promise<'committed' | 'lost'> => {
    const row = transaction.loaded.get(id)?.workflow ?? workflow(id);
    return transaction.commit(
      save([
        changes(
          { ...row, ver: row.ver + 1, lastN: row.lastN + 1 },
          {},
          {
            workitems: new Map([
              [expression('0_0'), gone],
              [expression('0_1'), put(workitem('0_1'))],
            ]),
            history: [history(row.lastN + 1)],
          },
        ),
      ]),
    );
  };
  const begin = (store: Store, id: WorkflowId): Promise<Transaction> =>
    store.begin([{ workflow: id, needs: [{ kind: 'workitem', id: expression('0_0') }] }]);

  test('a workflow locked by one is busy for the other, and seen as it became afterwards', async () => {
    const [id, free] = [await launched(), await launched()];
    const first = await begin(one, id);
    const second = await two.begin([
      { workflow: id, needs: [{ kind: 'workitem', id: expression('0_0') }] },
      { workflow: free, needs: [] },
    ]);
    expect(second.busy).toEqual([id]);
    expect(second.loaded.has(id)).toBe(false);
    expect(second.loaded.get(free)?.workflow?.ver).toBe(1);
    expect(await proceed(first, id)).toBe('committed');
    await second.rollback();
    const third = await begin(two, id);
    expect(third.loaded.get(id)?.workflow?.ver).toBe(2);
    expect(third.loaded.get(id)?.workitems.size).toBe(0);
    await third.rollback();
  });

  test('of two that launch the same id one loses', async () => {
    const id = workflowId();
    const transactions = await Promise.all([one, two].map((store) => store.begin([{ workflow: id, needs: [] }])));
    const outcomes = await Promise.all(
      transactions.map((transaction) => transaction.commit(save([changes(workflow(id))]))),
    );
    expect([...outcomes].sort()).toEqual(['committed', 'lost']);
  });

  test('many steps of one workflow from both sides all count', async () => {
    const id = await launched();
    const steps = 60;
    let done = 0;
    const work = async (store: Store): Promise<void> => {
      while (done < steps) {
        const transaction = await store.begin([{ workflow: id, needs: [] }]);
        const row = transaction.loaded.get(id)?.workflow;
        if (row === undefined || row === null) await transaction.rollback();
        else if (
          (await transaction.commit(
            save([
              changes({ ...row, ver: row.ver + 1, lastN: row.lastN + 1 }, {}, { history: [history(row.lastN + 1)] }),
            ]),
          )) === 'committed'
        )
          done += 1;
      }
    };
    await Promise.all([work(one), work(two), work(one), work(two)]);
    const row = await two.read.workflow(id);
    expect(row?.ver).toBe(1 + done);
    expect((await two.read.history(id, 0, 1_000)).length).toBe(done);
  });

  test.each([
    ['before', 'lost', 1],
    ['after', 'committed', 2],
    ['limbo', 'committed', 2],
  ] as const)('a connection cut %s the commit is looked up: %s', async (how, outcome, ver) => {
    const id = await launched();
    const transaction = await begin(one, id);
    proxy.cutNextCommit(how);
    expect(await proceed(transaction, id)).toBe(outcome);
    const loaded = await loadFrom(two, id, { kind: 'everything' });
    expect(loaded.workflow?.ver).toBe(ver);
    expect([...loaded.workitems.keys()]).toEqual([expression(ver === 1 ? '0_0' : '0_1')]);
    expect((await two.read.history(id, 0, 10)).length).toBe(ver - 1);
  });

  test('a connection lost before the commit was sent loses', async () => {
    const id = await launched();
    const transaction = await begin(one, id);
    proxy.refuse();
    proxy.accept();
    expect(await proceed(transaction, id)).toBe('lost');
    expect((await two.read.workflow(id))?.ver).toBe(1);
  });

  test('sessions the server ends, idle or working, harm nobody', async () => {
    const id = await launched();
    const transaction = await begin(two, id);
    await database.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    expect(await proceed(transaction, id)).toBe('lost');
    for (const store of [one, two]) {
      expect((await store.read.workflow(id))?.ver).toBe(1);
      const again = await begin(store, id);
      await again.rollback();
    }
    expect(troubles.length).toBeGreaterThan(0);
  });

  test('a database that cannot be reached is said to be, and used again once it can', async () => {
    const id = await launched();
    proxy.refuse();
    await expect(begin(one, id)).rejects.toThrow(StoreUnavailable);
    await expect(one.ping()).rejects.toThrow(StoreUnavailable);
    await expect(one.read.workflow(id)).rejects.toThrow(StoreUnavailable);
    proxy.accept();
    await one.ping();
    const transaction = await begin(one, id);
    expect(await proceed(transaction, id)).toBe('committed');
  });

  test('a node wakes the others, not itself, and is heard again after the connection was lost', async () => {
    let heard = 0;
    let ring = (): void => {};
    const next = (): Promise<void> =>
      new Promise((resolve) => {
        ring = resolve;
      });
    const stop = await two.onWake(() => {
      heard += 1;
      ring();
    });
    const stopOwn = await one.onWake(() => {
      throw new Error('woken by itself');
    });
    const first = next();
    for (let i = 0; i < 20; i++) one.wakeOthers();
    await first;
    expect(heard).toBeLessThan(20);
    await stopOwn();

    const again = next();
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'rota wake'`,
    );
    await again; // coming back wakes by itself: something may have been missed
    await stop();
  });
});

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
  insert into workflow select n % 256, 'w' || n, 'default', 1, 'a name', 'hash', 'running', n, n, null, 1, '""', null, '{}', '{}', '{}'
    from generate_series(1, 100000) n;
  insert into branch select n % 256, 'w' || n, '0.1', '0', 'at', 'branch', 0, 1, null, null, '{}', '{}' from generate_series(1, 100000) n;
  insert into workitem select n % 256, 'w' || n, 'i', 'default', '0', 'p' || n % 1000, 'open', '{}', '{}', null, null, n, 1, 'u',
      'active', null, 0, ${AT} + n, null, '[]' from generate_series(1, 100000) n;
  insert into agenda select n % 256, 'w' || n, 'a', 'timer', ${AT} + n, null, '0', '{}' from generate_series(1, 100000) n;
  insert into history select n % 256, 'w' || n, 1, 1, n, '[]' from generate_series(1, 100000) n;
  insert into listener select n % 256, 'w' || n, 'l', 'default', '0', 'received', 'tenant', 'p' || n, '{}' from generate_series(1, 100000) n;
  insert into error select n % 256, 'w' || n, 'e', 'default', '0', true, 'c', 'm', n, '{}' from generate_series(1, 100000) n;
  insert into variable select n % 256, 'w' || n, 's', 'v', '1' from generate_series(1, 100000) n;
  insert into definition select 'h' || n, 't' from generate_series(1, 100000) n;
  insert into idempotency_key select 's', 'k' || n, 'f', ${AT} + n from generate_series(1, 100000) n`;

/** Every statement of the engine and the dispatcher, once. */
async function exerciseEverything(store: Store): Promise<void> {
  const id = workflowId();
  const rows = {
    strands: [strand('0.1', { base: expression('0_1') })],
    workitems: [workitem('0_0', { path: '0.1' }), workitem('0_9', { dueAt: AT - 1 })],
    agenda: [agenda('t', { path: '0.1', dueAt: AT - 1 })],
    errors: [error('0_0')],
    listeners: [listener('0_0', { name: 'rare' })],
    variables: [variable('0_1', '^'), variable('0', 'x')],
  };
  await writeTo(store, [changes(workflow(id), rows, { history: [history(1)], definitions: new Map([['d', 'd']]) })]);
  const transaction = await store.begin([
    {
      workflow: id,
      needs: [
        { kind: 'workitem', id: expression('0_0') },
        { kind: 'agenda', id: 't' },
        { kind: 'agenda_kind', of: 'answer' },
        { kind: 'strand', path: '0.1' },
        { kind: 'find', expression: expression('0_0') },
        { kind: 'children', path: '0', at: expression('0'), after: 0, limit: 10, finished: false },
        { kind: 'error', id: expression('0_0') },
        { kind: 'variable', scope: expression('0'), name: 'x' },
        { kind: 'variables', scope: expression('0') },
        { kind: 'listeners' },
        { kind: 'everything' },
      ],
    },
  ]);
  const event = { event: 'received', name: 'rare', at: AT, payload: '{}' } as const;
  await transaction.commit(
    save(
      [
        changes(
          workflow(id, { ver: 2 }),
          { ...rows, workitems: [] },
          {
            events: [event],
            hold: AT,
            shift: 1,
            workitems: new Map([[expression('0_0'), patch<WorkitemRow>({ tries: 1 })]]),
          },
        ),
      ],
      { releases: [{ workflow: id, workitem: expression('0_9'), claim: 'c' }] },
    ),
  );
  await writeTo(store, [
    changes(
      workflow(id, { ver: 3, status: 'killed', endedAt: 1 }),
      {},
      { sweep: true, workitems: new Map([[expression('0_9'), gone]]), strands: new Map([['0.1', gone]]) },
    ),
  ]);
  await store.definition('d');
  const [message] = await store.claimDue({ now: AT + 10, owner: 'me', limit: 5, leaseSeconds: 30 });
  const key = { workflow: message?.workflow ?? id, workitem: message?.row.id ?? expression('0_0') };
  await store.renewClaim({ key, claim: message?.claim ?? '', leaseSeconds: 30 });
  await peek(store, AT + 10);
  await store.nextDueAt(AT);
  await store.reserveKey({ scope: 'me', key: id, fingerprint: 'f', at: 1 });
  await store.savedAnswer('me', id);
  await store.finishKey({ scope: 'me', key: id, fingerprint: 'f', status: 1, body: null, contentType: null });
  await store.retire({ endedBefore: 2, keysBefore: 2, limit: 10 });
}
