import type { Page } from '../page.ts';
import { fromNow, type TableRows } from './table.ts';

/* What keys and secrets have in common: they belong to a tenant, are rotated and revoked, and end. */

export type PageQuery = { readonly limit: number; readonly after: string | null };

export type RotatedRow = {
  readonly id: string;
  /** `*`: of all tenants. */
  readonly tenant: string;
  /** Counts rotations. */
  readonly generation: number;
  /** JSON: what it was before, and until when that holds. */
  readonly previous: string | null;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly changedAt: number;
  readonly revokedAt: number | null;
  /** When it expires or was revoked; far away for one that does neither. */
  readonly endsAt: number;
};

export type Rotated<Row> = {
  get(id: string): Promise<Row | null>;
  /** Newest first; `tenant` null: those of all tenants. */
  newest(query: PageQuery & { readonly tenant: string | null }): Promise<Page<Row>>;
  /** Those that end last come first, so that all that are not over are in front. */
  endingLast(query: PageQuery): Promise<Page<Row>>;
  /** What changed last comes first; being used is no change. */
  changedLast(query: PageQuery): Promise<Page<Row>>;
  /** False when it is revoked already, or not there. */
  revoke(id: string): Promise<boolean>;
};

const DAY_MS = 86_400_000;
/** When something ends that does not. */
export const NEVER_SECONDS = 200 * 366 * 86_400;

export const ROTATED_COLUMNS = {
  id: 'text',
  tenant: 'text',
  generation: 'integer',
  previous: 'text',
  createdAt: 'instant',
  createdBy: 'text',
  changedAt: 'instant',
  revokedAt: 'instant',
  endsAt: 'instant',
} as const;

export const ROTATED_LISTS = {
  ofTenant: { by: ['tenant'], order: ['createdAt', 'id'], newestFirst: true },
  all: { by: [], order: ['createdAt', 'id'], newestFirst: true },
  ending: { by: [], order: ['endsAt', 'id'], newestFirst: true },
  changed: { by: [], order: ['changedAt', 'id'], newestFirst: true },
} as const;

export const ROTATED_SWEEP = { by: 'endsAt', keepMs: 400 * DAY_MS } as const;

const now = fromNow(0);

/** The columns of one that is new, and ends so many seconds from now. */
export const begun = (endsInSeconds: number) => ({
  generation: 1,
  createdAt: now,
  changedAt: now,
  revokedAt: null,
  endsAt: fromNow(endsInSeconds),
});

/** The condition under which one may be rotated, and what else changes then. */
export const rotation = (generation: number) => ({
  set: { generation: generation + 1, changedAt: now },
  when: { generation, revokedAt: null },
});

/** What can be asked of such rows, whatever else they hold. */
export function rotatedOf<Row extends RotatedRow>(
  rows: TableRows<Row, 'id', keyof typeof ROTATED_LISTS, never>,
): Rotated<Row> {
  // A part of Row that is given as such is one of RotatedRow.
  const common = rows as unknown as TableRows<RotatedRow, 'id', keyof typeof ROTATED_LISTS, never>;
  const page = (found: Promise<Page<RotatedRow>>): Promise<Page<Row>> => found as Promise<Page<Row>>;
  return {
    get: (id) => common.get({ id }) as Promise<Row | null>,
    newest: ({ tenant, ...query }) =>
      page(
        tenant === null
          ? common.list('all', { by: {}, ...query })
          : common.list('ofTenant', { by: { tenant }, ...query }),
      ),
    endingLast: (query) => page(common.list('ending', { by: {}, ...query })),
    changedLast: (query) => page(common.list('changed', { by: {}, ...query })),
    revoke: (id) => common.update({ id }, { revokedAt: now, endsAt: now, changedAt: now }, { revokedAt: null }),
  };
}
