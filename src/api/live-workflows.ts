import { Fault } from '../model/fault.ts';
import type { Status } from '../model/rows.ts';
import type { Tenant } from '../model/tenant.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Store } from '../store/store.ts';

/*
 * How many workflows a tenant may have that are not over (TENANT_WORKFLOWS_MAX). They are counted by an index, once in a while; in between this node
 * adds what it lets in. Whoever seems to be at the bound is counted anew, so one that ended makes room at once; several nodes may let in
 * what they launch within one such while beyond it.
 */

/** A count is good for so long. */
const KEPT_MS = 1_000;
/** Tenants whose counts are kept. */
const TENANTS_MAX = 10_000;
const LIVE: readonly Status[] = ['running', 'error', 'paused', 'cancelling'];
const ANY_TIME = { from: null, to: null } as const;

export function makeLiveWorkflows(parts: {
  readonly most: number;
  readonly store: { readonly read: Pick<Store['read'], 'countWorkflows'> };
  readonly time: Pick<ProcessTime, 'now'>;
}): { readonly admit: (tenant: Tenant) => Promise<void> } {
  const { most, store, time } = parts;
  type Count = { count: number; readonly at: number };
  const counts = makeBoundedMap<Count>(TENANTS_MAX);
  const counting = new Map<Tenant, Promise<Count>>();

  function countOf(tenant: Tenant): Promise<Count> {
    const known = counting.get(tenant);
    if (known !== undefined) return known;
    const asked = {
      ...{ tenant, status: LIVE, name: null, participant: null, businessKey: null, definition: null },
      ...{ launched: ANY_TIME, ended: ANY_TIME, updated: ANY_TIME },
    };
    const made = store.read
      .countWorkflows(asked, most)
      .then((count) => {
        const counted = { count, at: time.now() };
        counts.set(tenant, counted);
        return counted;
      })
      .finally(() => counting.delete(tenant));
    counting.set(tenant, made);
    return made;
  }

  return {
    admit: async (tenant) => {
      let known = counts.get(tenant);
      if (known === undefined || known.count >= most || time.now() - known.at > KEPT_MS) known = await countOf(tenant);
      if (known.count >= most)
        throw new Fault(
          'limit_exceeded',
          `There are ${most} workflows of this tenant that are not over, as many as there may be (TENANT_WORKFLOWS_MAX)`,
        );
      known.count += 1;
    },
  };
}
