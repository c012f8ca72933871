import { invariant } from '../../model/fault.ts';
import type { ExpressionId } from '../../model/ids.ts';
import { expidOf } from '../../model/ids.ts';
import type { Fields, Json, JsonObject } from '../../model/json.ts';
import { isObject } from '../../model/json.ts';
import type { StrandRow, WorkflowRow } from '../../model/rows.ts';
import { HELD_DATA, heldNowhere } from './held.ts';
import { hasParts, joinParts } from './repeats.ts';
import {
  Bound,
  type Header,
  type Held,
  type HeldOf,
  type Node,
  newHeader,
  newNode,
  type Reapply,
  ROOT,
  type Scope,
  type Strand,
  Tagged,
  type TreeRef,
  type Value,
} from './state.ts';

/*
 * How strands and headers become text, and back (messages.ts: saved messages). It is one thing, for what is written here is read here. A strand is two texts: `state` (its expressions) and `fields` (a
 * table of the objects they refer to). Objects that are the same object are stored once, so a sequence ten levels deep whose
 * workitem nobody changed stores one set of fields; and a step that only moved a counter leaves the table as it was.
 */

/** Stands in a table for the fields a wide fork gave to all its branches (StrandRow.base); in saved messages followed by the fork's id.
 * Tables hold only objects and lists otherwise. */
export const BASE = '^';
export const noBase = (): null => null;

export type Packed = { [key: string]: Json };
const NONE_HELD: ReadonlyMap<ExpressionId, Held> = new Map();

export class Packer {
  readonly table: Json[] = [];
  private readonly places = new Map<object, number>();
  private readonly hashes = new Map<string, number>();
  readonly definitions: string[] = [];

  private readonly nameOfBase: (value: object) => string | null;

  /** `nameOfBase`: how the table refers to an object that is stored elsewhere, or null when it is to be stored here. */
  constructor(nameOfBase: (value: object) => string | null) {
    this.nameOfBase = nameOfBase;
  }

  object(value: object): number {
    const known = this.places.get(value);
    if (known !== undefined) return known;
    const place = this.table.push(this.nameOfBase(value) ?? (value as Json)) - 1;
    this.places.set(value, place);
    return place;
  }

  value(value: Value): Json {
    if (value instanceof Bound) return { b: [value.expid, this.tree(value.tree)] };
    if (value instanceof Tagged) return { t: [value.ref.path, value.ref.id] };
    return typeof value === 'object' && value !== null ? { o: this.object(value) } : value;
  }

  tree(ref: TreeRef): Json {
    if (typeof ref.root !== 'string') return [this.object(ref.root), ref.path];
    let place = this.hashes.get(ref.root);
    if (place === undefined) {
      place = this.definitions.push(ref.root) - 1;
      this.hashes.set(ref.root, place);
    }
    return `${place}:${ref.path}`;
  }

  scope(scope: Scope): Json {
    return [scope.spilled ? 1 : 0, ...this.pairs(scope.own)];
  }

  pairs(pairs: Iterable<readonly [string, Value]>): Json[] {
    return [...pairs].map(([name, value]) => [name, this.value(value)]);
  }

  reapply(reapply: Reapply): Json {
    return [
      reapply.tree === null ? null : this.tree(reapply.tree),
      reapply.workitem,
      reapply.fields === null ? null : this.object(reapply.fields),
      reapply.retry,
      ...(reapply.enter === undefined ? [] : [reapply.enter]),
    ];
  }
}

export class Unpacker {
  private readonly table: readonly Json[];
  private readonly definitions: readonly string[];
  private readonly baseNamed: (name: string) => Fields | null;
  constructor(table: readonly Json[], definitions: readonly string[], baseNamed: (name: string) => Fields | null) {
    this.table = table;
    this.definitions = definitions;
    this.baseNamed = baseNamed;
  }

  object(place: Json | undefined): JsonObject {
    const value = this.table[place as number];
    if (typeof value !== 'string') return value as JsonObject;
    if (hasParts(value)) return this.joined(place as number, value);
    const base = this.baseNamed(value);
    invariant(base !== null, 'what refers to the base of a fork was loaded with it');
    return base;
  }

  private readonly joins = new Map<number, JsonObject>();
  private joined(place: number, text: string): JsonObject {
    const object = this.joins.get(place) ?? joinParts(text, this.table);
    this.joins.set(place, object);
    return object;
  }

  value(packed: Json): Value {
    if (!isObject(packed)) return packed;
    if (packed['b'] !== undefined) {
      const [expid, tree] = packed['b'] as [string, Json];
      return new Bound(expid, this.tree(tree));
    }
    if (packed['t'] !== undefined) {
      const [path, id] = packed['t'] as [string, ExpressionId];
      return new Tagged({ path, id });
    }
    return this.object(packed['o']);
  }

  tree(packed: Json): TreeRef {
    if (typeof packed === 'string') {
      const colon = packed.indexOf(':');
      const root = this.definitions[Number(packed.slice(0, colon))];
      invariant(root !== undefined, 'a tree reference names a definition of its strand');
      return { root, path: packed.slice(colon + 1) };
    }
    const [place, path] = packed as [number, string];
    return { root: this.table[place] as readonly Json[], path };
  }

  scope(packed: Json): Scope {
    const [spilled, ...pairs] = packed as [number, ...Json[]];
    return { own: new Map(this.pairs(pairs)), spilled: spilled === 1 };
  }

  pairs(pairs: readonly Json[]): [string, Value][] {
    return (pairs as [string, Json][]).map(([name, value]) => [name, this.value(value)]);
  }

  reapply(packed: Json): Reapply {
    const [tree, workitem, fields, retry, enter] = packed as [
      Json,
      Reapply['workitem'],
      Json,
      boolean,
      Reapply['enter'],
    ];
    return {
      tree: tree === null ? null : this.tree(tree),
      workitem,
      fields: fields === null ? null : this.object(fields),
      retry,
      ...(enter !== undefined && { enter }),
    };
  }
}

/** Instead of 1 for an open workitem: who has it and with which params its row tells. Where the fields are in it too, `a` is missing. */
const DATA_HELD = 2;

/** `held`: what the row of the expression's open workitem says; undefined when that is not known. */
function packNode(packer: Packer, node: Node, next: Node | undefined, held: Held | undefined): Json {
  const packed: Packed = { i: node.id, n: node.name, t: packer.tree(node.tree) };
  const { hasWorkitem } = node;
  const appliedHeld = hasWorkitem && (node.appliedFrom !== null || node.applied === held?.applied);
  const dataHeld =
    hasWorkitem &&
    (node.dataFrom !== null || (held !== undefined && HELD_DATA.every((key) => node.data[key] === held[key])));
  const data = dataHeld ? node.ownData : node.data;
  if (!appliedHeld) packed['a'] = packer.object(node.applied);
  if (node.kind !== node.name) packed['k'] = node.kind;
  if (node.added.length > 0) packed['A'] = node.added.map(([key, value]) => [key, value]);
  if (node.updated) packed['u'] = 1;
  if (node.scope !== null) packed['v'] = packer.scope(node.scope);
  if (node.state !== null) packed['s'] = node.state;
  if (node.children !== 0) packed['c'] = node.children;
  if (node.child !== (next?.id ?? null)) packed['C'] = node.child;
  if (node.branches !== 0) packed['b'] = node.branches;
  if (node.flanks !== 0) packed['f'] = node.flanks;
  if (node.onError !== null) packed['oe'] = node.onError;
  if (node.onCancel !== null) packed['oc'] = node.onCancel;
  if (node.onTimeout !== null) packed['ot'] = node.onTimeout;
  if (node.onTerminate !== null) packed['ox'] = node.onTerminate;
  if (node.cause !== null) packed['q'] = node.cause;
  if (node.reapply !== null) packed['r'] = packer.reapply(node.reapply);
  if (node.onReply !== null) packed['or'] = packer.reapply(node.onReply);
  if (node.trigger !== null) packed['T'] = node.trigger;
  if (node.supplanted !== null) packed['S'] = packSupplanted(packer, node.supplanted);
  if (node.timers.length > 0) packed['m'] = node.timers.map((timer) => [timer.agenda, timer.action]);
  if (node.timersMade !== 0) packed['M'] = node.timersMade;
  if (node.schedule !== null) packed['h'] = node.schedule;
  if (node.tag !== null) packed['g'] = [node.tag, node.fullTag];
  if (node.forgotten) packed['F'] = 1;
  if (node.lost) packed['l'] = 1;
  if (node.flanking) packed['L'] = 1;
  if (node.hasError) packed['e'] = 1;
  if (node.hasListener) packed['H'] = 1;
  if (node.hasWorkitem) packed['w'] = dataHeld ? DATA_HELD : 1;
  if (node.since >= 0) packed['z'] = packSince(node.since);
  if (node.unfiltered !== null) packed['U'] = packer.object(node.unfiltered);
  let kept = Object.entries(data);
  if (dataHeld) kept = kept.filter(([key]) => !isHeldData(key));
  if (kept.length > 0) packed['d'] = packer.pairs(kept);
  return packed;
}

export const packSupplanted = (packer: Packer, supplanted: NonNullable<Node['supplanted']>): Json => [
  packer.tree(supplanted.tree),
  supplanted.name,
  supplanted.kind,
  supplanted.added.map(([key, value]) => [key, value]),
  packer.object(supplanted.applied),
];

export function unpackSupplanted(unpacker: Unpacker, packed: Json): NonNullable<Node['supplanted']> {
  const [tree, name, kind, added, applied] = packed as [Json, string, string, [string, Json][], number];
  return { tree: unpacker.tree(tree), name, kind, added, applied: unpacker.object(applied) };
}

const isHeldData = (key: string): boolean => HELD_DATA.some((held) => held === key);

const NOT_READ: Fields = {};

function unpackNode(unpacker: Unpacker, packed: Packed, next: Packed | undefined, heldOf: HeldOf): Node {
  const id = packed['i'] as ExpressionId;
  const applied = packed['a'] === undefined ? NOT_READ : unpacker.object(packed['a']);
  const node = newNode(id, expidOf(id), unpacker.tree(packed['t'] as Json), applied);
  const name = packed['n'] as string;
  node.name = name;
  node.kind = (packed['k'] as string | undefined) ?? name;
  node.added = (packed['A'] as [string, Json][] | undefined) ?? [];
  node.updated = packed['u'] === 1;
  node.scope = packed['v'] === undefined ? null : unpacker.scope(packed['v']);
  node.state = (packed['s'] as Node['state'] | undefined) ?? null;
  node.children = (packed['c'] as number | undefined) ?? 0;
  // The child is the next one, unless something else is said.
  node.child = (packed['C'] === undefined ? (next?.['i'] ?? null) : packed['C']) as ExpressionId | null;
  node.branches = (packed['b'] as number | undefined) ?? 0;
  node.flanks = (packed['f'] as number | undefined) ?? 0;
  node.onError = packed['oe'] ?? null;
  node.onCancel = packed['oc'] ?? null;
  node.onTimeout = packed['ot'] ?? null;
  node.onTerminate = packed['ox'] ?? null;
  node.cause = (packed['q'] as Node['cause'] | undefined) ?? null;
  node.reapply = packed['r'] === undefined ? null : unpacker.reapply(packed['r']);
  node.onReply = packed['or'] === undefined ? null : unpacker.reapply(packed['or']);
  node.trigger = (packed['T'] as Node['trigger'] | undefined) ?? null;
  node.supplanted = packed['S'] === undefined ? null : unpackSupplanted(unpacker, packed['S']);
  node.timers = ((packed['m'] as [string, string][] | undefined) ?? []).map(([agenda, action]) => ({ agenda, action }));
  node.timersMade = (packed['M'] as number | undefined) ?? 0;
  node.schedule = (packed['h'] as string | undefined) ?? null;
  const tags = packed['g'] as [string, string] | undefined;
  node.tag = tags?.[0] ?? null;
  node.fullTag = tags?.[1] ?? null;
  node.forgotten = packed['F'] === 1;
  node.lost = packed['l'] === 1;
  node.flanking = packed['L'] === 1;
  node.hasError = packed['e'] === 1;
  node.hasListener = packed['H'] === 1;
  node.hasWorkitem = packed['w'] !== undefined;
  node.since = readSince(packed['z']);
  node.unfiltered = packed['U'] === undefined ? null : unpacker.object(packed['U']);
  if (packed['d'] !== undefined)
    for (const [key, value] of unpacker.pairs(packed['d'] as Json[])) node.data[key] = value as Json;
  if (applied === NOT_READ) node.appliedFrom = heldOf;
  if (packed['w'] === DATA_HELD) node.dataFrom = heldOf;
  return node;
}

/**
 * A strand as its two texts.
 *
 * @param base the value of its base row, when it has one
 * @param held what the rows of open workitems say, as far as it is known and the strand may leave it out
 */
export function encodeStrand(
  strand: Strand,
  base: Fields | null,
  held: ReadonlyMap<ExpressionId, Held> = NONE_HELD,
): { readonly state: string; readonly fields: string } {
  const packer = new Packer((value) => (value === base ? BASE : null));
  const packed: Packed = { x: strand.next, p: strand.depth };
  const nodes = strand.nodes.map((node, i) => packNode(packer, node, strand.nodes[i + 1], held.get(node.id)));
  if (strand.reply !== null) packed['r'] = packer.object(strand.reply);
  packed['d'] = packer.definitions;
  packed['n'] = nodes;
  return { state: JSON.stringify(packed), fields: tables.print(packer.table) };
}

/** The root strand, whose texts are in the row of the workflow itself. */
export const decodeRoot = ({ state, fields }: Pick<WorkflowRow, 'state' | 'fields'>, heldOf?: HeldOf): Strand =>
  decodeStrand(
    {
      path: ROOT,
      parent: '',
      at: '' as ExpressionId,
      kind: 'branch',
      index: 0,
      arrival: null,
      base: null,
      state,
      fields,
    },
    null,
    heldOf,
  );

/** Any other, from its row. `base`: the fields its row of base fields has; null: it has none. */
export const decodeRow = (row: StrandRow, base: Fields | null): Strand =>
  decodeStrand({ ...row, parent: row.parent ?? '', at: row.at ?? ('' as ExpressionId) }, base);

/** The texts of a strand as a strand. `at`, `index`… come from its row; `heldOf` is asked for what the strand has left out. */
export function decodeStrand(
  row: { readonly state: string; readonly fields: string } & Pick<
    Strand,
    'path' | 'parent' | 'at' | 'kind' | 'index' | 'arrival' | 'base'
  >,
  base: Fields | null,
  heldOf: HeldOf = heldNowhere,
): Strand {
  const packed = JSON.parse(row.state) as Packed;
  const unpacker = new Unpacker(tables.read(row.fields), packed['d'] as string[], () => base);
  return {
    path: row.path,
    parent: row.parent,
    at: row.at,
    kind: row.kind,
    index: row.index,
    base: row.base,
    depth: packed['p'] as number,
    arrival: row.arrival,
    next: packed['x'] as number,
    nodes: (packed['n'] as Packed[]).map((node, i, all) => unpackNode(unpacker, node, all[i + 1], heldOf)),
    reply: packed['r'] === undefined ? null : unpacker.object(packed['r']),
    dead: false,
    touched: false,
    stored: true,
  };
}

/** From this many characters on a list is worth being remembered. */
const REMEMBERED_CHARACTERS_MIN = 8_000;

/**
 * Reads lists, and remembers the last large one: a workflow that forks over a long list is read again for every turn it takes, and for
 * every run of a step that found rows missing. What was read is never changed in place, so its text is known when it is printed again.
 * Nothing is remembered that was not read: what a step makes need not come back from text as it was.
 */
export class Lists {
  private text = '';
  private list: Json[] = [];

  read(text: string): Json[] {
    if (text.length < REMEMBERED_CHARACTERS_MIN) return JSON.parse(text) as Json[];
    if (text !== this.text) {
      this.list = JSON.parse(text) as Json[];
      this.text = text;
    }
    return this.list;
  }

  print(list: readonly Json[]): string {
    const { length } = this.list;
    const isKnown = length > 0 && list.length === length && list.every((item, i) => item === this.list[i]);
    return isKnown ? this.text : JSON.stringify(list);
  }
}
const tables = new Lists();

const NEW_HEADER = Object.entries<unknown>(newHeader()).map(([key, usual]) => ({ key, usual }));

/**
 * What differs from a new header, which is little: it is written with every step. The count of expressions is always there.
 * Each header begins as a new one, so its values come in this order; to ask for them by key takes three times as long. Behind them may stand what
 * a newer node has written, which is left out.
 */
export function encodeHeader(header: Header): string {
  const differing: { [key: string]: unknown } = {};
  const hasTags = Object.keys(header.tags).length > 0;
  const values = Object.values<unknown>(header);
  NEW_HEADER.forEach(({ key, usual }, i) => {
    const value = values[i];
    if (key === 'tags' ? hasTags : key === 'expressions' || value !== usual) differing[key] = value;
  });
  return JSON.stringify(differing);
}
export const decodeHeader = (text: string): Header => ({ ...newHeader(), ...(JSON.parse(text) as Header) });

/** One value, on its own, as text (rows of `variable`). */
export function encodeValue(value: Value): string {
  const packer = new Packer(noBase);
  const packed = packer.value(value);
  return JSON.stringify([packer.definitions, packer.table, packed]);
}
export function decodeValue(text: string): Value {
  const [definitions, table, packed] = JSON.parse(text) as [string[], Json[], Json];
  return new Unpacker(table, definitions, noBase).value(packed);
}

/**
 * Always as long, for two years and a half: of a row that changes the database writes down what lies between the first byte that differs and the
 * last, and the length stands before all of it. (Numbers cost 70 bytes a step.)
 */
const SINCE_CHARACTERS = 7;
const packSince = (ms: number): string => ms.toString(36).padStart(SINCE_CHARACTERS, '0');
/** @returns -1 where it was not written down */
function readSince(packed: Json | undefined): number {
  const ms = typeof packed === 'string' ? Number.parseInt(packed, 36) : -1;
  return Number.isSafeInteger(ms) ? ms : -1;
}
