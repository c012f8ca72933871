import type { ExpressionId } from '../model/ids.ts';
import { shardOf, type WorkflowId } from '../model/ids.ts';
import type {
  AgendaRow,
  ErrorRow,
  ListenerRow,
  StrandRow,
  VariableRow,
  WorkflowRow,
  WorkitemRow,
} from '../model/rows.ts';
import { type Loaded, type Need, needKey } from '../model/stimulus.ts';
import type { Connection, Result, Statement } from './connections.ts';
import { byShard, inShard } from './sharding.ts';
import type { LoadRequest } from './store.ts';
import {
  AGENDA,
  asJson,
  BRANCH,
  chainOf,
  type DatabaseRow,
  ERROR,
  LISTENER,
  rowOf,
  selected,
  VARIABLE,
  WORKFLOW,
  WORKITEM,
} from './tables/of-workflow.ts';

/*
 * Reading what a step asks for. One statement for all needs of one kind, whatever the number of workflows; all of them are sent in
 * one go behind `begin`. Each takes one text parameter, a json list of requests: `s` shard, `w` workflow id, and what the kind needs.
 */

/** Strands that may hold an expression: the nearest to the root are looked at, this many. */
const FIND_CANDIDATES_MAX = 8;

/** How the state of a strand names an expression it holds (interpreter/state/encoding.ts); others only mention its id, in variables. */
const holding = (expression: ExpressionId): string => `"i":${JSON.stringify(expression)}`;

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

const loadWorkitems: Statement = {
  name: 'load_workitems',
  text: `
  select r.w as request, ${selected(WORKITEM, 't')},
    case when t.path <> '0' then ${chain('t.path')} end as chain
  from ${requests(', k text')}
  ${matching('workitem', ' and id = r.k')}`,
};

const loadAgenda: Statement = {
  name: 'load_agenda',
  text: `
  select r.w as request, ${selected(AGENDA, 't')},
    case when t.path is not null and t.path <> '0' then ${chain('t.path')} end as chain
  from ${requests(', k text')}
  ${matching('agenda', ' and id = r.k')}`,
};

const loadAgendaKind: Statement = {
  name: 'load_agenda_kind',
  text: `
  select r.w as request, ${selected(AGENDA, 't')}
  from ${requests(', k text')}
  ${matching('agenda', ' and (r.k is null or kind = r.k)')}
  order by t.due_at, t.id`,
};

const loadStrands: Statement = {
  name: 'load_strands',
  text: `
  select r.w as request, ${selected(BRANCH, 't')}
  from ${requests(', k text')}
  ${matching('branch', ' and path = r.k')}`,
};

const findStrands: Statement = {
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

const loadChildren: Statement = {
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

const loadErrors: Statement = {
  name: 'load_errors',
  text: `
  select r.w as request, ${selected(ERROR, 't')}
  from ${requests(', k text')}
  ${matching('error', ' and id = r.k')}`,
};

const loadVariables: Statement = {
  name: 'load_variables',
  text: `
  select r.w as request, ${selected(VARIABLE, 't')}
  from ${requests(', k text, n text')}
  ${matching('variable', ' and scope = r.k and name = r.n')}`,
};

/** What of a workitem may be large. */
const WITHIN: ReadonlySet<string> = new Set(['fields', 'added', 'params', 'log']);

/** Whole tables of a workflow. */
const all = <Row>(name: string, table: { readonly name: string }, columns: string): Statement & { row?: Row } => ({
  name,
  text: `
  select r.w as request, ${columns}
  from ${requests('')}
  ${matching(table.name, '')}`,
});
const allStrands = all('all_strands', BRANCH, selected(BRANCH, 't'));
const allWorkitems = all('all_workitems', WORKITEM, selected(WORKITEM, 't'));
const openWorkitems: Statement = {
  name: 'open_workitems',
  text: `
  select r.w as request, ${selected({ ...WORKITEM, columns: WORKITEM.columns.filter(({ key }) => !WITHIN.has(key)) }, 't')},
    case when t.path = '0' then t.fields end as fields, case when t.path = '0' then t.added end as added,
    case when t.path = '0' then t.params else '{}' end as params, case when t.path = '0' then t.log else '[]' end as log
  from ${requests('')}
  ${matching(WORKITEM.name, ` and state <> 'closed'`)}`,
};
const allErrors = all('all_errors', ERROR, selected(ERROR, 't'));
const allListeners = all('all_listeners', LISTENER, selected(LISTENER, 't'));
const allVariables = all('all_variables', VARIABLE, selected(VARIABLE, 't'));

const loadScopes: Statement = {
  name: 'load_scopes',
  text: `
  select r.w as request, ${selected(VARIABLE, 't')}
  from ${requests(', k text')}
  ${matching('variable', ' and scope = r.k')}`,
};

export type Request = { readonly s: number; readonly w: WorkflowId; readonly [parameter: string]: unknown };
type Chain = readonly DatabaseRow[] | null;

/** What was loaded of one workflow, while it is being gathered. */
class Gathering {
  readonly strands = new Map<string, StrandRow>();
  readonly workitems = new Map<string, WorkitemRow>();
  readonly agenda = new Map<string, AgendaRow>();
  readonly errors = new Map<string, ErrorRow>();
  readonly listeners = new Map<string, ListenerRow>();
  readonly variables = new Map<string, VariableRow>();
  readonly answered = new Set<string>();

  answer(need: Need): void {
    this.answered.add(needKey(need));
  }
  /** The strand a path names was looked for, and all its ancestors with it. */
  walked(path: string): void {
    this.answer({ kind: 'strand', path: '0' });
    for (const prefix of chainOf(path)) this.answer({ kind: 'strand', path: prefix });
  }
  strand(row: StrandRow): void {
    this.strands.set(row.path, row);
  }
  variable(row: VariableRow): void {
    this.variables.set(VARIABLE.keyOf(row), row);
  }
  chain(chain: Chain): void {
    for (const row of chain ?? []) this.strand(rowOf(BRANCH, row));
  }
  loaded(workflow: WorkflowRow | null): Loaded {
    return { workflow, ...this };
  }
}

/** A statement to send, its requests, and what to do with each row that comes back. */
type Query = {
  readonly statement: Statement;
  readonly requests: readonly Request[];
  readonly take: (into: Gathering, row: DatabaseRow) => void;
};

type NeedOf<Kind extends Need['kind']> = Extract<Need, { readonly kind: Kind }>;

/** Sorts the needs of all workflows by statement. */
function queriesFor(list: readonly LoadRequest[]): readonly Query[] {
  const pick = <Kind extends Need['kind']>(
    kind: Kind,
    parameters: (need: NeedOf<Kind>) => readonly { readonly [parameter: string]: unknown }[],
  ): readonly Request[] =>
    list.flatMap(({ workflow, needs }) =>
      needs
        .filter((need): need is NeedOf<Kind> => need.kind === kind)
        .flatMap((need) => parameters(need).map((given) => ({ s: shardOf(workflow), w: workflow, ...given }))),
    );
  const everything = pick('everything', () => [{}]);
  const childrenOf = pick('children', (need) => [
    { p: need.path, k: need.at, a: need.after, l: need.limit, f: need.finished },
  ]);
  const queries: readonly Query[] = [
    {
      statement: loadWorkitems,
      requests: pick('workitem', (need) => [{ k: need.id }]),
      take: (into, record) => {
        const row = rowOf(WORKITEM, record);
        into.workitems.set(row.id, row);
        into.walked(row.path);
        into.chain(record['chain'] as Chain);
      },
    },
    {
      statement: loadAgenda,
      requests: pick('agenda', (need) => [{ k: need.id }]),
      take: (into, record) => {
        const row = rowOf(AGENDA, record);
        into.agenda.set(row.id, row);
        if (row.path !== null) into.walked(row.path);
        into.chain(record['chain'] as Chain);
      },
    },
    {
      statement: loadAgendaKind,
      requests: [...pick('agenda_kind', (need) => [{ k: need.of }]), ...everything],
      take: (into, record) => {
        const row = rowOf(AGENDA, record);
        into.agenda.set(row.id, row);
      },
    },
    {
      statement: loadStrands,
      requests: pick('strand', (need) => chainOf(need.path).map((k) => ({ k }))),
      take: (into, record) => into.strand(rowOf(BRANCH, record)),
    },
    {
      statement: findStrands,
      requests: pick('find', (need) => [{ k: holding(need.expression) }]),
      take: (into, record) => {
        const found = record['chain'] as Chain;
        into.chain(found);
        for (const row of found ?? []) into.walked(row['path'] as string);
      },
    },
    {
      statement: loadChildren,
      requests: childrenOf,
      take: (into, record) => into.strand(rowOf(BRANCH, record)),
    },
    {
      statement: loadErrors,
      requests: pick('error', (need) => [{ k: need.id }]),
      take: (into, record) => {
        const row = rowOf(ERROR, record);
        into.errors.set(row.id, row);
      },
    },
    {
      statement: loadVariables,
      requests: pick('variable', (need) => [{ k: need.scope, n: need.name }]),
      take: (into, record) => into.variable(rowOf(VARIABLE, record)),
    },
    {
      statement: loadScopes,
      requests: pick('variables', (need) => [{ k: need.scope }]),
      take: (into, record) => into.variable(rowOf(VARIABLE, record)),
    },
    {
      statement: allListeners,
      requests: [...pick('listeners', () => [{}]), ...everything],
      take: (into, record) => {
        const row = rowOf(LISTENER, record);
        into.listeners.set(row.id, row);
      },
    },
    {
      statement: allStrands,
      requests: everything,
      take: (into, record) => into.strand(rowOf(BRANCH, record)),
    },
    {
      statement: allWorkitems,
      requests: everything,
      take: (into, record) => {
        const row = rowOf(WORKITEM, record);
        into.workitems.set(row.id, row);
      },
    },
    {
      statement: openWorkitems,
      requests: pick('open_workitems', () => [{}]),
      take: (into, record) => {
        const row = rowOf(WORKITEM, record);
        into.workitems.set(row.id, row);
      },
    },
    {
      statement: allErrors,
      requests: everything,
      take: (into, record) => {
        const row = rowOf(ERROR, record);
        into.errors.set(row.id, row);
      },
    },
    {
      statement: allVariables,
      requests: everything,
      take: (into, record) => into.variable(rowOf(VARIABLE, record)),
    },
  ];
  return queries.filter((query) => query.requests.length > 0);
}

/** Requests for one workflow as one request. */
export function merged(list: readonly LoadRequest[]): readonly LoadRequest[] {
  const byWorkflow = new Map<WorkflowId, Need[]>();
  for (const { workflow, needs } of list) {
    const known = byWorkflow.get(workflow);
    if (known === undefined) byWorkflow.set(workflow, [...needs]);
    else known.push(...needs);
  }
  return [...byWorkflow]
    .map(([workflow, needs]) => ({
      workflow,
      needs: [...new Map(needs.map((need) => [needKey(need), need])).values()],
    }))
    .sort((a, b) => shardOf(a.workflow) - shardOf(b.workflow) || (a.workflow < b.workflow ? -1 : 1));
}

/** A statement with its requests: once, or once for each shard. */
export function forRequests(statement: Statement, given: readonly Request[], namesShard: boolean): readonly Sent[] {
  if (!namesShard) return [{ statement, values: [JSON.stringify(given)] }];
  return byShard(given).map(([shard, part]) => inShard(statement, [JSON.stringify(part)], shard));
}
type Sent = { readonly statement: Statement; readonly values: readonly unknown[] };

/**
 * Sends the statements that answer the needs, all at once.
 *
 * @returns a promise per statement (they are on their way already), and how to make of their results what was loaded, given the
 *   workflow rows that could be locked
 */
export function sendLoads(
  connection: Connection,
  list: readonly LoadRequest[],
  namesShard: boolean,
): {
  readonly results: readonly Promise<Result>[];
  readonly gather: (
    results: readonly Result[],
    rows: ReadonlyMap<WorkflowId, WorkflowRow | null>,
  ) => ReadonlyMap<WorkflowId, Loaded>;
} {
  const queries = queriesFor(list).flatMap(({ statement, requests: given, take }) =>
    forRequests(statement, given, namesShard).map((sent) => ({ ...sent, take })),
  );
  return {
    results: queries.map(({ statement, values }) => connection.run(statement, values)),
    gather: (results, rows) => {
      const gatherings = new Map<WorkflowId, Gathering>();
      for (const { workflow, needs } of list) {
        if (!rows.has(workflow)) continue;
        const into = new Gathering();
        gatherings.set(workflow, into);
        for (const need of needs) if (need.kind === 'strand') into.walked(need.path);
        for (const need of needs) if (need.kind !== 'definition') into.answer(need);
      }
      queries.forEach(({ take }, i) => {
        for (const record of results[i]?.rows ?? []) {
          const into = gatherings.get(record['request'] as WorkflowId);
          if (into !== undefined) take(into, record);
        }
      });
      return new Map([...gatherings].map(([workflow, into]) => [workflow, into.loaded(rows.get(workflow) ?? null)]));
    },
  };
}
