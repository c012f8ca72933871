import type { WorkitemRow } from '../model/rows.ts';
import type { Overdue } from '../store/store.ts';
import type { Parts } from './parts.ts';

/* Workitems that wait for longer than they should. Nothing is done about them: that is what `timeout` is for. */

/** Since when a workitem has to wait to be overdue now. */
export function overdueNow({ overdue, clock }: Pick<Parts, 'overdue' | 'clock'>): Overdue {
  const now = clock.now();
  const before = (seconds: number): number => now - seconds * 1000;
  return {
    before: before(overdue.seconds),
    of: Object.fromEntries(Object.entries(overdue.of).map(([participant, seconds]) => [participant, before(seconds)])),
  };
}

export const isOverdue = ({ state, openedAt, participant }: WorkitemRow, { before, of }: Overdue): boolean =>
  state !== 'closed' && openedAt < (Object.hasOwn(of, participant) ? (of[participant] as number) : before);
