import type { WorkflowId } from '../model/ids.ts';
import type { TryOutcome } from './engine.ts';
import type { BatchParts } from './turn.ts';

/** An acknowledged try waits at most so long for a step of its workflow to be written with. */
export const DELIVERED_KEPT_MS = 1_000;
/** A failed one is written sooner: the time of the next try depends on it. */
export const FAILED_KEPT_MS = 50;
/** Outcomes that may be kept while the store is away; beyond, the oldest is forgotten and its message tried once more when the lease ends. */
export const OUTCOMES_KEPT_MAX = 10_000;

export type KeptOutcomes = {
  keep(outcome: TryOutcome, ms: number): void;
  /** Those of a workflow, the oldest first, at most so many. */
  take(workflow: WorkflowId, most: number): readonly TryOutcome[];
  flush(): void;
  size(): number;
  stop(): void;
};

/** Outcomes that wait for the next step of their workflow, or until the first of them has waited long enough. */
export function makeKeptOutcomes(
  parts: Pick<BatchParts, 'time' | 'log'>,
  write: (outcomes: readonly TryOutcome[]) => void,
): KeptOutcomes {
  const byWorkflow = new Map<WorkflowId, TryOutcome[]>();
  let size = 0;
  let flushAt: number | null = null;
  let cancel = (): void => {};

  function take(workflow: WorkflowId, most: number): readonly TryOutcome[] {
    const outcomes = byWorkflow.get(workflow);
    if (outcomes === undefined) return [];
    const taken = outcomes.length > most ? outcomes.splice(0, most) : outcomes;
    if (taken === outcomes) byWorkflow.delete(workflow);
    size -= taken.length;
    if (size === 0) disarm();
    return taken;
  }

  function flush(): void {
    disarm();
    const all = [...byWorkflow.values()].flat();
    byWorkflow.clear();
    size = 0;
    if (all.length > 0) write(all);
  }

  function disarm(): void {
    cancel();
    flushAt = null;
  }

  return {
    keep: (outcome, ms) => {
      if (size >= OUTCOMES_KEPT_MAX) {
        const oldest = byWorkflow.keys().next();
        if (!oldest.done)
          parts.log.warn('outcomes of tries were forgotten', {
            event: 'outcomes.forgotten',
            tries: take(oldest.value, OUTCOMES_KEPT_MAX).length,
          });
      }
      const outcomes = byWorkflow.get(outcome.workflow);
      if (outcomes === undefined) byWorkflow.set(outcome.workflow, [outcome]);
      else outcomes.push(outcome);
      size += 1;
      const at = parts.time.now() + ms;
      if (flushAt !== null && flushAt <= at) return;
      cancel();
      flushAt = at;
      cancel = parts.time.after(ms, flush);
    },
    take,
    flush,
    size: () => size,
    stop: disarm,
  };
}
