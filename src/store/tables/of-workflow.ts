import {
  type AgendaRow,
  CHILDREN,
  type ChildKind,
  type Children,
  type ErrorRow,
  type HistoryRow,
  type ListenerRow,
  type StrandRow,
  type VariableRow,
  type WaiterRow,
  type WorkflowRow,
  type WorkitemRow,
} from '../../model/rows.ts';
import type { WorkflowSummary } from '../store.ts';

/*
 * Which column keeps which part of a row: the one place that knows both names. Statements about several tables are made from it,
 * so that a new column is one line here and one in a migration.
 */

export type ColumnType = 'text' | 'bigint' | 'integer' | 'boolean';
export type Column = { readonly key: string; readonly column: string; readonly type: ColumnType };

/** A table of rows that belong to a workflow. `keys`: the columns that, after shard and workflow id, name a row. */
export type Table<Row> = {
  readonly name: string;
  readonly keys: readonly string[];
  readonly columns: readonly Column[];
  /** Further columns the store fills by itself when it writes the row. */
  readonly extra: readonly Column[];
  /** The parts of the key under which `Changes` and `Loaded` know the row. */
  readonly keyOf: (row: Row) => string;
};

const column =
  (type: ColumnType) =>
  (key: string, name = key): Column => ({ key, column: name, type });
const text = column('text');
const bigint = column('bigint');
const integer = column('integer');
const boolean = column('boolean');

export const WORKFLOW: Table<WorkflowRow> = {
  name: 'workflow',
  keys: ['id'],
  columns: [
    text('id'),
    text('tenant'),
    text('name'),
    text('definition'),
    bigint('launchedAt', 'launched_at'),
    text('callbacks'),
    text('retry'),
    text('trace'),
    text('options'),
    text('businessKey', 'business_key'),
    text('source'),
    text('definitionName', 'definition_name'),
    integer('definitionVersion', 'definition_version'),
    text('meta'),
    integer('retainDays', 'retain_days'),
    text('fields'),
    text('status'),
    text('header'),
    text('state'),
    bigint('updatedAt', 'updated_at'),
    bigint('endedAt', 'ended_at'),
    integer('ver'),
    integer('lastN', 'last_n'),
  ],
  extra: [],
  keyOf: (row) => row.id,
};

const LARGE: ReadonlySet<string> = new Set(['callbacks', 'retry', 'options', 'header', 'state', 'fields', 'meta']);
/** A workflow's row without the texts that may be large. */
export const WORKFLOW_SUMMARY: Table<WorkflowSummary> = {
  ...WORKFLOW,
  columns: WORKFLOW.columns.filter(({ key }) => !LARGE.has(key)),
  keyOf: (row) => row.id,
};

export const BRANCH: Table<StrandRow> = {
  name: 'branch',
  keys: ['path'],
  columns: [
    text('path'),
    text('parent'),
    text('at'),
    text('kind'),
    integer('index', 'position'),
    integer('arrival'),
    text('base'),
    text('state'),
    text('fields'),
  ],
  extra: [integer('number')],
  keyOf: (row) => row.path,
};

export const WORKITEM: Table<WorkitemRow> = {
  name: 'workitem',
  keys: ['id'],
  columns: [
    text('id'),
    text('path'),
    text('participant'),
    text('state'),
    text('fields'),
    text('params'),
    text('inherits'),
    text('added'),
    bigint('openedAt', 'opened_at'),
    integer('revision'),
    text('url'),
    text('send'),
    text('then', 'then_send'),
    integer('tries'),
    bigint('dueAt', 'due_at'),
    bigint('heldAt', 'held_at'),
    text('log'),
    text('terms'),
    text('claimBy', 'claim_by'),
    bigint('claimUntil', 'claim_until'),
    bigint('heartbeatAt', 'heartbeat_at'),
    text('progress'),
    integer('entryN', 'entry_n'),
  ],
  extra: [text('tenant')],
  keyOf: (row) => row.id,
};

export const AGENDA: Table<AgendaRow> = {
  name: 'agenda',
  keys: ['id'],
  columns: [
    text('id'),
    text('kind'),
    bigint('dueAt', 'due_at'),
    bigint('heldAt', 'held_at'),
    text('path'),
    text('payload'),
  ],
  extra: [],
  keyOf: (row) => row.id,
};

export const ERROR: Table<ErrorRow> = {
  name: 'error',
  keys: ['id'],
  columns: [
    text('id'),
    text('path'),
    boolean('workitem'),
    text('class'),
    text('message'),
    bigint('at'),
    text('details'),
  ],
  extra: [text('tenant')],
  keyOf: (row) => row.id,
};

export const LISTENER: Table<ListenerRow> = {
  name: 'listener',
  keys: ['id'],
  columns: [text('id'), text('path'), text('event'), text('reach'), text('name'), text('spec')],
  extra: [text('tenant')],
  keyOf: (row) => row.id,
};

export const VARIABLE: Table<VariableRow> = {
  name: 'variable',
  keys: ['scope', 'name'],
  columns: [text('scope'), text('name'), text('value')],
  extra: [],
  keyOf: (row) => `${row.scope} ${row.name}`,
};

export const WAITER: Table<WaiterRow> = {
  name: 'waiter',
  keys: ['id'],
  columns: [
    text('id'),
    text('path'),
    text('type'),
    text('wanted'),
    text('keyFrom', 'key_from'),
    text('where', 'condition'),
    text('hears'),
    boolean('once'),
    bigint('since'),
    text('element'),
  ],
  // Where it meets events is found as it is armed (meeting.ts).
  extra: [text('tenant'), text('key'), bigint('seq')],
  keyOf: (row) => row.id,
};

export const HISTORY: Table<HistoryRow> = {
  name: 'history',
  keys: ['first_n'],
  columns: [integer('firstN', 'first_n'), integer('lastN', 'last_n'), bigint('at'), text('entries')],
  extra: [text('token')],
  keyOf: (row) => String(row.firstN),
};

/** The tables of the rows that come and go with the steps of a workflow. */
export const CHILD_TABLES: { readonly [Kind in ChildKind]: Table<Children[Kind]> } = {
  strands: BRANCH,
  workitems: WORKITEM,
  agenda: AGENDA,
  errors: ERROR,
  listeners: LISTENER,
  variables: VARIABLE,
  waiters: WAITER,
};

/** What workflows are found by (store.ts, Attribute); written with each step, and with nothing else. */
export const ATTRIBUTE = 'attribute';

/** Every table that has rows of a workflow beside the workflow's own. */
export const BELOW_WORKFLOW: readonly { readonly name: string }[] = [
  ...CHILDREN.map((kind) => CHILD_TABLES[kind]),
  HISTORY,
  { name: ATTRIBUTE },
];

/** The name of a column or of a key in SQL; some of our words mean something to SQL too. */
export const quoted = (name: string): string => `"${name}"`;

/** A select list that names the columns of `table` as the model does: `w.due_at as "dueAt", …`. */
export const selected = <Row>(table: Table<Row>, alias: string): string =>
  table.columns.map(({ key, column }) => `${alias}.${quoted(column)} as ${quoted(key)}`).join(', ');

/** A json object of one row, keyed as the model does; for rows that travel inside another row. */
export const asJson = <Row>(table: Table<Row>, alias: string): string =>
  `json_build_object(${table.columns.map(({ key, column }) => `'${key}', ${alias}.${quoted(column)}`).join(', ')})`;

/** A row as the driver hands it over. */
export type DatabaseRow = { readonly [column: string]: unknown };

/** What the database answered, as a row of the model: exactly its parts, whatever else was selected. */
export function rowOf<Row>(table: Table<Row>, record: DatabaseRow): Row {
  const row: { [key: string]: unknown } = {};
  for (const { key } of table.columns) row[key] = record[key];
  return row as Row; // the columns are those of Row by the tables above
}

/** The number by which children are walked: the last part of a strand's path. */
export const strandNumber = (path: string): number =>
  Number(path.slice(Math.max(path.lastIndexOf('.'), path.lastIndexOf('f')) + 1)) || 0;

/** `0.3.1` → `0.3`, `0.3.1`: the strands a path names that have a row of their own, root first (the root `0` has none). */
export function chainOf(path: string): readonly string[] {
  const chain: string[] = [];
  for (let at = path.indexOf('.'); at !== -1; at = path.indexOf('.', at + 1)) chain.push(path.slice(0, at));
  return [...chain, path].filter((prefix) => prefix !== '0');
}
