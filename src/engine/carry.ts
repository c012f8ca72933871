import { createHash } from 'node:crypto';
import { judgeEvent } from '../language/event-condition.ts';
import { bareView } from '../model/changes.ts';
import { eventInId } from '../model/events.ts';
import type { WorkflowId } from '../model/ids.ts';
import { isObject, type Json, type JsonObject, ownValue, withoutKeys } from '../model/json.ts';
import { readTerms, termsText } from '../model/participants.ts';
import {
  CHILDREN,
  type Changes,
  type ChildKind,
  type Children,
  eachChild,
  type HistoryRow,
  type Op,
  type Rows,
  type WorkflowRow,
} from '../model/rows.ts';
import { isStorable, UNSTORABLE } from '../model/storable.ts';
import type { Tenant } from '../model/tenant.ts';
import { DataRefused, type Store } from '../store/store.ts';
import { CHILD_TABLES, HISTORY, type Table, WORKFLOW } from '../store/tables/of-workflow.ts';
import { isSourceHash } from '../store/tables/source.ts';
import { type Attributed, attributeChanges } from './attributes.ts';
import { CARRIED_CHARACTERS_MAX, type Carried, CarriedWrong, checkCarried } from './carried-check.ts';

/*
 * A workflow as a file, and back: lines of JSON, each a row as it is stored, a head before and an end with a check sum behind them. What belongs to this
 * server or to somebody's secrets stays here. It is one thing: what is written and what is read are held against each other line by line.
 */

/** Workflows in one file. */
export const CARRIED_WORKFLOWS_MAX = 1_000;
/** Rows of history that are read at a time. */
const HISTORY_AT_ONCE = 1_000;
/** Times a workflow is looked at that somebody else is stepping. */
const LOOKS_MAX = 500;

/** What a row is called in the file. */
const KINDS: { readonly [Kind in ChildKind]: string } = {
  strands: 'strand',
  workitems: 'workitem',
  agenda: 'agenda',
  errors: 'error',
  listeners: 'listener',
  variables: 'variable',
  waiters: 'waiter',
};

/** Columns that a file has not. */
const LEFT_OUT: ReadonlySet<string> = new Set(['tenant', 'ver', 'claimBy', 'claimUntil']);

/**
 * The lines of one workflow, as of one moment.
 *
 * @returns null: there is none; `large`: its lines would have more than CARRIED_CHARACTERS_MAX characters; `busy`: it is stepped without a pause
 */
export async function linesOf(
  store: Pick<Store, 'begin' | 'read' | 'definitions' | 'sources'>,
  tenant: Tenant,
  id: WorkflowId,
  about: { readonly version: string; readonly at: string },
): Promise<readonly string[] | null | 'large' | 'busy'> {
  if ((await store.read.workflow(tenant, id)) === null) return null;
  const whole = await snapshotOf(store, id);
  if (whole === 'busy') return 'busy';
  const { workflow, rows } = whole;
  if (workflow === null || workflow.tenant !== tenant) return null;
  const lines: string[] = [];
  let characters = 0;
  const add = (line: JsonObject): void => {
    const text = JSON.stringify(line);
    characters += text.length + 1;
    if (characters <= CARRIED_CHARACTERS_MAX) lines.push(text);
  };
  add({ rota_export: 1, version: about.version, exported_at: about.at, ids: [id] });
  for (const hash of hashesIn(workflow, rows)) {
    const text = await store.definitions.text(hash);
    if (text !== null) add({ kind: 'definition', row: { hash, stored: text } });
  }
  if (workflow.source !== null) {
    const text = await store.sources.text({ definition: workflow.definition, hash: workflow.source });
    if (text !== null) add({ kind: 'source', row: { hash: workflow.source, text } });
  }
  add({ kind: 'workflow', row: shownRow(WORKFLOW, plainWorkflow(workflow)) });
  for (const kind of CHILDREN)
    for (const row of rows[kind].values()) {
      // An event that was handed over lies on this server.
      if (kind === 'agenda' && eventInId((row as Children['agenda']).id) !== null) continue;
      add({ kind: KINDS[kind], row: shownRow(CHILD_TABLES[kind] as Table<unknown>, plainRow(kind, row)) });
    }
  for (let after = 0; after < workflow.lastN && characters <= CARRIED_CHARACTERS_MAX; ) {
    const page = await store.read.history(tenant, id, after, HISTORY_AT_ONCE);
    for (const row of page) if (row.lastN <= workflow.lastN) add({ kind: 'history', row: shownRow(HISTORY, row) });
    const last = page.at(-1)?.lastN ?? workflow.lastN;
    after = Math.max(after + 1, last);
  }
  if (characters > CARRIED_CHARACTERS_MAX) return 'large';
  return [...lines, endOf(lines)];
}

function endOf(lines: readonly string[]): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${line}\n`);
  return endLine(lines.length, hash.digest('hex'));
}
const endLine = (lines: number, sha256: string): string => JSON.stringify({ kind: 'end', lines, sha256 });

/** The rows as of one moment: nobody steps the workflow while they are read. */
async function snapshotOf(
  store: Pick<Store, 'begin'>,
  id: WorkflowId,
): Promise<{ readonly workflow: WorkflowRow | null; readonly rows: Rows } | 'busy'> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const reading = await store.begin([{ workflow: id, needs: [{ kind: 'everything' }] }]);
    const loaded = reading.loaded.get(id);
    await reading.rollback();
    if (loaded !== undefined) return { workflow: loaded.workflow, rows: loaded };
    await new Promise((resolve) => setImmediate(resolve));
  }
  return 'busy';
}

/** Hashes of trees that its rows name: its own, and those of stored definitions that run in it. */
function hashesIn(workflow: WorkflowRow, rows: Rows): ReadonlySet<string> {
  const texts = [
    workflow.state,
    ...[...rows.strands.values()].map(({ state }) => state),
    ...[...rows.errors.values()].map(({ details }) => details),
    ...[...rows.agenda.values()].map(({ payload }) => payload),
    ...[...rows.variables.values()].map(({ value }) => value),
  ];
  return new Set([workflow.definition, ...texts.flatMap((text) => text.match(/(?<=")[0-9a-f]{64}(?=")/g) ?? [])]);
}

const shownRow = <Row>({ columns }: Table<Row>, row: Row): JsonObject =>
  Object.fromEntries(
    columns
      .filter(({ key }) => !LEFT_OUT.has(key))
      .flatMap(({ key }): readonly (readonly [string, Json])[] => {
        const value = (row as { readonly [key: string]: Json | undefined })[key];
        return value === undefined || value === null ? [] : [[key, value]];
      }),
  );

/** Without headers, which may be secrets: those of its `notify`, and of the request that began it. */
function plainWorkflow(row: WorkflowRow): WorkflowRow {
  const options = row.options == null ? null : (JSON.parse(row.options) as JsonObject);
  const notify = options === null ? undefined : ownValue(options, 'notify');
  const meta = row.meta == null ? null : (JSON.parse(row.meta) as JsonObject);
  const request = meta === null ? undefined : ownValue(meta, 'request');
  return {
    ...row,
    ...(Array.isArray(notify)
      ? {
          options: JSON.stringify({
            ...options,
            notify: (notify as readonly Json[]).map((one) => (isObject(one) ? { ...one, headers: {} } : one)),
          }),
        }
      : {}),
    ...(isObject(request) ? { meta: JSON.stringify({ ...meta, request: withoutKeys(request, 'headers') }) } : {}),
  };
}

function plainRow(kind: ChildKind, row: Children[ChildKind]): Children[ChildKind] {
  if (kind !== 'workitems') return row;
  const { claimant: _claimant, ...terms } = readTerms((row as Children['workitems']).terms);
  return { ...(row as Children['workitems']), terms: termsText(terms) };
}

/** A workflow of a file, and the id it has there. */
export type Read = { readonly carried: Carried; readonly was: WorkflowId };

/**
 * Reads the workflows of a file, one after the other: no more than the lines of one are held at a time.
 *
 * @param freshId given: each gets a new id
 * @throws CarriedWrong when it was cut or changed, or is none
 */
export async function* readCarried(
  pieces: AsyncIterable<Uint8Array>,
  tenant: Tenant,
  urlComplaint: (url: string) => string | null,
  freshId: (() => WorkflowId) | null,
): AsyncGenerator<Read, void, undefined> {
  let part: string[] = [];
  let [number, characters, workflows] = [0, 0, 0];
  let hash = createHash('sha256');
  for await (const line of linesIn(pieces)) {
    if (line.trim() === '') continue;
    number += 1;
    if (!line.startsWith('{"kind":"end"')) {
      characters += line.length + 1;
      if (characters > CARRIED_CHARACTERS_MAX) throw wrong(number, TOO_LONG);
      hash.update(`${line}\n`);
      part.push(line);
      continue;
    }
    if (line !== endLine(part.length, hash.digest('hex')))
      throw wrong(number, 'the check sum is another one; the file was cut or changed');
    const from = number - part.length - 1;
    workflows += 1;
    if (workflows > CARRIED_WORKFLOWS_MAX)
      throw wrong(from + 1, `a file has at most ${CARRIED_WORKFLOWS_MAX} workflows`);
    yield readOne(part, from, tenant, urlComplaint, freshId);
    part = [];
    characters = 0;
    hash = createHash('sha256');
  }
  if (part.length > 0) throw wrong(number, 'the file ends before the end of its workflow; it was cut');
  if (workflows === 0) throw wrong(1, 'there is no workflow in it');
}

/** The lines of a text that comes in pieces, the empty ones too. */
async function* linesIn(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  /** What has been read of the line that has not ended. */
  let begun: string[] = [];
  let characters = 0;
  for await (const piece of pieces) {
    for (const [i, text] of decoded(() => decoder.decode(piece, { stream: true }))
      .split('\n')
      .entries()) {
      if (i > 0) {
        yield begun.join('');
        begun = [];
        characters = 0;
      }
      characters += text.length;
      if (characters > CARRIED_CHARACTERS_MAX) throw new CarriedWrong(TOO_LONG);
      begun.push(text);
    }
  }
  begun.push(decoded(() => decoder.decode()));
  yield begun.join('');
}

function decoded(decode: () => string): string {
  try {
    return decode();
  } catch {
    throw new CarriedWrong('they are not UTF-8');
  }
}

const TOO_LONG = `a workflow has at most ${CARRIED_CHARACTERS_MAX} characters`;
const wrong = (line: number, what: string): CarriedWrong => new CarriedWrong(`line ${line}: ${what}`);

function objectIn(line: string, number: number): JsonObject {
  let value: Json;
  try {
    value = JSON.parse(line) as Json;
  } catch {
    throw wrong(number, 'it is no JSON');
  }
  if (!isObject(value)) throw wrong(number, 'it is no JSON object');
  return value;
}

type Found = {
  workflow: WorkflowRow | null;
  readonly rows: { readonly [Kind in ChildKind]: Map<string, Children[Kind]> };
  readonly history: HistoryRow[];
  readonly definitions: Map<string, string>;
  source: { readonly hash: string; readonly text: string } | null;
};

function readOne(
  lines: readonly string[],
  from: number,
  tenant: Tenant,
  urlComplaint: (url: string) => string | null,
  freshId: (() => WorkflowId) | null,
): Read {
  const head = objectIn(lines[0] ?? '', from + 1);
  if (head['rota_export'] !== 1) throw wrong(from + 1, 'it does not begin with {"rota_export":1,…}');
  const ids = ownValue(head, 'ids');
  const was = Array.isArray(ids) && ids.length === 1 ? ids[0] : null;
  if (typeof was !== 'string' || !/^\d{8}-\d{4}-[a-z]{1,20}-[a-z]{1,20}$/.test(was))
    throw wrong(from + 1, 'ids is not the id of one workflow');
  const id = (freshId?.() ?? was) as WorkflowId;
  const rename = (text: string): string => (id === was ? text : text.replaceAll(was, id));
  const found: Found = {
    workflow: null,
    rows: eachChild(() => new Map()) as Found['rows'],
    ...{ history: [], definitions: new Map(), source: null },
  };
  for (const [i, line] of lines.slice(1).entries()) {
    const number = from + i + 2;
    const { kind, row } = objectIn(line, number);
    if (!isObject(row)) throw wrong(number, 'it has no row');
    try {
      takeRow(found, String(kind), row, rename);
    } catch (error) {
      if (error instanceof CarriedWrong) throw wrong(number, error.message);
      throw error;
    }
  }
  const { workflow, rows, history, definitions, source } = found;
  if (workflow === null) throw wrong(from + 1, 'there is no row of the workflow');
  if (source !== null && source.hash !== workflow.source)
    throw wrong(from + 1, 'its source is that of another workflow');
  const carried: Carried = {
    ...{ workflow: { ...workflow, id, tenant, ver: 1 }, rows, history, definitions },
    source: source?.text ?? null,
  };
  try {
    checkCarried(carried, urlComplaint);
  } catch (error) {
    // Whatever a decoder says of what it cannot read.
    throw wrong(from + 1, error instanceof Error ? error.message : String(error));
  }
  return { carried, was: was as WorkflowId };
}

/** Texts that name the workflow by its id; what its callers gave it stays as it is. */
const NAMES_ID: ReadonlySet<string> = new Set(['header', 'state', 'payload', 'details', 'spec', 'entries', 'id']);

function takeRow(found: Found, kind: string, row: JsonObject, rename: (text: string) => string): void {
  if (kind === 'definition') {
    const { hash, stored } = row;
    if (typeof stored !== 'string' || createHash('sha256').update(stored).digest('hex') !== hash)
      throw new CarriedWrong('the definition is not what its hash says');
    if (!isStorable(stored)) throw new CarriedWrong(`the definition ${UNSTORABLE}`);
    found.definitions.set(String(hash), stored);
  } else if (kind === 'source') {
    const { hash, text } = row;
    if (typeof text !== 'string' || !isSourceHash(hash, text) || !isStorable(text))
      throw new CarriedWrong('the source is not what its hash says');
    found.source = { hash: String(hash), text };
  } else if (kind === 'workflow') found.workflow = readRow(WORKFLOW, row, rename, 'workflow');
  else if (kind === 'history') found.history.push(readRow(HISTORY, row, rename, kind));
  else {
    const child = CHILDREN.find((one) => KINDS[one] === kind);
    if (child === undefined) throw new CarriedWrong(`there are no rows of kind ${JSON.stringify(kind.slice(0, 50))}`);
    const table = CHILD_TABLES[child] as Table<Children[ChildKind]>;
    const read = readRow(table, row, rename, kind);
    const rows: Map<string, Children[ChildKind]> = found.rows[child] as Map<string, Children[ChildKind]>;
    rows.set(table.keyOf(read), read);
  }
}

/** What may be null, by kind; everything else has to be there. */
const NULLABLE: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    workflow: 'name retry trace options businessKey source definitionName definitionVersion meta retainDays endedAt',
    strand: 'parent at arrival base',
    workitem: 'fields inherits added url send then dueAt heldAt terms heartbeatAt progress entryN',
    agenda: 'heldAt path',
    listener: 'name',
    waiter: 'wanted keyFrom where element',
  }).map(([kind, keys]) => [kind, new Set(keys.split(' '))] as const),
);

/** A row by the columns of its table; what is left out is null. */
function readRow<Row>(table: Table<Row>, row: JsonObject, rename: (text: string) => string, kind: string): Row {
  const known = new Map(table.columns.filter(({ key }) => !LEFT_OUT.has(key)).map((column) => [column.key, column]));
  const unknown = Object.keys(row).find((key) => !known.has(key));
  if (unknown !== undefined) throw new CarriedWrong(`a ${kind} has no ${JSON.stringify(unknown.slice(0, 50))}`);
  const read: { [key: string]: Json } = {};
  for (const { key, type } of table.columns) {
    const value = ownValue(row, key) ?? null;
    const fits =
      (value === null && (LEFT_OUT.has(key) || NULLABLE.get(kind)?.has(key) === true)) ||
      (type === 'text'
        ? typeof value === 'string'
        : type === 'boolean'
          ? typeof value === 'boolean'
          : typeof value === 'number' && Number.isSafeInteger(value) && !(value < 0 && key === 'index'));
    if (!fits) throw new CarriedWrong(`${key} of a ${kind} must be ${type === 'text' ? 'a text' : type}`);
    if (typeof value === 'string' && !isStorable(value)) throw new CarriedWrong(`${key} of a ${kind} ${UNSTORABLE}`);
    read[key] = typeof value === 'string' && NAMES_ID.has(key) ? rename(value) : value;
  }
  return read as Row; // The columns are those of Row.
}

/** Writes a workflow that was read from a file. `exists`: there is one with its id. Throws DataRefused as CarriedWrong. */
export async function placeCarried(
  store: Pick<Store, 'begin' | 'sources'>,
  { workflow, rows, history, definitions, source }: Carried,
  about: { readonly token: string; readonly owner: string; readonly attributed: Attributed },
): Promise<'placed' | 'exists'> {
  const put = <Row>(all: ReadonlyMap<string, Row>): ReadonlyMap<string, Op<Row>> =>
    new Map([...all].map(([key, row]) => [key, { kind: 'put', row, isNew: true }]));
  const changes: Changes = {
    workflow,
    strands: put(rows.strands),
    workitems: put(rows.workitems),
    agenda: put(rows.agenda),
    errors: put(rows.errors),
    listeners: put(rows.listeners),
    variables: put(rows.variables),
    waiters: put(rows.waiters),
    ...{ definitions, history, events: [], hold: null, shift: null, sweep: false, missed: [], waited: false },
  };
  const attributes = attributeChanges(bareView(null), { workflow, workitems: rows.workitems }, about.attributed);
  for (let look = 0; look < LOOKS_MAX; look++) {
    const writing = await store.begin([{ workflow: workflow.id, needs: [] }]);
    if (writing.busy.includes(workflow.id) || writing.loaded.get(workflow.id)?.workflow != null) {
      await writing.rollback();
      return 'exists';
    }
    try {
      const outcome = await writing.commit({
        ...{ token: about.token, changes: new Map([[workflow.id, changes]]), claims: [], releases: [] },
        ...{ owner: about.owner, leaseSeconds: 1, judge: judgeEvent, attributes },
      });
      if (outcome === 'lost') continue;
    } catch (error) {
      if (error instanceof DataRefused) throw new CarriedWrong('the database refuses a value of it');
      throw error;
    }
    if (source !== null && workflow.source !== null)
      await store.sources.keep({ definition: workflow.definition, hash: workflow.source, text: source });
    return 'placed';
  }
  throw new Error(`The workflow ${workflow.id} could not be written`);
}
