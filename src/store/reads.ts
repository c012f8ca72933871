import { shardOf, type WorkflowId } from '../model/ids.ts';
import type { Status, WorkflowRow, WorkitemRow } from '../model/rows.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Connections, Result, Statement } from './connections.ts';
import { foundIn, pageOf, pageOfWeighed, pageSize, readCursor, weighed } from './page.ts';
import { makeRecorded } from './positions.ts';
import { isOfParticipantAnd, readsOfAttributes } from './read-attributes.ts';
import { readsOfOwed, STANDS } from './read-owed.ts';
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
import { conditionsOf, selectBy } from './workflow-conditions.ts';

/*
 * Reading for those who look on: the API and the console. Pages are walked by key, so they cost the same however deep they are.
 * It is one thing: the filters of all lists are put together from the same conditions.
 */

/** The open workitem of the root strand: it holds the fields which the workflow's row leaves out (interpreter/state/held.ts). */
export const ROOT_ITEM = {
  ...WORKITEM,
  columns: WORKITEM.columns.map(({ column, ...rest }) => ({ ...rest, column: `item_${column}` })),
};

export function withRootItem(record: DatabaseRow): {
  readonly row: WorkflowRow;
  readonly workitem: WorkitemRow | null;
} {
  const item = record['root_item'] as DatabaseRow | null;
  return { row: rowOf(WORKFLOW, record), workitem: item === null ? null : rowOf(WORKITEM, item) };
}

const standingsOf: Statement = {
  name: 'read_standings',
  text: `
  select r.w as workflow, w.status, w.last_n
  from jsonb_to_recordset($1::jsonb) as r(s smallint, w text, t text)
  cross join lateral (
    select status, last_n from workflow where shard = r.s and id = r.w and tenant = r.t offset 0
  ) w`,
};

export const rootItem = `left join lateral (
      select ${WORKITEM.columns.map(({ column }) => `t."${column}" as "item_${column}"`).join(', ')} from workitem t
      where t.shard = w.shard and t.workflow_id = w.id and t.path = '0' and t.state <> 'closed' limit 1
    ) item on true`;
export const insideColumns = `${selected(WORKFLOW, 't')},
    case when t.item_id is not null then ${asJson(ROOT_ITEM, 't')} end as root_item`;
/** Bytes of a workflow's texts and of its root's workitem. */
export const INSIDE_BYTES = `octet_length(t.callbacks) + octet_length(t.header) + octet_length(t.state) + octet_length(t.fields)
  + coalesce(octet_length(t.item_fields), 0)`;

function workflowsBy<Row>(
  table: Table<Row>,
  inside: boolean,
  { limit, after, isOldestFirst = false, ...query }: WorkflowsQuery,
): readonly [Statement, readonly unknown[]] {
  const { values, used, conditions, branches, filter, by } = conditionsOf(query);
  filter('after', after === null ? null : readCursor(after, ['number', 'string']), (at, id) =>
    isOldestFirst
      ? `w.${by} >= ${at} and (w.${by} > ${at} or w.id < ${id})`
      : `w.${by} <= ${at} and (w.${by} < ${at} or w.id > ${id})`,
  );
  values.push(limit);
  // The same index, read from its other end.
  const [way, sameTime] = isOldestFirst ? ['', ' desc'] : [' desc', ''];
  const order = `${by}${way}, id${sameTime}`;
  const rest = `order by w.${by}${way}, w.id${sameTime} limit $${values.length}`;
  const found = selectBy('w.*', conditions, branches, rest);
  const page = `
    select w.*, item.* from (${found}) w ${rootItem}
    ${rest}`;
  const statement = {
    name: `${inside ? 'read_workflow_rows' : 'read_workflows'}_${used.join('_')}${isOldestFirst ? '_oldest' : ''}`,
    text: inside
      ? weighed(page, insideColumns, order, INSIDE_BYTES)
      : `
  select ${selected(table, 'w')} from (${found}) w
  ${rest}`,
  };
  return [statement, values];
}

/** Workflows of a participant, counted from its workitems: there is an index over these, and none leads from workflows to participants. */
const countOfParticipant: Statement = {
  name: 'count_workflows_of_participant',
  text: `
  select count(*)::integer as n from (
    select distinct shard, workflow_id from workitem
    where tenant = $1 and participant = $2 and state in ('open', 'failed') limit $3) counted`,
};

function countBy(
  query: Omit<WorkflowsQuery, 'limit' | 'after'>,
  most: number,
): readonly [Statement, readonly unknown[]] {
  const { values, used, conditions, branches, by } = conditionsOf(query);
  values.push(most);
  // An order that nobody sees, for its index: a plan that does not know how many there are would rather walk through the table. Without the id, which
  // no index has: all that is launched or ends at one moment would be put in order for nothing, row by row.
  const order = query.definition === null || query.definition === undefined ? `order by w.${by} desc ` : '';
  const found = selectBy('1', conditions, branches, `${order}limit $${values.length}`);
  const text = `select count(*) as n from (select 1 from (${found}) one limit $${values.length}) counted`;
  return [{ name: `count_workflows_${used.join('_')}`, text }, values];
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

const historyBefore: Statement = {
  name: 'read_history_before',
  text: weighed(
    `
    select * from history h
    where shard = $1 and workflow_id = $2 and first_n < $3
      and exists (select 1 from workflow w where w.shard = $1 and w.id = $2 and w.tenant = $5)
    order by first_n desc
    limit $4`,
    selected(HISTORY, 't'),
    't.first_n desc',
    'octet_length(t.entries)',
  ),
};

const kept: Statement = {
  name: 'read_kept',
  text: `
  select coalesce(history_first, 1) as first_kept, last_n from workflow where shard = $1 and id = $2 and tenant = $3`,
};

/** One statement per combination of filters. */
function errorsBy(query: Parameters<Reads['errors']>[0], size: number): readonly [Statement, readonly unknown[]] {
  const { tenant, participant, name, at, after } = query;
  const [atMost, of, id] = after === null ? [LATEST, ...FIRST] : readCursor(after, ['number', 'string', 'string']);
  const values: unknown[] = [tenant, atMost, of, id, size + 1];
  const used: string[] = [];
  const filter = (label: string, given: unknown, condition: (given: string) => string): string => {
    if (given === null || given === undefined) return '';
    used.push(label);
    values.push(given);
    return ` and ${condition(`$${values.length}`)}`;
  };
  const more = [
    filter('class', query.class, (given) => `t.class = ${given}`),
    filter('from', at?.from, (given) => `t.at >= ${given}`),
    filter('to', at?.to, (given) => `t.at < ${given}`),
    filter('participant', participant, (given) => `i.participant = ${given}`),
    filter('name', name, (given) => `w.name = ${given}`),
    filter('definition', query.definition, (given) => `left(w.definition, length(${given})) = ${given}`),
    filter('place', query.place, (given) => `split_part(t.id, '!', 1) = ${given}`),
  ].join('');
  const text = weighed(
    `
    select t.*, w.definition, w.name, i.participant, i.url, i.log from error t
    join workflow w on w.shard = t.shard and w.id = t.workflow_id
    left join workitem i on i.shard = t.shard and i.workflow_id = t.workflow_id and i.id = t.id
    where t.tenant = $1 and t.at <= $2 and (t.at < $2 or (t.workflow_id, t.id) > ($3, $4))${more}
    order by t.at desc, t.workflow_id, t.id
    limit $5`,
    `t.workflow_id as workflow, t.definition as of_definition, t.name as of_name, t.participant as of_participant,
    t.url as of_url, t.log as of_log,
    ${selected({ ...ERROR, columns: ERROR.columns.filter(({ key }) => key !== 'details') }, 't')}, '{}' as details`,
    't.at desc, t.workflow_id, t.id',
    'octet_length(t.class) + octet_length(t.message) + coalesce(octet_length(t.log), 0)',
  );
  return [{ name: `read_errors_${used.join('_')}`, text }, values];
}

const WITHIN = `jsonb_to_recordset($2::jsonb) as r(s smallint, w text)`;

const errorsWithin: Statement = {
  name: 'read_errors_within',
  text: `
  select e.workflow_id as workflow, e.id as object from ${WITHIN}
  join error e on e.shard = r.s and e.workflow_id = r.w and e.tenant = $1
  left join workitem i on i.shard = e.shard and i.workflow_id = e.workflow_id and i.id = e.id
  where ($3::text is null or e.class = $3) and ($4::text is null or i.participant = $4)
  order by e.workflow_id, e.id limit $5`,
};

const workitemsWithin: Statement = {
  name: 'read_workitems_within',
  text: `
  select t.workflow_id as workflow, t.id as object from ${WITHIN}
  join workitem t on t.shard = r.s and t.workflow_id = r.w and t.tenant = $1 and t.state in ('open', 'failed')
  where ($3::text is null or t.participant = $3) and ($4::text is null or ${STANDS} = $4)
  order by t.workflow_id, t.id limit $5`,
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
  const keyBy =
    ({ ended }: WorkflowsQuery) =>
    ({ launchedAt, endedAt, id }: WorkflowSummary): readonly (string | number)[] => [
      (ended?.from ?? null) === null && (ended?.to ?? null) === null ? launchedAt : (endedAt ?? 0),
      id,
    ];
  const countWorkflows: Reads['countWorkflows'] = async (query, most) => {
    if (query.participant !== null && !isOfParticipantAnd(query)) {
      const { rows } = await run(countOfParticipant, [query.tenant, query.participant, most]);
      return rows[0]?.['n'] as number;
    }
    return (await run(...countBy(query, most))).rows[0]?.['n'] as number;
  };
  const workflows: Reads['workflows'] = async (query) => {
    const size = pageSize(query.limit);
    const { rows } = await run(...workflowsBy(WORKFLOW_SUMMARY, false, { ...query, limit: size + 1 }));
    return pageOf(
      rows.map((record) => rowOf(WORKFLOW_SUMMARY, record)),
      size,
      keyBy(query),
    );
  };
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
    workflows,
    ...readsOfAttributes(connections, { countWorkflows, workflows }),
    workflowRows: async (query) => {
      const size = pageSize(query.limit);
      const { rows } = await run(...workflowsBy(WORKFLOW, true, { ...query, limit: size + 1 }));
      const items = rows.map(withRootItem);
      return pageOfWeighed(items, foundIn(rows), size, ({ row }) => keyBy(query)(row));
    },
    countWorkflows,
    ...readsOfWorkitems(connections),
    ...readsOfOwed(connections),
    objects: async ({ tenant, workflows, of, class: kind, participant, state, limit }) => {
      const within = JSON.stringify(workflows.map((id) => ({ s: shardOf(id), w: id })));
      const { rows } =
        of === 'errors'
          ? await run(errorsWithin, [tenant, within, kind, participant, limit])
          : await run(workitemsWithin, [tenant, within, participant, state, limit]);
      return rows.map((row) => ({ workflow: row['workflow'] as string, object: row['object'] as string }));
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
    historyBefore: async (tenant, id, before, limit) => {
      const { rows } = await run(historyBefore, [shardOf(id), id, before, pageSize(limit), tenant]);
      return rows.map((record) => rowOf(HISTORY, record));
    },
    kept: async (tenant, id) => {
      const [row] = (await run(kept, [shardOf(id), id, tenant])).rows;
      return row === undefined ? null : { firstKept: row['first_kept'] as number, lastN: row['last_n'] as number };
    },
    recorded: historyBase === null ? null : makeRecorded(connections, historyBase),
    errors: async (query) => {
      const size = pageSize(query.limit);
      const { rows } = await run(...errorsBy(query, size));
      return pageOfWeighed(
        rows.map((record) => ({
          workflow: record['workflow'] as WorkflowId,
          row: rowOf(ERROR, record),
          definition: record['of_definition'] as string,
          name: record['of_name'] as string | null,
          participant: record['of_participant'] as string | null,
          url: record['of_url'] as string | null,
          log: record['of_log'] as string | null,
        })),
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
