import { isObject, type Json } from '../../src/model/json.ts';
import { type Entry, textOf } from './standing.ts';

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

/** The fields as they had been given by entry `n`, all of them together; null: the history keeps none, or one that was too large for it. */
export function fieldsAt(entries: readonly Entry[], n: number): { readonly [name: string]: Json } | null {
  const told = fieldsTold(entries, n);
  const isWhole = !entries.some((entry) => entry.n <= n && entry['given_size'] !== undefined);
  return told === null || !isWhole
    ? null
    : Object.fromEntries(told.flatMap(({ name, life }) => life.slice(-1).map(({ value }) => [name, value] as const)));
}

function whoOf(entry: Entry): string {
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
