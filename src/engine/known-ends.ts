import type { WorkitemRow } from '../model/rows.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import type { ReadyMessage, TryOutcome } from './engine.ts';
import { OUTCOMES_KEPT_MAX } from './kept-outcomes.ts';
import { countsAsLost } from './outcomes.ts';
import type { BatchParts } from './turn.ts';

/*
 * How tries ended that this node has made, until that is written. When the database was silent for longer than a lease, a claim brings such a
 * message once more. Its try need not be made again: what is known of it is written under the new claim.
 */

/** Ends that are known at once; the map keeps the newer half of them for certain. What is forgotten is sent once more. */
export const ENDS_KNOWN_MAX = 2 * OUTCOMES_KEPT_MAX;

export type KnownEnds = {
  ended(outcome: TryOutcome): void;
  /** It is written, or there is nothing left to write. */
  written(outcome: TryOutcome): void;
  /** What is to be written of a message that was claimed, instead of a try of it; null: this try was not made here. */
  of(message: Pick<ReadyMessage, 'workflow' | 'row' | 'claim' | 'leaseEndsAt'>): TryOutcome | null;
};

export function makeKnownEnds({ time }: Pick<BatchParts, 'time'>): KnownEnds {
  const ends = makeBoundedMap<TryOutcome>(ENDS_KNOWN_MAX);
  const keyOf = ({ workflow, workitem }: Pick<TryOutcome, 'workflow' | 'workitem'>): string =>
    `${workflow} ${workitem}`;
  return {
    ended: (outcome) => {
      if (outcome.result.kind !== 'dropped' && outcome.result.kind !== 'postponed') ends.set(keyOf(outcome), outcome);
    },
    written: (outcome) => {
      const key = keyOf(outcome);
      if (ends.get(key) !== outcome) return;
      // Another claim may be on its way to us that looked at the row before this was written.
      if (outcome.leaseEndsAt !== undefined && time.now() >= outcome.leaseEndsAt) ends.set(key, writtenOf(outcome));
      else ends.delete(key);
    },
    of: (message) => {
      const { workflow, row, claim, leaseEndsAt } = message;
      const outcome = ends.get(keyOf({ workflow, workitem: row.id }));
      if (outcome === undefined || !isOf(outcome, row)) return null;
      return { ...outcome, claim, leaseEndsAt, ...(countsAsLost(row, outcome.number) ? { counted: true } : {}) };
    },
  };
}

/** One that was taken is over: what another claim of it leaves to do is to give that back. */
const writtenOf = (outcome: TryOutcome): TryOutcome =>
  outcome.result.kind === 'delivered' ? { ...outcome, result: { kind: 'dropped' } } : outcome;

/** The row owes what was tried, and nobody has asked for another try since: that would have made it due at another time. */
function isOf(outcome: TryOutcome, row: WorkitemRow): boolean {
  const { send, openedAt, dueAt, number, result } = outcome;
  if (send !== row.send || openedAt !== row.openedAt || dueAt !== row.dueAt || number > row.tries + 1) return false;
  // Of one that failed the next try may have been made already, by a node that stopped.
  const failed = result.kind === 'refused' || result.kind === 'unreachable';
  return !failed || number === row.tries + 1 || countsAsLost(row, number);
}
