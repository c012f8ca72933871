import type { WorkflowId } from '../model/ids.ts';
import {
  CHILDREN,
  type Changes,
  type ChildKind,
  type EmittedEvent,
  type Op,
  type StrandRow,
  type WorkflowRow,
} from '../model/rows.ts';
import { DEFAULT_TENANT } from '../model/tenant.ts';
import type { Sent, Statement } from './connections.ts';
import type { Armed } from './meeting.ts';
import { listText, type Place, partsText, partText, patchText, placeOf, type RowText, rowText } from './row-text.ts';
import {
  attributePieces,
  bornDelivery,
  definitionPiece,
  deliveryPiece,
  handedOnPiece,
  hearersByName,
  hearersOfAny,
  historyPiece,
  holdPieces,
  insertWorkflow,
  type Piece,
  type Proof,
  pieces,
  proof,
  spreadEvents,
  spreadPiece,
  sweepPieces,
  updateWorkflow,
  workflowMoving,
  workflowMovingAndFields,
} from './save-statements.ts';
import { byShard, inShard } from './sharding.ts';
import type { AttributeChange, Save } from './store.ts';
import { born } from './tables/delivery.ts';
import {
  AGENDA,
  CHILD_TABLES,
  type DatabaseRow,
  HISTORY,
  strandNumber,
  type Table,
  WORKFLOW,
} from './tables/of-workflow.ts';

/*
 * A batch as statements. All rows of all workflows go in one: a data-modifying CTE for each kind of change that occurs, each reading
 * one json parameter. The same kinds make the same text, so that it is prepared once. Two things need what the first wrote and follow
 * in the same pipeline: events finding their listeners, and holding, shifting or sweeping a workflow's rows. It is one thing: a save.
 */

/** What the transaction knows of the rows as they are stored. */
export type Known = {
  /** The workflow row as it was locked; null when there was none; undefined when it was not loaded here. */
  readonly workflow: (id: WorkflowId) => WorkflowRow | null | undefined;
  readonly strand: (id: WorkflowId, path: string) => StrandRow | undefined;
  /** Where a waiter that is put is armed. */
  readonly armed?: (id: WorkflowId, waiter: string) => Armed | undefined;
};

export type WriteStyle = {
  /** Whether the database numbers its transactions; else history keeps the token of the batch. */
  readonly numbersTransactions: boolean;
  /** What positions of history begin at (positions.ts); null: rows have none. */
  readonly historyBase: number | null;
  /** Statements are about one shard, say which, and change a table once (sharding.ts). */
  readonly namesShard: boolean;
};

type Filled = { readonly piece: Piece; readonly rows: readonly RowText[] };

/**
 * Statements by the kinds of change in them. So many combinations get a statement of their own, first come, first served; it is the
 * usual ones that come first. Any other uses a statement made for more kinds than it has, of which there are few: every connection
 * keeps the plan of every statement.
 */
const COMBINATIONS_MAX = 48;
const built = new Map<string, Statement>();

/** Kinds that are prepared together once there are too many combinations. */
const FAMILIES: readonly (readonly string[])[] = [
  ['w', 'W', 'in', 'ip', 'iu', 'id', 'h', 'H', 'o', 'd'],
  ['bp', 'bu', 'bd', 'ap', 'au', 'ad'],
];
const familyOf = (piece: Piece): number => FAMILIES.findIndex((codes) => codes.includes(piece.code));

const keyOf = (filled: readonly Filled[], proven: Proof): string =>
  [proven, ...filled.map(({ piece }) => piece.code)].join('_');

function together(all: readonly Filled[], proven: Proof): Sent {
  const needed = all.filter(({ rows }) => rows.length > 0);
  const families = new Set(needed.map(({ piece }) => familyOf(piece)));
  const exact = built.has(keyOf(needed, proven)) || built.size < COMBINATIONS_MAX;
  const filled = exact ? needed : all.filter(({ piece }) => families.has(familyOf(piece)));
  const key = keyOf(filled, proven);
  let statement = built.get(key);
  if (statement === undefined) {
    statement = {
      name: `save_${built.size}`, // names end after 63 characters, so the kinds cannot be told in it
      jsonb: true,
      text: `with ${filled.map(({ piece }, i) => piece.text(i + 1)).join(',\n  ')}\n  ${proof(filled[0]?.piece === updateWorkflow ? 1 : null, proven)}`,
    };
    built.set(key, statement);
  }
  return { statement, values: filled.map(({ rows }) => listText(rows)) };
}

/** The pieces as one statement; or, where shards are named, as one for each piece and shard. */
function sent(
  all: readonly Filled[],
  style: Pick<WriteStyle, 'namesShard'>,
  proven: Proof = 'versions',
): readonly Sent[] {
  if (all.every(({ rows }) => rows.length === 0)) return [];
  if (!style.namesShard) return [together(all, proven)];
  return all.flatMap(({ piece, rows }) =>
    byShard(rows).map(([shard, part]) => {
      const { statement, values } = together([{ piece, rows: part }], proven);
      return inShard(statement, values, shard);
    }),
  );
}

/** What writes a save, in this order; all of it belongs into the transaction that loaded `known`. */
export type Writing = {
  readonly changes: readonly Sent[];
  /** Emitted events, to be spread among the listeners there are then; none when nobody can hear them. */
  readonly events: readonly Emitted[];
  /** Holding, shifting and sweeping, of whatever rows there are then. */
  readonly last: readonly Sent[];
};
export type Emitted = EmittedEvent & { readonly w: WorkflowId; readonly tenant: string; readonly id: string };

/** @param hears whether workflows listened to others when the transaction began */
export function writingOf(
  save: Save,
  known: Known,
  style: WriteStyle,
  hears: boolean,
  proven: Proof = 'versions',
): Writing {
  const placed = [...save.changes.values()]
    .map((change) => ({ change, place: placeOf(change.workflow.id) }))
    .sort(inKeyOrder);
  const changes = placed.map(({ change }) => change);
  const filled: Filled[] = [];
  const add = (piece: Piece, rows: readonly RowText[]): void => {
    filled.push({ piece, rows });
  };

  const steps = { updated: [] as RowText[], inserted: [] as RowText[] };
  for (const { change, place } of placed) workflowText(change.workflow, place, known, steps);
  add(updateWorkflow, steps.updated);
  add(insertWorkflow, steps.inserted);
  for (const kind of CHILDREN) {
    const ops = rowsOf(kind, placed, save, known);
    add(pieces[kind].insert, ops.insert);
    add(pieces[kind].put, ops.put);
    add(pieces[kind].patch, ops.patch);
    add(pieces[kind].delete, ops.delete);
  }
  add(
    historyPiece(style.historyBase === null ? 'token' : style.numbersTransactions ? 'locked' : 'at once'),
    placed.flatMap(({ change, place }) =>
      change.history.map((row) =>
        rowText(
          place,
          partsText(HISTORY.columns, row),
          partText('token', style.numbersTransactions ? null : save.token),
          partText('tenant', change.workflow.tenant === DEFAULT_TENANT ? null : change.workflow.tenant),
          partText('base', style.historyBase === 0 ? null : style.historyBase),
        ),
      ),
    ),
  );
  const definitions = new Map(changes.flatMap((change) => [...change.definitions]));
  add(
    definitionPiece,
    [...definitions]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([hash, stored]) => ({ s: 0, text: JSON.stringify({ hash, stored }) })),
  );

  add(
    deliveryPiece,
    (save.deliveries ?? []).map((owed) => ({ s: 0, text: `{${partsText(bornDelivery, born(owed)).slice(1)}}` })),
  );

  add(
    handedOnPiece,
    (save.handedOn ?? []).map((one) => ({ s: 0, text: JSON.stringify(one) })),
  );
  const found = (save.attributes ?? []).map(attributeText);
  for (const piece of attributePieces) add(piece, found);

  const isHeard = hears || changes.some(putsTenantListener);
  const events = changes.flatMap(({ workflow, events: emitted }) =>
    (isHeard ? emitted : []).map((event, i) => ({
      ...event,
      w: workflow.id,
      tenant: workflow.tenant,
      id: `event ${workflow.id} ${workflow.ver}.${i}`,
    })),
  );
  const held: RowText[] = [];
  const swept: RowText[] = [];
  for (const { change, place } of placed) {
    const { hold, shift, sweep, workflow } = change;
    if (hold !== null || shift !== null)
      held.push(
        rowText(place, partText('hold', hold), partText('shift', shift), partText('until', workflow.updatedAt)),
      );
    if (sweep) swept.push(rowText(place));
  }

  return {
    changes: sent(filled, style, proven),
    events,
    last: [
      ...sent(
        holdPieces.map((piece) => ({ piece, rows: held })),
        style,
      ),
      ...sent(
        sweepPieces.map((piece) => ({ piece, rows: swept })),
        style,
      ),
    ],
  };
}

/** A listener that hears other workflows comes, or may become one. */
const putsTenantListener = ({ listeners }: Changes): boolean =>
  [...listeners.values()].some((op) => op.kind === 'put' && op.row.reach === 'tenant');

/** One statement that finds the listeners and writes to them; where that is one machine's work. */
export const spreading = (events: readonly Emitted[]): readonly Sent[] =>
  events.length === 0 ? [] : [{ statement: spreadEvents, values: [JSON.stringify(events)] }];

/** Questions for the listeners that may fit, wherever they are; `heard` makes of their answers what has to be written. */
export function askingHearers(events: readonly Emitted[]): {
  readonly questions: readonly Sent[];
  readonly heard: (answers: readonly (readonly DatabaseRow[])[]) => readonly Sent[];
} {
  const kinds = new Map<string, { readonly first: Emitted; readonly events: Emitted[] }>();
  for (const event of events) {
    const key = `${event.event} ${event.tenant}`;
    const kind = kinds.get(key) ?? { first: event, events: [] };
    kind.events.push(event);
    kinds.set(key, kind);
  }
  const groups = [...kinds.values()].flatMap(({ first, events: own }) => {
    const values = [first.tenant, first.event];
    const names = [...new Set(own.map(({ name }) => name))];
    return [
      { events: own, question: { statement: hearersByName, values: [...values, names] } },
      { events: own, question: { statement: hearersOfAny, values } },
    ];
  });
  return {
    questions: groups.map(({ question }) => question),
    heard: (answers) => {
      const rows = groups.flatMap((group, i) =>
        (answers[i] ?? []).flatMap((listener) =>
          group.events
            .filter(({ w, name }) => w !== listener['w'] && (listener['name'] === null || listener['name'] === name))
            .map((event) => eventRow(event, listener)),
        ),
      );
      return sent([{ piece: spreadPiece, rows }], { namesShard: true });
    },
  };
}

const eventRow = (event: Emitted, listener: DatabaseRow): RowText =>
  rowText(
    placeOf(listener['w'] as WorkflowId),
    partsText(AGENDA.columns, {
      id: `${event.id} ${String(listener['id'])}`,
      kind: 'event',
      dueAt: event.at,
      heldAt: null,
      path: listener['path'] as string,
      payload: `{"listener":${JSON.stringify(listener['id'])},"workflow":${JSON.stringify(event.w)},"event":"${event.event}","name":${JSON.stringify(event.name)},"at":${event.at},"payload":${event.payload}}`,
    }),
  );

export const attributeText = ({ workflow, tenant, name, values, launchedAt }: AttributeChange): RowText =>
  rowText(
    placeOf(workflow),
    partText('name', name),
    partText('tenant', tenant),
    partText('launched_at', launchedAt),
    `,"values":${JSON.stringify(values)}`,
  );

/** `loaded`: the ver the row must have; none for a row that must not exist. A text that did not change is left out. */
function workflowText(
  row: WorkflowRow,
  place: Place,
  known: Known,
  into: { readonly updated: RowText[]; readonly inserted: RowText[] },
): void {
  const before = known.workflow(row.id);
  const loaded = before === undefined ? (row.ver > 1 ? row.ver - 1 : null) : (before?.ver ?? null);
  if (loaded === null) {
    into.inserted.push(rowText(place, partsText(WORKFLOW.columns, row)));
    return;
  }
  const columns = before?.fields === row.fields ? workflowMoving : workflowMovingAndFields;
  const ver = Math.max(row.ver, loaded + 1);
  into.updated.push(rowText(place, partText('loaded', loaded), partsText(columns, { ...row, ver })));
}

type Placed = { readonly change: Changes; readonly place: Place };
const inKeyOrder = ({ place: a }: Placed, { place: b }: Placed): number =>
  a.s - b.s || (a.workflow < b.workflow ? -1 : 1);

type Rows = {
  readonly insert: readonly RowText[];
  readonly put: readonly RowText[];
  readonly patch: readonly RowText[];
  readonly delete: readonly RowText[];
};

/** The changes of one kind of row in all workflows, as what the four pieces read. */
function rowsOf(kind: ChildKind, placed: readonly Placed[], save: Save, known: Known): Rows {
  const { columns }: Table<never> = CHILD_TABLES[kind];
  const rows = { insert: [] as RowText[], put: [] as RowText[], patch: [] as RowText[], delete: [] as RowText[] };
  const claims = kind === 'workitems' ? claimsOf(save) : NO_CLAIMS;
  for (const { change, place } of placed) {
    const ops: ReadonlyMap<string, Op<unknown>> = change[kind];
    // Most kinds have none; an iterator for each of them and step would be seen.
    if (ops.size === 0) continue;
    for (const [key, op] of ops) {
      if (change.sweep && isSwept(kind, key)) continue;
      const claim = claims.size === 0 ? undefined : claims.get(`${place.workflow} ${key}`);
      if (claim !== undefined) claims.delete(`${place.workflow} ${key}`);
      if (op.kind === 'put') {
        const row = kind === 'strands' ? withoutStored(change.workflow.id, op.row as StrandRow, known) : op.row;
        const extra =
          kind === 'strands' ? partText('number', strandNumber(key)) : partText('tenant', change.workflow.tenant);
        const more = claim === undefined ? '' : putClaim(claim, save);
        const armed = kind === 'waiters' ? armedText(known.armed?.(change.workflow.id, key)) : more;
        const text = rowText(place, partsText(columns, row), extra, armed);
        (op.isNew ? rows.insert : rows.put).push(text);
      } else if (op.kind === 'patch') {
        const set = `,"set":${patchText(columns, op.set as object)}`;
        rows.patch.push(rowText(place, keysOf(kind, key), set, partText('release', claim?.release ?? null)));
      } else rows.delete.push(rowText(place, keysOf(kind, key)));
    }
  }
  // What is left are tries that ended although nothing else of their workitem changed.
  for (const { workflow, workitem, release } of claims.values())
    if (release !== null)
      rows.patch.push(rowText(placeOf(workflow), partText('k0', workitem), ',"set":{}', partText('release', release)));
  return rows;
}

const armedText = (armed: Armed | undefined): string =>
  armed === undefined ? '' : `${partText('key', armed.key)}${partText('seq', armed.seq)}`;

/** `fields` that are stored already are not sent again (save-statements.ts). */
const withoutStored = (workflow: WorkflowId, row: StrandRow, known: Known): StrandRow =>
  known.strand(workflow, row.path)?.fields === row.fields ? { ...row, fields: '' } : row;

type Claim = {
  readonly workflow: WorkflowId;
  readonly workitem: string;
  readonly claim: string | null;
  readonly release: string | null;
};
const NO_CLAIMS = new Map<string, Claim>();

function claimsOf(save: Save): Map<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const { workflow, workitem, claim } of save.releases)
    claims.set(`${workflow} ${workitem}`, { workflow, workitem, claim: null, release: claim });
  for (const { workflow, workitem, claim } of save.claims)
    claims.set(`${workflow} ${workitem}`, { workflow, workitem, claim, release: null });
  return claims;
}

const putClaim = ({ claim, release }: Claim, save: Save): string =>
  claim !== null
    ? `${partText('claim', claim)}${partText('owner', save.owner)}${partText('lease', save.leaseSeconds)}`
    : `${partText('claim', release)},"owner":"","lease":0`;

/** The key of `Changes` as the columns it names: a variable's is `scope name`, and a scope holds no blank. */
function keysOf(kind: ChildKind, key: string): string {
  if (kind !== 'variables') return partText('k0', key);
  const blank = key.indexOf(' ');
  return `${partText('k0', key.slice(0, blank))}${partText('k1', key.slice(blank + 1))}`;
}

/** Rows that a sweep takes anyway. Workitems may owe a notice, and base rows may be what it says: the sweep itself looks. */
const isSwept = (kind: ChildKind, key: string): boolean =>
  kind !== 'workitems' && !(kind === 'variables' && key.endsWith(' ^'));
