import type { EngineEvent } from '../engine/engine.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { Log } from '../runtime/log.ts';
import type { Store } from '../store/store.ts';
import { DEATHS_MAX } from '../store/tables/attempt.ts';

/*
 * Agenda rows that were due before this process began. Usually the process before was only told to stop, or there was none; but it may have
 * died in the middle of the step for one of them, and then this one would, too, and the next. So these rows, and no others, are marked
 * while they are handled. A row that is found with a mark is handled alone; one that was alone when its process died is given up: three
 * processes have died of it.
 */

export type LeftRow = { readonly workflow: WorkflowId; readonly id: string; readonly dueAt: number };

export type LeftRows = {
  isLeft(row: LeftRow): boolean;
  /** Marks the rows, and tells what to do with them. Those that are not among the answer are for another process, which may be alive. */
  mark(rows: readonly LeftRow[]): Promise<{
    readonly first: readonly LeftRow[];
    readonly again: readonly LeftRow[];
    readonly givenUp: readonly LeftRow[];
  }>;
  /** Right before a row is handled alone; false when it is not for us any more. */
  markAgain(row: LeftRow): Promise<boolean>;
  /** What to tell the engine about a row that is given up; says so in the log. Null when somebody else does it. */
  giveUp(row: LeftRow): Promise<EngineEvent | null>;
  /** The step for a marked row is over, whatever came of it. `isLast`: nothing else is under way. */
  survived(row: LeftRow, isLast: boolean): void;
  /** Resolves when no mark is being taken away any more. */
  stop(): Promise<void>;
};

/** Marks are taken away for so many rows at once, or when nothing is under way. */
const CLEARED_AT_ONCE = 50;

export function makeLeftRows(parts: {
  readonly store: Pick<Store, 'attempts' | 'profile'>;
  readonly log: Log;
  readonly settings: { readonly nodeId: string; readonly leaseSeconds: number };
  /** Business time. */
  readonly beganAt: number;
}): LeftRows {
  const { store, log, settings, beganAt } = parts;
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
    mark: async (rows) => {
      const standings = await store.attempts.mark(rows, marking);
      const those = (standing: (typeof standings)[number]): readonly LeftRow[] =>
        rows.filter((_, i) => standings[i] === standing);
      return { first: those('first'), again: those('again'), givenUp: those('given up') };
    },
    markAgain: (row) => store.attempts.markAgain(row, marking),
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
