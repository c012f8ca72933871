import { fewOrAll } from './all.ts';
import { hasPostgres } from './postgres.ts';

/*
 * Cases that are played over HTTP are played on one of the two databases, half of them on each; what a case is about is the interpreter's business, and
 * it is the same in both. Of each kind of case some are played on both.
 */

export type Side = 'embedded' | 'postgres';

/** So many cases of each kind are on each side, where there are so many. */
export const OF_EACH_KIND = 2;

/** By its name, so that a new case moves no other. */
function sideOf(name: string): Side {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.charCodeAt(0)) % 65_521;
  return sum % 2 === 0 ? 'embedded' : 'postgres';
}

/** The cases of one side, in the order in which they came. @param kindsOf what a case is about; each of these is on both sides */
export function halfOf<One extends { readonly group: string; readonly name: string }>(
  cases: readonly One[],
  side: Side,
  kindsOf: (one: One) => readonly string[],
): readonly One[] {
  const half = new Set(cases.filter(({ group, name }) => sideOf(`${group}/${name}`) === side));
  const counts = new Map<string, number>();
  const count = (one: One): void => {
    for (const kind of kindsOf(one)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  };
  for (const one of half) count(one);
  for (const one of cases)
    if (!half.has(one) && kindsOf(one).some((kind) => (counts.get(kind) ?? 0) < OF_EACH_KIND)) {
      half.add(one);
      count(one);
    }
  return cases.filter((one) => half.has(one));
}

/** What this run plays on one side: its half; all where there is no other side, or all is asked for. */
export const playedOn = <One extends { readonly group: string; readonly name: string }>(
  cases: readonly One[],
  side: Side,
  kindsOf: (one: One) => readonly string[],
): readonly One[] => (hasPostgres() ? fewOrAll(halfOf(cases, side, kindsOf), cases) : cases);
