import { withKey } from '../../model/json.ts';
import { arithmetic, finite } from './arithmetic.ts';
import type { Fuel } from './fuel.ts';
import { context, integer, isGiven, list, listOrAll, number } from './given.ts';
import { contextOf, type FeelFunction, ownFeel } from './scope.ts';
import { equal, type FeelContext, type FeelValue, isContext, isList, ordered, shown, wrong } from './values.ts';

const numbers = (given: readonly (FeelValue | undefined)[], fuel: Fuel): readonly number[] => {
  const items = listOrAll(given);
  fuel.spend(items.length);
  return items.map((item) => {
    if (typeof item !== 'number') throw wrong(`${shown(item)} is no number`);
    return item;
  });
};

function some(of: readonly number[]): readonly number[] {
  if (of.length === 0) throw wrong('the list is empty');
  return of;
}

const extreme =
  (sign: 1 | -1): FeelFunction =>
  (given, { fuel }) => {
    const items = listOrAll(given);
    fuel.spend(items.length);
    const [first = null] = items;
    if (first === null) throw wrong('the list is empty, or has null in it');
    let best: FeelValue = first;
    for (const item of items) if (ordered(item, best) * sign < 0) best = item;
    return best;
  };

const verdict =
  (decisive: boolean): FeelFunction =>
  (given) => {
    const items = listOrAll(given);
    if (items.includes(decisive)) return decisive;
    for (const item of items) if (typeof item !== 'boolean') throw wrong(`${shown(item)} is neither true nor false`);
    return !decisive;
  };

const isSame = (a: FeelValue, b: FeelValue): boolean => equal(a, b) === true;

/** Quadratic, and paid for as such. */
function distinct(items: readonly FeelValue[], fuel: Fuel): FeelValue[] {
  const kept: FeelValue[] = [];
  for (const item of items) {
    fuel.spend(1 + kept.length / 10);
    if (!kept.some((each) => isSame(each, item))) kept.push(item);
  }
  return kept;
}

/** The index a position means: 1 is the first, -1 the last. `beyond`: one past the end counts. */
function place(items: readonly FeelValue[], position: FeelValue | undefined, beyond = 0): number {
  const at = integer(position);
  const index = at > 0 ? at - 1 : items.length + at;
  if (at === 0 || index < 0 || index >= items.length + beyond) throw wrong(`the list has no position ${at}`);
  return index;
}

function flatten(value: FeelValue, fuel: Fuel, into: FeelValue[]): FeelValue[] {
  fuel.spend(1);
  if (isList(value)) for (const item of value) flatten(item, fuel, into);
  else into.push(value);
  return into;
}

function put(into: FeelContext, keys: readonly FeelValue[], value: FeelValue): FeelContext {
  const [first, ...rest] = keys;
  if (typeof first !== 'string') throw wrong(`${shown(first ?? null)} is no key`);
  if (rest.length === 0) return withKey(into as never, first, value as never) as never;
  const below = ownFeel(into, first) ?? {};
  if (!isContext(below)) throw wrong(`${shown(below)} is no context`);
  return withKey(into as never, first, put(below, rest, value) as never) as never;
}

export const LIST_FUNCTIONS: { readonly [name: string]: FeelFunction } = {
  'list contains': ([items, element = null], { fuel }) => {
    fuel.spend(list(items).length);
    return list(items).some((item) => isSame(item, element));
  },
  'list replace': ([items, position, item = null]) => list(items).with(place(list(items), position), item),
  count: ([items]) => list(items).length,
  min: extreme(1),
  max: extreme(-1),
  sum: (given, { fuel }) => {
    const items = listOrAll(given);
    fuel.spend(items.length);
    if (items.length === 0) throw wrong('the list is empty');
    return items
      .slice(1)
      .reduce<FeelValue>(
        (sum, item) => arithmetic('+', sum, numberOrDuration(item)),
        numberOrDuration(items[0] as FeelValue),
      );
  },
  product: (given, { fuel }) => finite(some(numbers(given, fuel)).reduce((all, item) => all * item, 1)),
  mean: (given, { fuel }) => {
    const items = listOrAll(given);
    fuel.spend(items.length);
    if (items.length === 0) throw wrong('the list is empty');
    const sum = items
      .slice(1)
      .reduce<FeelValue>(
        (all, item) => arithmetic('+', all, numberOrDuration(item)),
        numberOrDuration(items[0] as FeelValue),
      );
    return arithmetic('/', sum, items.length);
  },
  median: (given, { fuel }) => {
    const sorted = [...some(numbers(given, fuel))].sort((a, b) => a - b);
    const half = sorted.length / 2;
    return sorted.length % 2 === 1
      ? (sorted[Math.floor(half)] as number)
      : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
  },
  stddev: (given, { fuel }) => {
    const items = some(numbers(given, fuel));
    if (items.length < 2) throw wrong('a standard deviation needs two numbers');
    const mean = items.reduce((sum, item) => sum + item, 0) / items.length;
    return finite(Math.sqrt(items.reduce((sum, item) => sum + (item - mean) ** 2, 0) / (items.length - 1)));
  },
  mode: (given, { fuel }) => {
    const counts = new Map<number, number>();
    for (const item of numbers(given, fuel)) counts.set(item, (counts.get(item) ?? 0) + 1);
    const most = [...counts.values()].reduce((a, b) => Math.max(a, b), 0);
    return [...counts]
      .filter(([, count]) => count === most)
      .map(([item]) => item)
      .sort((a, b) => a - b);
  },
  all: verdict(false),
  and: verdict(false),
  any: verdict(true),
  or: verdict(true),
  sublist: ([items, start, length]) => {
    const of = list(items);
    const from = place(of, start);
    const count = isGiven(length) ? integer(length) : of.length;
    if (count < 1) throw wrong('sublist: the length must be at least 1');
    return of.slice(from, from + count);
  },
  append: ([items, ...more], { fuel }) => {
    fuel.spend(list(items).length);
    return [...list(items), ...more.map((each) => each ?? null)];
  },
  concatenate: (lists, { fuel }) => {
    const all = lists.flatMap((each) => list(each));
    fuel.spend(all.length);
    return all;
  },
  'insert before': ([items, position, item = null], { fuel }) => {
    fuel.spend(list(items).length);
    return list(items).toSpliced(place(list(items), position), 0, item);
  },
  remove: ([items, position], { fuel }) => {
    fuel.spend(list(items).length);
    return list(items).toSpliced(place(list(items), position), 1);
  },
  reverse: ([items], { fuel }) => {
    fuel.spend(list(items).length);
    return list(items).toReversed();
  },
  'index of': ([items, match = null], { fuel }) => {
    fuel.spend(list(items).length);
    return list(items).flatMap((item, i) => (isSame(item, match) ? [i + 1] : []));
  },
  union: (lists, { fuel }) =>
    distinct(
      lists.flatMap((each) => list(each)),
      fuel,
    ),
  'distinct values': ([items], { fuel }) => distinct(list(items), fuel),
  'duplicate values': ([items], { fuel }) => {
    const of = list(items);
    return distinct(of, fuel).filter((item) => {
      fuel.spend(1 + of.length / 10);
      return of.filter((each) => isSame(each, item)).length > 1;
    });
  },
  flatten: ([items], { fuel }) => flatten(list(items), fuel, []),
  'is empty': ([items]) => list(items).length === 0,
  partition: ([items, size], { fuel }) => {
    const width = integer(size);
    if (width < 1) throw wrong('partition: the size must be at least 1');
    const of = list(items);
    fuel.spend(of.length);
    return Array.from({ length: Math.ceil(of.length / width) }, (_, i) => of.slice(i * width, (i + 1) * width));
  },
  'get value': ([of, key = null]) => {
    let value: FeelValue = context(of);
    const keys = isList(key) ? key : [key];
    for (const each of keys) {
      if (typeof each !== 'string') throw wrong(`${shown(each)} is no key`);
      value = ownFeel(value, each) ?? null;
    }
    return value;
  },
  'get entries': ([of], { fuel }) => {
    const entries = Object.entries(context(of));
    fuel.spend(entries.length);
    return entries.map(([key, value]) =>
      contextOf([
        ['key', key],
        ['value', value],
      ]),
    );
  },
  context: ([entries], { fuel }) => {
    const made = new Map<string, FeelValue>();
    fuel.spend(list(entries).length);
    for (const entry of list(entries)) {
      const key = ownFeel(entry, 'key');
      const value = ownFeel(entry, 'value');
      if (typeof key !== 'string' || value === undefined) throw wrong(`${shown(entry)} is no entry: { key, value }`);
      if (made.has(key)) throw wrong(`the key ${shown(key)} is there twice`);
      made.set(key, value);
    }
    return contextOf(made);
  },
  'context put': ([of, key = null, value = null]) => {
    const keys = isList(key) ? key : [key];
    if (keys.length === 0) throw wrong('context put: there is no key');
    return put(context(of), keys, value);
  },
  'context merge': ([contexts], { fuel }) => {
    fuel.spend(list(contexts).length);
    return contextOf(list(contexts).flatMap((each) => Object.entries(context(each)) as [string, FeelValue][]));
  },
};

function numberOrDuration(value: FeelValue): FeelValue {
  if (typeof value === 'number' || (typeof value === 'object' && value !== null && !isList(value) && !isContext(value)))
    return value;
  return number(value);
}
