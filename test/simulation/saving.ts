import type { WorkflowId } from '../../src/model/ids.ts';
import {
  CHILDREN,
  type Changes,
  type ChildKind,
  type Children,
  CLOCK_PAYLOAD,
  type EmittedEvent,
  isOver,
  type ListenerRow,
  type Op,
  type Ops,
  type WorkflowRow,
} from '../../src/model/rows.ts';
import type { Armed } from '../../src/store/meeting.ts';
import { DataRefused, type Save } from '../../src/store/store.ts';
import { BUSINESS_KEY } from '../../src/store/tables/business-key.ts';
import { DEFINITION } from '../../src/store/tables/definition.ts';
import { born, DELIVERY } from '../../src/store/tables/delivery.ts';
import { BASE, type Database, emptyRows, type Held, inKeyOrder, isLive, type Rows } from './database.ts';
import { keyText, rowsOfTable } from './tables.ts';

/* A batch is written: all of it, or nothing. */

/** What the transaction knows of a workflow row: as it was locked; null: there was none; undefined: not loaded. */
export type Known = (id: WorkflowId) => WorkflowRow | null | undefined;

/** Writes `save` at this moment (store.ts, Transaction.commit). @throws DataRefused, with nothing written */
export function write(
  database: Database,
  save: Save,
  known: Known,
  proves: boolean,
  armed: ReadonlyMap<string, Armed> = new Map(),
): 'committed' | 'lost' {
  const changes = [...save.changes.values()].sort((a, b) => inKeyOrder(a.workflow.id, b.workflow.id));
  for (const change of changes) refuseWhatCannotBeStored(change);
  const steps = changes.map((change) => ({ change, follows: verBefore(change.workflow, known(change.workflow.id)) }));
  for (const { change, follows } of proves ? steps : []) {
    const rows = database.workflows.get(change.workflow.id);
    if ((rows?.workflow.ver ?? null) !== follows) return 'lost';
    for (const row of change.history) if (rows?.history.some((told) => told.firstN === row.firstN)) return 'lost';
    for (const [id, op] of change.workitems)
      if (op.kind === 'put' && op.isNew && rows?.workitems.has(id))
        throw new Error(`Workitem ${id} is said to be new, but is there already`);
  }

  for (const { change, follows } of steps) {
    const { workflow } = change;
    const before = database.workflows.get(workflow.id);
    const row = { ...workflow, ver: follows === null ? workflow.ver : Math.max(workflow.ver, follows + 1) };
    const rows = before ?? emptyRows(row);
    rows.workflow = before === undefined ? row : { ...before.workflow, ...moving(row) };
    if (before === undefined) database.workflows.set(workflow.id, rows);
    for (const kind of CHILDREN)
      if (kind === 'workitems') applyToWorkitems(database, rows, change, save);
      else apply(rows, change, kind);
    for (const [id, op] of change.waiters) {
      const at = armed.get(`${workflow.id} ${id}`);
      if (op.kind === 'delete') database.armed.delete(`${workflow.id} ${id}`);
      else if (at !== undefined) database.armed.set(`${workflow.id} ${id}`, { ...at, takenBy: null });
    }
    rows.history.push(...change.history);
    for (const [hash, stored] of change.definitions) {
      const rows = rowsOfTable(database.tables, DEFINITION.name);
      const key = keyText(DEFINITION, { hash });
      if (!rows.has(key)) rows.set(key, { hash, stored });
    }
  }
  for (const owed of save.deliveries ?? []) {
    const rows = rowsOfTable(database.tables, DELIVERY.name);
    const key = keyText(DELIVERY, { id: owed.id });
    if (!rows.has(key)) rows.set(key, born(owed));
  }
  for (const { tenant, key, from, to } of save.handedOn ?? []) {
    const rows = rowsOfTable(database.tables, BUSINESS_KEY.name);
    const at = keyText(BUSINESS_KEY, { tenant, key });
    const row = rows.get(at);
    if (row?.['workflow'] === from) rows.set(at, { ...row, workflow: to });
  }
  for (const { workflow, name, values } of save.attributes ?? []) {
    const all = database.attributes.get(workflow) ?? new Map();
    database.attributes.set(workflow, all.set(name, values));
  }
  release(database, save);
  for (const { change } of steps)
    for (const [i, event] of change.events.entries()) spread(database, change.workflow, event, i);
  for (const { change } of steps) {
    const rows = database.workflows.get(change.workflow.id) as Rows;
    holdOrShift(rows, change);
    if (!change.sweep) continue;
    for (const id of rows.waiters.keys()) database.armed.delete(`${change.workflow.id} ${id}`);
    sweep(rows);
  }
  return 'committed';
}

/** The `ver` the stored row must have; null: there must be none. */
const verBefore = (row: WorkflowRow, loaded: WorkflowRow | null | undefined): number | null =>
  loaded === undefined ? (row.ver > 1 ? row.ver - 1 : null) : (loaded?.ver ?? null);

/** What of a workflow row changes after its launch. */
const moving = ({ ver, name, status, updatedAt, endedAt, lastN, header, state, fields }: WorkflowRow) => ({
  ver, name, status, updatedAt, endedAt, lastN, header, state, fields,
}); // biome-ignore format: a list of parts

function apply<Kind extends Exclude<ChildKind, 'workitems'>>(into: Rows, changes: Ops, kind: Kind): void {
  const rows = into[kind] as Map<string, Children[Kind]>;
  for (const [key, op] of changes[kind] as ReadonlyMap<string, Op<Children[Kind]>>) {
    const old = rows.get(key);
    if (op.kind === 'put') rows.set(key, op.row);
    else if (op.kind === 'delete') rows.delete(key);
    else if (old !== undefined) rows.set(key, { ...old, ...op.set });
  }
}

/** Puts and patches keep the claim of a running try; a claim given here is for rows that nobody holds. */
function applyToWorkitems(database: Database, rows: Rows, { workflow, workitems }: Changes, save: Save): void {
  for (const [id, op] of workitems) {
    const old = rows.workitems.get(id);
    if (op.kind === 'delete') rows.workitems.delete(id);
    else if (op.kind === 'patch') {
      if (old !== undefined) old.row = { ...old.row, ...op.set };
    } else {
      const held: Held = old ?? { row: op.row, claim: null, owner: null, leaseUntil: null };
      held.row = op.row;
      rows.workitems.set(id, held);
      const born = save.claims.find((claim) => claim.workflow === workflow.id && claim.workitem === id);
      if (born === undefined || (held.claim !== null && isLive(database, held))) continue;
      held.claim = born.claim;
      held.owner = save.owner;
      held.leaseUntil = database.now() + save.leaseSeconds * 1000;
    }
  }
}

function release(database: Database, save: Save): void {
  for (const { workflow, workitem, claim } of save.releases) {
    const held = database.workflows.get(workflow)?.workitems.get(workitem);
    if (held !== undefined && held.claim === claim) giveBack(held);
  }
}

export function giveBack(held: Held): void {
  held.claim = null;
  held.owner = null;
  held.leaseUntil = null;
}

function spread(database: Database, from: WorkflowRow, event: EmittedEvent, number: number): void {
  for (const [id, rows] of database.workflows) {
    if (id === from.id || rows.workflow.tenant !== from.tenant) continue;
    for (const listener of rows.listeners.values()) {
      if (listener.reach !== 'tenant' || listener.event !== event.event) continue;
      if (listener.name !== null && listener.name !== event.name) continue;
      const key = `event ${from.id} ${from.ver}.${number} ${listener.id}`;
      if (rows.agenda.has(key)) continue;
      const payload = payloadFor(listener, from, event);
      rows.agenda.set(key, { id: key, kind: 'event', dueAt: event.at, heldAt: null, path: listener.path, payload });
    }
  }
}

const payloadFor = (listener: ListenerRow, from: WorkflowRow, { event, name, at, payload }: EmittedEvent): string =>
  JSON.stringify({ listener: listener.id, workflow: from.id, event, name, at, payload: JSON.parse(payload) });

function holdOrShift(rows: Rows, { hold, shift, workflow }: Changes): void {
  if (hold === null && shift === null) return;
  const moved = <Row extends { readonly heldAt: number | null; readonly dueAt: number | null }>(
    row: Row,
    isClock = false,
  ): Row => {
    if (hold === null && row.heldAt === null) return row;
    const by =
      shift === null || row.heldAt === null || isClock
        ? 0
        : Math.min(shift, Math.max(0, workflow.updatedAt - row.heldAt));
    return {
      ...row,
      heldAt: shift === null ? (row.heldAt ?? hold) : hold,
      dueAt: row.dueAt === null ? null : row.dueAt + by,
    };
  };
  for (const [id, row] of rows.agenda)
    rows.agenda.set(id, moved(row, row.kind === 'timer' && row.payload.startsWith(CLOCK_PAYLOAD)));
  for (const held of rows.workitems.values()) if (held.row.send !== null) held.row = moved(held.row);
}

function sweep(rows: Rows): void {
  for (const table of [rows.strands, rows.agenda, rows.errors, rows.listeners, rows.waiters]) table.clear();
  for (const [id, { row }] of rows.workitems)
    if (row.state !== 'closed' || row.send === null) rows.workitems.delete(id);
  const needed = new Set([...rows.workitems.values()].map(({ row }) => row.inherits));
  for (const [key, row] of rows.variables) if (row.name !== BASE || !needed.has(row.scope)) rows.variables.delete(key);
}

/** Refuses text that Postgres cannot hold or that would come back changed: U+0000 and lone surrogates. */
export function storable(text: string): string {
  if (text.includes('\u0000') || /\p{Surrogate}/u.test(text))
    throw new DataRefused('A text holds U+0000 or half a surrogate pair');
  return text;
}

/** What the tables' own rules refuse (migrations), and text that cannot be stored. */
function refuseWhatCannotBeStored(change: Changes): void {
  const { workflow } = change;
  const texts = (row: object): void => {
    for (const value of Object.values(row)) if (typeof value === 'string') storable(value);
  };
  const must = (holds: boolean, rule: string): void => {
    if (!holds) throw new DataRefused(`A row breaks the rule ${rule}`);
  };
  texts(workflow);
  must(workflow.ver > 0, 'workflow_ver_positive');
  must(isOver(workflow.status) === (workflow.endedAt !== null), 'workflow_ended_when_over');
  for (const kind of CHILDREN)
    for (const op of (change[kind] as ReadonlyMap<string, Op<object>>).values()) {
      if (op.kind === 'put') texts(op.row);
      if (op.kind === 'patch') texts(op.set);
    }
  for (const op of change.workitems.values())
    if (op.kind === 'put') must(op.row.fields !== null || op.row.inherits !== null, 'workitem_fields_somewhere');
  for (const row of change.history) {
    must(row.firstN >= 1 && row.lastN >= row.firstN, 'history_numbers_ascend');
    texts(row);
  }
  for (const text of change.definitions.values()) storable(text);
  for (const event of change.events) texts(event);
}
