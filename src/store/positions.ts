import type pg from 'pg';
import type { WorkflowId } from '../model/ids.ts';
import { DEFAULT_TENANT, type Tenant } from '../model/tenant.ts';
import type { Connections, Statement } from './connections.ts';
import type { Reads } from './store.ts';
import { HISTORY, rowOf, selected } from './tables/of-workflow.ts';

/*
 * The order of all history (docs/decisions). The position of a row is `history_base` + the number of the transaction that wrote it, or that of the
 * workflow's row before it where that is higher. The database tells which transactions are over; so below `history_base` + the oldest
 * that is not, nothing is to come any more.
 */

/** The setting that is added to transaction numbers: a database that was restored elsewhere counts from low again. */
const BASE = 'history_base';
/** The setting that remembers the highest position that was thrown away. */
export const RETIRED = 'history_retired';

const needsRaising = `
  select s.base, s.top, s.next from (
    select coalesce((select value::bigint from setting where name = '${BASE}'), 0) as base,
      coalesce((select max(position) from history), 0) as top,
      pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next) s`;

/**
 * What is added to the numbers of transactions, raised where rows have higher positions than this database would give. Every node asks as it
 * starts; nodes that start together wait for each other, and all get the same.
 */
export async function historyBase(client: Pick<pg.ClientBase, 'query'>): Promise<number> {
  const look = async (): Promise<{ readonly base: number; readonly top: number; readonly next: number }> => {
    const { rows } = await client.query<{ base: string; top: string; next: string }>(needsRaising);
    const [found] = rows;
    return { base: Number(found?.base), top: Number(found?.top), next: Number(found?.next) };
  };
  const first = await look();
  if (first.top < first.base + first.next) return first.base;
  await client.query('begin');
  try {
    await client.query('lock table setting in share row exclusive mode');
    const { base, top, next } = await look();
    const raised = top < base + next ? base : top - next + 1;
    await client.query(
      'insert into setting (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value',
      [BASE, String(raised)],
    );
    await client.query('commit');
    return raised;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

const edge: Statement = {
  name: 'read_edge',
  text: `
  select e.up_to, exists (select 1 from history where position >= e.up_to) as has_later
  from (select $1::bigint + pg_snapshot_xmin(pg_current_snapshot())::text::bigint as up_to) e`,
};

/** Of others' sessions the number of the transaction and the process may be known, and little else. */
const holder: Statement = {
  name: 'read_holder',
  text: `
  select h.pid, h.name, h.database, extract(epoch from clock_timestamp() - h.began)::integer as seconds from (
    select pid, coalesce(application_name, '') as name, coalesce(datname, '') as database, xact_start as began, age(backend_xid) as age
    from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
    union all
    select null, gid, database, prepared, age(transaction) from pg_prepared_xacts
  ) h order by h.age desc limit 1`,
};

/** By the one column of the index: in the full order the database would sort everything behind the place. */
const recorded: Statement = {
  name: 'read_recorded',
  text: `
  select h.position, h.tenant, h.workflow_id as workflow, ${selected(HISTORY, 'h')} from history h
  where h.position >= $1 and h.position < $2
  order by h.position
  limit $3`,
};

export const makeRecorded = (connections: Connections, base: number): NonNullable<Reads['recorded']> => ({
  edge: async () => {
    const [found] = (await connections.run(edge, [base])).rows;
    return { upTo: found?.['up_to'] as number, hasLater: found?.['has_later'] === true };
  },
  holder: async () => {
    const [found] = (await connections.run(holder, [])).rows;
    if (found === undefined) return null;
    const { pid, name, database, seconds } = found;
    return {
      pid: pid as number | null,
      name: name as string,
      database: database as string,
      seconds: seconds as number | null,
    };
  },
  rows: async (from, upTo, limit) => {
    const { rows } = await connections.run(recorded, [from, upTo, limit]);
    return rows.map((record) => ({
      position: record['position'] as number,
      tenant: (record['tenant'] ?? DEFAULT_TENANT) as Tenant,
      workflow: record['workflow'] as WorkflowId,
      row: rowOf(HISTORY, record),
    }));
  },
});
