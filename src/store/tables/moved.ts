import { fromNow, type OpenTable, table } from './table.ts';

/** Tenants that have left for another cell (moving.ts), or are about to, and the workflows that went with them. */
export type Moved = {
  /** At most TENANTS_MAX. */
  tenants(): Promise<readonly MovedTenant[]>;
  /** The tenant whose workflow it was; null: it never was here, or is still. */
  tenantOf(workflow: string): Promise<string | null>;
  /** Notes it; `target` null: it is on its way. */
  note(tenant: string, target: string | null): Promise<void>;
};
export type MovedTenant = {
  readonly tenant: string;
  /** The address of the cell it lives in; null: it is on its way. */
  readonly target: string | null;
};

type MovedRow = {
  readonly id: string;
  readonly kind: string;
  readonly tenant: string;
  readonly target: string | null;
  readonly at: number;
};

const DAY_MS = 86_400_000;
/** Tenants one cell may have lost. */
const TENANTS_MAX = 1_000;

export const MOVED = table<MovedRow>()({
  name: 'moved',
  key: ['id'],
  columns: { id: 'text', kind: 'text', tenant: 'text', target: 'text', at: 'instant' },
  lists: { ofKind: { by: ['kind'], order: ['id'] } },
  // Participants keep their URLs for a year and more.
  sweep: { by: 'at', keepMs: 400 * DAY_MS },
});

export function openMoved(open: OpenTable): Moved {
  const rows = open(MOVED);
  return {
    tenants: async () => {
      const { items } = await rows.list('ofKind', { by: { kind: 'tenant' }, limit: TENANTS_MAX, after: null });
      return items.map(({ tenant, target }) => ({ tenant, target }));
    },
    tenantOf: async (workflow) => (await rows.get({ id: workflow }))?.tenant ?? null,
    note: (tenant, target) =>
      rows.put({ id: `tenant:${tenant}`, kind: 'tenant', tenant, target, at: fromNow(0) }).then(() => {}),
  };
}
