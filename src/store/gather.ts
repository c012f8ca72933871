import { type ExpressionId, shardOf, type WorkflowId } from '../model/ids.ts';
import { CHILDREN, type ChildKind, type Children, eachChild, type WorkflowRow } from '../model/rows.ts';
import { type Loaded, type Need, needKey, type ReceivedEvent } from '../model/stimulus.ts';
import type { Connection, Result, Sent, Statement } from './connections.ts';
import {
  findStrands,
  loadAgenda,
  loadAgendaKind,
  loadAll,
  loadChildren,
  loadErrors,
  loadScopes,
  loadStrands,
  loadVariables,
  loadWorkitems,
  openWorkitems,
  receivedEvents,
} from './load-statements.ts';
import { byShard, inShard } from './sharding.ts';
import type { LoadRequest } from './store.ts';
import { CHILD_TABLES, chainOf, type DatabaseRow, rowOf, type Table } from './tables/of-workflow.ts';

/*
 * Reading what steps ask for: which statements answer the needs of several workflows, sent in one go behind `begin`, and what their rows make.
 */

/** How the state of a strand names an expression it holds (interpreter/state/encoding.ts); others only mention its id, in variables. */
const holding = (expression: ExpressionId): string => `"i":${JSON.stringify(expression)}`;

export type Request = { readonly s: number; readonly w: WorkflowId; readonly [parameter: string]: unknown };
type Chain = readonly DatabaseRow[] | null;

type Gathered = { readonly [Kind in ChildKind]: Map<string, Children[Kind]> };

/** What was loaded of one workflow, while it is being gathered. */
class Gathering {
  readonly rows: Gathered = eachChild(() => new Map()) as Gathered;
  readonly answered = new Set<string>();
  readonly received = new Map<string, ReceivedEvent>();

  answer(need: Need): void {
    this.answered.add(needKey(need));
  }
  /** The strand a path names was looked for, and all its ancestors with it. */
  walked(path: string): void {
    this.answer({ kind: 'strand', path: '0' });
    for (const prefix of chainOf(path)) this.answer({ kind: 'strand', path: prefix });
  }
  put<Kind extends ChildKind>(kind: Kind, record: DatabaseRow): Children[Kind] {
    const table: Table<Children[Kind]> = CHILD_TABLES[kind];
    const row = rowOf(table, record);
    this.rows[kind].set(table.keyOf(row), row);
    return row;
  }
  chain(chain: Chain): void {
    for (const row of chain ?? []) this.put('strands', row);
  }
  loaded(workflow: WorkflowRow | null): Loaded {
    return { workflow, ...this.rows, answered: this.answered, received: this.received };
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
  const rows = (kind: ChildKind) => (into: Gathering, record: DatabaseRow) => void into.put(kind, record);
  const everything = pick('everything', () => [{}]);
  const queries: readonly Query[] = [
    {
      statement: loadWorkitems,
      requests: pick('workitem', (need) => [{ k: need.id }]),
      take: (into, record) => {
        into.walked(into.put('workitems', record).path);
        into.chain(record['chain'] as Chain);
      },
    },
    {
      statement: loadAgenda,
      requests: pick('agenda', (need) => [{ k: need.id }]),
      take: (into, record) => {
        const { path } = into.put('agenda', record);
        if (path !== null) into.walked(path);
        into.chain(record['chain'] as Chain);
      },
    },
    {
      statement: loadAgendaKind,
      requests: [...pick('agenda_kind', (need) => [{ k: need.of }]), ...everything],
      take: rows('agenda'),
    },
    {
      statement: loadStrands,
      requests: pick('strand', (need) => chainOf(need.path).map((k) => ({ k }))),
      take: rows('strands'),
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
      requests: pick('children', (need) => [
        { p: need.path, k: need.at, a: need.after, l: need.limit, f: need.finished },
      ]),
      take: rows('strands'),
    },
    { statement: loadErrors, requests: pick('error', (need) => [{ k: need.id }]), take: rows('errors') },
    {
      statement: loadVariables,
      requests: pick('variable', (need) => [{ k: need.scope, n: need.name }]),
      take: rows('variables'),
    },
    { statement: loadScopes, requests: pick('variables', (need) => [{ k: need.scope }]), take: rows('variables') },
    {
      statement: receivedEvents,
      requests: pick('event', (need) => [{ k: need.id }]),
      take: (into, { id, type, body, hops }) =>
        void into.received.set(id as string, { type: type as string, body: body as string, hops: hops as number }),
    },
    { statement: openWorkitems, requests: pick('open_workitems', () => [{}]), take: rows('workitems') },
    // All of the agenda comes by due time, above.
    ...CHILDREN.filter((kind) => kind !== 'agenda').map((kind) => ({
      statement: loadAll[kind],
      requests: kind === 'listeners' || kind === 'waiters' ? [...pick(kind, () => [{}]), ...everything] : everything,
      take: rows(kind),
    })),
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
