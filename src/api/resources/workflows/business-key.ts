import type { WorkflowId } from '../../../model/ids.ts';
import type { Json, JsonObject } from '../../../model/json.ts';
import { isOver, type WorkflowRow } from '../../../model/rows.ts';
import { isStorable } from '../../../model/storable.ts';
import type { Tenant } from '../../../model/tenant.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';

/*
 * What a launcher knows a workflow by. A key is taken by one statement before the launch, under an id that is fixed then, so of two launches at
 * once one has it; and it is given up when the launch comes to nothing.
 */

export const BUSINESS_KEY_LENGTH_MAX = 255;
const CONFLICTS = ['reject', 'return_existing', 'allow_if_ended'] as const;
export type BusinessKeyOrder = { readonly key: string; readonly conflict: (typeof CONFLICTS)[number] };

/** A key whose workflow is not there this long after it was taken was taken by a node that died. */
export const ABANDONED_AFTER_MS = 60_000;
/** A launch that has not been sent so long after its key was taken is not sent any more: the key may be somebody else's by then. */
const PATIENCE_MS = 30_000;
/** Times it is tried against others who take the same key. */
const TRIES_MAX = 5;

/** Reads `business_key` and `business_key_conflict`; null: there is none. */
export function readBusinessKey(body: JsonObject): BusinessKeyOrder | null | { readonly complaint: string } {
  const key: Json | undefined = Object.hasOwn(body, 'business_key') ? body['business_key'] : undefined;
  const conflict = Object.hasOwn(body, 'business_key_conflict') ? body['business_key_conflict'] : 'reject';
  const policy = CONFLICTS.find((one) => one === conflict);
  if (policy === undefined) return { complaint: `business_key_conflict must be one of ${CONFLICTS.join(', ')}` };
  if (key === undefined || key === null) return null;
  return typeof key === 'string' && key !== '' && key.length <= BUSINESS_KEY_LENGTH_MAX && isStorable(key)
    ? { key, conflict: policy }
    : { complaint: `business_key must be a text of 1 to ${BUSINESS_KEY_LENGTH_MAX} characters` };
}

/**
 * Launches under a business key, or finds who has it.
 *
 * @param launch makes the workflow of this id, or finds that it is there
 * @returns the workflow that was there already; null: it was launched @throws Problem when the key is another's
 */
export async function launchUnder(
  { store }: Pick<Parts, 'store'>,
  tenant: Tenant,
  { key, conflict }: BusinessKeyOrder,
  id: WorkflowId,
  launch: () => Promise<void>,
): Promise<WorkflowId | null> {
  const startedAt = performance.now();
  for (let i = 0; i < TRIES_MAX; i++) {
    const existing = await taken();
    if (existing === 'again') continue;
    if (existing !== null) return existing;
    if (performance.now() - startedAt > PATIENCE_MS)
      throw new Problem(
        'unavailable',
        'The database took so long that the business key may be taken by now; try again',
      );
    try {
      await launch();
    } catch (error) {
      // Only what is known to have come to nothing gives the key up; whatever may have happened keeps it, for a minute.
      if (!(await isThere())) await store.businessKeys.free(tenant, key, id);
      throw error;
    }
    return null;
  }
  throw new Problem('overloaded', 'Others take this business key again and again; try again in a moment');

  async function isThere(): Promise<boolean> {
    return (await store.read.workflow(tenant, id)) !== null;
  }

  /** Null: the key is ours now. An id: it belongs to that one, and the caller wants to know no more. */
  async function taken(): Promise<WorkflowId | 'again' | null> {
    if (await store.businessKeys.take(tenant, key, id)) return null;
    const held = await store.businessKeys.get(tenant, key);
    if (held === null) return 'again';
    // An earlier attempt of this very launch (Idempotency-Key).
    if (held.workflow === id) return null;
    const row = await store.read.workflow(tenant, held.workflow);
    const isFree =
      row === null
        ? (await store.databaseTime()) - held.claimedAt > ABANDONED_AFTER_MS
        : conflict === 'allow_if_ended' && isOver(row.status);
    if (isFree) return (await store.businessKeys.takeOver(tenant, key, held.workflow, id)) ? null : 'again';
    if (conflict === 'return_existing') return held.workflow;
    throw takenBy(held.workflow, row);
  }
}

/** The same where nobody wants to know whose it is. */
export const takenBusinessKey = (): Problem =>
  new Problem('business_key_taken', 'There is a workflow with this business key');

const takenBy = (workflow: WorkflowId, row: Pick<WorkflowRow, 'status'> | null): Problem =>
  new Problem('business_key_taken', 'There is a workflow with this business key', {
    told: { workflow_id: workflow, workflow_status: row?.status ?? null },
  });
