import type { Page } from '../page.ts';
import type { PageQuery } from './rotated.ts';
import { fromNow, type OpenTable, table } from './table.ts';

/** What was done to the server, and by whom. A row is written before the thing is done, and says afterwards what came of it. */
export type Audit = {
  add(entry: NewAuditRow): Promise<void>;
  /** What came of a thing; the rest of its row stays as it was written. */
  settle(id: string, told: Pick<AuditRow, 'object' | 'outcome'>): Promise<void>;
  /** Newest first; `tenant` null: those of all tenants. `secondsAgo`: only what is at least so old. */
  newest(
    query: PageQuery & { readonly tenant: string | null; readonly secondsAgo: number | null },
  ): Promise<Page<AuditRow>>;
};

export type AuditRow = {
  readonly id: string;
  readonly at: number;
  /** `*`: it belongs to none. */
  readonly tenant: string;
  readonly actor: string | null;
  readonly address: string | null;
  readonly action: string;
  readonly object: string | null;
  /** `asked`: nobody knows yet, or a node died meanwhile; `done`; `refused`; else the code of the problem. */
  readonly outcome: string;
  readonly reason: string | null;
  /** An object, as JSON. */
  readonly details: string;
};
export type NewAuditRow = Omit<AuditRow, 'at'>;

const DAY_MS = 86_400_000;

export const AUDIT = table<AuditRow>()({
  name: 'audit',
  key: ['id'],
  columns: {
    id: 'text',
    at: 'instant',
    tenant: 'text',
    actor: 'text',
    address: 'text',
    action: 'text',
    object: 'text',
    outcome: 'text',
    reason: 'text',
    details: 'text',
  },
  lists: {
    ofTenant: { by: ['tenant'], order: ['at', 'id'], newestFirst: true },
    all: { by: [], order: ['at', 'id'], newestFirst: true },
  },
  sweep: { by: 'at', keepMs: 400 * DAY_MS },
});

export function openAudit(open: OpenTable): Audit {
  const rows = open(AUDIT);
  return {
    add: async (entry) => {
      if (!(await rows.insert({ ...entry, at: fromNow(0) })))
        throw new Error('A fresh id of an audit row is there already');
    },
    settle: async (id, told) => void (await rows.update({ id }, told)),
    newest: ({ tenant, secondsAgo, ...page }) => {
      const upTo = secondsAgo === null ? {} : { upTo: fromNow(-secondsAgo) };
      return tenant === null
        ? rows.list('all', { by: {}, ...page, ...upTo })
        : rows.list('ofTenant', { by: { tenant }, ...page, ...upTo });
    },
  };
}
