import type { Page } from '../store/store.ts';
import type { Kept } from './memory.ts';

/*
 * Rows of one table in memory. A row that is over stays in the table for a while, marked, so that nodes hear of it; here it is forgotten.
 */

export type KeptRows<Row> = Kept & {
  /** Undefined: there is none, or it is over. */
  get(key: string): Row | undefined;
  all(): Iterable<Row>;
};

const PAGE = 200;
/** A change may become visible so much later than the time it bears: the transaction that brings it was slow. */
const LATE_MS_MAX = 60_000;

/**
 * @param changedLast pages of all rows, those that changed last in front
 * A row counts its changes in `ver`.
 *
 * @param isOver a row that is only there to say that it is gone
 * @param learn is told of each row that came, changed or went (`now` null), after it did
 */
export function keepRows<Row extends { readonly changedAt: number; readonly ver: number }>(parts: {
  readonly keyOf: (row: Row) => string;
  readonly changedLast: (query: { readonly limit: number; readonly after: string | null }) => Promise<Page<Row>>;
  readonly isOver: (row: Row) => boolean;
  readonly learn?: (before: Row | undefined, now: Row | null) => void;
}): KeptRows<Row> {
  const { keyOf, changedLast, isOver, learn } = parts;
  const rows = new Map<string, Row>();
  /** Those that are over, as long as they may be read again. */
  const over = new Map<string, Row>();
  let isRead = false;
  /** The latest change seen. */
  let seen = Number.NEGATIVE_INFINITY;

  function take(row: Row): void {
    const key = keyOf(row);
    const before = rows.get(key);
    const known = before ?? over.get(key);
    // What was read later is not older, even where both changed in one millisecond.
    if (known !== undefined && (known.changedAt > row.changedAt || known.ver === row.ver)) return;
    if (isOver(row)) {
      rows.delete(key);
      over.set(key, row);
      if (before !== undefined) learn?.(before, null);
    } else {
      rows.set(key, row);
      over.delete(key);
      learn?.(before, row);
    }
  }

  return {
    get: (key) => rows.get(key),
    all: () => rows.values(),
    refresh: async () => {
      const from = isRead ? seen - LATE_MS_MAX : Number.NEGATIVE_INFINITY;
      const found: Row[] = [];
      let latest = seen;
      let isDone = false;
      for (let after: string | null = null; !isDone; ) {
        const { items, next }: Page<Row> = await changedLast({ limit: PAGE, after });
        for (const row of items) {
          if (row.changedAt < from) {
            isDone = true;
            break;
          }
          latest = Math.max(latest, row.changedAt);
          found.push(row);
        }
        after = next;
        if (next === null) isDone = true;
      }
      for (const row of found.reverse()) take(row);
      seen = latest;
      isRead = true;
      for (const [key, { changedAt }] of over) if (changedAt < seen - LATE_MS_MAX) over.delete(key);
    },
  };
}
