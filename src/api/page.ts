import { createHash } from 'node:crypto';
import { Problem } from './problem.ts';

/** Items of one page of a list. */
export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 1_000;
/** Bytes one page of a list has at most; it ends before the item that would exceed them, and has one item at least. */
export const PAGE_BYTES_MAX = 4 * 1024 * 1024;
/** Longest cursor we look at. */
const CURSOR_LENGTH_MAX = 2_048;

/** `limit` of a query. @throws Problem unless it is a whole number from 1 to `most` */
export function limitOf(query: URLSearchParams, otherwise = PAGE_DEFAULT, most = PAGE_MAX): number {
  const given = query.get('limit');
  if (given === null) return otherwise;
  const limit = /^\d{1,6}$/.test(given) ? Number(given) : 0;
  if (limit < 1 || limit > most) throw new Problem('query_invalid', `limit must be a whole number from 1 to ${most}`);
  return limit;
}

/**
 * As many of the items, printed one after the other, as a page takes. Others are served in between.
 *
 * @param print an item as JSON; null: it is not shown
 * @returns `shown`: how many of the items are dealt with
 */
export async function printPage<Item>(
  items: readonly Item[],
  print: (item: Item) => string | null,
): Promise<{ readonly texts: readonly string[]; readonly shown: number }> {
  const texts: string[] = [];
  let bytes = 0;
  let sinceTurn = 0;
  for (const [i, item] of items.entries()) {
    const text = print(item);
    if (text === null) continue;
    const more = Buffer.byteLength(text) + 1;
    if (texts.length > 0 && bytes + more > PAGE_BYTES_MAX) return { texts, shown: i };
    texts.push(text);
    bytes += more;
    sinceTurn += more;
    if (sinceTurn < TURN_BYTES) continue;
    sinceTurn = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { texts, shown: items.length };
}
/** Printed without a break. */
const TURN_BYTES = 512 * 1024;

/**
 * The cursor as callers see it: what the store gave, made opaque, with a checksum over it and the list it belongs to, so that
 * a cursor that was cut short, made up or meant for another list is told so instead of meaning something by chance.
 */
export const cursorFor = (list: string, next: string): string =>
  Buffer.from(checksum(list, next) + next, 'utf8').toString('base64url');

/** What the store gave, or null without a cursor. @throws Problem when it is not one of ours */
export function cursorOf(list: string, query: URLSearchParams): string | null {
  const given = query.get('cursor');
  if (given === null) return null;
  if (given.length <= CURSOR_LENGTH_MAX && /^[\w-]+$/.test(given)) {
    const text = Buffer.from(given, 'base64url').toString('utf8');
    const next = text.slice(CHECKSUM_LENGTH);
    if (text.slice(0, CHECKSUM_LENGTH) === checksum(list, next)) return next;
  }
  throw new Problem('query_invalid', 'cursor is not one that this list gave; begin without a cursor');
}

const CHECKSUM_LENGTH = 8;
const checksum = (list: string, next: string): string =>
  createHash('sha256').update(`${list}\n${next}`).digest('hex').slice(0, CHECKSUM_LENGTH);

/** A point in time of a query, in milliseconds; null: it was not given. @throws Problem unless it is one of RFC 3339 */
export function timeOf(query: URLSearchParams, name: string): number | null {
  const given = query.get(name);
  if (given === null) return null;
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/i.test(given)
    ? Date.parse(given)
    : Number.NaN;
  if (Number.isNaN(at))
    throw new Problem('query_invalid', `${name} must be a time such as 2015-10-05T12:47:00Z; a + is written %2B`);
  return at;
}

/** One of some words of a query; null: it was not given. @throws Problem when it is another */
export function oneOf<const Value extends string>(
  query: URLSearchParams,
  name: string,
  values: readonly Value[],
): Value | null {
  const given = query.get(name);
  if (given === null) return null;
  const known = values.find((value) => value === given);
  if (known === undefined) throw new Problem('query_invalid', `${name} must be one of ${values.join(', ')}`);
  return known;
}

/** Entries of a history are numbered in a column of 31 bits. */
const ENTRY_NUMBER_MAX = 2_147_483_647;

/** The number of a history entry, or 0 for the beginning. @throws Problem when it cannot be one */
export function entryNumberOf(given: string, name = 'after'): number {
  if (/^\d{1,10}$/.test(given) && Number(given) <= ENTRY_NUMBER_MAX) return Number(given);
  throw new Problem('query_invalid', `${name} must be a whole number from 0 to ${ENTRY_NUMBER_MAX}`);
}
