import { shardOf, type WorkflowId } from '../model/ids.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Connection, Connections, Result, Statement } from './connections.ts';
import { foundIn, PAGE_BYTES_MAX, pageSize, weighed } from './page.ts';
import { isCollision, told } from './refusals.ts';
import type { Reads } from './store.ts';
import {
  AGENDA,
  BRANCH,
  type DatabaseRow,
  ERROR,
  LISTENER,
  rowOf,
  selected,
  strandNumber,
  type Table,
  VARIABLE,
  WAITER,
  WORKFLOW,
  WORKITEM,
} from './tables/of-workflow.ts';

/*
 * One workflow for those who look on: a page of its strands with what waits in them, as of one moment. The page is measured before it
 * is fetched; the database tells how long a text is without unpacking it.
 */

/** What one page of a workflow shows of each kind beside its strands; more than that is said to be left out. */
const ROWS_BESIDE_MAX = 5_000;

export const workflowById: Statement = {
  name: 'read_workflow',
  text: `select ${selected(WORKFLOW, 'w')} from workflow w where shard = $1 and id = $2 and tenant = $3`,
};

/**
 * The strands after $3, at most $4, that weigh little enough together with their workitems and the bases of these. Nothing is joined: with
 * no statistics yet, a join of a thousand strands with their workitems is planned as a million comparisons.
 */
const strandsOfPage: Statement = {
  name: 'read_whole_branch',
  text: `
  with page as materialized (
    select * from branch t where t.shard = $1 and t.workflow_id = $2 and t.path > $3 order by t.path limit $4
  ), items as (
    select t.path, t.inherits, octet_length(t.params) + octet_length(t.log) + coalesce(octet_length(t.fields), 0)
        + coalesce(octet_length(t.added), 0) as own,
      row_number() over (partition by t.inherits order by t.path) = 1 as brings_base
    from workitem t
    where t.shard = $1 and t.workflow_id = $2 and t.state <> 'closed' and t.path > $3 and t.path <> '0'
      and t.path <= (select max(p.path) from page p)
  ), weights as (
    select p.path, octet_length(p.state) + octet_length(p.fields) as bytes from page p
    union all
    select i.path, i.own + case when i.brings_base then coalesce((
        select octet_length(v.value) from variable v
        where v.shard = $1 and v.workflow_id = $2 and v.scope = i.inherits and v.name = '^'
      ), 0) else 0 end
    from items i
  ), sums as (
    select w.path, sum(sum(w.bytes)) over (order by w.path) as bytes from weights w group by w.path
  )
  select ${selected(BRANCH, 't')}, (select count(*) from page) as found
  from page t
  where t.path <= (select coalesce(max(s.path) filter (where s.bytes <= ${PAGE_BYTES_MAX}), min(s.path)) from sums s)
  order by t.path`,
};

/** Rows that belong to the strands of one page; those of no strand come with the first. */
const inPage = `(t.path > $3 and ($5::text is null or t.path <= $5) or ($3 = '' and t.path is null))`;

/** Rows of a page, as many as its bounds take, in this order. */
const besides = (name: string, columns: string, where: string, order: string, bytes: string): Statement => ({
  name: `read_whole_${name}`,
  text: weighed(
    `
    select * from ${name} t where t.shard = $1 and t.workflow_id = $2 and ${where} order by ${order} limit $4`,
    columns,
    order,
    bytes,
  ),
});

/** What weighs much of these was weighed with the strands; the root's own comes with every page, as its strand does. */
const workitemsOfPage: Statement = {
  name: 'read_whole_workitem',
  text: `
  select ${selected(WORKITEM, 't')} from workitem t
  where t.shard = $1 and t.workflow_id = $2 and t.state <> 'closed' and (${inPage} or t.path = '0')
  order by t.path <> '0', t.id
  limit $4`,
};
const timersOfPage = besides(
  'agenda',
  selected(AGENDA, 't'),
  `t.kind = 'timer' and ${inPage}`,
  't.due_at, t.id',
  'octet_length(t.payload)',
);
const errorsOfPage = besides(
  'error',
  `${selected({ ...ERROR, columns: ERROR.columns.filter(({ key }) => key !== 'details') }, 't')}, '{}' as details`,
  inPage,
  't.at, t.id',
  'octet_length(t.class) + octet_length(t.message)',
);
const listenersOfPage = besides('listener', selected(LISTENER, 't'), inPage, 't.id', 'octet_length(t.spec)');
const waitersOfPage = besides('waiter', selected(WAITER, 't'), inPage, 't.id', 'octet_length(t.type)');
const basesOfPage: Statement = {
  name: 'read_whole_variable',
  text: `
  select ${selected(VARIABLE, 't')} from variable t
  where t.shard = $1 and t.workflow_id = $2 and t.name = '^' and t.scope = any($3::text[])`,
};

/** Databases that keep many machines in step may break a reading transaction off; it is begun again, this often in all. */
const WHOLE_TRIES_MAX = 5;

type Options = { readonly limit: number; readonly after: string | null };

/** A workflow as of one moment: the statements share one snapshot. */
export async function readWhole(
  connections: Pick<Connections, 'take'>,
  tenant: Tenant,
  id: WorkflowId,
  options: Options,
  attempt = 1,
): ReturnType<Reads['whole']> {
  const connection = await connections.take();
  try {
    const whole = await readPage(connection, tenant, id, options);
    await connection.say('commit');
    connection.giveBack();
    return whole;
  } catch (error) {
    // Thrown away rather than rolled back: reading fails only when the connection does.
    connection.giveBack(true);
    if (isCollision(error) && attempt < WHOLE_TRIES_MAX)
      return readWhole(connections, tenant, id, options, attempt + 1);
    throw told(error, 'reading a workflow');
  }
}

async function readPage(connection: Connection, tenant: Tenant, id: WorkflowId, { limit, after }: Options) {
  const size = pageSize(limit);
  const place = [shardOf(id), id] as const;
  const [, workflow, branches] = await Promise.all([
    connection.say('begin isolation level repeatable read read only'),
    connection.run(workflowById, [...place, tenant]),
    connection.run(strandsOfPage, [...place, after ?? '', size + 1]),
  ]);
  const found = workflow.rows[0];
  if (found === undefined) return null;
  const strands = branches.rows.slice(0, size).map((record) => rowOf(BRANCH, record));
  const next = foundIn(branches.rows) > strands.length ? (strands.at(-1)?.path ?? null) : null;
  const range = [...place, after ?? '', ROWS_BESIDE_MAX + 1, next];
  const [items, timers, errors, listeners] = await Promise.all([
    connection.run(workitemsOfPage, range),
    connection.run(timersOfPage, range),
    connection.run(errorsOfPage, range),
    connection.run(listenersOfPage, range),
  ]);
  const row = rowOf(WORKFLOW, found);
  // Hardly any workflow waits for events: its header tells.
  const waiters = row.header.includes('"waiters":') ? await connection.run(waitersOfPage, range) : NOTHING;
  const workitems = rowsOf(WORKITEM, items);
  const scopes = new Set(workitems.flatMap(({ inherits }) => inherits ?? []));
  const bases = scopes.size === 0 ? NOTHING : await connection.run(basesOfPage, [...place, [...scopes]]);
  return {
    workflow: row,
    strands: keyed(
      BRANCH,
      strands.toSorted((a, b) => strandNumber(a.path) - strandNumber(b.path)),
    ),
    workitems: keyed(WORKITEM, workitems),
    agenda: keyed(AGENDA, rowsOf(AGENDA, timers)),
    errors: keyed(ERROR, rowsOf(ERROR, errors)),
    listeners: keyed(LISTENER, rowsOf(LISTENER, listeners)),
    variables: keyed(VARIABLE, rowsOf(VARIABLE, bases)),
    waiters: keyed(WAITER, rowsOf(WAITER, waiters)),
    answered: new Set<string>(),
    received: new Map(),
    next,
    leftOut: [
      ...(items.rows.length > ROWS_BESIDE_MAX ? (['workitems'] as const) : []),
      ...(foundIn(timers.rows) > Math.min(timers.rows.length, ROWS_BESIDE_MAX) ? (['timers'] as const) : []),
      ...(foundIn(listeners.rows) > Math.min(listeners.rows.length, ROWS_BESIDE_MAX) ? (['waits'] as const) : []),
      ...(foundIn(errors.rows) > Math.min(errors.rows.length, ROWS_BESIDE_MAX) ? (['errors'] as const) : []),
    ],
  };
}

const NOTHING: Result = { rows: [], count: 0, command: '' };
const rowsOf = <Row>(table: Table<Row>, { rows }: Result): readonly Row[] =>
  rows.slice(0, ROWS_BESIDE_MAX).map((record: DatabaseRow) => rowOf(table, record));
const keyed = <Row>(table: Table<Row>, rows: readonly Row[]): ReadonlyMap<string, Row> =>
  new Map(rows.map((row) => [table.keyOf(row), row]));
