import { CHILDREN, type ChildKind, CLOCK_PAYLOAD } from '../model/rows.ts';
import type { Statement } from './connections.ts';
import { DELIVERY } from './tables/delivery.ts';
import { AGENDA, CHILD_TABLES, type Column, HISTORY, type Table, WORKFLOW } from './tables/of-workflow.ts';
import { columnOf } from './tables/table.ts';

/*
 * The SQL of a save: one common table expression for each kind of change, each reading one json parameter; write.ts puts them together.
 * In the json, `s` is the shard and `w` the workflow id; the columns go by their names.
 */

/** One kind of change: `code` names it in the statement's name, `text` is its CTE reading parameter `$n`. */
export type Piece = { readonly code: string; readonly text: (n: number) => string };

const listed = (columns: readonly Column[], prefix = ''): string =>
  columns.map(({ column }) => `${prefix}"${column}"`).join(', ');
const typed = (columns: readonly Column[]): string =>
  columns.map(({ column, type }) => `"${column}" ${type}`).join(', ');
const from = (n: number, columns: string): string =>
  `jsonb_to_recordset($${n}::jsonb) as r(s smallint, w text, ${columns})`;

/**
 * Always so. It makes the planner expect few rows to be changed, and look each of them up: expecting a hundred, and with next to nothing in
 * the table when the plan is made, it would walk through all rows of the table instead, and still do so when there are thousands.
 */
const FEW = 'r.s between 0 and 255';

/** Parts of a workflow row that are the same for ever. */
const FIXED: ReadonlySet<string> = new Set([
  'id',
  'tenant',
  'definition',
  'launched_at',
  'callbacks',
  'retry',
  'trace',
  'options',
  'business_key',
  'source',
  'definition_name',
  'definition_version',
  'meta',
  'retain_days',
  'fields',
]);
export const workflowMoving = WORKFLOW.columns.filter(({ column }) => !FIXED.has(column));
export const workflowMovingAndFields = [
  ...workflowMoving,
  ...WORKFLOW.columns.filter(({ column }) => column === 'fields'),
];
const workflowNew = WORKFLOW.columns;

export const insertWorkflow: Piece = {
  code: 'W',
  text: (n) => `launched as (
    insert into workflow (shard, ${listed(workflowNew)})
    select r.s, ${listed(workflowNew, 'r.')} from ${from(n, typed(workflowNew))})`,
};

/** An absent `fields` means unchanged: the stored text stays where it is, which for a large one is outside of the row. */
export const updateWorkflow: Piece = {
  code: 'w',
  text: (n) => `stepped as (
    update workflow t
    set ${workflowMoving.map(({ column }) => `"${column}" = r."${column}"`).join(', ')}, fields = coalesce(r.fields, t.fields)
    from ${from(n, `loaded integer, ${typed(workflowMovingAndFields)}`)}
    where ${FEW} and t.shard = r.s and t.id = r.w and t.ver = r.loaded
    returning 1)`,
};

/** What a save proves as it is written: that no row has another `ver` than was loaded; and that nobody listens to other workflows. */
export type Proof = 'versions' | 'versions and silence';

/**
 * Refuses the whole transaction, as a division by zero, when that is not so.
 *
 * @param n the parameter that `updateWorkflow` reads, or null when no workflow row is changed
 */
export function proof(n: number | null, of: Proof): string {
  const proofs = [
    ...(n === null ? [] : [`(select count(*) from stepped) = jsonb_array_length($${n}::jsonb)`]),
    ...(of === 'versions' ? [] : [`not exists (select 1 from listener where reach = 'tenant')`]),
  ];
  return proofs.length === 0 ? 'select 1' : `select 1 / case when ${proofs.join(' and ')} then 1 else 0 end as proven`;
}

/** Columns a claim consists of. A put gives the row a claim when it is new or nobody's; it never takes one away, except that `owner ''`
 * asks to give back the claim named. */
const claimOnPut = (column: string): string => `"${column}" = case
      when excluded.owner = '' and workitem.claim = excluded.claim then null
      when excluded.claim is null or excluded.owner = '' then workitem."${column}"
      when workitem.claim is null or workitem.lease_until < statement_timestamp() then excluded."${column}"
      else workitem."${column}" end`;
const CLAIM_COLUMNS = ['claim', 'owner', 'lease_until'] as const;

/** @param isNew no row of the keys is there: it costs less not to look */
function putPiece<Row>(code: string, table: Table<Row>, isNew = false): Piece {
  const columns = [...table.columns, ...table.extra];
  const claimed = table.name === 'workitem';
  const set = [
    ...columns
      .filter(({ column }) => !table.keys.includes(column))
      .map(({ column }) =>
        // '' is no json: it stands for "as stored"
        table.name === 'branch' && column === 'fields'
          ? `fields = case when excluded.fields = '' then branch.fields else excluded.fields end`
          : `"${column}" = excluded."${column}"`,
      ),
    ...(claimed ? CLAIM_COLUMNS.map(claimOnPut) : []),
  ];
  const lease = `case when r.owner = '' then '-infinity' else statement_timestamp() + r.lease * interval '1 second' end`;
  const conflict = isNew
    ? ''
    : `
    on conflict (shard, workflow_id, ${table.keys.join(', ')}) do update set ${set.join(', ')}`;
  return {
    code: `${code}${isNew ? 'n' : 'p'}`,
    text: (n) => `${table.name}_${isNew ? 'new' : 'put'} as (
    insert into ${table.name} (shard, workflow_id, ${listed(columns)}${claimed ? ', claim, owner, lease_until' : ''})
    select r.s, r.w, ${listed(columns, 'r.')}${claimed ? `, r.claim, r.owner, ${lease}` : ''}
    from ${from(n, `${typed(columns)}${claimed ? ', claim text, owner text, lease double precision' : ''}`)}${conflict})`,
  };
}

function patchPiece<Row>(code: string, table: Table<Row>): Piece {
  const columns = table.columns.filter(({ column }) => !table.keys.includes(column));
  const claimed = table.name === 'workitem';
  const set = [
    ...columns.map(
      ({ column, type }) =>
        `"${column}" = case when r.set ? '${column}' then (r.set ->> '${column}')::${type} else t."${column}" end`,
    ),
    ...(claimed
      ? CLAIM_COLUMNS.map((column) => `"${column}" = case when t.claim = r.release then null else t."${column}" end`)
      : []),
  ];
  return {
    code: `${code}u`,
    text: (n) => `${table.name}_patched as (
    update ${table.name} t set ${set.join(', ')}
    from ${from(n, `k0 text, k1 text, release text, set jsonb`)}
    where ${FEW} and t.shard = r.s and t.workflow_id = r.w and ${byKeys(table)})`,
  };
}

const deletePiece = <Row>(code: string, table: Table<Row>): Piece => ({
  code: `${code}d`,
  text: (n) => `${table.name}_deleted as (
    delete from ${table.name} t using ${from(n, 'k0 text, k1 text')}
    where ${FEW} and t.shard = r.s and t.workflow_id = r.w and ${byKeys(table)})`,
});

const byKeys = <Row>(table: Table<Row>): string => table.keys.map((key, i) => `t."${key}" = r.k${i}`).join(' and ');

const CODES: { readonly [Kind in ChildKind]: string } = {
  strands: 'b',
  workitems: 'i',
  agenda: 'a',
  errors: 'e',
  listeners: 'l',
  variables: 'v',
  waiters: 'x',
};
type Pieces = { readonly insert: Piece; readonly put: Piece; readonly patch: Piece; readonly delete: Piece };
export const pieces = Object.fromEntries(
  CHILDREN.map((kind): readonly [ChildKind, Pieces] => {
    const table: Table<never> = CHILD_TABLES[kind];
    return [
      kind,
      {
        insert: putPiece(CODES[kind], table, true),
        put: putPiece(CODES[kind], table),
        patch: patchPiece(CODES[kind], table),
        delete: deletePiece(CODES[kind], table),
      },
    ];
  }),
) as { readonly [Kind in ChildKind]: Pieces };

/**
 * History rows, with their positions (positions.ts).
 *
 * @param how `token`: the database numbers no transactions. `at once`: what the step builds on was committed before this statement began,
 *   so this transaction has a higher number. `locked`: a transaction that waited for the workflow may have got its number before the one it
 *   waited for; its rows follow that one's all the same
 */
export const historyPiece = (how: 'token' | 'at once' | 'locked'): Piece => {
  const columns = [...HISTORY.columns, ...HISTORY.extra];
  const number = 'pg_current_xact_id()::text::bigint';
  const own = `coalesce(r.base, 0) + ${number}`;
  const last = `(select position from history where shard = r.s and workflow_id = r.w and first_n < r.first_n order by first_n desc limit 1)`;
  const position = { token: 'null::bigint', 'at once': own, locked: `greatest(${own}, ${last})` }[how];
  return {
    code: { token: 'H', 'at once': 'o', locked: 'h' }[how],
    text: (n) => `told as (
    insert into history (shard, workflow_id, ${listed(columns)}, transaction_id, position, tenant)
    select r.s, r.w, ${listed(columns, 'r.')}, ${how === 'locked' ? number : 'null::bigint'}, ${position}, r.tenant
    from ${from(n, `${typed(columns)}, tenant text, base bigint`)})`,
  };
};

/**
 * Stores a definition, or notes that it was launched again: once a day, so that launches of the same one do not wait for each other.
 *
 * This is what makes it safe to throw definitions away (retire.ts): whatever a transaction under way refers to was marked as used within
 * the last day, by itself or by another before. What is older may go unless a workflow that is stored refers to it. Both who throws away
 * and who marks hold the row's lock; the second to come looks again, and finds it marked, or gone and puts it back.
 */
export const definitionPiece: Piece = {
  code: 'd',
  text: (n) => `defined as (
    insert into definition (hash, stored, used_at)
    select r.hash, r.stored, statement_timestamp() from jsonb_to_recordset($${n}::jsonb) as r(hash text, stored text)
    where not exists (
      select 1 from definition d where d.hash = r.hash and d.used_at > statement_timestamp() - interval '1 day')
    on conflict (hash) do update set used_at = excluded.used_at)`,
};

const deliveryColumns = Object.entries(DELIVERY.columns).map(([part, type]) => ({
  key: part,
  column: columnOf(part),
  type: type === 'instant' ? ('text' as const) : type,
}));
/** Columns that a delivery is born with; the others are null. */
export const bornDelivery: readonly Column[] = deliveryColumns.filter(({ key }) => key !== 'leaseUntil');

/** What the steps owe to those who are told of lifecycles. One that is there was written by this very step before. */
export const deliveryPiece: Piece = {
  code: 'x',
  text: (n) => `owed as (
    insert into delivery (${listed(bornDelivery)})
    select ${listed(bornDelivery, 'r.')} from jsonb_to_recordset($${n}::jsonb) as r(${typed(bornDelivery)})
    on conflict (id) do nothing)`,
};

/** The business key of a workflow that is over belongs to the one that goes on for it, unless somebody else has taken it. */
export const handedOnPiece: Piece = {
  code: 'k',
  text: (n) => `handed_on as (
    update business_key b set workflow = r."to", claimed_at = statement_timestamp()
    from jsonb_to_recordset($${n}::jsonb) as r(tenant text, key text, "from" text, "to" text)
    where b.tenant = r.tenant and b.key = r.key and b.workflow = r."from")`,
};
/**
 * What a workflow can be found by: `values` take the place of all it had under the name. In two, for what the one deletes the other does not see.
 */
const attributesGiven = (n: number): string => from(n, 'name text, tenant text, launched_at bigint, "values" jsonb');
export const attributePieces: readonly Piece[] = [
  {
    code: 'td',
    text: (n) => `attribute_gone as (
    delete from attribute t using ${attributesGiven(n)}
    where ${FEW} and t.shard = r.s and t.workflow_id = r.w and t.name = r.name and not (r."values" ? t.value))`,
  },
  {
    code: 'tn',
    text: (n) => `attribute_new as (
    insert into attribute (shard, workflow_id, name, value, tenant, launched_at)
    select r.s, r.w, r.name, v.value, r.tenant, r.launched_at
    from ${attributesGiven(n)} cross join lateral jsonb_array_elements_text(r."values") as v(value)
    on conflict (shard, workflow_id, name, value) do nothing)`,
  },
];

/** Every listener of the tenant in another workflow that may fit gets an agenda row; its own step judges the rest. */
export const spreadEvents: Statement = {
  name: 'spread_events',
  text: `
  insert into agenda (shard, workflow_id, id, kind, due_at, held_at, path, payload)
  select l.shard, l.workflow_id, r.id || ' ' || l.id, 'event', r.at, null, l.path,
    json_build_object('listener', l.id, 'workflow', r.w, 'event', r.event, 'name', r.name, 'at', r.at,
      'payload', r.payload::json)::text
  from jsonb_to_recordset($1::jsonb) as r(w text, tenant text, event text, name text, at bigint, payload text, id text)
  cross join lateral (
    select shard, workflow_id, id, path from listener
    where tenant = r.tenant and event = r.event and name = r.name and reach = 'tenant'
    union all
    select shard, workflow_id, id, path from listener
    where tenant = r.tenant and event = r.event and name is null and reach = 'tenant'
  ) l
  where l.workflow_id <> r.w
  on conflict (shard, workflow_id, id) do nothing`,
};

/**
 * The same where statements are about one shard, in two: who hears (the one question of a step that goes to all shards, and only when
 * anyone listens at all), then a row for each (`spreadPiece`).
 */
const hearer = 'select shard as s, workflow_id as w, id, path, name from listener';
export const hearersByName: Statement = {
  name: 'hearers_by_name',
  text: `${hearer} where tenant = $1 and event = $2 and name = any($3::text[]) and reach = 'tenant'`,
};
export const hearersOfAny: Statement = {
  name: 'hearers_of_any',
  text: `${hearer} where tenant = $1 and event = $2 and name is null and reach = 'tenant'`,
};

/** New agenda rows, for events that are spread; one that is there already stays. */
export const spreadPiece: Piece = {
  code: 's',
  text: (n) => `spread as (
    insert into agenda (shard, workflow_id, ${listed(AGENDA.columns)})
    select r.s, r.w, ${listed(AGENDA.columns, 'r.')} from ${from(n, typed(AGENDA.columns))}
    on conflict (shard, workflow_id, id) do nothing)`,
};

const holdColumns = 'hold bigint, shift bigint, until bigint';
const newHeld = 'case when r.shift is not null then r.hold else coalesce(t.held_at, r.hold) end';
const newDue = (table: string): string =>
  `t.due_at + case when t.held_at is null${table === 'agenda' ? ` or t.kind = 'timer' and starts_with(t.payload, '${CLOCK_PAYLOAD}')` : ''}
      then 0 else coalesce(least(r.shift, greatest(0, r.until - t.held_at)), 0) end`;

/** A row held since the pause began moves by the whole pause; one that came during it by the rest of it. What is due by the clock on the wall
 * stays where it is. */
export const holdPieces: readonly Piece[] = ['agenda', 'workitem'].map((table) => ({
  code: `${table[0]}h`,
  text: (n) => `${table}_held as (
    update ${table} t set due_at = ${newDue(table)}, held_at = ${newHeld}
    from ${from(n, holdColumns)}
    where ${FEW} and t.shard = r.s and t.workflow_id = r.w and (r.hold is not null or t.held_at is not null)
      ${table === 'workitem' ? 'and t.send is not null' : ''})`,
}));

const OWED = `state = 'closed' and send is not null`;
export const sweepPieces: readonly Piece[] = [
  'branch',
  'agenda',
  'error',
  'listener',
  'variable',
  'workitem',
  'waiter',
].map((table) => ({
  code: `${table === 'waiter' ? 'x' : table[0]}s`,
  text: (n) => `${table}_swept as (
    delete from ${table} t using ${from(n, 'nothing text')}
    where ${FEW} and t.shard = r.s and t.workflow_id = r.w
      ${table === 'workitem' ? `and not (${OWED})` : ''}
      ${
        table === 'variable'
          ? `and not (t.name = '^' and exists (
        select 1 from workitem o
        where o.shard = r.s and o.workflow_id = r.w and o.inherits = t.scope and ${OWED}))`
          : ''
      })`,
}));
