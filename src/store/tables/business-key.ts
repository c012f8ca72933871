import type { WorkflowId } from '../../model/ids.ts';
import { fromNow, type OpenTable, table } from './table.ts';

/** Which workflow has a business key: of a tenant, the last one that was launched with it. */
export type BusinessKeys = {
  /** False: it is somebody's. */
  take(tenant: string, key: string, workflow: WorkflowId): Promise<boolean>;
  /** `claimedAt`: by the database's clock. */
  get(tenant: string, key: string): Promise<{ readonly workflow: WorkflowId; readonly claimedAt: number } | null>;
  /** Takes it from `from`; false: that one has it no more. */
  takeOver(tenant: string, key: string, from: WorkflowId, workflow: WorkflowId): Promise<boolean>;
  /** False: this workflow has it not. `workflow` null: whoever has it. */
  free(tenant: string, key: string, workflow: WorkflowId | null): Promise<boolean>;
};

type BusinessKeyRow = {
  readonly tenant: string;
  readonly key: string;
  readonly workflow: string;
  readonly claimedAt: number;
};

export const BUSINESS_KEY = table<BusinessKeyRow>()({
  name: 'business_key',
  key: ['tenant', 'key'],
  columns: { tenant: 'text', key: 'text', workflow: 'text', claimedAt: 'instant' },
  // It goes with its workflow (retire.ts).
  sweep: null,
});

export function openBusinessKeys(open: OpenTable): BusinessKeys {
  const rows = open(BUSINESS_KEY);
  return {
    take: (tenant, key, workflow) => rows.insert({ tenant, key, workflow, claimedAt: fromNow(0) }),
    get: async (tenant, key) => {
      const row = await rows.get({ tenant, key });
      return row === null ? null : { workflow: row.workflow as WorkflowId, claimedAt: row.claimedAt };
    },
    takeOver: (tenant, key, from, workflow) =>
      rows.update({ tenant, key }, { workflow, claimedAt: fromNow(0) }, { workflow: from }),
    free: (tenant, key, workflow) => rows.delete({ tenant, key }, workflow === null ? {} : { workflow }),
  };
}
