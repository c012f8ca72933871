import { shardOf, type WorkflowId } from '../../src/model/ids.ts';
import {
  type AgendaRow,
  type ChildKind,
  type Children,
  eachChild,
  type HistoryRow,
  type StrandRow,
  type WorkflowRow,
  type WorkitemRow,
} from '../../src/model/rows.ts';
import type { Loaded, Need, ReceivedEvent } from '../../src/model/stimulus.ts';
import { needKey } from '../../src/model/stimulus.ts';
import { chainOf, strandNumber } from '../../src/store/tables/of-workflow.ts';
import type { StoredRows, StoredTables } from './tables.ts';

/*
 * The simulated database: what all nodes share and what outlives them. Everything here happens at one moment; when those moments
 * come is the business of the links (link.ts) through which a store talks to it.
 */

/** A workitem with who is trying to deliver it. */
export type Held = { row: WorkitemRow; claim: string | null; owner: string | null; leaseUntil: number | null };

/** Everything stored of one workflow. */
export type Rows = {
  readonly [Kind in ChildKind]: Map<string, Kind extends 'workitems' ? Held : Children[Kind]>;
} & { workflow: WorkflowRow; readonly history: HistoryRow[]; firstKept: number };

/** A transaction as the database sees it. */
export type Session = { readonly locks: Set<WorkflowId>; lastHeard: number; over: boolean };

export type Database = {
  readonly workflows: Map<WorkflowId, Rows>;
  /** Those that belong to no workflow, by name. */
  readonly tables: StoredTables;
  /** Who holds the lock of a workflow row. */
  readonly locks: Map<WorkflowId, Session>;
  /** Where waiters are armed, and what has taken them, by workflow and id. */
  readonly armed: Map<string, { readonly key: string; readonly seq: number; readonly takenBy: string | null }>;
  /** What workflows are found by, by name. */
  readonly attributes: Map<WorkflowId, Map<string, readonly string[]>>;
  readonly attributeMarks: Map<string, string>;
  /** The nodes that listen for hints. */
  readonly listening: Set<() => void>;
  /** The database's own clock, milliseconds. */
  readonly now: () => number;
};

/** A session that says nothing for so long in the middle of a transaction is thrown out (`idle_in_transaction_session_timeout`). */
export const IDLE_MS_MAX = 10_000;
/** The name of a base row (model/rows.ts, StrandRow.base). */
export const BASE = '^';
/** A strand that mentions an expression holds it, or is a child of it: so many are looked at, nearest to the root first. */
const FIND_CANDIDATES_MAX = 8;

export const makeDatabase = (now: () => number): Database => ({
  workflows: new Map(),
  tables: new Map(),
  locks: new Map(),
  armed: new Map(),
  attributes: new Map(),
  attributeMarks: new Map(),
  listening: new Set(),
  now,
});

export const emptyRows = (workflow: WorkflowRow): Rows => ({
  ...eachChild(() => new Map()),
  workflow,
  history: [],
  firstKept: 1,
});

/** Locks a workflow row for the session; false when somebody else holds it. A row that does not exist cannot be locked. */
export function lock(database: Database, session: Session, id: WorkflowId): boolean {
  if (!database.workflows.has(id)) return true;
  const holder = database.locks.get(id);
  if (holder !== undefined && holder !== session) {
    if (database.now() - holder.lastHeard < IDLE_MS_MAX) return false;
    end(database, holder);
  }
  database.locks.set(id, session);
  session.locks.add(id);
  return true;
}

/** Ends a session: its locks are free, and whatever it says later is told that it is over. */
export function end(database: Database, session: Session): void {
  session.over = true;
  for (const id of session.locks) if (database.locks.get(id) === session) database.locks.delete(id);
  session.locks.clear();
}

/** Heard of a session just now; false when it has been thrown out meanwhile. */
export function hear(database: Database, session: Session): boolean {
  if (!session.over && database.now() - session.lastHeard >= IDLE_MS_MAX) end(database, session);
  session.lastHeard = database.now();
  return !session.over;
}

/** Shards first, then ids: the order in which keys are walked and locked. */
export const inKeyOrder = (a: WorkflowId, b: WorkflowId): number => shardOf(a) - shardOf(b) || (a < b ? -1 : 1);

export const isLive = (database: Database, held: Held): boolean =>
  held.leaseUntil !== null && held.leaseUntil >= database.now();

/** Rows of one workflow that answer the needs, and which needs they answer (store.ts, `begin`). */
export function load(
  rows: Rows | undefined,
  workflow: WorkflowRow | null,
  needs: readonly Need[],
  events: StoredRows = new Map(),
): Loaded {
  const found: { readonly [Kind in ChildKind]: Map<string, Children[Kind]> } = eachChild(() => new Map());
  const { strands, workitems, agenda, errors, listeners, variables, waiters } = found;
  const received = new Map<string, ReceivedEvent>();
  const answered = new Set<string>();
  const answer = (need: Need): unknown => answered.add(needKey(need));
  for (const need of needs) if (need.kind !== 'definition') answer(need);
  const loaded = { ...found, workflow, answered, received };

  const strand = (row: StrandRow): void => {
    strands.set(row.path, row);
  };
  const walk = (path: string): void => {
    answer({ kind: 'strand', path: '0' });
    for (const prefix of chainOf(path)) {
      answer({ kind: 'strand', path: prefix });
      const row = rows?.strands.get(prefix);
      if (row !== undefined) strand(row);
    }
  };
  for (const need of needs) if (need.kind === 'strand') walk(need.path);
  if (rows === undefined) return loaded;

  for (const need of needs)
    switch (need.kind) {
      case 'strand':
      case 'definition':
        break;
      case 'find':
        for (const row of mentioning(rows, need.expression)) walk(row.path);
        break;
      case 'children':
        for (const row of childrenOf(rows, need)) strand(row);
        break;
      case 'workitem': {
        const held = rows.workitems.get(need.id);
        if (held === undefined) break;
        workitems.set(held.row.id, held.row);
        walk(held.row.path);
        break;
      }
      case 'agenda': {
        const row = rows.agenda.get(need.id);
        if (row === undefined) break;
        agenda.set(row.id, row);
        if (row.path !== null) walk(row.path);
        break;
      }
      case 'agenda_kind':
        for (const row of byDue(rows.agenda.values())) if (row.kind === need.of) agenda.set(row.id, row);
        break;
      case 'error': {
        const row = rows.errors.get(need.id);
        if (row !== undefined) errors.set(row.id, row);
        break;
      }
      case 'listeners':
        for (const row of rows.listeners.values()) listeners.set(row.id, row);
        break;
      case 'waiters':
        for (const row of rows.waiters.values()) waiters.set(row.id, row);
        break;
      case 'event': {
        const row = events.get(JSON.stringify([need.id]));
        if (row !== undefined)
          received.set(need.id, { type: String(row['type']), body: String(row['body']), hops: Number(row['hops']) });
        break;
      }
      case 'variable':
      case 'variables':
        for (const [key, row] of rows.variables)
          if (row.scope === need.scope && (need.kind === 'variables' || row.name === need.name))
            variables.set(key, row);
        break;
      case 'open_workitems':
        for (const held of rows.workitems.values())
          if (held.row.state !== 'closed')
            workitems.set(held.row.id, held.row.path === '0' ? held.row : named(held.row));
        break;
      case 'everything':
        for (const row of rows.strands.values()) strand(row);
        for (const held of rows.workitems.values()) workitems.set(held.row.id, held.row);
        for (const row of byDue(rows.agenda.values())) agenda.set(row.id, row);
        for (const row of rows.errors.values()) errors.set(row.id, row);
        for (const row of rows.listeners.values()) listeners.set(row.id, row);
        for (const [key, row] of rows.variables) variables.set(key, row);
        for (const row of rows.waiters.values()) waiters.set(row.id, row);
        break;
    }
  return loaded;
}

const byDue = (rows: Iterable<AgendaRow>): readonly AgendaRow[] =>
  [...rows].sort((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1));

const mentioning = (rows: Rows, expression: string): readonly StrandRow[] =>
  [...rows.strands.values()]
    .filter((row) => row.state.includes(`"i":"${expression}"`))
    .sort((a, b) => a.path.split('.').length - b.path.split('.').length || (a.path < b.path ? -1 : 1))
    .slice(0, FIND_CANDIDATES_MAX);

const childrenOf = (rows: Rows, need: Extract<Need, { kind: 'children' }>): readonly StrandRow[] =>
  [...rows.strands.values()]
    .filter((row) => row.parent === need.path && row.at === need.at && (row.arrival !== null) === need.finished)
    .filter((row) => strandNumber(row.path) > need.after)
    .sort((a, b) => strandNumber(a.path) - strandNumber(b.path))
    .slice(0, need.limit);

/** A workitem by name, without what may be large. */
const named = (row: WorkitemRow): WorkitemRow => ({ ...row, fields: null, added: null, params: '{}', log: '[]' });
