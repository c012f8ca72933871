import type { Judge } from '../model/events.ts';
import type { WorkflowId } from '../model/ids.ts';
import { type Armed, type Arming, lookForKept, type MeetingPlace, placeWaiters } from './meeting.ts';
import type { Save } from './store.ts';

/*
 * What a save has to do with events from outside; hardly any has anything to do with them. Before its rows are written the places of those
 * who begin to wait are locked; afterwards they look at what is kept, and what found nobody is given back.
 */

export type StepMeeting = {
  readonly now: number;
  readonly arming: ReadonlyMap<string, readonly Arming[]>;
  readonly missed: readonly string[];
  /** Workflows that are swept, with waiters that may have been hit. */
  readonly swept: readonly WorkflowId[];
};

/** Null: nothing. */
export function meetingOf(save: Pick<Save, 'changes'>): (StepMeeting & { misses: Map<string, number> }) | null {
  const arming = new Map<string, Arming[]>();
  const missed: string[] = [];
  const swept: WorkflowId[] = [];
  let now = 0;
  for (const { workflow, waiters, missed: own, sweep, waited } of save.changes.values()) {
    if (waiters.size === 0 && own.length === 0 && !waited) continue;
    now = Math.max(now, workflow.updatedAt);
    missed.push(...own);
    if (sweep && waited) swept.push(workflow.id);
    for (const op of waiters.values()) {
      if (op.kind !== 'put' || sweep) continue;
      const list = arming.get(workflow.tenant) ?? [];
      list.push({ workflow: workflow.id, tenant: workflow.tenant, waiter: op.row });
      arming.set(workflow.tenant, list);
    }
  }
  if (arming.size === 0 && missed.length === 0 && swept.length === 0) return null;
  const sorted = new Map([...arming].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { now, arming: sorted, missed, swept: swept.sort(), misses: countOf(missed) };
}

function countOf(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** @returns where each waiter is armed, by workflow and id, joined by a blank */
export async function before(
  place: MeetingPlace,
  { now, arming, swept, misses }: StepMeeting & { readonly misses: Map<string, number> },
): Promise<ReadonlyMap<string, Armed>> {
  const armed = new Map<string, Armed>();
  for (const [tenant, waiters] of arming) {
    const places = await placeWaiters(place, tenant, waiters, now);
    waiters.forEach(({ workflow, waiter }, i) => {
      const at = places[i];
      if (at !== undefined) armed.set(`${workflow} ${waiter.id}`, at);
    });
  }
  if (swept.length > 0) for (const id of await place.hitting(swept)) misses.set(id, (misses.get(id) ?? 0) + 1);
  return armed;
}

export async function after(
  place: MeetingPlace,
  { now, arming, misses }: StepMeeting & { readonly misses: ReadonlyMap<string, number> },
  judge: Judge,
): Promise<void> {
  for (const [tenant, waiters] of arming) await lookForKept(place, tenant, waiters, judge, now);
  if (misses.size > 0) await place.miss(misses, now);
}
