import type { Page } from '../store/store.ts';

/** The rows of a table that are not over, held in memory and brought up to date again and again. */
export type Mirror<Row> = {
  get(id: string): Row | undefined;
  all(): Iterable<Row>;
  /** Reads what has changed; everything the first time. */
  refresh(): Promise<void>;
  /** As this node has just written it. */
  put(row: Row): void;
};

type Mirrored = { readonly id: string; readonly changedAt: number; readonly endsAt: number };
type ReadPage<Row> = (query: { readonly limit: number; readonly after: string | null }) => Promise<Page<Row>>;

const PAGE = 1_000;
/** Pages read in a row: more rows than there may be. */
const PAGES_MAX = 50;
/** A change may become visible so much later than the time it bears: the transaction that brings it was slow. */
const LATE_MS_MAX = 60_000;

/**
 * @param endingLast pages of all rows, those that end last in front
 * @param changedLast pages of all rows, those that changed last in front
 */
export function makeMirror<Row extends Mirrored>(parts: {
  readonly endingLast: ReadPage<Row>;
  readonly changedLast: ReadPage<Row>;
  /** The machine's clock, in milliseconds since 1970. */
  readonly wall: () => number;
}): Mirror<Row> {
  const rows = new Map<string, Row>();
  let isRead = false;
  /** The latest change seen. */
  let seen = 0;

  /** Takes in rows until one is of no interest: those behind it are neither. */
  async function walk(read: ReadPage<Row>, isWanted: (row: Row) => boolean): Promise<void> {
    let after: string | null = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const { items, next }: Page<Row> = await read({ limit: PAGE, after });
      for (const row of items) {
        if (!isWanted(row)) return;
        // One that has not changed stays the same value, and what this node has just written is not older than what was read.
        if ((rows.get(row.id)?.changedAt ?? Number.NEGATIVE_INFINITY) < row.changedAt) rows.set(row.id, row);
        seen = Math.max(seen, row.changedAt);
      }
      if (next === null) return;
      after = next;
    }
  }

  return {
    get: (id) => rows.get(id),
    all: () => rows.values(),
    refresh: async () => {
      // Those that are over are kept as long as they are told: whoever uses one is refused without a look-up.
      const now = parts.wall();
      if (!isRead) await walk(parts.endingLast, ({ endsAt }) => endsAt > now);
      const from = seen - LATE_MS_MAX;
      await walk(parts.changedLast, ({ changedAt }) => changedAt >= from);
      for (const [id, { changedAt, endsAt }] of rows) if (endsAt <= now && changedAt < from) rows.delete(id);
      isRead = true;
    },
    put: (row) => void rows.set(row.id, row),
  };
}
