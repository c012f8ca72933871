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

/** The member of an item that says when, as ISO 8601, and which end its list begins at. */
export type When = { readonly at: string; readonly newestFirst: boolean };

/**
 * Items of the lists of several servers as one list: by time; where items have none (`when` absent), one server's after the other's. Each server's
 * own order stays. No more than one item of each is read ahead.
 */
export async function* mergedOf<Item>(
  lists: readonly AsyncGenerator<Item, void, undefined>[],
  when?: When,
): AsyncGenerator<Item, void, undefined> {
  if (when === undefined) {
    for (const list of lists) yield* list;
    return;
  }
  const timeOf = (item: Item): string => {
    const time = objectOf(item)[when.at];
    return typeof time === 'string' ? time : '';
  };
  try {
    const heads = await Promise.all(lists.map((list) => list.next()));
    for (;;) {
      let first = -1;
      for (const [index, { done, value }] of heads.entries()) {
        if (done === true) continue;
        const best = heads[first]?.value;
        // Of the same time: as the servers were named.
        const isBefore = !best || (when.newestFirst ? timeOf(value) > timeOf(best) : timeOf(value) < timeOf(best));
        if (isBefore) first = index;
      }
      const [head, list] = [heads[first], lists[first]];
      if (head === undefined || head.done === true || list === undefined) return;
      yield head.value;
      heads[first] = await list.next();
    }
  } finally {
    for (const list of lists) await list.return();
  }
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
