import { foldedHistory, joinChanges, overlay } from '../model/changes.ts';
import type { ExpressionId, WorkflowId } from '../model/ids.ts';
import type { FindOwnParticipant, FindParticipant, Registered, StoredReference } from '../model/participants.ts';
import type { Changes, HistoryRow, Op, WorkitemRow } from '../model/rows.ts';
import type { FindStored, Limits, Loaded, StepResult, Stimulus } from '../model/stimulus.ts';
import type { Tree } from '../model/tree.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import type { Meter } from '../runtime/meter.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Tracing } from '../runtime/tracing.ts';
import type { Save, Store } from '../store/store.ts';
import type { Attributed } from './attributes.ts';
import type { Watchers } from './committed.ts';
import type { AgendaSink, MessageSink } from './engine.ts';
import type { Entry, Verdict } from './entry.ts';
import type { Memory } from './memory.ts';
import type { FailedTry } from './outcomes.ts';
import type { Subscribers } from './owed.ts';
import type { Schedule } from './retry-rules.ts';
import type { Trees } from './trees.ts';

/* What a batch works with, and the turn of one workflow within it. */

/** The interpreter, as the engine sees it: pure, synchronous, deterministic. */
export type Step = (
  loaded: Loaded,
  stimulus: Stimulus,
  context: {
    readonly limits: Limits;
    readonly definition: (hash: string) => Tree | undefined;
    /** False: no workflow listens to others, so that events for them need not be told of. */
    readonly hears: boolean;
    readonly participant?: FindParticipant;
    readonly ownParticipant?: FindOwnParticipant;
    readonly named?: FindStored;
  },
) => StepResult;

/** Stored definitions, as `order` or `order@3` names them. */
export type Named = {
  readonly atHand: FindStored;
  load(tenant: string, reference: string): Promise<void>;
};

export type ParticipantLookups = {
  readonly find: FindParticipant;
  /** An entry by its own name, as a workitem remembers it. */
  readonly entry: (tenant: string, name: string) => Registered | null;
  /** Entries that stored definitions bring along; left out: they bring none. */
  readonly own?: {
    readonly find: FindOwnParticipant;
    readonly load: (tenant: string, of: StoredReference) => Promise<void>;
    /** The same in the background; what goes wrong is in the log. */
    readonly begin: (tenant: string, of: StoredReference) => void;
  };
};

export type EngineSettings = {
  /** Names this process among the owners of claims. */
  readonly nodeId: string;
  /** The same for people, in the list of tries; left out: tries do not tell who made them. */
  readonly nodeName?: string;
  readonly leaseSeconds: number;
  /** RETRY_DELAYS and NOTICE_DELAYS, in seconds. */
  readonly schedule: Schedule;
};

export type BatchParts = {
  readonly store: Store;
  readonly step: Step;
  readonly definitions: Trees;
  /** Stored definitions by their names; left out: there are none. */
  readonly named?: Named;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly limits: Limits;
  readonly log: Log;
  readonly settings: EngineSettings;
  /** Who does what a committed step left to do on this node; null: nobody here. */
  readonly sinks: { readonly messages: MessageSink | null; readonly agenda: AgendaSink | null };
  readonly watchers: Watchers;
  /** Who is registered; left out: nobody. */
  readonly participants?: ParticipantLookups;
  /** Who is told of lifecycles; left out: nobody. */
  readonly subscribers?: Subscribers;
  /** What workflows can be found by; left out: nothing is written for that. */
  readonly attributed?: Attributed;
  readonly meter: Meter;
  /** Left out, or null: nobody records traces. */
  readonly tracing?: Tracing | null;
  /** How often the step for an agenda row or an outcome has thrown, by `attemptKey`. */
  readonly attempts: { readonly get: (key: string) => number; readonly count: (key: string) => number };
};

/** The turn of one workflow within a batch. */
export type Turn = {
  readonly workflow: WorkflowId;
  readonly entries: readonly Entry[];
  /** Of these, how many have been handled. */
  at: number;
  reruns: number;
  /** What the database holds, as far as it was loaded. */
  base: Loaded;
  /** The same with everything laid over it that this batch has changed. */
  view: Loaded;
  changes: Changes | null;
  /** The last history row holds outcomes only: the next step's row takes its entries in. */
  foldable: boolean;
  over: boolean;
  readonly releases: Save['releases'][number][];
  /** A claim is given back on a row that owes a message still: it can be claimed now. */
  freed: boolean;
  /** Tries that failed, for the log. */
  readonly failed: { readonly row: WorkitemRow; readonly failed: FailedTry }[];
};

export const newTurn = (workflow: WorkflowId, entries: readonly Entry[], loaded: Loaded): Turn => ({
  workflow,
  entries,
  at: 0,
  reruns: 0,
  base: loaded,
  view: loaded,
  changes: null,
  foldable: false,
  over: false,
  releases: [],
  freed: false,
  failed: [],
});

export type Running = BatchParts & {
  /** Definitions that were fetched for this batch; null: not stored, which is a bug. */
  readonly trees: ReadonlyMap<string, Tree | null>;
  readonly now: number;
  readonly hears: boolean;
  /** The rows are not locked: somebody may have stepped a workflow between one look and the next, so that they do not even fit together.
   * A step that throws on them says nothing. */
  readonly isGuess: boolean;
  readonly verdicts: Map<Entry, Verdict>;
};

/** Takes what an entry changed into the turn. */
export function adopt(turn: Turn, changes: Changes, folds: boolean): void {
  const before = turn.changes;
  let all = before === null ? changes : joinChanges(before, changes);
  if (turn.foldable && before !== null && changes.history.length > 0) {
    const at = before.history.length - 1;
    const [outcomes, step] = [all.history[at] as HistoryRow, all.history[at + 1] as HistoryRow];
    all = {
      ...all,
      history: [...all.history.slice(0, at), foldedHistory(outcomes, step), ...all.history.slice(at + 2)],
    };
  }
  if (changes.history.length > 0) turn.foldable = folds;
  turn.changes = all;
  turn.view = overlay(turn.view, changes);
}

/** The `ver` this batch gives the workflow. */
export const verAfter = ({ base }: Turn): number => (base.workflow?.ver ?? 0) + 1;

/** The rows as this batch leaves them. */
export const viewAfter = (turn: Turn): Loaded => ({
  ...turn.view,
  workflow: turn.view.workflow === null ? null : { ...turn.view.workflow, ver: verAfter(turn) },
});

export type Settled = {
  readonly workflow: WorkflowId;
  readonly workitem: ExpressionId;
  readonly as: 'gone' | 'flipped';
  /** Business time of the step. */
  readonly at: number;
};

/** Workitems whose `active` message is over although no try has ended in this batch. */
export function settledBy(turn: Turn): readonly Settled[] {
  const settled: Settled[] = [];
  const at = turn.changes?.workflow.updatedAt ?? 0;
  for (const [id, op] of turn.changes?.workitems ?? []) {
    const workitem = id as ExpressionId;
    if (op.kind === 'delete') settled.push({ workflow: turn.workflow, workitem, as: 'gone', at });
    else if (
      turn.base.workitems.get(id)?.send === 'active' &&
      rowAfter(turn, id, op)?.send !== 'active' &&
      turn.releases.every((claim) => claim.workitem !== workitem)
    )
      settled.push({ workflow: turn.workflow, workitem, as: 'flipped', at });
  }
  return settled;
}

/** The workitem as this batch leaves it; undefined when it is gone, or was changed without having been loaded. */
export function rowAfter(turn: Turn, id: string, op: Op<WorkitemRow>): WorkitemRow | undefined {
  if (op.kind === 'put') return op.row;
  const row = turn.base.workitems.get(id);
  return op.kind === 'delete' || row === undefined ? undefined : { ...row, ...op.set };
}
