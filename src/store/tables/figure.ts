import { type OpenTable, table } from './table.ts';

/** What nodes did, minute by minute. What the text of a row says is its writer's and its reader's (server/minutes.ts). */
export type FigureRows = {
  add(row: FigureRow): Promise<void>;
  /** The rows of a tenant (`*`: of all of them together) from this minute on, the newest first, at most `most`. */
  since(tenant: string, minute: number, most: number): Promise<readonly FigureRow[]>;
};

export type FigureRow = {
  readonly tenant: string;
  /** Business time at which the minute begins. */
  readonly minute: number;
  /** Who wrote it: another one for each time a node writes a minute. */
  readonly node: string;
  readonly figures: string;
};

/** Minutes are kept for eight days: a week can be looked at, and the same day of the week before. */
const KEEP_MS = 8 * 86_400_000;
/** Rows in one page of the list. */
const PAGE = 1_000;

export const FIGURE = table<FigureRow>()({
  name: 'figure',
  key: ['tenant', 'minute', 'node'],
  columns: { tenant: 'text', minute: 'bigint', node: 'text', figures: 'text' },
  lists: { ofTenant: { by: ['tenant'], order: ['minute', 'node'], newestFirst: true } },
  sweep: { by: 'minute', keepMs: KEEP_MS },
});

export function openFigures(open: OpenTable): FigureRows {
  const rows = open(FIGURE);
  return {
    add: (row) => rows.put(row),
    since: async (tenant, minute, most) => {
      const found: FigureRow[] = [];
      let after: string | null = null;
      do {
        const limit = Math.min(PAGE, most - found.length);
        const page: Awaited<ReturnType<typeof rows.list>> = await rows.list('ofTenant', {
          by: { tenant },
          limit,
          after,
        });
        const wanted = page.items.filter((row) => row.minute >= minute);
        found.push(...wanted);
        after = wanted.length < page.items.length ? null : page.next;
      } while (after !== null && found.length < most);
      return found;
    },
  };
}
