import type { CallOptions, Query, Sender } from './send.ts';

/** A filter of a list: the names of its query parameters. `limit` is the size of one page. */
export type Filter = Query;

/** Items of a list over all its pages, in its order; a page is asked for when the items of the one before are used up. */
export async function* pagesOf<Item>(
  sender: Sender,
  path: string,
  member: string,
  filter: Filter = {},
  options: CallOptions = {},
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | null = null;
  do {
    const query: Query = cursor === null ? filter : { ...filter, cursor };
    const page = objectOf((await sender.send({ method: 'GET', path, query }, options)).value);
    yield* listOf<Item>(page[member]);
    const next = page['next_cursor'];
    cursor = typeof next === 'string' ? next : null;
  } while (cursor !== null);
}

/** Entries of a history: its pages lead on by number, forwards, or with `order: 'desc'` backwards. */
export async function* historyOf<Entry>(
  sender: Sender,
  path: string,
  filter: Filter = {},
  options: CallOptions = {},
): AsyncGenerator<Entry, void, undefined> {
  let place: Query = {};
  for (;;) {
    const page = objectOf((await sender.send({ method: 'GET', path, query: { ...filter, ...place } }, options)).value);
    yield* listOf<Entry>(page['history']);
    const { next_after: after, next_before: before } = page;
    if (typeof before === 'number') place = { before };
    else if (typeof after === 'number') place = { after };
    else return;
  }
}

const objectOf = (value: unknown): { readonly [name: string]: unknown } =>
  typeof value === 'object' && value !== null ? (value as { readonly [name: string]: unknown }) : {};

/** Checked by the server's own tests against its schemas, so the client takes it as it is said. */
const listOf = <Item>(value: unknown): readonly Item[] => (Array.isArray(value) ? (value as Item[]) : []);
