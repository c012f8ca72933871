import type { HistoryEntry, HistoryKind, PartOf } from './history-kinds.ts';
import { type ExpressionId, expidOf, expressionId, type WorkflowId, workitemId } from './ids.ts';
import { isObject, type Json, type JsonObject } from './json.ts';

/*
 * How the entries of a history row become its text, and back. Every step writes some, and most of what they say can be told from the rest:
 * `expid` and `workitem_id` from the id of the expression (and the workflow), the names of the parts from the kind. So the usual kinds are
 * lists that begin with a number; anything else, and all that older versions wrote, is an object as it stands.
 *
 * An entry may refer back only to entries of the same text, so texts can be joined.
 */

/** An entry as its parts by name: those of this version (history-kinds.ts) and of any other. */
export type AnyEntry = { readonly kind: string; readonly [part: string]: Json };

/** Parts that follow from the id of an expression. */
type Derived = 'expid' | 'expression_id' | 'workitem_id';
const derive: { readonly [part in Derived]: (id: ExpressionId, workflow: WorkflowId) => string } = {
  expid: (id) => expidOf(id),
  expression_id: (id) => id,
  workitem_id: (id, workflow) => workitemId(id, workflow),
};
const isDerived = (part: string): part is Derived => Object.hasOwn(derive, part);

/** The parts of a kind in their order. Stored texts name them by their place in this list: it only ever grows, at its end. */
const SHAPES = [
  ['workflow.launched', 'name'],
  ['workflow.completed'],
  ['expression.applied', 'expid', 'expression_id', 'name'],
  ['expression.replied', 'expid', 'expression_id', 'name'],
  ['expression.cancelled', 'expid', 'expression_id', 'name'],
  ['workitem.opened', 'expid', 'workitem_id', 'participant'],
  ['workitem.proceeded', 'expid', 'workitem_id', 'participant'],
  ['workitem.closed', 'expid', 'workitem_id', 'participant', 'status'],
  ['callback.delivered', 'workitem_id', 'expression_id', 'participant', 'send', 'at', 'try', 'status', 'milliseconds'],
] as const satisfies readonly { [Kind in HistoryKind]: readonly [kind: Kind, ...parts: PartOf<Kind>[]] }[HistoryKind][];

/** What a part says so often that 0 stands for it. */
const USUAL: ReadonlyMap<string, string> = new Map([
  ['name', 'participant'],
  ['send', 'active'],
]);
const IS_USUAL = 0;

type Part = {
  readonly name: string;
  /** How it follows from the id; null when it does not. */
  readonly derived: ((id: ExpressionId, workflow: WorkflowId) => string) | null;
  readonly usual: string | null;
};
type Shape = {
  readonly code: number;
  readonly kind: string;
  readonly parts: readonly Part[];
  /** Whether an id comes first, from which some parts follow. */
  readonly hasId: boolean;
};
const shapes = SHAPES.map(([kind, ...names]: readonly [string, ...string[]], code): Shape => {
  const parts = names.map((name) => ({
    name,
    derived: isDerived(name) ? derive[name] : null,
    usual: USUAL.get(name) ?? null,
  }));
  return { code, kind, parts, hasId: parts.some(({ derived }) => derived !== null) };
});
const shapeOf: ReadonlyMap<string, Shape> = new Map(shapes.map((shape) => [shape.kind, shape]));

/** Stands for the id of the nearest entry before that has one. */
const SAME = 0;

/** The entries of one row as its text. */
export function packHistory(entries: readonly AnyEntry[], workflow: WorkflowId): string {
  let last: ExpressionId | null = null;
  const packed = entries.map((entry): Json => {
    const shape = shapeOf.get(entry.kind);
    const id = idIn(entry, workflow);
    const list = shape === undefined ? null : packEntry(entry, shape, id, last, workflow);
    if (list === null) return entry;
    if (shape?.hasId) last = id;
    return list;
  });
  return JSON.stringify(packed);
}

function idIn(entry: AnyEntry, workflow: WorkflowId): ExpressionId | null {
  const { expression_id: id, workitem_id: item } = entry;
  if (typeof id === 'string') return id as ExpressionId;
  if (typeof item !== 'string' || !item.endsWith(`!${workflow}`)) return null;
  return item.slice(0, -1 - workflow.length) as ExpressionId;
}

/** Null when the entry is not quite what its shape says: then it is kept as it is. */
function packEntry(
  entry: AnyEntry,
  { code, parts, hasId }: Shape,
  id: ExpressionId | null,
  last: ExpressionId | null,
  workflow: WorkflowId,
): Json[] | null {
  const keys = Object.keys(entry);
  if (keys[0] !== 'kind' || keys.length <= parts.length || (hasId && id === null)) return null;
  const list: Json[] = hasId ? [code, id === last ? SAME : id] : [code];
  for (let i = 0; i < parts.length; i++) {
    const { name, derived, usual } = parts[i] as Part;
    const value = entry[name];
    if (keys[i + 1] !== name || value === undefined) return null;
    if (derived !== null) {
      if (id === null || value !== derived(id, workflow)) return null;
    } else if (usual === null) list.push(value);
    else if (typeof value === 'number') return null;
    else list.push(value === usual ? IS_USUAL : value);
  }
  if (keys.length > parts.length + 1)
    list.push(Object.fromEntries(keys.slice(parts.length + 1).map((key) => [key, entry[key] ?? null])));
  return list;
}

/** Two texts as one, the entries of the first before those of the second. */
export function joinHistory(first: string, second: string): string {
  const list = JSON.parse(first) as readonly Json[];
  let last: Json = null;
  for (const entry of list)
    if (Array.isArray(entry) && shapes[entry[0] as number]?.hasId && entry[1] !== SAME) last = entry[1] as Json;
  const [whole = '', code, id] = /^\[\[(\d+),"([^"\\]*)"/.exec(second) ?? [];
  const isSame = last !== null && id === last && shapes[Number(code)]?.hasId === true;
  return `${first.slice(0, -1)},${isSame ? `[${code},${SAME}${second.slice(whole.length)}` : second.slice(1)}`;
}

/** The entries in the text of a history row of `workflow`. A version before this one may have written kinds that are not listed any more. */
export function unpackHistory(text: string, workflow: WorkflowId): readonly HistoryEntry[] {
  const stored = JSON.parse(text) as Json;
  if (!Array.isArray(stored)) throw new Error(`A history row of workflow ${workflow} is no list`);
  let last = expressionId('', '');
  return (stored as readonly Json[]).map((entry): HistoryEntry => {
    if (isObject(entry)) return entry as HistoryEntry;
    const [code, ...values] = entry as readonly Json[];
    const shape = shapes[code as number];
    if (shape === undefined) throw new Error(`A history row of workflow ${workflow} was written by a later version`);
    if (shape.hasId) {
      const id = values.shift();
      if (id !== SAME) last = id as ExpressionId;
    }
    const whole: { [part: string]: Json } = { kind: shape.kind };
    for (const { name, derived, usual } of shape.parts) {
      const value = derived === null ? (values.shift() ?? null) : derived(last, workflow);
      whole[name] = usual !== null && value === IS_USUAL ? usual : value;
    }
    const [more] = values;
    // What is stored was checked by its type when it was recorded.
    return (more === undefined ? whole : { ...whole, ...(more as JsonObject) }) as HistoryEntry;
  });
}
