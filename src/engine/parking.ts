import type { WorkflowId } from '../model/ids.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Waiting } from './entry.ts';

/* Workflows that are locked elsewhere, and what waits for each, in order. */

/** A workflow that is locked elsewhere is tried again for so long. */
export const BUSY_MS_MAX = 10_000;

export type Parking = {
  /** What comes for a workflow that is parked waits behind what came first; false when it is not parked. */
  gather(waiting: Waiting): boolean;
  /** The first of what waits for it, at most `limit`. */
  take(workflow: WorkflowId, limit: number): readonly Waiting[];
  /** The workflow is free again: all that gathered for it. */
  free(workflow: WorkflowId): readonly Waiting[];
  /**
   * It was locked elsewhere once more. `came`: what was to be done, before all that has gathered. Its turn comes again after a while, unless it
   * has been locked for too long: then all that waits for it is answered here, to be failed.
   */
  park(workflow: WorkflowId, came: readonly Waiting[]): readonly Waiting[];
};

/** @param again the turn of a workflow has come */
export function makeParking(parts: {
  readonly time: ProcessTime;
  /** How long to wait after so many failures. */
  readonly waitMs: (failures: number) => number;
  readonly again: (workflow: WorkflowId) => void;
}): Parking {
  const { time } = parts;
  const parked = new Map<WorkflowId, { readonly since: number; failures: number; waiting: Waiting[] }>();
  return {
    gather: (waiting) => {
      const group = parked.get(waiting.entry.workflow);
      group?.waiting.push(waiting);
      return group !== undefined;
    },
    take: (workflow, limit) => parked.get(workflow)?.waiting.splice(0, limit) ?? [],
    free: (workflow) => {
      const group = parked.get(workflow);
      parked.delete(workflow);
      return group?.waiting ?? [];
    },
    park: (workflow, came) => {
      const group = parked.get(workflow) ?? { since: time.now(), failures: 0, waiting: [] };
      group.waiting.unshift(...came);
      const isTooLong = time.now() - group.since >= BUSY_MS_MAX;
      if (group.waiting.length === 0 || isTooLong) {
        parked.delete(workflow);
        return group.waiting;
      }
      group.failures += 1;
      parked.set(workflow, group);
      time.after(parts.waitMs(group.failures), () => parts.again(workflow));
      return [];
    },
  };
}
