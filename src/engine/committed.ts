import type { WorkflowId } from '../model/ids.ts';
import type { Changes, Status, WorkflowRow } from '../model/rows.ts';
import type { Log } from '../runtime/log.ts';

/* What happens once a batch is committed. None of it can undo the commit, so none of it may look as if it had: whatever throws here is logged. */

/** What one workflow went through in a batch that is committed. */
export type Committed = {
  readonly workflow: WorkflowId;
  readonly tenant: WorkflowRow['tenant'];
  /** Null: it was launched by this batch. */
  readonly before: Status | null;
  readonly after: Status;
  /** The numbers of the history entries written; `firstN` is `lastN + 1` when there are none. */
  readonly firstN: number;
  readonly lastN: number;
  readonly changes: Changes;
};

/** Called with all workflows of one batch, soon after its commit and before the next batch of its lane; must not wait for anything. */
export type Watcher = (batch: readonly Committed[]) => void;

/** Those who look on. A hint only: another node's commits are not heard here, and what was missed is read from history. */
export type Watchers = {
  /** Returns how to stop. The name is for the log. */
  watch(name: string, see: Watcher): () => void;
  /** False: nothing need be put together for anybody. */
  isWatched(): boolean;
  tell(batch: readonly Committed[]): void;
};

export function makeWatchers(log: Log): Watchers {
  const watchers = new Set<{ readonly name: string; readonly see: Watcher }>();
  return {
    watch: (name, see) => {
      const watcher = { name, see };
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    isWatched: () => watchers.size > 0,
    tell: (batch) => {
      for (const { name, see } of watchers) afterwards(log, name, () => see(batch));
    },
  };
}

/** Does something that follows from a commit; what it throws is logged with the name of who threw it. */
export function afterwards(log: Log, name: string, act: () => void): void {
  try {
    act();
  } catch (err) {
    log.error('what follows from a committed step failed; the step stands', {
      event: 'commit.follow_up_failed',
      part: name,
      err,
    });
  }
}
