import { isObject, type Json } from '../../src/model/json.ts';
import { type Chronicle, endOf, type Run } from './chronicle.ts';
import { everyPlace, isCrowd, type Place } from './figure.ts';
import { type Entry, expressionIn, textOf } from './standing.ts';
import { fieldsTold, type Setting, whoOf } from './told.ts';
import { makeHomeRuns } from './trees.ts';

/*
 * Where branches meet: who gave which value in which branch, and what `merge_type` makes of them (src/language/merge.ts). History keeps what was
 * given, not what a definition sets itself; so does this.
 */

export type Branch = {
  /** Its place among the children, or its number among the elements. */
  readonly index: number;
  readonly name: string;
  /** Which of those that have replied it was, 1 for the first; null: it has not, or nobody waited for it. */
  readonly arrival: number | null;
  readonly given: ReadonlyMap<string, Setting>;
};
export type Met = {
  readonly name: string;
  /** What each branch was given of it, in the order of the branches; null: nothing. */
  readonly values: readonly (Setting | null)[];
  /** What became of it, or would if no other branch replied; undefined: it is not there. */
  readonly merged: Json | undefined;
};
export type Merge = {
  readonly place: Place;
  readonly id: string;
  /** The entries it began and ended with; of one that waits for branches there is no end. */
  readonly from: number;
  readonly to: number | null;
  readonly order: string;
  readonly type: string;
  readonly branches: readonly Branch[];
  readonly fields: readonly Met[];
  /** Whether what came of it can be said: not where the way is an expression, or where values were too large for the history. */
  readonly isKnown: boolean;
};

/** Merges that are looked at, the newest; expressions above another that are looked through. */
export const MERGES_MAX = 20;
const DEPTH_MAX = 500;

const ORDERS = ['first', 'last', 'highest', 'lowest'];
const TYPES = ['override', 'mix', 'isolate', 'stack', 'union', 'ignore', 'concat', 'deep'];
/** Their values are put together, whoever wins. */
const JOINS = ['union', 'concat', 'deep'];

/** Forks up to entry `n` of whose branches at least two were given something, the newest first. */
export function mergesOf(figure: Place, chronicle: Chronicle, n: number): readonly Merge[] {
  const gifts = giftsOf(chronicle, n);
  if (gifts.size === 0) return [];
  const merges: Merge[] = [];
  // In the body of a call of another tree every run at the place is looked at.
  const isOther = figure.at !== figure.expid;
  const runsAt = isOther ? (expid: string) => chronicle.runsAt(expid, n) : makeHomeRuns(chronicle, n);
  for (const place of everyPlace(figure)) {
    if (place.kind !== 'fork' && !isCrowd(place)) continue;
    const children = place.children.filter((child) => child.kind !== 'definition');
    const lanes = place.kind === 'crowd' ? children.slice(0, 1) : children;
    for (const run of runsAt(place.at)) {
      const found = lanes.flatMap((lane) =>
        runsAt(lane.at)
          .filter((one) => one.parentId === run.id)
          .map((one, i) => ({ run: one, index: place.kind === 'crowd' ? i : children.indexOf(lane), lane })),
      );
      if (found.filter((one) => (gifts.get(one.run.id)?.size ?? 0) > 0).length < 2) continue;
      merges.push(mergeAt(place, run, found, gifts, chronicle, n));
    }
  }
  return merges.sort((a, b) => b.from - a.from).slice(0, MERGES_MAX);
}

type Lane = { readonly run: Run; readonly index: number; readonly lane: Place };

function mergeAt(
  place: Place,
  run: Run,
  found: readonly Lane[],
  gifts: ReadonlyMap<string, ReadonlyMap<string, Setting>>,
  chronicle: Chronicle,
  n: number,
): Merge {
  const to = run.end !== null && run.end.n <= n ? run.end.n : null;
  const waited = attributeOf(place, 'remaining', 'rem', 'r') === 'wait';
  const arrived = found
    .filter(({ run: one }) => one.end !== null && one.end.n <= (to ?? n) && (endOf(one) === 'replied' || waited))
    .sort((a, b) => (a.run.end?.n ?? 0) - (b.run.end?.n ?? 0));
  const branches = found.map(
    ({ run: one, index, lane }): Branch => ({
      index,
      name: place.kind === 'crowd' ? (one.element ?? `#${index + 1}`) : lane.title,
      arrival: arrived.findIndex((other) => other.run === one) + 1 || null,
      given: gifts.get(one.id) ?? new Map(),
    }),
  );
  const [order, type] = [wayOf(place, ORDERS, 'merge', 'm'), wayOf(place, TYPES, 'merge_type', 'mt')];
  const before = new Map(
    (fieldsTold(chronicle.entries, run.n) ?? []).map(({ name, life }) => [name, life.at(-1)?.value]),
  );
  // The branch whose condition ended it, with others still under way, is on top.
  const isEnded = attributeOf(place, 'over_if') !== undefined || attributeOf(place, 'over_unless') !== undefined;
  const winner = isEnded && to !== null && arrived.length < found.length ? arrived.at(-1)?.index : undefined;
  const replies = inOrder(
    branches.filter((one) => one.arrival !== null),
    order,
    type,
    winner,
  );
  const names = [...new Set(branches.flatMap(({ given }) => [...given.keys()]))].sort();
  const isLarge = chronicle.entries.some((entry) => entry.n <= (to ?? n) && entry['given_size'] !== undefined);
  return {
    place,
    id: run.id,
    from: run.n,
    to,
    order,
    type,
    branches,
    fields: names.map((name) => ({
      name,
      values: branches.map(({ given }) => given.get(name) ?? null),
      merged: mergedOf(name, replies, before.get(name), type),
    })),
    isKnown: !isLarge && order !== '' && type !== '',
  };
}

/** The last value each branch gave to each field, by the first expression of the branch: a gift below counts for all branches around it. */
function giftsOf(chronicle: Chronicle, n: number): ReadonlyMap<string, ReadonlyMap<string, Setting>> {
  const gifts = new Map<string, Map<string, Setting>>();
  for (const entry of chronicle.entries) {
    if (entry.n > n) break;
    const given = entry['given'];
    if (entry.kind === 'workflow.launched' || !isObject(given ?? null)) continue;
    let id: string | null = expressionOf(entry);
    for (let up = 0; id !== null && id !== '' && up < DEPTH_MAX; up++) {
      const there = gifts.get(id) ?? new Map<string, Setting>();
      gifts.set(id, there);
      for (const [name, value] of Object.entries(given as { readonly [name: string]: Json }))
        there.set(name, { n: entry.n, at: entry.at, who: whoOf(entry), value });
      id = chronicle.run(id)?.parentId ?? null;
    }
  }
  return gifts;
}
const expressionOf = (entry: Entry): string =>
  textOf(entry['expression_id']) || expressionIn(textOf(entry['workitem_id']));

function attributeOf(place: Place, ...names: readonly string[]): Json | undefined {
  return place.attributes.find(([name]) => names.includes(name))?.[1];
}
/** Empty: it is computed by the definition. Whatever is none of the ways counts as the first. */
function wayOf(place: Place, ways: readonly string[], ...names: readonly string[]): string {
  const given = attributeOf(place, ...names);
  if (typeof given === 'string' && given.includes('${')) return '';
  return ways.find((one) => one === given) ?? (ways[0] as string);
}

/** In the order in which they are laid on top of each other; the last one is on top. */
function inOrder(
  replies: readonly Branch[],
  order: string,
  type: string,
  winner: number | undefined,
): readonly Branch[] {
  const byIndex = order === 'highest' || order === 'lowest';
  const sorted = [...replies].sort((a, b) => (byIndex ? a.index - b.index : (a.arrival ?? 0) - (b.arrival ?? 0)));
  if ((type === 'override' || type === 'mix') && (order === 'first' || order === 'highest')) sorted.reverse();
  return winner === undefined
    ? sorted
    : [...sorted.filter(({ index }) => index !== winner), ...sorted.filter(({ index }) => index === winner)];
}

/** What becomes of one field. A branch that was given nothing of it brings it as it was before. */
function mergedOf(name: string, replies: readonly Branch[], before: Json | undefined, type: string): Json | undefined {
  if (type === 'ignore' || replies.length === 0) return before;
  const values = replies.map(({ given }) => (given.has(name) ? given.get(name)?.value : before));
  if (type === 'isolate' || type === 'stack') {
    const each = replies.flatMap(({ index }, i): (readonly [string, Json])[] => {
      const value = values[i];
      return value === undefined ? [] : [[String(index), value]];
    });
    return type === 'isolate' ? Object.fromEntries(each) : each.map(([, value]) => value);
  }
  if (type === 'override') return values.at(-1);
  if (!JOINS.includes(type)) return values.findLast((one) => one !== undefined);
  return values.reduce<Json | undefined>(
    (sum, value) => (value === undefined ? sum : joined(sum, value, type)),
    undefined,
  );
}

/** Lists are joined, objects laid over each other, all else is replaced. */
function joined(sum: Json | undefined, value: Json, type: string): Json {
  if (Array.isArray(sum) && Array.isArray(value)) {
    const all = [...(sum as readonly Json[]), ...(value as readonly Json[])];
    if (type !== 'union') return all;
    const texts = all.map((one) => JSON.stringify(one));
    return all.filter((_, i) => texts.indexOf(texts[i] as string) === i);
  }
  if (isObject(sum ?? null) && isObject(value)) {
    const under = sum as { readonly [name: string]: Json };
    if (type !== 'deep') return { ...under, ...value };
    const over = Object.entries(value).map(([name, one]): readonly [string, Json] => [
      name,
      isObject(one) && isObject(under[name] ?? null) ? joined(under[name], one, type) : one,
    ]);
    return { ...under, ...Object.fromEntries(over) };
  }
  return value;
}
