import { owedBy } from '../../../engine/owed.ts';
import { bareView } from '../../../model/changes.ts';
import type { Tenant } from '../../../model/tenant.ts';
import type { Subscription } from '../../../registry/subscriptions.ts';
import type { OwedDelivery } from '../../../store/store.ts';
import type { Parts } from '../../parts.ts';

/** Workflows of a tenant that are looked at for what a subscription has missed. */
const WORKFLOWS_MAX = 10_000;
const ROWS = 1_000;

/**
 * What a subscription would have been owed in a time, made from history. Of workflows that are kept; as they stand now, for history says what
 * happened, and not how the rest stood then.
 */
export async function missedBetween(
  parts: Pick<Parts, 'store' | 'baseUrl'>,
  tenant: Tenant,
  to: Subscription,
  range: { readonly since: number; readonly until: number; readonly most: number },
): Promise<readonly OwedDelivery[]> {
  const { read } = parts.store;
  const found: OwedDelivery[] = [];
  let looked = 0;
  for (let after: string | null = null; ; ) {
    const page: Awaited<ReturnType<typeof read.workflows>> = await read.workflows({
      ...{ tenant, status: null, name: null, participant: null },
      limit: 200,
      after,
    });
    for (const { id, updatedAt, launchedAt } of page.items) {
      if (updatedAt < range.since || launchedAt >= range.until) continue;
      const workflow = await read.workflow(tenant, id);
      if (workflow === null) continue;
      const rows = await read.history(tenant, id, 0, ROWS);
      const of = { of: () => [to], baseUrl: parts.baseUrl };
      const owed = owedBy(of, bareView({ ...workflow, options: null }), rows);
      found.push(...owed.filter(({ createdAt }) => createdAt >= range.since && createdAt < range.until));
      if (found.length >= range.most) return found.slice(0, range.most);
    }
    looked += page.items.length;
    after = page.next;
    if (after === null || looked >= WORKFLOWS_MAX) return found;
  }
}
