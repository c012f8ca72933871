import { eachChild } from '../model/rows.ts';
import type { Statement } from './connections.ts';
import {
  AGENDA,
  asJson,
  BRANCH,
  CHILD_TABLES,
  ERROR,
  selected,
  VARIABLE,
  WORKFLOW,
  WORKITEM,
} from './tables/of-workflow.ts';

/*
 * What a step asks for, as SQL: one statement for all needs of one kind, whatever the number of workflows. Each takes one text parameter, a json list of requests: `s` shard, `w` workflow id, and what the kind needs.
 */

/** Strands that may hold an expression: the nearest to the root are looked at, this many. */
const FIND_CANDIDATES_MAX = 8;

/**
 * The rows of a table that belong to the request `r`, as `t`. The `offset 0` keeps the planner from turning the join round or putting off a
 * part of the key: what seems fit for a table that is almost empty as the plan is made walks through all the rows of a workflow later on.
 */
const matching = (table: string, where: string, alias = 't'): string => `cross join lateral (
    select * from ${table} where shard = r.s and workflow_id = r.w${where} offset 0
  ) ${alias}`;

/** The strands a path of the request `r` names that have a row of their own, root first: a json list. */
const chain = (path: string): string => `
    (select json_agg(${asJson(BRANCH, 'b')} order by length(b.path))
     from generate_series(1, cardinality(string_to_array(${path}, '.'))) as depth(n)
     ${matching('branch', ` and path = array_to_string((string_to_array(${path}, '.'))[1:depth.n], '.')`, 'b')})`;

const requests = (columns: string): string => `jsonb_to_recordset($1::jsonb) as r(s smallint, w text${columns})`;

/**
 * Locks the workflow rows in the order of the requests and skips those that are locked elsewhere. `busy` tells a skipped row from one
 * that does not exist. The lock is taken row by row inside the join, so the order of the list is the order of the locks.
 */
export const lockWorkflows: Statement = {
  name: 'lock_workflows',
  text: `
  select r.w as request, ${selected(WORKFLOW, 'w')}, pg_current_xact_id()::text as transaction,
    exists (select 1 from listener where reach = 'tenant') as hears,  -- once for all rows
    -- not "exists": on an empty table that is planned as a walk through all of it, once for every launch
    case when w.id is null then coalesce((select true from workflow e where e.shard = r.s and e.id = r.w), false) else false end as busy
  from ${requests('')}
  left join lateral (
    select * from workflow where shard = r.s and id = r.w for update skip locked  -- another lane's workflow waits for nobody
  ) w on true`,
};

/** The same without locks, where the isolation of the transaction finds conflicts by itself. */
export const lookAtWorkflows: Statement = {
  name: 'look_at_workflows',
  text: `
  select r.w as request, ${selected(WORKFLOW, 'w')}, null as transaction, null as hears, false as busy
  from ${requests('')}
  left join lateral (select * from workflow where shard = r.s and id = r.w offset 0) w on true`,
};

/**
 * Whether any workflow listens to others, asked of all shards at once: the listeners of a tenant are anywhere. Asked before the transaction begins, so
 * that whoever puts a listener at this moment is in nobody's way.
 */
export const anyoneHears: Statement = {
  name: 'anyone_hears',
  text: `select exists (select 1 from listener where reach = 'tenant') as hears`,
};

export const loadWorkitems: Statement = {
  name: 'load_workitems',
  text: `
  select r.w as request, ${selected(WORKITEM, 't')},
    case when t.path <> '0' then ${chain('t.path')} end as chain
  from ${requests(', k text')}
  ${matching('workitem', ' and id = r.k')}`,
};

export const loadAgenda: Statement = {
  name: 'load_agenda',
  text: `
  select r.w as request, ${selected(AGENDA, 't')},
    case when t.path is not null and t.path <> '0' then ${chain('t.path')} end as chain
  from ${requests(', k text')}
  ${matching('agenda', ' and id = r.k')}`,
};

export const loadAgendaKind: Statement = {
  name: 'load_agenda_kind',
  text: `
  select r.w as request, ${selected(AGENDA, 't')}
  from ${requests(', k text')}
  ${matching('agenda', ' and (r.k is null or kind = r.k)')}
  order by t.due_at, t.id`,
};

export const loadStrands: Statement = {
  name: 'load_strands',
  text: `
  select r.w as request, ${selected(BRANCH, 't')}
  from ${requests(', k text')}
  ${matching('branch', ' and path = r.k')}`,
};

export const findStrands: Statement = {
  name: 'find_strands',
  text: `
  select r.w as request, ${chain('t.path')} as chain
  from ${requests(', k text')}
  cross join lateral (
    select shard, workflow_id, path from branch
    where shard = r.s and workflow_id = r.w and position(r.k in state) > 0
    order by length(path) - length(replace(path, '.', '')), path
    limit ${FIND_CANDIDATES_MAX}
  ) t`,
};

export const loadChildren: Statement = {
  name: 'load_children',
  text: `
  select r.w as request, ${selected(BRANCH, 't')}
  from ${requests(', p text, k text, a integer, l integer, f boolean')}
  cross join lateral (
    select * from branch
    where shard = r.s and workflow_id = r.w and parent = r.p and at = r.k and number > r.a
      and (arrival is not null) = r.f
    order by number
    limit r.l
  ) t`,
};

export const loadErrors: Statement = {
  name: 'load_errors',
  text: `
  select r.w as request, ${selected(ERROR, 't')}
  from ${requests(', k text')}
  ${matching('error', ' and id = r.k')}`,
};

export const loadVariables: Statement = {
  name: 'load_variables',
  text: `
  select r.w as request, ${selected(VARIABLE, 't')}
  from ${requests(', k text, n text')}
  ${matching('variable', ' and scope = r.k and name = r.n')}`,
};

/** What of a workitem may be large. */
const WITHIN: ReadonlySet<string> = new Set(['fields', 'added', 'params', 'log']);

/** Whole tables of a workflow. */
export const loadAll = eachChild(
  (kind): Statement => ({
    name: `all_${kind}`,
    text: `
  select r.w as request, ${selected<never>(CHILD_TABLES[kind], 't')}
  from ${requests('')}
  ${matching(CHILD_TABLES[kind].name, '')}`,
  }),
);

export const openWorkitems: Statement = {
  name: 'open_workitems',
  text: `
  select r.w as request, ${selected({ ...WORKITEM, columns: WORKITEM.columns.filter(({ key }) => !WITHIN.has(key)) }, 't')},
    case when t.path = '0' then t.fields end as fields, case when t.path = '0' then t.added end as added,
    case when t.path = '0' then t.params else '{}' end as params, case when t.path = '0' then t.log else '[]' end as log
  from ${requests('')}
  ${matching(WORKITEM.name, ` and state <> 'closed'`)}`,
};
/** Events that came from outside; of a whole tenant, not of a workflow. */
export const receivedEvents: Statement = {
  name: 'received_events',
  text: `
  select r.w as request, e.event_id as id, e.type, e.body, e.hops
  from ${requests(', k text')}
  cross join lateral (select * from event where event_id = r.k offset 0) e`,
};
export const loadScopes: Statement = {
  name: 'load_scopes',
  text: `
  select r.w as request, ${selected(VARIABLE, 't')}
  from ${requests(', k text')}
  ${matching('variable', ' and scope = r.k')}`,
};
