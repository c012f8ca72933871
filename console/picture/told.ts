import { isObject, type Json } from '../../src/model/json.ts';
import type { Chronicle } from './chronicle.ts';
import { type Entry, expressionIn, textOf } from './standing.ts';

/* What a history tells of fields, where it keeps what was given (HISTORY_FIELDS): who set each, and what it was before. */

export type Setting = {
  readonly n: number;
  readonly at: string;
  /** The participant, or how it came about. */
  readonly who: string;
  readonly value: Json;
};
/** One field of the top level. */
export type Told = {
  readonly name: string;
  /** Every value it was given, the last one at the end. */
  readonly life: readonly Setting[];
};

/** The fields that had been given by entry `n`, by name; null: the history keeps none of them. */
export function fieldsTold(entries: readonly Entry[], n: number): readonly Told[] | null {
  const lives = new Map<string, Setting[]>();
  let isKept = false;
  for (const entry of entries) {
    if (entry.n > n) break;
    const given = entry['given'];
    if (entry['given_size'] !== undefined) isKept = true;
    if (!isObject(given ?? null)) continue;
    isKept = true;
    const who = whoOf(entry);
    for (const [name, value] of Object.entries(given as { readonly [name: string]: Json })) {
      const one = { n: entry.n, at: entry.at, who, value };
      const life = lives.get(name);
      if (life === undefined) lives.set(name, [one]);
      else life.push(one);
    }
  }
  if (!isKept) return null;
  return [...lives].map(([name, life]) => ({ name, life })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What of the fields is another one at a moment than at an earlier one; who gave it. */
export type Change = {
  readonly name: string;
  /** Undefined: it was not there. */
  readonly before: Json | undefined;
  readonly now: Setting;
};

/** The fields that were given other values after entry `a`, up to entry `b`; null: the history keeps none. */
export function changesBetween(entries: readonly Entry[], a: number, b: number): readonly Change[] | null {
  const told = fieldsTold(entries, b);
  if (told === null) return null;
  return told.flatMap(({ name, life }): readonly Change[] => {
    const now = life.at(-1) as Setting;
    const before = life.findLast((one) => one.n <= a)?.value;
    return now.n <= a || JSON.stringify(before) === JSON.stringify(now.value) ? [] : [{ name, before, now }];
  });
}

/** A field of a workitem, beside what is known of how it got its value. */
export type Held = {
  readonly name: string;
  readonly value: Json;
  /** Who gave it this value; null: the history does not say, so the definition itself may have. */
  readonly by: Setting | null;
  /** Whether it has changed since entry `since`, and what it was before; undefined: it was not there. */
  readonly changed: boolean;
  readonly before: Json | undefined;
};

/**
 * The fields somebody holds, those that changed since an entry first.
 *
 * @param entries those that can have come to these fields: of other branches none
 */
export function heldFields(
  fields: { readonly [name: string]: Json },
  entries: readonly Entry[],
  since: number,
): readonly Held[] {
  const now = new Map((fieldsTold(entries, Number.MAX_SAFE_INTEGER) ?? []).map((one) => [one.name, one.life]));
  return Object.entries(fields)
    .map(([name, value]): Held => {
      const life = now.get(name) ?? [];
      const same = JSON.stringify(value);
      const by = life.findLast((one) => JSON.stringify(one.value) === same) ?? null;
      const earlier = life.findLast((one) => one.n < since);
      const changed = by === null ? life.length === 0 || earlier !== undefined : by.n >= since;
      return { name, value, by, changed, before: changed ? earlier?.value : undefined };
    })
    .sort((a, b) => Number(b.changed) - Number(a.changed));
}

/** The fields as they had been given by entry `n`, all of them together; null: the history keeps none, or one that was too large for it. */
export function fieldsAt(entries: readonly Entry[], n: number): { readonly [name: string]: Json } | null {
  const told = fieldsTold(entries, n);
  const isWhole = !entries.some((entry) => entry.n <= n && entry['given_size'] !== undefined);
  return told === null || !isWhole
    ? null
    : Object.fromEntries(told.flatMap(({ name, life }) => life.slice(-1).map(({ value }) => [name, value] as const)));
}

/** Their branches go on beside each other, each with fields of its own until they meet. */
const FORKS: ReadonlySet<string> = new Set(['concurrence', 'concurrent_iterator', 'citerator']);
/** Expressions above another that are looked through. */
const DEPTH_MAX = 500;

/** An expression and all that it is in, from the inside out. */
export function waysUp(chronicle: Chronicle, id: string): readonly string[] {
  const ways: string[] = [];
  for (let at: string | null = id; at !== null && at !== '' && ways.length < DEPTH_MAX; ) {
    ways.push(at);
    at = chronicle.run(at)?.parentId ?? null;
  }
  return ways;
}

/** The entries up to `n` that can have come to the fields of an expression: all but what was given in branches it has not met by then. */
export function entriesFor(chronicle: Chronicle, id: string, n: number): readonly Entry[] {
  const around = new Set(waysUp(chronicle, id));
  const isBeside = (from: string): boolean => {
    const common = waysUp(chronicle, from).find((one) => around.has(one));
    const met = common === undefined || common === from ? null : chronicle.run(common);
    return met !== null && FORKS.has(met.name) && (met.end === null || met.end.n > n);
  };
  return chronicle.entries.filter(
    (entry) =>
      entry.n <= n &&
      (entry['given'] === undefined ||
        !isBeside(textOf(entry['expression_id']) || expressionIn(textOf(entry['workitem_id'])))),
  );
}

/** The participant, or how it came about. */
export function whoOf(entry: Entry): string {
  const actor = textOf(entry['actor']);
  switch (entry.kind) {
    case 'workflow.launched':
      return 'launch';
    case 'workitem.proceeded':
      return textOf(entry['participant']) || 'proceed';
    case 'workitem.edited':
      return actor === '' ? 'edited' : `edited by ${actor}`;
    case 'expression.replayed':
      return actor === '' ? 'replay' : `replayed by ${actor}`;
    default:
      return actor === '' ? 'reapply' : `reapplied by ${actor}`;
  }
}
