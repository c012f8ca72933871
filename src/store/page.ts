import { Fault } from '../model/fault.ts';

/* Pages are walked by key. A cursor is the key of the last row shown, as JSON in base64url. */

/** Some rows of a list; `next` is the `after` of the page behind, null when this is the last. */
export type Page<Item> = { readonly items: readonly Item[]; readonly next: string | null };

/** A page has at most so many rows, whatever is asked for. */
export const PAGE_MAX = 1_000;
export const pageSize = (limit: number): number => Math.max(1, Math.min(limit, PAGE_MAX));

/** What was found, one row more than shown where there is more; `keyOf`: by what the next page begins. */
export function pageOf<Item>(
  items: readonly Item[],
  size: number,
  keyOf: (item: Item) => readonly (string | number)[],
): Page<Item> {
  const shown = items.slice(0, size);
  const last = shown.at(-1);
  const more = items.length > size && last !== undefined;
  return { items: shown, next: more ? Buffer.from(JSON.stringify(keyOf(last))).toString('base64url') : null };
}

export type Kinds = readonly ('number' | 'string')[];
type Values<K extends Kinds> = { readonly [I in keyof K]: K[I] extends 'number' ? number : string };

/** The key in a cursor; Fault request_invalid when it is none of ours. */
export function readCursor<const K extends Kinds>(cursor: string, kinds: K): Values<K> {
  let key: unknown = null;
  try {
    key = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    // told below
  }
  const fits =
    Array.isArray(key) &&
    key.length === kinds.length &&
    kinds.every((kind, i) => typeof key[i] === kind && (kind === 'string' || Number.isSafeInteger(key[i])));
  if (!fits) throw new Fault('request_invalid', 'The cursor is not one of ours; start again without it', { cursor });
  return key as Values<K>;
}
