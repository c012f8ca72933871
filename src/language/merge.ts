/**
 * # Merging
 *
 * How the fields of several branches become those that go on. `merge` says who wins and in which order the others come, `merge_type` how
 * they are put together; the order of arrival is that of the replies, the index is the place among the children or in the list.
 *
 * | type                | first                               | last        | highest                          | lowest         |
 * |---------------------|-------------------------------------|-------------|----------------------------------|----------------|
 * | override            | first to reply                      | last to reply | lowest index                   | highest index  |
 * | mix                 | first on top of the others          | last on top | lowest index on top              | highest on top |
 * | isolate             | an object for each branch under its index, nothing else | the same | the same        | the same       |
 * | stack               | `stack`: a list in order of arrival | the same    | in order of index                | the same       |
 * | union, concat, deep | in order of arrival, later ones overwrite | the same | in order of index, later ones overwrite | the same |
 * | ignore              | the fields the concurrence was given | the same   | the same                         | the same       |
 *
 * `union` joins lists without duplicates, `concat` with them, and both lay objects over each other, key by key; `deep` is `concat` that goes
 * into objects (lists inside of those are replaced). `stack` adds `stack_attributes`, the attributes of the concurrence. A branch that ended it
 * by `over_if` comes last, so is on top. Without a branch, as over an empty list or before the first reply, the fields are those the concurrence was given; with `stack`
 * they get `stack_attributes` all the same.
 */

import { canonicalJson, type Fields, isObject, type Json, ownValue } from '../model/json.ts';
import { ELEMENT_WORK, FREE, spendValue, type Work } from './work.ts';

export type MergeOrder = 'first' | 'last' | 'highest' | 'lowest';
export type MergeType = 'override' | 'mix' | 'isolate' | 'stack' | 'union' | 'ignore' | 'concat' | 'deep';

/** What a branch came back with: its number and the position of its reply among the replies. */
export type BranchReply = { readonly index: number; readonly arrival: number; readonly fields: Fields };

export type MergeOptions = {
  readonly replies: readonly BranchReply[];
  /** The fields the concurrence was given; also the result when no branch has replied. */
  readonly applied: Fields;
  readonly merge: MergeOrder;
  readonly type: MergeType;
  /** The index of the branch that ended the concurrence by a condition. */
  readonly winner?: number;
  /** The substituted attributes of the concurrence, for `stack`. */
  readonly stackAttributes?: Json;
  /** Counts what is read and written; throws what its budget throws. */
  readonly work?: Work;
};

const ORDERS: ReadonlySet<Json> = new Set(['first', 'last', 'highest', 'lowest']);
const TYPES: ReadonlySet<Json> = new Set(['override', 'mix', 'isolate', 'stack', 'union', 'ignore', 'concat', 'deep']);

/** The order named by an attribute; whatever is none means `first`. */
export const readMergeOrder = (value: Json | undefined): MergeOrder =>
  value !== undefined && ORDERS.has(value) ? (value as MergeOrder) : 'first';

/** The type named by an attribute; whatever is none means `override`. */
export const readMergeType = (value: Json | undefined): MergeType =>
  value !== undefined && TYPES.has(value) ? (value as MergeType) : 'override';

/** The merged fields. Takes time in proportion to the fields that are touched. */
export function mergeReplies(options: MergeOptions): Fields {
  const { type, applied } = options;
  if (type === 'ignore' || options.replies.length === 0) return applied;
  const ordered = inOrder(options);
  options.work?.spend(ordered.length);
  switch (type) {
    case 'override':
      return (ordered.at(-1) as BranchReply).fields;
    case 'mix':
      return Object.fromEntries(
        ordered.flatMap(({ fields }) => {
          const entries = Object.entries(fields);
          options.work?.spend(entries.length);
          return entries;
        }),
      );
    case 'isolate':
      return Object.fromEntries(ordered.map(({ index, fields }) => [String(index), fields]));
    case 'stack':
      return {
        stack: ordered.map(({ fields }) => fields),
        ...(options.stackAttributes === undefined ? {} : { stack_attributes: options.stackAttributes }),
      };
    default:
      return join(ordered, type, options.work ?? FREE);
  }
}

/** The replies in the order in which they are laid on top of each other; the last one is on top. */
function inOrder({ replies, merge, type, winner }: MergeOptions): readonly BranchReply[] {
  const byIndex = merge === 'highest' || merge === 'lowest';
  const sorted = byIndex
    ? replies.toSorted((a, b) => a.index - b.index || a.arrival - b.arrival)
    : replies.toSorted((a, b) => a.arrival - b.arrival);
  const isWholesale = type === 'override' || type === 'mix';
  if (isWholesale && (merge === 'first' || merge === 'highest')) sorted.reverse();
  if (winner === undefined) return sorted;
  return [...sorted.filter(({ index }) => index !== winner), ...sorted.filter(({ index }) => index === winner)];
}

/** A value under construction, so that ten thousand small replies do not copy a growing result each. */
type Draft =
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'list'; readonly items: Json[] }
  | { readonly kind: 'object'; readonly entries: Map<string, Draft> };

type JoinType = 'union' | 'concat' | 'deep';

function join(replies: readonly BranchReply[], type: JoinType, work: Work): Fields {
  const result = new Map<string, Draft>();
  for (const { fields } of replies) {
    for (const key of Object.keys(fields)) {
      const value = fields[key] as Json;
      if (type === 'union') spendValue(work, value);
      else work.spend(Array.isArray(value) ? value.length * ELEMENT_WORK : 1);
      const draft = result.get(key);
      result.set(key, draft === undefined ? { kind: 'value', value } : joinValue(draft, value, type));
    }
  }
  return Object.fromEntries([...result].map(([key, draft]) => [key, finish(draft, type)]));
}

/** One field: lists are joined, objects laid over each other, all else is replaced. */
function joinValue(draft: Draft, value: Json, type: JoinType): Draft {
  const existing = draft.kind === 'value' ? draft.value : null;
  if (Array.isArray(value)) {
    if (draft.kind !== 'list' && !Array.isArray(existing)) return { kind: 'value', value };
    if (draft.kind !== 'list') return { kind: 'list', items: (existing as readonly Json[]).concat(value) };
    for (const item of value) draft.items.push(item);
    return draft;
  }
  if (isObject(value) && (draft.kind === 'object' || isObject(existing))) return layOver(draft, value, type === 'deep');
  return { kind: 'value', value };
}

function layOver(draft: Draft, value: Fields, isDeep: boolean): Draft {
  const open = openObject(draft);
  for (const key of Object.keys(value)) {
    const next = value[key] as Json;
    const current = open.entries.get(key);
    const isBoth =
      isDeep &&
      isObject(next) &&
      current !== undefined &&
      (current.kind === 'object' || (current.kind === 'value' && isObject(current.value)));
    open.entries.set(key, isBoth ? layOver(current, next, true) : { kind: 'value', value: next });
  }
  return open;
}

function openObject(draft: Draft): Draft & { readonly kind: 'object' } {
  if (draft.kind === 'object') return draft;
  const object = draft.kind === 'value' && isObject(draft.value) ? draft.value : {};
  const entries = Object.keys(object).map((key): [string, Draft] => [
    key,
    { kind: 'value', value: ownValue(object, key) as Json },
  ]);
  return { kind: 'object', entries: new Map(entries) };
}

function finish(draft: Draft, type: JoinType): Json {
  if (draft.kind === 'value') return draft.value;
  if (draft.kind === 'list') return type === 'union' ? withoutDuplicates(draft.items) : draft.items;
  return Object.fromEntries([...draft.entries].map(([key, value]) => [key, finish(value, type)]));
}

function withoutDuplicates(items: readonly Json[]): Json[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = canonicalJson(item);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
