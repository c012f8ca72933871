import { shardOf, type WorkflowId } from '../model/ids.ts';
import type { Status } from '../model/rows.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Connections, Result, Statement } from './connections.ts';
import { pageOf, pageSize, readCursor } from './page.ts';
import { makeRecorded } from './positions.ts';
import { isCollision, told } from './refusals.ts';
import type { Reads, WorkflowSummary, WorkflowsQuery } from './store.ts';
import {
  AGENDA,
  asJson,
  BRANCH,
  type DatabaseRow,
  ERROR,
  HISTORY,
  LISTENER,
  rowOf,
  selected,
  strandNumber,
  type Table,
  VARIABLE,
  WORKFLOW,
  WORKFLOW_SUMMARY,
  WORKITEM,
} from './tables/of-workflow.ts';

/*
 * Reading for those who look on: the API and the console. Pages are walked by key, so they cost the same however deep they are.
 */

/** What one page of a workflow shows beside its strands: each has a workitem or two and a few timers, but nothing says so. */
const ROWS_BESIDE_MAX = 5_000;

const workflowById: Statement = {
  name: 'read_workflow',
  text: `select ${selected(WORKFLOW, 'w')} from workflow w where shard = $1 and id = $2 and tenant = $3`,
};

const standingsOf: Statement = {
  name: 'read_standings',
  text: `
  select r.w as workflow, w.status, w.last_n
  from jsonb_to_recordset($1::jsonb) as r(s smallint, w text, t text)
  cross join lateral (
    select status, last_n from workflow where shard = r.s and id = r.w and tenant = r.t offset 0
  ) w`,
};

/** The open workitem of the root strand: it holds the fields which the workflow's row leaves out (interpreter/held.ts). */
const rootItem = `
    (select ${asJson(WORKITEM, 't')} from workitem t
     where t.shard = w.shard and t.workflow_id = w.id and t.path = '0' and t.state <> 'closed' limit 1) as root_item`;

/** One statement per combination of filters, so that each has the plan of its index. */
function workflowsBy<Row>(
  table: Table<Row>,
  inside: boolean,
  { tenant, status, name, participant, limit, after }: WorkflowsQuery,
): readonly [Statement, readonly unknown[]] {
  const values: unknown[] = [tenant, limit];
  const used: string[] = [];
  const conditions: string[] = [];
  const filter = (
    label: string,
    given: readonly unknown[] | null,
    condition: (first: string, second: string) => string,
  ): void => {
    if (given === null) return;
    used.push(label);
    conditions.push(`and ${condition(`$${values.length + 1}`, `$${values.length + 2}`)}`);
    values.push(...given);
  };
  filter('status', status === null ? null : [status], (given) => `status = ${given}`);
  filter('name', name === null ? null : [name], (given) => `name = ${given}`);
  filter(
    'participant',
    participant === null ? null : [participant],
    (given) => `exists (
      select 1 from workitem t
      where t.tenant = $1 and t.participant = ${given} and t.state in ('open', 'failed')
        and t.shard = w.shard and t.workflow_id = w.id)`,
  );
  filter(
    'after',
    after === null ? null : readCursor(after, ['number', 'string']),
    (at, id) => `launched_at <= ${at} and (launched_at < ${at} or id > ${id})`,
  );
  const statement = {
    name: `${inside ? 'read_workflow_rows' : 'read_workflows'}_${used.join('_')}`,
    text: `
  select ${selected(table, 'w')}${inside ? `, ${rootItem}` : ''} from workflow w
  where tenant = $1 ${conditions.join(' ')}
  order by launched_at desc, id
  limit $2`,
  };
  return [statement, values];
}

const itemColumns = `t.workflow_id as workflow, ${selected(WORKITEM, 't')}, v.value as base_value`;
const itemBase = `left join variable v
    on v.shard = t.shard and v.workflow_id = t.workflow_id and v.scope = t.inherits and v.name = '^'`;

const workitemByKey: Statement = {
  name: 'read_workitem',
  text: `select ${itemColumns} from workitem t ${itemBase} 
  where t.shard = $1 and t.workflow_id = $2 and t.id = $3 and t.tenant = $4`,
};

const ownerOfWorkitem: Statement = {
  name: 'read_owner',
  text: `select w.tenant, w.launched_at as "launchedAt", t.opened_at as "openedAt" from workflow w
  left join workitem t on t.shard = w.shard and t.workflow_id = w.id and t.id = $3 and t.state <> 'closed'
  where w.shard = $1 and w.id = $2`,
};

const workitemsOfParticipant: Statement = {
  name: 'read_workitems_of_participant',
  text: `
  select ${itemColumns} from workitem t ${itemBase}
  where t.tenant = $1 and t.participant = $2 and ($3::text is null or t.state = $3)
    and ($4::text is null or t.workflow_id = $4)
    and t.opened_at >= $5 and (t.opened_at, t.workflow_id, t.id) > ($5, $6, $7)
  order by t.opened_at, t.workflow_id, t.id
  limit $8`,
};

const workitemsOfWorkflow: Statement = {
  name: 'read_workitems_of_workflow',
  text: `
  select ${itemColumns} from workitem t ${itemBase}
  where t.shard = $1 and t.workflow_id = $2 and t.tenant = $3 and ($4::text is null or t.state = $4) and t.id > $5
  order by t.id
  limit $6`,
};

const workitemsOfTenant: Statement = {
  name: 'read_workitems_of_tenant',
  text: `
  select ${itemColumns}, t.shard from workitem t ${itemBase}
  where t.tenant = $1 and ($2::text is null or t.state = $2) and (t.shard, t.workflow_id, t.id) > ($3, $4, $5)
  order by t.shard, t.workflow_id, t.id
  limit $6`,
};

const historyAfter: Statement = {
  name: 'read_history',
  text: `
  select ${selected(HISTORY, 'h')} from history h
  where shard = $1 and workflow_id = $2 and last_n > $3
    and first_n >= coalesce(  -- the row that holds the entry after $3: rows follow each other without gaps
      (select max(first_n) from history where shard = $1 and workflow_id = $2 and first_n <= $3 + 1), 0)
    and exists (select 1 from workflow w where w.shard = $1 and w.id = $2 and w.tenant = $5)
  order by first_n
  limit $4`,
};

const errorsNewest: Statement = {
  name: 'read_errors',
  text: `
  select t.workflow_id as workflow, ${selected(ERROR, 't')} from error t
  where tenant = $1 and at <= $2 and (at < $2 or (workflow_id, id) > ($3, $4))
  order by at desc, workflow_id, id
  limit $5`,
};

const countsByStatus: Statement = {
  name: 'read_counts',
  text: 'select status, count(*) as n from workflow where tenant = $1 group by status',
};

const ofWorkflow = (name: string, columns: string, where: string, order: string, limit = 'limit $4'): Statement => ({
  name: `read_whole_${name}`,
  text: `select ${columns} from ${name} t where t.shard = $1 and t.workflow_id = $2 and ${where} order by ${order} ${limit}`,
});
const wholeStrands = ofWorkflow('branch', selected(BRANCH, 't'), `t.path > $3`, 't.path');

/** Rows that belong to the strands of one page; those of no strand come with the first. */
const inPage = `(t.path > $3 and ($5::text is null or t.path <= $5)
    or ($3 = '' and t.path is null))`;
/** The root's own with every page, as its strand is; and the open ones first, in case there are too many. */
const wholeWorkitems = ofWorkflow(
  'workitem',
  selected(WORKITEM, 't'),
  `(${inPage} or (t.path = '0' and t.state <> 'closed'))`,
  `t.state = 'closed', t.path <> '0', t.id`,
);
const wholeAgenda = ofWorkflow('agenda', selected(AGENDA, 't'), inPage, 't.due_at, t.id');
const wholeErrors = ofWorkflow('error', selected(ERROR, 't'), inPage, 't.at, t.id');
const wholeListeners = ofWorkflow('listener', selected(LISTENER, 't'), inPage, 't.id');
const wholeBases = ofWorkflow('variable', selected(VARIABLE, 't'), `t.name = '^'`, 't.scope', '');

const WORKITEM_FIRST = ['', ''] as const;
const LATEST = Number.MAX_SAFE_INTEGER;

/** @param historyBase what positions of history begin at; null: they have none */
export function makeReads(connections: Connections, historyBase: number | null): Reads {
  const run = (statement: Statement, values: readonly unknown[]): Promise<Result> => connections.run(statement, values);
  const newestFirst = ({ launchedAt, id }: WorkflowSummary): readonly (string | number)[] => [launchedAt, id];
  return {
    workflow: async (tenant, id) => {
      const { rows } = await run(workflowById, [shardOf(id), id, tenant]);
      return rows[0] === undefined ? null : rowOf(WORKFLOW, rows[0]);
    },
    standings: async (asked) => {
      const list = asked.map(({ tenant, workflow }) => ({ s: shardOf(workflow), w: workflow, t: tenant }));
      const { rows } = await run(standingsOf, [JSON.stringify(list)]);
      return new Map(
        rows.map((record) => [
          record['workflow'] as WorkflowId,
          { status: record['status'] as Status, lastN: record['last_n'] as number },
        ]),
      );
    },
    whole: (tenant, id, options) => readWhole(connections, tenant, id, options, 1),
    workflows: async (query) => {
      const size = pageSize(query.limit);
      const { rows } = await run(...workflowsBy(WORKFLOW_SUMMARY, false, { ...query, limit: size + 1 }));
      return pageOf(
        rows.map((record) => rowOf(WORKFLOW_SUMMARY, record)),
        size,
        newestFirst,
      );
    },
    workflowRows: async (query) => {
      const size = pageSize(query.limit);
      const { rows } = await run(...workflowsBy(WORKFLOW, true, { ...query, limit: size + 1 }));
      const items = rows.map((record) => {
        const item = record['root_item'] as DatabaseRow | null;
        return { row: rowOf(WORKFLOW, record), workitem: item === null ? null : rowOf(WORKITEM, item) };
      });
      return pageOf(items, size, ({ row }) => newestFirst(row));
    },
    workitems: async ({ tenant, participant, workflow, state, limit, after }) => {
      const size = pageSize(limit);
      if (participant !== null) {
        const [at, of, id] =
          after === null ? [-1, ...WORKITEM_FIRST] : readCursor(after, ['number', 'string', 'string']);
        const { rows } = await run(workitemsOfParticipant, [
          tenant,
          participant,
          state,
          workflow,
          at,
          of,
          id,
          size + 1,
        ]);
        return pageOf(rows.map(itemOf), size, (item) => [item.row.openedAt, item.workflow, item.row.id]);
      }
      if (workflow !== null) {
        const [id] = after === null ? [''] : readCursor(after, ['string']);
        const { rows } = await run(workitemsOfWorkflow, [shardOf(workflow), workflow, tenant, state, id, size + 1]);
        return pageOf(rows.map(itemOf), size, (item) => [item.row.id]);
      }
      const [shard, of, id] =
        after === null ? [-1, ...WORKITEM_FIRST] : readCursor(after, ['number', 'string', 'string']);
      const { rows } = await run(workitemsOfTenant, [tenant, state, shard, of, id, size + 1]);
      return pageOf(rows.map(itemOf), size, (item) => [shardOf(item.workflow), item.workflow, item.row.id]);
    },
    workitem: async (tenant, { workflow, workitem }) => {
      const { rows } = await run(workitemByKey, [shardOf(workflow), workflow, workitem, tenant]);
      return rows[0] === undefined ? null : itemOf(rows[0]);
    },
    ownerOf: async ({ workflow, workitem }) => {
      const { rows } = await run(ownerOfWorkitem, [shardOf(workflow), workflow, workitem]);
      const [row] = rows;
      if (row === undefined) return null;
      const { tenant, launchedAt, openedAt } = row;
      return { tenant: tenant as Tenant, launchedAt: launchedAt as number, openedAt: openedAt as number | null };
    },
    history: async (tenant, id, after, limit) => {
      const { rows } = await run(historyAfter, [shardOf(id), id, after, pageSize(limit), tenant]);
      return rows.map((record) => rowOf(HISTORY, record));
    },
    recorded: historyBase === null ? null : makeRecorded(connections, historyBase),
    errors: async ({ tenant, limit, after }) => {
      const size = pageSize(limit);
      const [at, of, id] =
        after === null ? [LATEST, ...WORKITEM_FIRST] : readCursor(after, ['number', 'string', 'string']);
      const { rows } = await run(errorsNewest, [tenant, at, of, id, size + 1]);
      return pageOf(
        rows.map((record) => ({ workflow: record['workflow'] as WorkflowId, row: rowOf(ERROR, record) })),
        size,
        (item) => [item.row.at, item.workflow, item.row.id],
      );
    },
    counts: async (tenant) => {
      const { rows } = await run(countsByStatus, [tenant]);
      return new Map(rows.map((record) => [record['status'] as Status, record['n'] as number]));
    },
  };
}

const itemOf = (record: { readonly [column: string]: unknown }) => ({
  workflow: record['workflow'] as WorkflowId,
  row: rowOf(WORKITEM, record),
  base: record['base_value'] as string | null,
});

/** Databases that keep many machines in step may break a reading transaction off; it is begun again, this often in all. */
const WHOLE_TRIES_MAX = 5;

/** A workflow as of one moment: the statements share one snapshot. */
async function readWhole(
  connections: Connections,
  tenant: Tenant,
  id: WorkflowId,
  options: { readonly limit: number; readonly after: string | null },
  attempt: number,
): ReturnType<Reads['whole']> {
  const { limit, after } = options;
  const size = pageSize(limit);
  const place = [shardOf(id), id] as const;
  const connection = await connections.take();
  try {
    const begun = connection.say('begin isolation level repeatable read read only');
    const [, workflow, branches] = await Promise.all([
      begun,
      connection.run(workflowById, [...place, tenant]),
      connection.run(wholeStrands, [...place, after ?? '', size + 1]),
    ]);
    const found = workflow.rows[0];
    const strands = branches.rows.slice(0, size).map((record) => rowOf(BRANCH, record));
    const next = branches.rows.length > size ? (strands.at(-1)?.path ?? null) : null;
    const range = [...place, after ?? '', ROWS_BESIDE_MAX, next];
    const [workitems, agenda, errors, listeners, bases] = await Promise.all([
      connection.run(wholeWorkitems, range),
      connection.run(wholeAgenda, range),
      connection.run(wholeErrors, range),
      connection.run(wholeListeners, range),
      connection.run(wholeBases, place),
    ]);
    await connection.say('commit');
    connection.giveBack();
    if (found === undefined) return null;
    const keyed = <Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row> =>
      new Map(rows.map((row) => [keyOf(row), row]));
    return {
      workflow: rowOf(WORKFLOW, found),
      strands: keyed(
        strands.toSorted((a, b) => strandNumber(a.path) - strandNumber(b.path)),
        BRANCH.keyOf,
      ),
      workitems: keyed(
        workitems.rows.map((record) => rowOf(WORKITEM, record)),
        WORKITEM.keyOf,
      ),
      agenda: keyed(
        agenda.rows.map((record) => rowOf(AGENDA, record)),
        AGENDA.keyOf,
      ),
      errors: keyed(
        errors.rows.map((record) => rowOf(ERROR, record)),
        ERROR.keyOf,
      ),
      listeners: keyed(
        listeners.rows.map((record) => rowOf(LISTENER, record)),
        LISTENER.keyOf,
      ),
      variables: keyed(
        bases.rows.map((record) => rowOf(VARIABLE, record)),
        VARIABLE.keyOf,
      ),
      answered: new Set<string>(),
      next,
    };
  } catch (error) {
    // Thrown away rather than rolled back: reading fails only when the connection does.
    connection.giveBack(true);
    if (isCollision(error) && attempt < WHOLE_TRIES_MAX)
      return readWhole(connections, tenant, id, options, attempt + 1);
    throw told(error, 'reading a workflow');
  }
}
