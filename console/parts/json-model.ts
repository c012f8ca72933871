import { isObject, type Json } from '../../src/model/json.ts';

/* What can be said of a value of JSON and its parts without a page: where a part is, and where a text stands in it. */

/** The keys that lead from the whole to a part; of lists the index. */
export type Way = readonly (string | number)[];

/** Values that are looked at by one search. */
const LOOKED_MAX = 200_000;

/** A JSON pointer (RFC 6901); empty: the whole. */
export const pointerOf = (way: Way): string =>
  way.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** How a definition names a field: `${a.b.0}`; null where it cannot be named so. */
export const notationOf = (way: Way): string | null =>
  way.length > 0 && way.every((key) => /^[^.${}\s]+$/.test(String(key))) ? `\${${way.join('.')}}` : null;

/** The members of a list or an object; null: it is neither. */
export function membersOf(value: Json): readonly (readonly [string | number, Json])[] | null {
  if (Array.isArray(value)) return (value as readonly Json[]).map((one, i) => [i, one] as const);
  return isObject(value) ? Object.entries(value) : null;
}

export function partAt(value: Json, way: Way): Json | undefined {
  let at: Json | undefined = value;
  for (const key of way) {
    const members: readonly (readonly [string | number, Json])[] | null = at === undefined ? null : membersOf(at);
    at = members?.find(([name]) => name === key)?.[1];
  }
  return at;
}

/** The ways to parts whose key or own text holds `text`, whatever its case, in the order they are shown; at most `most`. */
export function findIn(value: Json, text: string, most: number): readonly Way[] {
  const wanted = text.toLowerCase();
  if (wanted === '') return [];
  const found: Way[] = [];
  const waiting: { readonly way: Way; readonly value: Json }[] = [{ way: [], value }];
  for (let looked = 0; waiting.length > 0 && found.length < most && looked < LOOKED_MAX; looked++) {
    const one = waiting.pop();
    if (one === undefined) break;
    const key = one.way.at(-1);
    const members = membersOf(one.value);
    const own = members !== null ? '' : typeof one.value === 'string' ? one.value : JSON.stringify(one.value);
    if ((typeof key === 'string' && key.toLowerCase().includes(wanted)) || own.toLowerCase().includes(wanted))
      found.push(one.way);
    for (const [name, part] of [...(members ?? [])].reverse()) waiting.push({ way: [...one.way, name], value: part });
  }
  return found;
}

/** What a text holds that is JSON itself: a list or an object; undefined: it is only a text. */
export function heldIn(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Whether a value has more than `most` characters as JSON; counts no further than that. */
export function isLargerThan(value: Json, most: number): boolean {
  let characters = 0;
  const waiting: Json[] = [value];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const members = membersOf(one);
    characters += members === null ? (typeof one === 'string' ? one.length + 2 : 8) : 2;
    for (const [key, part] of members ?? []) {
      characters += typeof key === 'string' ? key.length + 4 : 1;
      waiting.push(part);
    }
    if (characters > most) return true;
  }
  return false;
}
