import { type OpenTable, table } from './table.ts';

/** What nodes did, minute by minute. What the text of a row says is its writer's and its reader's (server/minutes.ts). */
export type FigureRows = {
  add(row: FigureRow): Promise<void>;
  /** The rows of a tenant (`*`: of all of them together) from this minute on, the newest first, at most `most`. */
  since(tenant: string, minute: number, most: number): Promise<readonly FigureRow[]>;
  /** The oldest minute before `minute`, of any tenant, that is not an hour; null: there is none. */
  oldest(minute: number): Promise<Pick<FigureRow, 'tenant' | 'minute'> | null>;
  /** What was written of the minutes from `from` on and before `to`. */
  between(tenant: string, from: number, to: number): Promise<readonly string[]>;
  /** Puts one row in place of all of these, at `from`. */
  fold(tenant: string, from: number, to: number, figures: string): Promise<void>;
};

/** Stands for the node in a row that is a whole hour. */
export const HOUR = 'hour';

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
  statements: {
    oldest: `
  select tenant, minute from figure where minute < $1::bigint and node <> '${HOUR}' order by minute, tenant limit 1`,
    between: `
  select figures from figure where tenant = $1::text and minute >= $2::bigint and minute < $3::bigint order by minute, node`,
    clear: `
  delete from figure
  where tenant = $1::text and minute >= $2::bigint and minute < $3::bigint and node <> '${HOUR}'`,
  },
});

export function openFigures(open: OpenTable): FigureRows {
  const rows = open(FIGURE);
  return {
    add: (row) => rows.put(row),
    oldest: async (minute) => {
      const [row] = await rows.own('oldest', [minute]);
      return row === undefined ? null : { tenant: String(row['tenant']), minute: Number(row['minute']) };
    },
    between: async (tenant, from, to) =>
      (await rows.own('between', [tenant, from, to])).map((row) => String(row['figures'])),
    fold: async (tenant, from, to, figures) => {
      // One that dies in between has lost a few minutes of days ago; the other way round they would count twice.
      await rows.own('clear', [tenant, from, to]);
      await rows.put({ tenant, minute: from, node: HOUR, figures });
    },
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
