import type { Search as InsideSearch } from '../engine/search.ts';
import type { WorkflowId } from '../model/ids.ts';
import { LIMITS } from '../model/stimulus.ts';
import type { Tenant } from '../model/tenant.ts';
import type { FoundItem, Reads } from '../store/store.ts';
import { type BatchAction, objectOf, type Search } from './asked.ts';

/* What a batch is about: workflows page by page, and of those their errors or workitems. */

type Read = Pick<Reads, 'objects'> & { readonly inside: Pick<InsideSearch, 'list'> };

/** Workflows of one page. */
export const FOUND_AT_ONCE = 500;
/** Errors or workitems of one page: with more of them fewer workflows are looked at, one at least, which may have this many. */
export const OBJECTS_AT_ONCE = LIMITS.expressions;

/**
 * One page of what an action is about.
 *
 * @param after the `next` of the page before; null: from the beginning
 * @returns `next` null: there is no more
 */
export async function findItems(
  read: Read,
  { tenant, action, search }: { readonly tenant: Tenant; readonly action: BatchAction; readonly search: Search },
  after: string | null,
  atOnce = FOUND_AT_ONCE,
): Promise<{ readonly items: readonly FoundItem[]; readonly next: string | null }> {
  const query = { tenant, ...search.query, status: search.query.status ?? statusesOf(action), limit: atOnce, after };
  const { items, next } = await read.inside.list(query, search.inside);
  const workflows = items.map(({ id }) => id);
  if (objectOf(action) === 'workflow') return { items: workflows.map((id) => ({ workflow: id, object: null })), next };
  const found = await objectsIn(read, { tenant, action, search }, workflows, OBJECTS_AT_ONCE);
  if (found.length <= OBJECTS_AT_ONCE || atOnce === 1) return { items: found.slice(0, OBJECTS_AT_ONCE), next };
  return findItems(read, { tenant, action, search }, after, Math.ceil(atOnce / 2));
}

/** The errors or workitems of these workflows, one more than `limit` where there are more. */
export async function objectsIn(
  read: Pick<Reads, 'objects'>,
  { tenant, action, search }: { readonly tenant: Tenant; readonly action: BatchAction; readonly search: Search | null },
  workflows: readonly WorkflowId[],
  limit: number,
): Promise<readonly FoundItem[]> {
  if (workflows.length === 0) return [];
  return read.objects({
    ...{ tenant, workflows, limit: limit + 1 },
    of: objectOf(action) === 'error' ? 'errors' : 'workitems',
    class: search?.errorClass ?? null,
    participant: search?.query.participant ?? null,
    state: search?.state ?? null,
  });
}

/** Only these can have what the action is about; null: all. */
const statusesOf = (action: BatchAction) =>
  action === 'replay'
    ? ('error' as const)
    : objectOf(action) === 'workitem'
      ? (['running', 'error', 'paused', 'cancelling'] as const)
      : null;
