import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { WorkflowId } from '../../src/model/ids.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { openStore } from '../../src/store/open.ts';
import { OutcomeUnknown, type Store, StoreUnavailable, type Transaction } from '../../src/store/store.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { type Proxy as CuttingProxy, startProxy } from '../support/proxy.ts';
import { loadFrom, writeTo } from './contract.ts';
import {
  AT,
  changes,
  expression,
  gone,
  history,
  listener,
  put,
  save,
  workflow,
  workflowId,
  workitem,
} from './samples.ts';

/* What only a server that others use at the same time, over connections that break, can be asked. */

describe.runIf(hasPostgres()).each(['postgres', 'distributed'] as const)('two stores on one %s database', (profile) => {
  const locks = profile === 'postgres';
  let database: Database;
  let proxy: CuttingProxy;
  /** `one` and `two` are two nodes; `one` speaks through the proxy. */
  let one: Store;
  let two: Store;
  const troubles: string[] = [];

  beforeAll(async () => {
    database = await freshDatabase();
    proxy = await startProxy(database.url);
    const settings = { dataDir: 'memory:', prepared: true, profile, log: (message: string) => troubles.push(message) };
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

  if (locks)
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

  if (!locks) {
    test('a workflow that changed since it was looked at is lost, and goes through when it is looked at again', async () => {
      const id = await launched();
      const [first, second] = [await begin(one, id), await begin(two, id)];
      expect(second.busy).toEqual([]);
      expect(await proceed(first, id)).toBe('committed');
      expect(await proceed(second, id)).toBe('lost');
      expect(await proceed(await begin(two, id), id)).toBe('committed');
      expect((await two.read.history(DEFAULT_TENANT, id, 0, 10)).map(({ firstN }) => firstN)).toEqual([2, 3]);
    });

    test('two steps that would each miss what the other writes are not both committed', async () => {
      const [a, b] = [await launched(), await launched()];
      const both = [a, b].map((workflow) => ({ workflow, needs: [] }));
      const [first, second] = [await one.begin(both), await two.begin(both)];
      expect(await proceed(first, a)).toBe('committed');
      // Another row, with the ver it was loaded with: only the database sees that this comes of a state that never was.
      expect(await proceed(second, b)).toBe('lost');
      expect((await two.read.workflow(DEFAULT_TENANT, b))?.ver).toBe(1);
    });

    test('more transactions than may run at once take their turns', async () => {
      const ids = await Promise.all(Array.from({ length: 20 }, launched));
      const outcomes = await Promise.all(ids.map(async (id) => proceed(await begin(one, id), id)));
      // Neighbours in an index may be taken for a conflict; whoever lost tries again.
      expect(outcomes.every((outcome) => outcome === 'committed' || outcome === 'lost')).toBe(true);
      for (const [i, id] of ids.entries())
        expect((await two.read.workflow(DEFAULT_TENANT, id))?.ver).toBe(outcomes[i] === 'committed' ? 2 : 1);
    });

    test('who waits for a turn is told when the database turns out to be away', async () => {
      const ids = await Promise.all(Array.from({ length: 20 }, launched));
      const begun: Transaction[] = [];
      const begins = ids.map(async (id) => {
        begun.push(await begin(one, id));
      });
      await Promise.race(begins);
      proxy.refuse();
      let over = false;
      const settled = Promise.allSettled(begins).finally(() => {
        over = true;
      });
      while (!over) {
        for (const transaction of begun.splice(0)) await transaction.rollback();
        await new Promise((resolve) => setImmediate(resolve));
      }
      const failed = (await settled).filter((outcome) => outcome.status === 'rejected');
      expect(failed.length).toBeGreaterThan(10);
      for (const { reason } of failed) expect(reason).toBeInstanceOf(StoreUnavailable);
      proxy.accept();
      await one.ping();
      await (await begin(one, ids[0] as WorkflowId)).rollback();
    });
  }

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
    const row = await two.read.workflow(DEFAULT_TENANT, id);
    expect(row?.ver).toBe(1 + done);
    expect((await two.read.history(DEFAULT_TENANT, id, 0, 1_000)).length).toBe(done);
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
    expect((await two.read.history(DEFAULT_TENANT, id, 0, 10)).length).toBe(ver - 1);
  });

  test('a commit that the database refuses as a conflict is lost, and goes through when it is run again', async () => {
    const id = await launched();
    const transaction = await begin(one, id);
    proxy.cutNextCommit('conflict');
    expect(await proceed(transaction, id)).toBe('lost');
    expect((await two.read.workflow(DEFAULT_TENANT, id))?.ver).toBe(1);
    expect(await proceed(await begin(one, id), id)).toBe('committed');
    expect((await two.read.history(DEFAULT_TENANT, id, 0, 10)).length).toBe(1);
  });

  test.each([
    ['before', 'lost'],
    ['after', locks ? 'committed' : 'unknown'],
  ] as const)('a step without history that is cut %s the commit is looked up too: %s', async (how, outcome) => {
    const id = await launched();
    const transaction = await begin(one, id);
    proxy.cutNextCommit(how);
    const row = transaction.loaded.get(id)?.workflow ?? workflow(id);
    const committed = transaction.commit(save([changes({ ...row, ver: row.ver + 1, name: 'renamed' })]));
    if (outcome === 'unknown') await expect(committed).rejects.toThrow(OutcomeUnknown);
    else expect(await committed).toBe(outcome);
    expect((await two.read.workflow(DEFAULT_TENANT, id))?.name).toBe(how === 'before' ? 'a name' : 'renamed');
  });

  test('claims given back in a commit that was cut are given back again', async () => {
    const id = await launched();
    const [message] = await two.claimDue({ now: AT, owner: 'me', limit: 1_000, leaseSeconds: 30 });
    const release = { workflow: id, workitem: expression('0_0'), claim: message?.claim ?? '' };
    const transaction = await begin(one, id);
    proxy.cutNextCommit('before');
    expect(await transaction.commit(save([], { releases: [release] }))).toBe('lost');
    expect(await (await begin(one, id)).commit(save([], { releases: [release] }))).toBe('committed');
    const again = await two.claimDue({ now: AT, owner: 'other', limit: 1_000, leaseSeconds: 30 });
    expect(again.map((claimed) => claimed.workflow)).toContain(id);
  });

  describe('events', () => {
    const hearing = [listener('0_7', { name: 'alice' })];
    const emit = (transaction: Transaction, id: WorkflowId, payload: string): Promise<'committed' | 'lost'> => {
      const row = transaction.loaded.get(id)?.workflow ?? workflow(id);
      const event = { event: 'received', name: 'alice', at: AT, payload } as const;
      return transaction.commit(save([changes({ ...row, ver: row.ver + 1 }, {}, { events: [event] })]));
    };
    const heardBy = async (id: WorkflowId): Promise<number> =>
      (await loadFrom(two, id, { kind: 'agenda_kind', of: 'event' })).agenda.size;
    const deaf = (id: WorkflowId, ver: number): Promise<'committed' | 'lost'> =>
      writeTo(two, [changes(workflow(id, { ver }), {}, { listeners: new Map([[expression('0_7'), gone]]) })]);

    test('do not go to the database at all while nobody listens', async () => {
      const id = await launched();
      const transaction = await begin(one, id);
      expect(transaction.hears).toBe(false);
      // No json: the database would refuse it.
      expect(await emit(transaction, id, 'not even json')).toBe('committed');
    });

    test('are heard by whoever listened before the step began; who comes during the step hears the next one', async () => {
      const [emitter, early, late] = [await launched(), workflowId(), workflowId()];
      const quiet = await begin(one, emitter);
      await writeTo(two, [changes(workflow(early), { listeners: hearing })]);
      expect(await emit(quiet, emitter, '{"n":1}')).toBe('committed');
      expect(await heardBy(early)).toBe(0);

      const second = await begin(one, emitter);
      expect(second.hears).toBe(true);
      expect(await emit(second, emitter, '{"n":2}')).toBe('committed');
      expect(await heardBy(early)).toBe(1);
      expect(await writeTo(two, [changes(workflow(late), { listeners: hearing })])).toBe('committed');
      expect(await emit(await begin(one, emitter), emitter, '{"n":3}')).toBe('committed');
      expect([await heardBy(early), await heardBy(late)]).toEqual([2, 1]);

      for (const id of [early, late]) expect(await deaf(id, 2)).toBe('committed');
      const last = await begin(one, emitter);
      expect(last.hears).toBe(false);
      await last.rollback();
    });
  });

  test('a connection lost before the commit was sent loses', async () => {
    const id = await launched();
    const transaction = await begin(one, id);
    proxy.refuse();
    proxy.accept();
    expect(await proceed(transaction, id)).toBe('lost');
    expect((await two.read.workflow(DEFAULT_TENANT, id))?.ver).toBe(1);
  });

  test('sessions the server ends, idle or working, harm nobody', async () => {
    const id = await launched();
    const transaction = await begin(two, id);
    await database.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    expect(await proceed(transaction, id)).toBe('lost');
    for (const store of [one, two]) {
      expect((await store.read.workflow(DEFAULT_TENANT, id))?.ver).toBe(1);
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
    await expect(one.read.workflow(DEFAULT_TENANT, id)).rejects.toThrow(StoreUnavailable);
    proxy.accept();
    await one.ping();
    const transaction = await begin(one, id);
    expect(await proceed(transaction, id)).toBe('committed');
  });

  if (locks)
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
