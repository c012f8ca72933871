import type { Json, JsonObject } from '../../model/json.ts';
import { isObject } from '../../model/json.ts';

/*
 * Messages that wait have large values in common: the branches of a fork carry what they all were given. In memory that is one value; here it is one text.
 */

/** Begins what stands in a table for an object whose large values stand there by themselves: pairs follow, of a name and a value, or of a name, null and a place. */
const PARTS = '@';
/** From as many characters on as JSON a value is large. */
export const LARGE_CHARACTERS = 1_000;

/** A table in which large values that several of its objects have are written once. What is the same is seen by identity, and of texts by what they say. */
export function withoutRepeats(table: readonly Json[]): Json[] {
  const uses = new Map<Json, number>();
  for (const entry of table)
    if (isObject(entry))
      for (const value of Object.values(entry))
        if (typeof value === 'object' ? value !== null : typeof value === 'string' && value.length >= LARGE_CHARACTERS)
          uses.set(value, (uses.get(value) ?? 0) + 1);
  const places = new Map<Json, number>();
  const parts: Json[] = [];
  for (const [value, times] of uses) {
    if (times < 2 || (typeof value !== 'string' && JSON.stringify(value).length < LARGE_CHARACTERS)) continue;
    places.set(value, table.length + parts.length);
    parts.push([value]);
  }
  const shortened = (entry: Json): Json => {
    if (!isObject(entry)) return entry;
    const pairs = Object.entries(entry);
    if (!pairs.some(([, value]) => places.has(value))) return entry;
    return (
      PARTS +
      JSON.stringify(
        pairs.map(([name, value]) => (places.has(value) ? [name, null, places.get(value) as number] : [name, value])),
      )
    );
  };
  return [...table.map(shortened), ...parts];
}

export const hasParts = (entry: string): boolean => entry.startsWith(PARTS);

/** The object that `withoutRepeats` wrote in parts. */
export function joinParts(entry: string, table: readonly Json[]): JsonObject {
  const pairs = JSON.parse(entry.slice(PARTS.length)) as (readonly [string, Json] | readonly [string, null, number])[];
  return Object.fromEntries(
    pairs.map(([name, value, place]) => [
      name,
      place === undefined ? value : ((table[place] as readonly Json[])[0] as Json),
    ]),
  );
}
