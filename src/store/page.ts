import { Fault } from '../model/fault.ts';

/* Pages are walked by key. A cursor is the key of the last row shown, as JSON in base64url. */

/** Some rows of a list; `next` is the `after` of the page behind, null when this is the last. */
export type Page<Item> = { readonly items: readonly Item[]; readonly next: string | null };

/** A page has at most so many rows, whatever is asked for. */
export const PAGE_MAX = 1_000;
export const pageSize = (limit: number): number => Math.max(1, Math.min(limit, PAGE_MAX));

/**
 * Bytes of text that the rows of one page take from the database, as they are stored. A page ends before the row that would exceed it; the
 * first row comes whatever it weighs.
 */
export const PAGE_BYTES_MAX = 4 * 1024 * 1024;

/** A key as the `after` of what lies behind it. */
export const cursorAt = (key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(key)).toString('base64url');

/** What was found, one row more than shown where there is more; `keyOf`: by what the next page begins. */
export function pageOf<Item>(
  items: readonly Item[],
  size: number,
  keyOf: (item: Item) => readonly (string | number)[],
): Page<Item> {
  const shown = items.slice(0, size);
  const last = shown.at(-1);
  const more = items.length > size && last !== undefined;
  return { items: shown, next: more ? cursorAt(keyOf(last)) : null };
}

/**
 * SQL of a page that ends before it takes more than PAGE_BYTES_MAX bytes: `page` is a select of everything, ordered and limited, and `t` is
 * its rows here. The column `found` of each row says how many rows `page` had.
 */
export const weighed = (page: string, columns: string, order: string, bytes: string): string => `
  with page as (${page}
  ), weighed as (
    select t.*, count(*) over () as found, row_number() over (order by ${order}) as place,
      sum(${bytes}) over (order by ${order}) as bytes
    from page t
  )
  select ${columns}, t.found from weighed t
  where t.place = 1 or t.bytes <= ${PAGE_BYTES_MAX}
  order by ${order}`;

/** As `pageOf`, for what `weighed` answered: `found` rows before they were weighed. */
export function pageOfWeighed<Item>(
  items: readonly Item[],
  found: number,
  size: number,
  keyOf: (item: Item) => readonly (string | number)[],
): Page<Item> {
  const shown = items.slice(0, size);
  const last = shown.at(-1);
  return { items: shown, next: found > shown.length && last !== undefined ? cursorAt(keyOf(last)) : null };
}

export const foundIn = (rows: readonly { readonly [column: string]: unknown }[]): number =>
  (rows[0]?.['found'] as number | undefined) ?? 0;

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
