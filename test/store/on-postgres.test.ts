import { describe, expect, test } from 'vitest';
import type { WorkitemRow } from '../../src/model/rows.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { writeTo } from './contract.ts';
import { exerciseEverything } from './exercise.ts';
import {
  AT,
  agenda,
  changes,
  error,
  expression,
  gone,
  patch,
  save,
  strand,
  variable,
  workflow,
  workflowId,
  workitem,
} from './samples.ts';

/* What only a server can be asked: to come up from nothing, and to stay fast when it has grown. */

describe.runIf(hasPostgres())('an empty Postgres', () => {
  test('five servers that start at once all come up', async () => {
    const database = await freshDatabase({ empty: true });
    const stores = await Promise.all(
      [1, 2, 3, 4, 5].map(() => openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared: true })),
    );
    const id = workflowId();
    await writeTo(stores[0] as Store, [changes(workflow(id))]);
    for (const store of stores) expect((await store.read.workflow(DEFAULT_TENANT, id))?.id).toBe(id);
    await Promise.all(stores.map((store) => store.close()));
    await database.drop();
  });

  test('one that acknowledges what no standby has is told at the start, where that is asked for', async () => {
    const database = await freshDatabase();
    const warned: string[] = [];
    for (const durable of [false, true]) {
      const store = await openStore({
        ...{ databaseUrl: database.url, dataDir: 'memory:', prepared: true, durable },
        warn: (event, message) => warned.push(`${event} ${message}`),
      });
      await store.close();
    }
    expect(warned).toEqual([
      expect.stringMatching(/^database\.not_durable DURABLE is 1.*synchronous_standby_names is ""/),
    ]);
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

describe.runIf(hasPostgres())('a workflow of 20,000 branches on Postgres', () => {
  const WIDE = 20_000;

  test.each([
    ['empty tables', ''],
    ['tables that were analysed when they held a few rows', 'vacuum (analyze)'],
  ])('costs a step what a narrow one does, with plans made on %s', async (_, before) => {
    const database = await freshDatabase();
    const store = await openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared: true, connectionsMax: 4 });
    const id = workflowId();
    const of = (n: number) => ({
      strands: [strand(`0.${n}`, { at: expression('0') })],
      workitems: [workitem(`0_${n}`, { path: `0.${n}` })],
      agenda: [agenda(`t${n}`, { path: `0.${n}` })],
      errors: [error(`0_${n}`)],
      variables: [variable(`0_${n}`, '^'), variable(`0_${n}`, 'x')],
    });
    await writeTo(store, [changes(workflow(id), of(1)), ...[1, 2].map((n) => changes(workflow(workflowId()), of(n)))]);
    if (before !== '') await database.query(before);
    const step = async (n: number, first: number): Promise<number> => {
      const { loaded, commit } = await store.begin([
        {
          workflow: id,
          needs: [
            { kind: 'workitem', id: expression(`0_${n}`) },
            { kind: 'agenda', id: `t${n}` },
            { kind: 'strand', path: `0.${n}` },
            { kind: 'children', path: '0', at: expression('0'), after: n - 1, limit: 1, finished: false },
            { kind: 'error', id: expression(`0_${n}`) },
            { kind: 'variable', scope: expression(`0_${n}`), name: '^' },
            { kind: 'variables', scope: expression(`0_${n}`) },
          ],
        },
      ]);
      const found = loaded.get(id);
      const { strands, workitems, agenda: timers, errors, variables } = of(n);
      const all = <Value>(list: readonly string[], op: Value) => new Map(list.map((key) => [key, op]));
      const ids = workitems.map((row) => row.id);
      const patched = changes(
        workflow(id, { ver: first }),
        {},
        { workitems: all(ids, patch<WorkitemRow>({ tries: 1 })) },
      );
      expect(await commit(save([patched]))).toBe('committed');
      const deleted = {
        strands: all(
          strands.map((row) => row.path),
          gone,
        ),
        workitems: all(ids, gone),
        agenda: all(
          timers.map((row) => row.id),
          gone,
        ),
        errors: all(
          errors.map((row) => row.id),
          gone,
        ),
        variables: all(
          variables.map((row) => `${row.scope} ${row.name}`),
          gone,
        ),
      };
      await writeTo(store, [changes(workflow(id, { ver: first + 1 }), {}, deleted)]);
      await writeTo(store, [changes(workflow(id, { ver: first + 2 }), of(n))]);
      return (found?.strands.size ?? 0) + (found?.workitems.size ?? 0) + (found?.agenda.size ?? 0);
    };
    // Plans are made.
    expect(await step(1, 2)).toBe(3);
    await database.query(`
      insert into branch (shard, workflow_id, path, parent, at, kind, position, number, arrival, base, state, fields)
        select b.shard, b.workflow_id, '0.' || n, b.parent, b.at, b.kind, n, n, null, null, b.state, b.fields
        from branch b, generate_series(2, ${WIDE}) n where b.workflow_id = '${id}';
      insert into workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, opened_at, revision, url, tries, log)
        select shard, workflow_id, replace(id, '0_1!', '0_' || n || '!'), tenant, '0.' || n, participant, state, fields, params, n, 1, url, 0, log
        from workitem, generate_series(2, ${WIDE}) n where workflow_id = '${id}';
      insert into agenda (shard, workflow_id, id, kind, due_at, path, payload)
        select shard, workflow_id, 't' || n, kind, due_at, '0.' || n, payload from agenda, generate_series(2, ${WIDE}) n where workflow_id = '${id}';
      insert into error (shard, workflow_id, id, tenant, path, workitem, class, message, at, details)
        select shard, workflow_id, replace(id, '0_1!', '0_' || n || '!'), tenant, path, workitem, class, message, at, details
        from error, generate_series(2, ${WIDE}) n where workflow_id = '${id}';
      insert into variable (shard, workflow_id, scope, name, value)
        select shard, workflow_id, replace(scope, '0_1!', '0_' || n || '!'), name, value from variable, generate_series(2, ${WIDE}) n where workflow_id = '${id}'`);
    for (const [i, n] of [7, 700, WIDE - 7].entries()) expect(await step(n, 5 + 3 * i)).toBe(3);
    await store.close();
    const walked = await database.query(`
      select indexrelname as index, idx_tup_read::integer as read from pg_stat_user_indexes where idx_tup_read > 100`);
    expect(walked).toEqual([]);
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
