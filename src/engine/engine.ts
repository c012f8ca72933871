import type { ExpressionId, WorkflowId } from '../model/ids.ts';
import type { Fields, Json } from '../model/json.ts';
import type { WorkitemRow } from '../model/rows.ts';
import type { Answer, Happening } from '../model/stimulus.ts';

/** The single road every change takes: a list of stimuli in, a list of answers out (design.md, "The engine"). */
export type Engine = {
  /** Handles the stimuli, in order within each workflow, and answers each once its step is committed. Faults are answers; rejects only
   * with `Fault('overloaded' | 'unavailable' | 'internal')`. */
  advance(stimuli: readonly EngineStimulus[]): Promise<readonly Answer[]>;
  /** How a try ended; kept and written with the next step of that workflow or within a second. */
  outcome(outcome: TryOutcome): void;
  /** Resolves when nothing is queued and no step is under way; writes kept outcomes at once. */
  quiet(): Promise<void>;
  /** Takes nothing new, finishes what is under way. */
  stop(): Promise<void>;
};

export type EngineStimulus = {
  readonly workflow: WorkflowId;
  readonly event: Happening;
  readonly actor?: string;
  readonly reason?: string;
};

/** A message of a workitem that was committed, and was claimed for this node. */
export type ReadyMessage = {
  readonly workflow: WorkflowId;
  readonly tenant: string;
  readonly claim: string;
  /** When the lease ends on this process's monotonic clock (performance.now()), counted from before the claim was sent. */
  readonly leaseEndsAt: number;
  readonly row: WorkitemRow;
  /** The fields as delivered, `params` included. */
  readonly fields: Fields;
};

export type TryOutcome = {
  readonly workflow: WorkflowId;
  readonly workitem: ExpressionId;
  readonly claim: string;
  readonly send: NonNullable<WorkitemRow['send']>;
  /** The number of this try, 1, 2, … */
  readonly number: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly result:
    | { readonly kind: 'delivered'; readonly status: number }
    | { readonly kind: 'refused'; readonly status: number; readonly retryAfterSeconds: number | null }
    | { readonly kind: 'unreachable'; readonly reason: string }
    /** No request left this node: the claim is only given back. */
    | { readonly kind: 'dropped' };
  readonly detail?: Json;
};
