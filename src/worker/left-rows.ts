import type { EngineEvent } from '../engine/engine.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Store } from '../store/store.ts';
import { type AttemptStanding, DEATHS_MAX } from '../store/tables/attempt.ts';

/*
 * Agenda rows that were due before this process began. Usually the process before was only told to stop, or there was none, or it was killed
 * from outside; but it may have died in the middle of the step for one of them, and then this one would, too, and the next. So these rows, and
 * no others, are marked while they are handled.
 *
 * Only a death counts that a row died alone with: the first of them, which are those that the process before can have been at, are handled
 * one by one, and so is any that others died with. A process that is killed from outside dies with one of them, too, and that one is
 * innocent. So it waits at its next try until that process has lived for a while: one that is killed again and again never comes to it, and
 * one that is killed now and then would have to be killed in the very milliseconds of that step. A row that a second process dies alone with
 * is given up: with the one in which it became due, three have died of it.
 */

export type LeftRow = { readonly workflow: WorkflowId; readonly id: string; readonly dueAt: number };

export type LeftRows = {
  isLeft(row: LeftRow): boolean;
  /** Says what to do with the rows, the eldest first, and marks those of `together`. */
  look(rows: readonly LeftRow[]): Promise<{
    /** May be handled beside others. */
    readonly together: readonly LeftRow[];
    /** Are to be handled one by one, each after `markAlone`. */
    readonly alone: readonly LeftRow[];
    readonly givenUp: readonly LeftRow[];
    /** Are not to be asked about for so long: another process may be at them, or a process died alone with them. */
    readonly later: readonly LeftRow[];
  }>;
  /** Right before a row is handled alone. `later` as above. */
  markAlone(row: LeftRow): Promise<'marked' | 'given up' | 'later'>;
  /** For how long what is for `later` is left alone. */
  laterMs(): number;
  /** What to tell the engine about a row that is given up; says so in the log. Null when somebody else does it. */
  giveUp(row: LeftRow): Promise<EngineEvent | null>;
  /** The step for a marked row is over, whatever came of it. `isLast`: nothing else is under way. */
  survived(row: LeftRow, isLast: boolean): void;
  /** Resolves when no mark is being taken away any more. */
  stop(): Promise<void>;
};

/** So many rows a process can have been at when it died (timers.ts); what is due beyond, after it was down for a while, is handled together. */
export const ALONE_AT_FIRST_MAX = 200;
/** A row that a process died alone with is tried again by one that has lived for so long. */
export const LIVED_MS_MIN = 10_000;
/** What another process may be at is looked at again after so long. */
const ELSEWHERE_MS = 1_000;
/** Marks are taken away for so many rows at once, or when nothing is under way. */
const CLEARED_AT_ONCE = 50;

export function makeLeftRows(parts: {
  readonly store: Pick<Store, 'attempts' | 'profile'>;
  readonly log: Log;
  readonly settings: { readonly nodeId: string; readonly leaseSeconds: number };
  readonly time: Pick<ProcessTime, 'now'>;
  /** Business time. */
  readonly beganAt: number;
}): LeftRows {
  const { store, log, settings, time, beganAt } = parts;
  const bornAt = time.now();
  const untilLivedMs = (): number => bornAt + LIVED_MS_MIN - time.now();
  let aloneAtFirst = 0;
  // The embedded database belongs to one process: whoever left a mark there is dead.
  const marking = { node: settings.nodeId, leaseSeconds: store.profile === 'embedded' ? 0 : settings.leaseSeconds };
  let done: LeftRow[] = [];
  let clearing: Promise<void> = Promise.resolve();

  function clear(): void {
    const rows = done;
    done = [];
    clearing = clearing
      .then(() => store.attempts.clear(rows, settings.nodeId))
      .catch((err: unknown) =>
        log.warn('marks of rows that were handled could not be taken away; they grow old and go', {
          event: 'attempts.kept',
          rows: rows.length,
          err,
        }),
      );
  }

  return {
    isLeft: (row) => row.dueAt < beganAt,
    look: async (rows) => {
      const first = rows.slice(0, ALONE_AT_FIRST_MAX - aloneAtFirst);
      aloneAtFirst += first.length;
      const others = rows.slice(first.length);
      const standings = others.length === 0 ? [] : await store.attempts.mark(others, marking);
      const those = (standing: AttemptStanding): readonly LeftRow[] =>
        others.filter((_, i) => standings[i] === standing);
      const [suspect, hasLived] = [those('suspect'), untilLivedMs() <= 0];
      return {
        together: those('marked'),
        alone: [...first, ...those('again'), ...(hasLived ? suspect : [])],
        givenUp: those('given up'),
        later: [...those('elsewhere'), ...(hasLived ? [] : suspect)],
      };
    },
    markAlone: async (row) => {
      const standing = await store.attempts.markAlone(row, marking, untilLivedMs() <= 0);
      return standing === 'marked' || standing === 'given up' ? standing : 'later';
    },
    laterMs: () => Math.max(ELSEWHERE_MS, untilLivedMs()),
    giveUp: async (row) => {
      if (!(await store.attempts.giveUp(row, settings.nodeId))) return null;
      const { workflow, id } = row;
      log.error('processes have died in the middle of a step; it is not tried again, and its workflow is in error', {
        event: 'agenda.given_up',
        workflow_id: workflow,
        agenda: id,
        deaths: DEATHS_MAX,
      });
      return { kind: 'give_up', agenda: id, deaths: DEATHS_MAX };
    },
    survived: (row, isLast) => {
      done.push(row);
      if (isLast || done.length >= CLEARED_AT_ONCE) clear();
    },
    stop: () => clearing,
  };
}
