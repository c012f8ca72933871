import type { ExpressionId, WorkflowId } from './ids.ts';
import type { Launch } from './launch.ts';
import type { Tenant } from './tenant.ts';

/*
 * The rows a workflow consists of (docs/architecture.md, "A step"). The store keeps them as they are; only the interpreter looks into
 * the texts (`header`, `state`, `fields`, `payload`, …), which are JSON. Times are business time, milliseconds since 1970.
 *
 * A *strand* is a chain of expressions between two forks. The root strand has the path `0` and lives in the workflow row; every
 * other strand is a row of `branch`. The path of a strand names its ancestors: `0.3.1` hangs below `0.3`, which hangs below `0`.
 * Forgotten strands hang below nothing and are called `f1`, `f2`…
 */

export type Status = 'running' | 'error' | 'paused' | 'cancelling' | 'completed' | 'cancelled' | 'killed';
export const isOver = (status: Status): boolean =>
  status === 'completed' || status === 'cancelled' || status === 'killed';

export type WorkflowRow = {
  readonly id: WorkflowId;
  readonly tenant: Tenant;
  /** Counts the writes of this row; 0 before the first. The write says `where ver = loaded`. */
  readonly ver: number;
  readonly name: string | null;
  /** Content hash of the launched tree. */
  readonly definition: string;
  readonly status: Status;
  readonly launchedAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | null;
  /** Number of the last history entry. */
  readonly lastN: number;
  /** JSON: one URL for all participants (a string), or participant name → URL (an object), or several of these (a list), of which the first
   * that knows a name counts. Never changes. */
  readonly callbacks: string;
  /** JSON of the retry rules opted into at launch, or null for the contract's list. Never changes. */
  readonly retry: string | null;
  /** The trace its launch belongs to, as W3C Trace Context has it (runtime/trace-context.ts), or null. Never changes. */
  readonly trace: string | null;
  /** JSON of what its launch has opted into beside `retry` (model/participants.ts, LaunchOptions), or null. Never changes. */
  readonly options?: string | null;
  /** What its launcher knows it by, or null. Never changes. */
  readonly businessKey: string | null;
  /** The hash of the text it was launched with, as it was posted (store/tables/source.ts), or null. Never changes. */
  readonly source: string | null;
  /** The stored definition it was launched from, and its version; null or left out: none. Never change. */
  readonly definitionName?: string | null;
  readonly definitionVersion?: number | null;
  /** JSON of what started it, where that is known (docs/api-v1.md, Stored definitions), or null. Never changes. */
  readonly meta?: string | null;
  /** Days it is kept once it is over; null or left out: as RETAIN_ENDED says. Never changes. */
  readonly retainDays?: number | null;
  readonly header: string;
  readonly state: string;
  /** The root strand's table of values; written only when it changed, for it may be large. */
  readonly fields: string;
};

export type StrandRow = {
  readonly path: string;
  /** The path of the strand this one hangs below; null for forgotten strands. */
  readonly parent: string | null;
  /** The expression of the parent strand it is a child of. */
  readonly at: ExpressionId | null;
  readonly kind: 'branch' | 'flank' | 'forgotten';
  /** Orders the children of a fork: index of the child, or of the list element. */
  readonly index: number;
  /** Arrival number of the reply, when the branch is finished and only waits to be merged; else null. */
  readonly arrival: number | null;
  /** The fork whose base row this strand's texts refer to, or null. A wide fork with large fields stores what its children are born
   * with once, as the variable `^` of its own scope; that row never changes and stays as long as the workflow. It is large and shared by
   * many: whoever needs it asks for it. */
  readonly base: ExpressionId | null;
  readonly state: string;
  readonly fields: string;
};

export type Send = 'active' | 'timeout' | 'error' | 'cancel';

/** The part of `WorkitemRow.added` that says why: a key of the callback, and no field of it. */
export const REASON = '__reason__';

/** What the list of tries says of one whose node stopped before it could tell how it ended. */
export const LOST_TRY = 'the node stopped during the try';

export type WorkitemRow = {
  readonly id: ExpressionId;
  /** The strand of its expression. */
  readonly path: string;
  readonly participant: string;
  /** `open`: waits for its participant; `failed`: tries spent or given up, an error waits (a proceed is still accepted);
   * `closed`: over, only a notice is still owed. */
  readonly state: 'open' | 'failed' | 'closed';
  /** JSON of the fields as delivered, `params` included; null: `inherits` tells where they are. */
  readonly fields: string | null;
  /** JSON of `params`. */
  readonly params: string;
  /** Where the fields are when `fields` is null: the fork whose base row they are (see StrandRow.base), without `t` and
   * `__result__`, with `params`. */
  readonly inherits: ExpressionId | null;
  /** JSON of fields merged over the others when a message is built (a notice adds `__timed_out__`), or null. REASON among them is none of these. */
  readonly added: string | null;
  readonly openedAt: number;
  /** Counts edits; the ETag of the workitem. */
  readonly revision: number;
  /** Where messages go; null when there is no callback URL. */
  readonly url: string | null;
  /** The message owed, or null when nothing is. */
  readonly send: Send | null;
  /** A notice to send after the first try of `send` (`active`): the workitem was opened and closed in one step. */
  readonly then: Exclude<Send, 'active'> | null;
  /** Tries of `send` that have ended. */
  readonly tries: number;
  readonly dueAt: number | null;
  /** When a pause began that holds this message back; null when none does. */
  readonly heldAt: number | null;
  /** JSON list of the last tries, newest last (engine/outcomes.ts). */
  readonly log: string;
  /** The number of the history entry that owes `send`, or `then` where there is one; null: an earlier release wrote it. */
  readonly entryN?: number | null;
  /** JSON of what was agreed with its participant (model/participants.ts, Terms); null or left out: nothing but its URL. */
  readonly terms?: string | null;
  /** Who has claimed it, and until when: a courtesy among those who share a worklist. */
  readonly claimBy?: string | null;
  readonly claimUntil?: number | null;
  /** When a sign of life is due next; null: none is wanted, or the message is not delivered yet. */
  readonly heartbeatAt?: number | null;
  /** JSON of what the last sign of life has told. */
  readonly progress?: string | null;
};

export type AgendaRow = {
  readonly id: string;
  /** `timer`: an expression's; `continue`: the rest of a step that used up its budget; `event`: something another workflow
   * emitted; `answer`: kept while the workflow was paused. */
  readonly kind: 'timer' | 'continue' | 'event' | 'answer';
  readonly dueAt: number;
  readonly heldAt: number | null;
  /** The strand concerned, so that it can be loaded with the workflow; null when unknown. */
  readonly path: string | null;
  /** JSON; what it says is the interpreter's. It begins with CLOCK_PAYLOAD when `dueAt` is a time of the clock on the wall, which a pause
   * does not move. */
  readonly payload: string;
};

/** How the payload of an agenda row begins that a `shift` leaves where it is: the row came of a date or a cron line. */
export const CLOCK_PAYLOAD = '{"clock":';

export type ErrorRow = {
  /** The expression it happened at. One per expression. */
  readonly id: ExpressionId;
  readonly path: string;
  readonly workitem: boolean;
  readonly class: string;
  readonly message: string;
  readonly at: number;
  /** JSON: what a replay needs (the failed message, fields) and details such as deviations. */
  readonly details: string;
};

/** What an expression can wait for: a participant's workitem going out or coming back, a tag entered or left, an error. */
export type EventKind = 'dispatched' | 'received' | 'entered_tag' | 'left_tag' | 'error' | 'message' | 'signal';

export type ListenerRow = {
  readonly id: ExpressionId;
  readonly path: string;
  readonly event: EventKind;
  /** `workflow`: hears its own workflow only; `tenant`: every workflow of its tenant. */
  readonly reach: 'workflow' | 'tenant';
  /** The one name listened for; null when a pattern decides. */
  readonly name: string | null;
  readonly spec: string;
};

/** A variable of a scope that has become too large to live in its strand; or, named `^`, the base of a wide fork. */
export type VariableRow = { readonly scope: ExpressionId; readonly name: string; readonly value: string };

/** An expression that waits for an event from outside; it meets events in rows of `correlation` (store/meeting.ts). */
export type WaiterRow = {
  /** The expression; of BPMN with `#` and the key under which it waits. */
  readonly id: ExpressionId;
  readonly path: string;
  readonly type: string;
  /** What an event's key has to be, as text; null: any event, with or without a key. */
  readonly wanted: string | null;
  /** Where in an event its key is, as a JSON pointer; null: its own key. */
  readonly keyFrom: string | null;
  /** A condition on the event, or null. */
  readonly where: string | null;
  /** `event`: an await, hears all; `message`: of BPMN, no signals, and without `wanted` only what is addressed to its workflow; `signal`: of
   * BPMN, no messages. */
  readonly hears: 'event' | 'message' | 'signal';
  /** One event is enough: it is marked with the first that hits it. */
  readonly once: boolean;
  readonly since: number;
  /** Of BPMN: the element that waits. */
  readonly element: string | null;
};

/** One row for all that one step did; entries are numbered `firstN`… `lastN` without gaps. */
export type HistoryRow = {
  readonly firstN: number;
  readonly lastN: number;
  readonly at: number;
  readonly entries: string;
};

/** A change of one row: written whole (`isNew`: there is certainly none of its key), changed in place (the row need not have been
 * loaded), or deleted. */
export type Op<Row> =
  | { readonly kind: 'put'; readonly row: Row; readonly isNew?: true }
  | { readonly kind: 'patch'; readonly set: Partial<Row> }
  | { readonly kind: 'delete' };

/** Emitted for listeners in other workflows of the tenant: becomes an agenda row of each listener that may fit. */
export type EmittedEvent = {
  readonly event: EventKind;
  readonly name: string;
  readonly at: number;
  readonly payload: string;
};

/** The rows that come and go with the steps of a workflow, by kind. A kind is said here; what has to be said of it elsewhere follows from the types. */
export type Children = {
  readonly strands: StrandRow;
  readonly workitems: WorkitemRow;
  readonly agenda: AgendaRow;
  readonly errors: ErrorRow;
  readonly listeners: ListenerRow;
  readonly variables: VariableRow;
  readonly waiters: WaiterRow;
};
/** All kinds, in the order in which they are written. */
export const CHILDREN = [
  'strands',
  'workitems',
  'agenda',
  'errors',
  'listeners',
  'variables',
  'waiters',
] as const satisfies readonly (keyof Children)[];
export type ChildKind = (typeof CHILDREN)[number];

/** Something for each kind of child row. */
export function eachChild<Made>(make: <Kind extends ChildKind>(kind: Kind) => Made): {
  readonly [Kind in ChildKind]: Made;
} {
  // Written out: all of them have one shape, which the compiler knows.
  return {
    strands: make('strands'),
    workitems: make('workitems'),
    agenda: make('agenda'),
    errors: make('errors'),
    listeners: make('listeners'),
    variables: make('variables'),
    waiters: make('waiters'),
  };
}

/** Keys: path, id, `scope name` (variables, joined by a blank). */
export type Rows = { readonly [Kind in ChildKind]: ReadonlyMap<string, Children[Kind]> };
export type Ops = { readonly [Kind in ChildKind]: ReadonlyMap<string, Op<Children[Kind]>> };

/** All that one or more steps changed in one workflow. */
export type Changes = Ops & {
  readonly workflow: WorkflowRow;
  /** New definitions: content hash → stored text. */
  readonly definitions: ReadonlyMap<string, string>;
  readonly history: readonly HistoryRow[];
  readonly events: readonly EmittedEvent[];
  /** Pause: from now on nothing of this workflow is due (`hold`: when it began). Resume: due times move by `shift` ms, but
   * for agenda rows that are due by the clock on the wall (CLOCK_PAYLOAD). */
  readonly hold: number | null;
  readonly shift: number | null;
  /** The workflow is over or was killed: every row of it but workflow, history and owed notices goes, whether loaded or not. */
  readonly sweep: boolean;
  /** Events that were handed to this workflow and found nobody who still waited, an id for each time. */
  readonly missed: readonly string[];
  /** With `sweep`: some of the rows that go may be waiters that an event has hit. */
  readonly waited: boolean;
  /** The workflow is over and another goes on for it, which is launched in the same transaction; left out: none does. */
  readonly successor?: Launch;
};

/** Two changes of one row, one after the other, as one. */
export function followedBy<Row>(first: Op<Row> | undefined, second: Op<Row>): Op<Row> {
  if (first === undefined || second.kind === 'delete') return second;
  // There may have been one before the first.
  if (second.kind === 'put') return { kind: 'put', row: second.row };
  if (first.kind === 'put') return { ...first, row: { ...first.row, ...second.set } };
  if (first.kind === 'patch') return { kind: 'patch', set: { ...first.set, ...second.set } };
  return first; // patching what was deleted changes nothing
}
