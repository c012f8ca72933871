import { claimOf, readTerms, termsText } from '../model/participants.ts';
import type { WorkitemRow } from '../model/rows.ts';
import type { Answer, Answering } from '../model/stimulus.ts';
import { done, fault, NO_WORKITEM, type Of } from './answers.ts';
import { heard } from './life/heartbeats.ts';
import type { World } from './state/world.ts';

/*
 * Signs of life of whoever holds a workitem, and claims of those who share a worklist. `row`: the workitem the stimulus names; null: there is none that
 * waits.
 */

export function heartbeat(world: World, row: WorkitemRow | null, event: Of<'heartbeat'>): Answer {
  if (row === null || row.state !== 'open') return NO_WORKITEM;
  const x = world.find({ path: row.path, id: row.id });
  if (x === null) return NO_WORKITEM;
  const { heartbeatAt, deadlineAt } = heard(x, row, event);
  return { ok: true, value: { heartbeat_at: heartbeatAt, deadline_at: deadlineAt } };
}

/** Whether a colleague works on it, for whom this caller does not answer. */
export function isInTheWay(world: World, row: WorkitemRow, by: Answering | undefined): boolean {
  const holder = claimOf(row, world.now);
  if (by === undefined || holder === null || by.assignee === holder.assignee) return false;
  const { claimant } = readTerms(row.terms);
  return claimant === undefined || by.claimant !== claimant;
}

export const claimed = ({ claimBy }: WorkitemRow): Answer =>
  fault(
    'workitem_claimed',
    `the workitem is claimed by ${JSON.stringify(claimBy)}: say for whom you answer (Rota-Assignee)`,
  );

/** One of those who share a worklist takes a workitem for a while, or lets it go. */
export function claim(world: World, row: WorkitemRow | null, event: Of<'claim' | 'release'>): Answer {
  if (row === null) return NO_WORKITEM;
  const holder = claimOf(row, world.now);
  const { claimant: _before, ...terms } = readTerms(row.terms);
  if (event.kind === 'release') {
    if (isInTheWay(world, row, event.by)) return claimed(row);
    if (holder !== null)
      world.changeWorkitem(row.id, {
        kind: 'patch',
        set: { claimBy: null, claimUntil: null, terms: termsText(terms), revision: row.revision + 1 },
      });
    return done;
  }
  if (holder !== null && holder.assignee !== event.assignee) return claimed(row);
  const claimant = event.claimant === null ? {} : { claimant: event.claimant };
  world.changeWorkitem(row.id, {
    kind: 'patch',
    set: {
      claimBy: event.assignee,
      claimUntil: world.now + event.ttlMs,
      terms: termsText({ ...terms, ...claimant }),
      revision: row.revision + 1,
    },
  });
  return done;
}
