import type { Page } from '../page.ts';
import type { PageQuery } from './rotated.ts';
import { fromNow, type OpenTable, table } from './table.ts';

/** Who is told of what happens to a tenant's workflows. One that was deleted stays for a while, so that every node hears of it. */
export type SubscriptionRows = {
  add(row: Pick<SubscriptionRow, 'id' | 'tenant' | 'spec' | 'sealed' | 'enabled'>): Promise<boolean>;
  /** False: it is gone, or of another `ver`. */
  change(
    id: string,
    ver: number,
    set: Partial<Pick<SubscriptionRow, 'spec' | 'sealed' | 'enabled' | 'reason' | 'failingSince'>>,
  ): Promise<boolean>;
  get(id: string): Promise<SubscriptionRow | null>;
  delete(id: string, ver: number): Promise<boolean>;
  /** What changed last comes first; those that were deleted are among them. */
  changedLast(query: PageQuery): Promise<Page<SubscriptionRow>>;
};

export type SubscriptionRow = {
  readonly id: string;
  readonly tenant: string;
  /** JSON, without secrets. */
  readonly spec: string;
  /** JSON of the secrets, sealed where SECRETS_KEY was set; null: it has none. */
  readonly sealed: string | null;
  readonly enabled: boolean;
  /** Why the server has disabled it. */
  readonly reason: string | null;
  /** Since when nothing was taken, in business time. */
  readonly failingSince: number | null;
  readonly ver: number;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly deletedAt: number | null;
};

const DAY_MS = 86_400_000;

export const SUBSCRIPTION = table<SubscriptionRow>()({
  name: 'subscription',
  key: ['id'],
  columns: {
    id: 'text',
    tenant: 'text',
    spec: 'text',
    sealed: 'text',
    enabled: 'boolean',
    reason: 'text',
    failingSince: 'bigint',
    ver: 'integer',
    createdAt: 'instant',
    changedAt: 'instant',
    deletedAt: 'instant',
  },
  lists: { changed: { by: [], order: ['changedAt', 'id'], newestFirst: true } },
  sweep: { by: 'deletedAt', keepMs: DAY_MS },
});

export function openSubscriptions(open: OpenTable): SubscriptionRows {
  const rows = open(SUBSCRIPTION);
  const now = fromNow(0);
  return {
    add: (row) =>
      rows.insert({
        ...row,
        reason: null,
        failingSince: null,
        ver: 1,
        createdAt: now,
        changedAt: now,
        deletedAt: null,
      }),
    change: (id, ver, set) => rows.update({ id }, { ...set, ver: ver + 1, changedAt: now }, { ver, deletedAt: null }),
    get: (id) => rows.get({ id }),
    delete: (id, ver) =>
      rows.update(
        { id },
        { spec: '{}', sealed: null, enabled: false, ver: ver + 1, changedAt: now, deletedAt: now },
        { ver, deletedAt: null },
      ),
    changedLast: (query) => rows.list('changed', { by: {}, ...query }),
  };
}
