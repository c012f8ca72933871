import { shardOf, type WorkflowId } from '../model/ids.ts';
import type { Status } from '../model/rows.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Connections, Result, Statement } from './connections.ts';
import { foundIn, pageOf, pageOfWeighed, pageSize, readCursor, weighed } from './page.ts';
import { makeRecorded } from './positions.ts';
import { readWhole, workflowById } from './read-whole.ts';
import { readsOfWorkitems } from './read-workitems.ts';
import type { Reads, WorkflowSummary, WorkflowsQuery } from './store.ts';
import {
  asJson,
  type DatabaseRow,
  ERROR,
  HISTORY,
  rowOf,
  selected,
  type Table,
  WORKFLOW,
  WORKFLOW_SUMMARY,
  WORKITEM,
} from './tables/of-workflow.ts';

/*
 * Reading for those who look on: the API and the console. Pages are walked by key, so they cost the same however deep they are.
 */

/** The open workitem of the root strand: it holds the fields which the workflow's row leaves out (interpreter/state/held.ts). */
const ROOT_ITEM = {
  ...WORKITEM,
  columns: WORKITEM.columns.map(({ column, ...rest }) => ({ ...rest, column: `item_${column}` })),
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

const rootItem = `left join lateral (
      select ${WORKITEM.columns.map(({ column }) => `t."${column}" as "item_${column}"`).join(', ')} from workitem t
      where t.shard = w.shard and t.workflow_id = w.id and t.path = '0' and t.state <> 'closed' limit 1
    ) item on true`;
const insideColumns = `${selected(WORKFLOW, 't')},
    case when t.item_id is not null then ${asJson(ROOT_ITEM, 't')} end as root_item`;
/** Bytes of a workflow's texts and of its root's workitem. */
const INSIDE_BYTES = `octet_length(t.callbacks) + octet_length(t.header) + octet_length(t.state) + octet_length(t.fields)
  + coalesce(octet_length(t.item_fields), 0)`;

/** One statement per combination of filters, so that each has the plan of its index. */
function workflowsBy<Row>(
  table: Table<Row>,
  inside: boolean,
  { tenant, status, name, participant, businessKey = null, limit, after }: WorkflowsQuery,
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
  filter('key', businessKey === null ? null : [businessKey], (given) => `business_key = ${given}`);
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
  const order = 'launched_at desc, id';
  const where = `tenant = $1 ${conditions.join(' ')}`;
  const page = `
    select w.*, item.* from workflow w ${rootItem}
    where ${where}
    order by ${order}
    limit $2`;
  const statement = {
    name: `${inside ? 'read_workflow_rows' : 'read_workflows'}_${used.join('_')}`,
    text: inside
      ? weighed(page, insideColumns, order, INSIDE_BYTES)
      : `
  select ${selected(table, 'w')} from workflow w
  where ${where}
  order by ${order}
  limit $2`,
  };
  return [statement, values];
}

const ownerOfWorkitem: Statement = {
  name: 'read_owner',
  text: `select w.tenant, w.launched_at as "launchedAt", t.opened_at as "openedAt" from workflow w
  left join workitem t on t.shard = w.shard and t.workflow_id = w.id and t.id = $3 and t.state <> 'closed'
  where w.shard = $1 and w.id = $2`,
};

const historyAfter: Statement = {
  name: 'read_history',
  text: weighed(
    `
    select * from history h
    where shard = $1 and workflow_id = $2 and last_n > $3
      and first_n >= coalesce(  -- the row that holds the entry after $3: rows follow each other without gaps
        (select max(first_n) from history where shard = $1 and workflow_id = $2 and first_n <= $3 + 1), 0)
      and exists (select 1 from workflow w where w.shard = $1 and w.id = $2 and w.tenant = $5)
    order by first_n
    limit $4`,
    selected(HISTORY, 't'),
    't.first_n',
    'octet_length(t.entries)',
  ),
};

const kept: Statement = {
  name: 'read_kept',
  text: `
  select coalesce(history_first, 1) as first_kept, last_n from workflow where shard = $1 and id = $2 and tenant = $3`,
};

const errorsNewest: Statement = {
  name: 'read_errors',
  text: weighed(
    `
    select * from error t
    where tenant = $1 and at <= $2 and (at < $2 or (workflow_id, id) > ($3, $4))
    order by at desc, workflow_id, id
    limit $5`,
    `t.workflow_id as workflow, ${selected({ ...ERROR, columns: ERROR.columns.filter(({ key }) => key !== 'details') }, 't')},
    '{}' as details`,
    't.at desc, t.workflow_id, t.id',
    'octet_length(t.class) + octet_length(t.message)',
  ),
};

const countsByStatus: Statement = {
  name: 'read_counts',
  text: 'select status, count(*) as n from workflow where tenant = $1 group by status',
};

const FIRST = ['', ''] as const;
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
    whole: (tenant, id, options) => readWhole(connections, tenant, id, options),
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
      return pageOfWeighed(items, foundIn(rows), size, ({ row }) => newestFirst(row));
    },
    ...readsOfWorkitems(connections),
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
    kept: async (tenant, id) => {
      const [row] = (await run(kept, [shardOf(id), id, tenant])).rows;
      return row === undefined ? null : { firstKept: row['first_kept'] as number, lastN: row['last_n'] as number };
    },
    recorded: historyBase === null ? null : makeRecorded(connections, historyBase),
    errors: async ({ tenant, limit, after }) => {
      const size = pageSize(limit);
      const [at, of, id] = after === null ? [LATEST, ...FIRST] : readCursor(after, ['number', 'string', 'string']);
      const { rows } = await run(errorsNewest, [tenant, at, of, id, size + 1]);
      return pageOfWeighed(
        rows.map((record) => ({ workflow: record['workflow'] as WorkflowId, row: rowOf(ERROR, record) })),
        foundIn(rows),
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
