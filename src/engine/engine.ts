import type { ExpressionId, WorkflowId } from '../model/ids.ts';
import type { Fields, Json } from '../model/json.ts';
import type { Status, WorkitemRow } from '../model/rows.ts';
import type { Answer, BatchMark, Happening } from '../model/stimulus.ts';
import type { Tenant } from '../model/tenant.ts';
import type { TraceContext } from '../runtime/trace-context.ts';
import type { Watcher } from './committed.ts';

/** The single road every change takes: a list of stimuli in, a list of answers out (docs/architecture.md, "The engine"). */
export type Engine = {
  /** Handles the stimuli, in order within each workflow, and answers each once its step is committed. Faults are answers; rejects only
   * with `Fault('overloaded' | 'unavailable' | 'outcome_unknown' | 'internal')`. */
  advance(stimuli: readonly EngineStimulus[]): Promise<readonly Answer[]>;
  /** How a try ended; kept and written with the next step of that workflow or within a second. */
  outcome(outcome: TryOutcome): void;
  /** A message was claimed: whether this node knows how its try ended, which is not written yet. Then that is written under this claim, and
   * nothing needs to be sent. */
  knows(message: Pick<ReadyMessage, 'workflow' | 'row' | 'claim' | 'leaseEndsAt'>): boolean;
  /** From now on messages that are claimed at birth are handed to `sink`. There is one: a second call throws. */
  deliverTo(sink: MessageSink): void;
  /** From now on `sink` is told what of the agenda was committed here. There is one: a second call throws. */
  agendaTo(sink: AgendaSink): void;
  /** Any number of those who look on: `see` is called after each commit with what it brought. What it throws is logged with `name` and
   * disturbs neither the step nor others. Returns how to stop. */
  watch(name: string, see: Watcher): () => void;
  /** Resolves when nothing is queued and no step is under way; writes kept outcomes at once. */
  quiet(): Promise<void>;
  /** Takes nothing new, finishes what is under way and writes kept outcomes. */
  stop(): Promise<void>;
  /** Figures for metrics. */
  readonly figures: () => EngineFigures;
};

export type EngineStimulus = {
  readonly workflow: WorkflowId;
  readonly event: EngineEvent;
  readonly origin: Origin;
  /** It happens only while this holds of the rows, as they are locked or proved; else nothing does, and it is answered
   * `precondition_failed`. */
  readonly onlyIf?: OnlyIf;
  /** Nothing happens: it is answered what would (rehearsal.ts). Of what the interpreter handles only. */
  readonly rehearsal?: true;
  /** The span of the request that wants it, where somebody records traces. */
  readonly span?: TraceContext;
};

export type OnlyIf =
  /** Of the workflow nothing was recorded since the entry `lastN`, and it stands at one of the statuses; null: however it stands. */
  | { readonly kind: 'unmoved'; readonly lastN: number; readonly statuses: readonly Status[] | null }
  /** The workitem was not edited since. */
  | { readonly kind: 'unedited'; readonly workitem: ExpressionId; readonly revision: number };

/** Who wants it: the server by itself (a timer is due), or a caller, who reaches workflows of one tenant only. */
export type Origin =
  | { readonly by: 'server' }
  | {
      readonly by: 'caller';
      readonly tenant: Tenant;
      /** How history names the caller; null: not at all. */
      readonly actor: string | null;
      /** Why, in the caller's words, for the history; null: nothing was said. */
      readonly reason: string | null;
      /** The batch it is done by; left out: by none. */
      readonly batch?: BatchMark;
    };

/** What the engine handles: stimuli of the interpreter, two that touch a workitem's message only (outcomes.ts), and one that gives up a row. */
export type EngineEvent =
  | Happening
  /** Try the message owed now (or the `active` one once more). Answers `workitem_not_found`, or `conflict` when there is no URL. */
  | { readonly kind: 'redeliver'; readonly workitem: ExpressionId }
  /** An agenda row that processes have died of, again and again: it is put aside without its step, and the workflow is put in error. */
  | { readonly kind: 'give_up'; readonly agenda: string; readonly deaths: number }
  /** The participant could not cope and asks to be tried again: counts as one failed try. */
  | { readonly kind: 'refuse'; readonly workitem: ExpressionId; readonly class: string; readonly message: string };

/** What is due later, as far as it was committed here: the timers. */
export type AgendaSink = {
  /** Agenda rows: their due times, and where they are. */
  rows(rows: readonly { readonly workflow: WorkflowId; readonly id: string; readonly dueAt: number }[]): void;
  /** Events were committed for listeners of other workflows: agenda rows may have come of them. */
  events(): void;
  /** An event from outside found nobody who waited for it any more. */
  missed?(): void;
  /** A message or agenda row whose place is not known here is, or will be, due at this time. */
  dueAt(at: number): void;
};

/** Where messages that were claimed at birth go: the dispatcher. */
export type MessageSink = {
  /** Keeps a place for one message to `url`; false when there is none, and the message is born unclaimed. */
  reserve(url: string): boolean;
  /** Gives a place back: the commit failed. */
  unreserve(url: string): void;
  /** Messages are committed; each has its place. */
  take(messages: readonly ReadyMessage[]): void;
  /** Messages are due that nobody has claimed. */
  wake(): void;
  /** Something is owed to those who are told of lifecycles. */
  owed?(): void;
  /** Waiting tries of these workitems (or of the whole workflow) must not start any more. */
  withdraw(workflow: WorkflowId, workitems: readonly ExpressionId[] | 'all'): void;
};

/** A message of a workitem that was committed, and was claimed for this node. */
export type ReadyMessage = {
  readonly workflow: WorkflowId;
  readonly tenant: Tenant;
  readonly claim: string;
  /** When the lease ends on this process's monotonic clock (runtime/process-time.ts), counted from before the claim was sent. */
  readonly leaseEndsAt: number;
  readonly row: WorkitemRow;
  /** The value of the base row the fields are in (`row.inherits`), or null when the workitem has its own. */
  readonly base: string | null;
  /** The trace of its workflow, as it is kept; null: none. */
  readonly trace: string | null;
};

export type TryOutcome = {
  readonly workflow: WorkflowId;
  readonly workitem: ExpressionId;
  readonly claim: string;
  readonly send: NonNullable<WorkitemRow['send']>;
  /** The number of this try, 1, 2, … */
  readonly number: number;
  /** `openedAt` of the row that was sent: one that was replayed meanwhile has another, and this try is none of its tries. */
  readonly openedAt?: number;
  /** `dueAt` of the row that was sent; left out: it is not known whether a row that owes the same owes it still. */
  readonly dueAt?: number | null;
  /** When the lease of the claim ends or was prolonged, on this process's monotonic clock; left out: it lasts. */
  readonly leaseEndsAt?: number;
  /** The claim has counted this try as one whose node had stopped: it is no further one. */
  readonly counted?: boolean;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly result: /** `fields`: the answer was the proceed. */
    | { readonly kind: 'delivered'; readonly status: number; readonly fields?: Fields }
    | {
        readonly kind: 'refused';
        readonly status: number;
        readonly retryAfterSeconds: number | null;
        readonly fails?: Failing;
        readonly answer?: AnswerExcerpt;
      }
    | { readonly kind: 'unreachable'; readonly reason: string; readonly fails?: Failing }
    /** Nothing was sent and nothing is counted: it is due again so many milliseconds later. */
    | { readonly kind: 'postponed'; readonly ms: number }
    /** No request left this node: the claim is only given back. */
    | { readonly kind: 'dropped' };
  /** Something waits for this try to end (a notice behind it): written at once. */
  readonly urgent?: boolean;
  readonly detail?: Json;
};

/** What a participant has answered when it refused. `excerpt`: its beginning; null: it is no text. */
export type AnswerExcerpt = { readonly type: string | null; readonly bytes: number; readonly excerpt: string | null };

/** The workitem fails with this error at once, whatever tries are left. */
export type Failing = { readonly class: string; readonly message: string };

export type EngineFigures = {
  /** Stimuli that wait or are under way, and outcomes that are kept. */
  readonly queued: number;
  readonly outcomesKept: number;
  /** Since the start: transactions committed, steps taken, stimuli refused because the queue was full. */
  readonly commits: number;
  readonly steps: number;
  readonly overloaded: number;
};
