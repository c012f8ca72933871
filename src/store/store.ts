import type { Judge, Received } from '../model/events.ts';
import type { ExpressionId, WorkflowId } from '../model/ids.ts';
import type {
  AgendaRow,
  Changes,
  ErrorRow,
  HistoryRow,
  Send,
  Status,
  WorkflowRow,
  WorkitemRow,
} from '../model/rows.ts';
import type { Loaded, Need } from '../model/stimulus.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Coming, Start } from './meeting.ts';
import type { Page } from './page.ts';
import type { Tables } from './tables/all.ts';
import type { FoundItem } from './tables/batch-item.ts';
import type { ChangeMarks } from './tables/change-mark.ts';

export type { Occasional } from './tables/change-mark.ts';

import type { OwedDelivery } from './tables/delivery.ts';

export type { Page } from './page.ts';
export type { ApiKeyRow, ApiKeys, NewApiKey } from './tables/api-key.ts';
export type { Audit, AuditRow } from './tables/audit.ts';
export {
  BATCH_STATES,
  type Batches,
  type BatchRow,
  type BatchState,
  type NewBatch,
  type SettledItem,
  type WaitingBatch,
} from './tables/batch.ts';
export type { BatchItemRow, FoundItem } from './tables/batch-item.ts';
export type { BusinessKeys } from './tables/business-key.ts';
export type { Deliveries, DeliveryRow, OwedDelivery } from './tables/delivery.ts';
export type { FigureRow } from './tables/figure.ts';
export type { SavedAnswer } from './tables/idempotency-key.ts';
export type { NodeBeat, NodeFigures, NodeRow } from './tables/node.ts';
export type { ParticipantRow, ParticipantRows } from './tables/participant.ts';
export type { SecretRow, SecretRows } from './tables/secret.ts';
export type { SubscriptionRow } from './tables/subscription.ts';

/*
 * What we must not forget, as promises in our words. One contract suite (test/store/contract.ts) runs on every implementation:
 * Postgres (plain and `distributed` profile), embedded PGlite, and the simulated store of the simulation. It is one thing: a store keeps all of
 * them, or it is none.
 *
 * Two clocks: every `now`, `dueAt`, `at` handed in is business time (milliseconds); leases (`leaseSeconds`) run on the
 * database's own clock and never meet business time.
 */

/** The parts of `Tables` are the tables that belong to no workflow, each with promises of its own (store/tables). */
export type Store = Tables &
  ChangeMarks & {
    readonly profile: 'postgres' | 'distributed' | 'embedded' | 'simulated';
    /** Stimuli one transaction should take at most. */
    readonly batchMax: number;
    /** Into how many parts the engine divides the workflows (by shard, modulo this), each with one transaction at a time. With as many as
     * there are shards a transaction is about one shard; the store lets only some of them run at once. */
    readonly lanes: number;

    /**
     * Begins a transaction, locks the workflows (in key order, skipping those that are locked elsewhere) and loads, for each, its row
     * and what `needs` ask for, in one pipeline. A workitem or agenda need also loads the strand it names and that strand's
     * ancestors; every strand or workitem loaded brings its base row along (the variable `^` of scope `base` / `inherits`). Needs of
     * kind `definition` are not for here (see `definition`). A need of kind `find` brings the strands whose state mentions the
     * expression, nearest to the root first, at most 8, with their ancestors. Dead connections are replaced on the way; throws
     * StoreUnavailable after about two seconds of trying.
     */
    begin(requests: readonly LoadRequest[]): Promise<Transaction>;

    /**
     * The rows of workflows as they are at this moment, for a save that proves they still are (`saveAtOnce`): loaded as `begin` and
     * `Transaction.load` do, without locking anything. What is loaded is never older than the workflow's row, so that it is as of that
     * row's `ver` or the `ver` has moved on. Null where that is not to be had.
     */
    readonly look: ((requests: readonly LoadRequest[]) => Promise<ReadonlyMap<WorkflowId, Loaded>>) | null;

    /**
     * Writes a save whose steps worked with rows that were remembered, or looked at, but not locked: the writing of `Transaction.commit`, begun and committed
     * in one round trip. Null where that is not to be had.
     *
     * It takes effect only if every workflow still has the `ver` of its remembered row (a launched one: is not there yet), and if no
     * workflow listens to others, so that the steps may leave their events out. At least one of the changes must have history. Of what is
     * remembered only the texts of `fields` count beyond that: those that are the same are not written again.
     *
     * @returns `committed`; or `stale`: certainly nothing was written; take the usual way. Throws DataRefused and OutcomeUnknown as
     *   `commit` does, and StoreUnavailable when nothing was sent
     */
    readonly saveAtOnce:
      | ((save: Save, remembered: ReadonlyMap<WorkflowId, Loaded>) => Promise<'committed' | 'stale'>)
      | null;

    /**
     * Claims messages that are due (`send` not null, `dueAt <= now`, not held, no live lease) for `owner`, oldest first, skipping
     * rows that others hold. Also brings what a body needs. Fewer than `limit` means that nothing else is due; while there is more, what
     * becomes claimable again may wait a second behind younger ones.
     */
    claimDue(request: {
      readonly now: number;
      readonly owner: string;
      readonly limit: number;
      readonly leaseSeconds: number;
      /** Given, hosts take turns: a few messages of each, none of those to `skip`; and the claim ends with the message that reaches
       * `bytesMax` bytes of fields. */
      readonly spread?: { readonly skip: readonly string[]; readonly bytesMax: number };
    }): Promise<readonly ClaimedMessage[]>;
    /** Prolongs a claim by compare-and-set; false when the claim is no longer ours (row gone or lease lost) or, with `send`, when the
     * workitem owes another message by now (a flip keeps the claim), or a pause holds it back. */
    renewClaim(request: {
      readonly key: MessageKey;
      readonly claim: string;
      readonly leaseSeconds: number;
      readonly send?: Send;
    }): Promise<boolean>;
    /** Gives claims back without an outcome (graceful stop): the messages are due again at once. */
    releaseClaims(owner: string): Promise<void>;

    /** Agenda rows that are due, oldest first. Only looked at: they are deleted by the step that handles them. Rows of the given
     * share first (`share` of `shares` by shard), the others only when overdue by `othersAfterMs`. */
    peekAgenda(request: {
      readonly now: number;
      readonly limit: number;
      readonly share: number;
      readonly shares: number;
      readonly othersAfterMs: number;
    }): Promise<readonly AgendaPeek[]>;
    /** The earliest due time (> `after` when given) of any agenda row or owed message that is not held; null when there is none. */
    nextDueAt(after: number | null): Promise<number | null>;

    /** Calls `wake` when another node says that messages or agenda rows are waiting; a hint only. Returns how to stop. */
    onWake(wake: () => void): Promise<() => Promise<void>>;
    /** Whether such hints reach this node at this moment; true also where there are no other nodes. */
    hearsWakes(): boolean;
    /** Tells the other nodes (at most one NOTIFY per 50 ms). Does nothing where there are no others. */
    wakeOthers(): void;
    /** Keys or secrets were changed by another node, or may have been; as with `onWake` nothing depends on it. */
    onKeys(hear: () => void): Promise<() => Promise<void>>;
    tellKeys(): void;
    /** The same for what lies in the memory of every node: stored definitions, participants, subscriptions. */
    onRegistry(hear: () => void): Promise<() => Promise<void>>;
    tellRegistry(): void;

    /** The database's clock, in milliseconds. */
    databaseTime(): Promise<number>;

    /** Counts over many rows, for those who look after the whole; null where they are not to be had. */
    readonly figures: Figures | null;
    /** Connections to the database by what they are for; nothing where there are none. */
    connections(): readonly {
      readonly pool: 'engine' | 'reads';
      readonly used: number;
      readonly idle: number;
      readonly waiting: number;
    }[];
    /** Connections that this node may have, and that the server takes from all; absent where that is not to be had. */
    readonly connectionRoom?: { readonly own: number; readonly most: number };

    /** Where events from outside and those who wait for them meet (meeting.ts). */
    readonly meeting: Meeting;

    /** Reading, on connections of its own where there are several. */
    readonly read: Reads;

    /**
     * Deletes at most `limit` workflows that ended before `endedBefore`, with everything of them; answers how many workflows went. Never
     * touches unfinished work (nor workflows that still owe notices). Each call also looks at some definitions, and may throw away those that
     * no workflow refers to and nobody launched for days; and deletes, of each table that belongs to no workflow, at most `limit` rows that are
     * older at `now` than the table says, or than `keepMs` says for it by its name.
     */
    retire(request: {
      readonly endedBefore: number;
      readonly now: number;
      readonly limit: number;
      readonly keepMs?: { readonly [table: string]: number };
    }): Promise<number>;
    /**
     * Deletes at most `rows` rows of each kind below the workflow that `retire` would take first, which stays itself: for one that alone takes
     * too long. Answers how many rows went; 0: it has none any more, or nothing is to be retired.
     */
    retirePortion(request: {
      readonly endedBefore: number;
      readonly now: number;
      readonly rows: number;
    }): Promise<number>;
    /**
     * Throws away the history rows of a workflow that begin with these numbers, and notes that below the entry `firstKept` some are missing.
     * Give at most a thousand.
     */
    foldHistory(fold: {
      readonly workflow: WorkflowId;
      readonly firstNs: readonly number[];
      readonly firstKept: number;
    }): Promise<void>;
    readonly attributes: Attributes;
    /** Erasing what should not have been kept, or no longer (erase.ts); null: this database cannot. */
    readonly erasing: Erasing | null;
    /** House-keeping the database does not do by itself (embedded: vacuum, analyse). */
    tidy(): Promise<void>;

    /** Resolves when a trivial statement has been answered; rejects when the database cannot be reached, or takes no writes (write-health.ts). */
    ping(): Promise<void>;
    close(): Promise<void>;
  };

export type Erasing = {
  /** A workflow that is over, with everything of it, whatever it still owes. Rows by table. */
  workflow(tenant: Tenant, workflow: WorkflowId): Promise<ErasedWorkflow>;
  /**
   * Puts another text in the place of one, wherever a value is that text, in all that the workflows of a tenant keep; some of them in each call. Each workflow is
   * changed in a transaction of its own, and nodes that remember it find that out.
   */
  value(asked: {
    readonly tenant: Tenant;
    readonly value: string;
    readonly replacement: string;
    /** Also where it is a part of a longer text. */
    readonly within: boolean;
    /** Nothing is changed, and the same is told. */
    readonly isRehearsal: boolean;
    /** Workflows to look through. */
    readonly limit: number;
    /** Null: from the beginning. */
    readonly after: ErasePlace | null;
  }): Promise<Erased>;
};
export type ErasePlace = { readonly shard: number; readonly id: string };
export type ErasedWorkflow = 'unknown' | 'running' | { readonly counts: Readonly<Record<string, number>> };
export type Erased = {
  readonly workflows: readonly string[];
  /** Rows that held it, by table. */
  readonly counts: Readonly<Record<string, number>>;
  /** Where the next call goes on; null: everything has been looked at. */
  readonly next: ErasePlace | null;
  /** Rows that were left as they are, by table and column; known with the last call. */
  readonly kept: Readonly<Record<string, number>>;
};

export type LoadRequest = { readonly workflow: WorkflowId; readonly needs: readonly Need[] };

export type Transaction = {
  /** The workflows locked and loaded here. A workflow that does not exist is here too, with `workflow: null`. */
  readonly loaded: ReadonlyMap<WorkflowId, Loaded>;
  /** Locked by somebody else at this moment; try again alone. */
  readonly busy: readonly WorkflowId[];
  /**
   * Whether any workflow listens to others (reach `tenant`), as of the beginning; true where that was not asked. If false, events are
   * left out of the save unless it puts such a listener itself. A listener that is committed after this transaction began may thus
   * miss its events; one that was committed before the stimulus arrived never does.
   */
  readonly hears: boolean;
  /** Loads more rows of workflows locked here; brings these rows alone, not again what was loaded before. The workflow row in it is
   * the one that was locked. When it throws the transaction is over. */
  load(requests: readonly LoadRequest[]): Promise<ReadonlyMap<WorkflowId, Loaded>>;
  /**
   * Writes everything in one statement where it can and commits.
   *
   * - A row of a workflow that was loaded here follows the `ver` loaded, whatever number steps gave it; of one that was not, `ver - 1`.
   * - Texts of `fields` that equal those loaded here are not written again.
   * - `hold`, `shift` and `sweep` apply to the rows as they are after all other changes of the save. With both, rows are shifted first.
   *   A row held since the pause began moves by `shift`; one put during the pause by the rest of it (`updatedAt - heldAt`).
   * - An event becomes, for every listener of reach `tenant` in another workflow of the tenant that names it or nothing, an agenda row
   *   of kind `event`, due at `event.at`, with the listener's path; its payload is `{ listener, workflow, event, name, at, payload }`:
   *   the listener's id, the emitting workflow, and the emitted payload as JSON. Listeners put by the same save hear it too. The
   *   listener's workflow may be over by the time the row is due, and must then delete it.
   * - `sweep` keeps, beside history, workitems that are closed and owe a message, and the base rows these inherit.
   *
   * - Waiters that are put meet the events that are kept (meeting.ts): one that fits becomes an agenda row, due at once. Events that are
   *   `missed` and of which nothing has come are given back. `saveAtOnce` takes neither.
   *
   * @returns `committed`; or `lost`: certainly nothing was written (stale `ver`, serialization failure, deadlock, connection lost
   *   and looked up): run the steps again. Throws `DataRefused` when a value cannot be stored (bisect), `TookTooLong` (bisect), `OutcomeUnknown` when
   *   ten seconds of looking up did not tell. The transaction is over in every case.
   */
  commit(save: Save): Promise<'committed' | 'lost'>;
  rollback(): Promise<void>;
};

export type Save = {
  /** Opaque, unique to this batch: history rows carry it, so that an unknown commit can be looked up. */
  readonly token: string;
  readonly changes: ReadonlyMap<WorkflowId, Changes>;
  /** Messages that are born claimed: workitems put by `changes` that are new. On a row that somebody else holds a living claim of, the
   * claim given here has no effect. */
  readonly claims: readonly {
    readonly workflow: WorkflowId;
    readonly workitem: ExpressionId;
    readonly claim: string;
  }[];
  readonly owner: string;
  readonly leaseSeconds: number;
  /** Ends of tries: the claim is given back where it is still `claim`; the rest of the outcome is in `changes`. A put or a patch of
   * the workitem keeps its claim otherwise. */
  readonly releases: readonly {
    readonly workflow: WorkflowId;
    readonly workitem: ExpressionId;
    readonly claim: string;
  }[];
  /** What the steps owe to those who are told of lifecycles; left out: nothing, and no statement is made for it. */
  readonly deliveries?: readonly OwedDelivery[];
  /** Business keys that are handed on from a workflow that is over to the one that goes on for it; left out: none. */
  readonly handedOn?: readonly {
    readonly tenant: string;
    readonly key: string;
    readonly from: WorkflowId;
    readonly to: WorkflowId;
  }[];
  /** What workflows can be found by and could not before; left out: nothing, and no statement is made for it. */
  readonly attributes?: readonly AttributeChange[];
  /** Whether conditions on events hold; for those who begin to wait. */
  readonly judge: Judge;
};

/** A value cannot be stored (SQLSTATE class 22 and the like); the batch holding it can be bisected. */
export class DataRefused extends Error {}
/** A statement took longer than a session allows, and nothing of it took effect. Less at once may succeed. */
export class TookTooLong extends Error {}
/** The connection was lost during commit and it could not be learnt whether it took effect; or it did, and may be lost with its server. */
export class OutcomeUnknown extends Error {}
/** What the store was opened with cannot work, however often it is tried; the message says what to set. */
export class WronglySet extends Error {}
/** The database cannot be reached. */
export class StoreUnavailable extends Error {}

export type Meeting = {
  /**
   * Receives events of one tenant in one transaction, in their order, at most EVENTS_AT_ONCE. One that is there already is answered as it is.
   * Throws Fault `workflow_not_found` or `messages_full`, with nothing received.
   */
  receive(tenant: Tenant, events: readonly Coming[], judge: Judge, now: number): Promise<readonly Received[]>;
  /** Goes on with an event that is due (`store.events.due`); null when nothing is to be done, or somebody else is at it. */
  goOn(eventId: string, judge: Judge, now: number): Promise<Received | null>;
  /** Receives a stored event anew, whatever became of it; null: there is none, or it is being handed on at this moment. */
  again(tenant: Tenant, eventId: string, starts: readonly Start[], judge: Judge, now: number): Promise<Received | null>;
  /** What an agenda row says that sends an event, and whose it is; null: it was sent. */
  sending(workflow: WorkflowId, agenda: string): Promise<{ readonly tenant: Tenant; readonly payload: string } | null>;
  /** What the agenda row of a workflow to come says; null: it was launched, or given up. */
  starting(workflow: WorkflowId): Promise<string | null>;
  /** A workflow to come is given up. */
  notStarted(workflow: WorkflowId): Promise<void>;
  /** Those who wait, newest first; what is null is any. */
  waits(query: WaitQuery): Promise<Page<Wait>>;
  /** Throws away places nobody has come to since `before`, at most `limit`. */
  tidyPlaces(before: number, limit: number): Promise<void>;
};
/** Events of one transaction. */
export const EVENTS_AT_ONCE = 100;

export type WaitQuery = {
  readonly tenant: Tenant;
  readonly type: string | null;
  readonly key: string | null;
  readonly workflow: WorkflowId | null;
  readonly element: string | null;
  readonly limit: number;
  readonly after: string | null;
};
export type Wait = {
  readonly workflow: WorkflowId;
  readonly waiter: ExpressionId;
  readonly type: string;
  readonly key: string | null;
  readonly since: number;
  /** When its time is over, null: never. */
  readonly timeoutAt: number | null;
  readonly element: string | null;
};

export type MessageKey = { readonly workflow: WorkflowId; readonly workitem: ExpressionId };
export type ClaimedMessage = {
  readonly workflow: WorkflowId;
  readonly claim: string;
  readonly row: WorkitemRow;
  readonly tenant: Tenant;
  /** When `row.inherits` is set: the value of that base row (VariableRow `^` of scope `row.inherits`); else null. */
  readonly base: string | null;
  /** The trace of its workflow. */
  readonly trace: string | null;
};
export type AgendaPeek = {
  readonly workflow: WorkflowId;
  readonly id: string;
  readonly kind: AgendaRow['kind'];
  readonly dueAt: number;
  readonly path: string | null;
};

/** Since when a workitem counts as overdue: opened before `before`, or before the time that its participant has in `of`. */
export type Overdue = { readonly before: number; readonly of: { readonly [participant: string]: number } };

/** A workitem in a list. `base`: as in ClaimedMessage; `place`: the `after` of what lies behind it. */
export type ReadItem = {
  readonly workflow: WorkflowId;
  readonly row: WorkitemRow;
  readonly base: string | null;
  readonly place: string;
  /** Of a message in a list: the rules about tries its workflow was launched with, as its row has them. */
  readonly retry?: string | null;
};

/** How the message of a workitem stands: `owed`, and not refused so far; `failing`: refused, and tried again; `spent`: its tries are. */
export const OBJECT_STATES = ['owed', 'failing', 'spent'] as const;
export type ObjectState = (typeof OBJECT_STATES)[number];

/** Participants that a glance at a workflow tells. */
export const TURNS_MAX = 5;

/** What a list shows of a workflow: nothing that may be large. */
export type WorkflowSummary = Omit<
  WorkflowRow,
  'callbacks' | 'retry' | 'options' | 'header' | 'state' | 'fields' | 'meta'
>;

/** A history row among all. */
export type Recorded = {
  readonly position: number;
  readonly tenant: Tenant;
  readonly workflow: WorkflowId;
  readonly row: HistoryRow;
};

/** Counts of one tenant, or of all (null). Each throws when it takes longer than FIGURE_MS_MAX. */
export type Figures = {
  /** Workflows that have not ended. */
  live(tenant: Tenant | null): Promise<ReadonlyMap<Status, number>>;
  /** Messages that are due at `now` and unclaimed, up to DUE_MAX (figures.ts), and since when the oldest is. */
  messages(tenant: Tenant | null, now: number): Promise<{ readonly due: number; readonly oldestDueAt: number | null }>;
  /** Timers and the like that are due, likewise. */
  timers(tenant: Tenant | null, now: number): Promise<{ readonly due: number; readonly oldestDueAt: number | null }>;
  /** Workitems: `overdue`, open or failed for longer than they should be; `failing`: their message was refused before and is tried again. */
  workitems(
    tenant: Tenant | null,
    overdue: Overdue,
  ): Promise<{ readonly open: number; readonly failed: number; readonly overdue: number; readonly failing: number }>;
  errors(tenant: Tenant | null): Promise<number>;
  /** The ten names of definitions that were launched most since then, of the newest BUSIEST_MAX launches of a tenant (figures.ts). */
  busiest(tenant: Tenant | null, since: number): Promise<readonly Busy[]>;
  /** What waits for each of these participants, all of which are in the answer. */
  participants(tenant: Tenant, names: readonly string[]): Promise<ReadonlyMap<string, Asked>>;
  /** The names of definitions whose workflows ask a participant now, those first that ask most (figures.ts); null: one without a name. */
  usedIn(
    tenant: Tenant,
    participant: string,
  ): Promise<readonly { readonly name: string | null; readonly workitems: number }[]>;
  /** Of stored definitions, how many workflows live, are in error, and were launched since then; a definition of which there is none is left out.
   * `isWhole` false: there are more than are counted. */
  kept(
    tenant: Tenant,
    since: number,
  ): Promise<{ readonly isWhole: boolean; readonly definitions: readonly KeptDefinition[] }>;
  /** The definitions that were launched since then, of the newest BUSIEST_MAX launches, the last one first (figures.ts). */
  seen(tenant: Tenant, since: number): Promise<readonly SeenDefinition[]>;
};

/** How a participant stands. `failing`: messages that were refused and are tried again. `urls`: where its messages go, some of them. */
export type Asked = {
  readonly open: number;
  readonly failed: number;
  readonly failing: number;
  /** Since when its oldest workitem waits; null: none does. */
  readonly oldestAt: number | null;
  readonly urls: readonly string[];
};
/** A stored definition by its name, of all its versions together. */
export type KeptDefinition = {
  readonly name: string;
  readonly live: number;
  readonly failed: number;
  readonly launched: number;
};
/** A definition by its hash and the name it gives itself. `stored`: under which name it is stored; null: it came with its launches. */
export type SeenDefinition = {
  readonly hash: string;
  readonly name: string | null;
  readonly stored: string | null;
  readonly launched: number;
  readonly live: number;
  readonly failed: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** The last workflow that was launched of it. */
  readonly workflow: WorkflowId;
};

/** A transaction that has written something and is open, somewhere in the cluster of the database. */
export type TransactionHolder = {
  /** The process of Postgres it is in; null: it is prepared, and in none. */
  readonly pid: number | null;
  /** What its program calls itself; of one that is prepared its name; empty: it may not be known. */
  readonly name: string;
  readonly database: string;
  readonly seconds: number | null;
};

/** A definition by the name it gives itself. */
export type Busy = {
  readonly name: string;
  readonly launched: number;
  /** Of those: have not ended, and are in error. */
  readonly live: number;
  readonly failed: number;
  /** How long those took that have ended: half of them at most, and 19 of 20; null: none has. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
};

/** A timer in a list; `place`: the cursor behind it. */
export type ReadTimer = {
  readonly workflow: WorkflowId;
  readonly name: string | null;
  readonly row: AgendaRow;
  readonly place: string;
};

/** An error in a list, with the hash of its workflow's definition, and the participant of the workitem it happened at with its URL. */
export type ReadError = {
  readonly workflow: WorkflowId;
  readonly row: ErrorRow;
  readonly definition: string;
  readonly name: string | null;
  readonly participant: string | null;
  readonly url: string | null;
  /** The tries of that workitem, as its row has them; null: there is none. */
  readonly log: string | null;
};

/** How a workflow stands, for those who wait for it to move. */
export type Standing = Pick<WorkflowRow, 'status' | 'lastN'>;

/** What a workflow can be found by that is inside of it: `tag`, and a tag it is in; `field.` and a path, and the value there as text. */
export type Attribute = { readonly name: string; readonly value: string };
/** What takes the place of all that a workflow had under that name. */
export type AttributeChange = {
  readonly workflow: WorkflowId;
  readonly tenant: Tenant;
  readonly name: string;
  readonly values: readonly string[];
  readonly launchedAt: number;
};

/** What stood before it was written with each step is filled in afterwards, shard by shard (worker/attribute-fill.ts). */
export type Attributes = {
  /** How far each name is: FILLED, or what the one who fills it in has noted. Names that are not here have not been begun. */
  marks(): Promise<ReadonlyMap<string, string>>;
  mark(name: string, value: string): Promise<void>;
  forget(name: string): Promise<void>;
  /** There are no workflows at all. */
  isEmpty(): Promise<boolean>;
  /** Workflows of a shard behind an id, by id, with the open workitem of the root strand; bounded in bytes. */
  page(
    shard: number,
    after: string,
    limit: number,
  ): Promise<{
    readonly items: readonly { readonly row: WorkflowRow; readonly workitem: WorkitemRow | null }[];
    readonly isLast: boolean;
  }>;
  /**
   * Writes attributes of workflows of one shard, each only where the workflow still has this `ver`, and gives it another, so that a step under way
   * looks again. Answers the workflows for which that was not so. One that neither has nor gets any is left as it is.
   */
  fill(
    shard: number,
    changes: readonly (AttributeChange & { readonly ver: number })[],
  ): Promise<ReadonlySet<WorkflowId>>;
};
/** The mark of a name all of whose attributes are there. */
export const FILLED = 'filled';

export type TimeRange = { readonly from: number | null; readonly to: number | null };

export type WorkflowsQuery = {
  readonly tenant: Tenant;
  /** One, or one of several. */
  readonly status: Status | readonly Status[] | null;
  readonly name: string | null;
  readonly participant: string | null;
  /** Left out, or null: whatever theirs is. */
  readonly businessKey?: string | null;
  /** Launched, or ended, from this time on and before that; left out or null: at whatever time. Those asked for by their end come in the order of it. */
  readonly launched?: TimeRange;
  readonly ended?: TimeRange;
  /** Last moved from this time on and before that; there is no index for it. */
  readonly updated?: TimeRange;
  /** The hash of their definition, or its beginning, of at least eight characters. */
  readonly definition?: string | null;
  /** Only those in which an error of this class waits. */
  readonly errorClass?: string | null;
  /** The other way round: oldest first. Left out: newest first. */
  readonly isOldestFirst?: boolean;
  readonly limit: number;
  readonly after: string | null;
};

/** What belongs to another tenant is not there: each statement asks for the tenant, so that no forgotten check can leak. */
export type Reads = {
  workflow(tenant: Tenant, id: WorkflowId): Promise<WorkflowRow | null>;
  /** How many workflows stand at once; those that are not there are left out. Ask for at most a thousand. */
  standings(
    asked: readonly { readonly tenant: Tenant; readonly workflow: WorkflowId }[],
  ): Promise<ReadonlyMap<WorkflowId, Standing>>;
  /**
   * One workflow as of one moment, for showing it: at most `limit` strands whose path comes after `after`, and what is live in
   * those strands: open workitems, timers, listeners, errors (without `details`), and the bases of these workitems. What belongs to no
   * strand or to the root strand comes with the first page, the root's open workitem with every page.
   *
   * `next` is the `after` of the next page. A page ends early where its rows would have more than PAGE_BYTES_MAX bytes of text. `leftOut`:
   * of what there was more than one page takes.
   */
  whole(
    tenant: Tenant,
    id: WorkflowId,
    options: { readonly limit: number; readonly after: string | null },
  ): Promise<
    | (Loaded & {
        readonly next: string | null;
        readonly leftOut: readonly ('workitems' | 'timers' | 'waits' | 'errors')[];
      })
    | null
  >;
  /** Newest first; `after` is the opaque `next` of the page before. `participant`: has an open workitem of that participant. */
  workflows(query: WorkflowsQuery): Promise<Page<WorkflowSummary>>;
  /** How many there are of them, counted to `most`. */
  countWorkflows(query: Omit<WorkflowsQuery, 'limit' | 'after'>, most: number): Promise<number>;
  /**
   * Those that have all these attributes, too; one at least. A page can hold fewer than `limit` while there are more. `lookedBackTo`: when the last
   * one was launched (or ended, where that is the order) that was looked at.
   */
  found(
    query: WorkflowsQuery & { readonly attributes: readonly Attribute[] },
  ): Promise<Page<WorkflowSummary> & { readonly lookedBackTo: number | null }>;
  /** How many there are of them, counted to `most`. `lookedBackTo`: there may be more behind that; null: that is all. */
  countFound(
    query: Omit<WorkflowsQuery, 'limit' | 'after'> & { readonly attributes: readonly Attribute[] },
    most: number,
  ): Promise<{ readonly n: number; readonly lookedBackTo: number | null }>;
  /** The same with their texts and the open workitem of the root strand, for those who have to look inside; ask for few at once. */
  workflowRows(
    query: WorkflowsQuery,
  ): Promise<Page<{ readonly row: WorkflowRow; readonly workitem: WorkitemRow | null }>>;
  /** Of a participant: oldest first. Of one workflow: by id. All: in an order that only serves to walk through them. A page ends early where
   * its rows would have more than PAGE_BYTES_MAX bytes of text, a base that several inherit counted once. */
  workitems(query: {
    readonly tenant: Tenant;
    readonly participant: string | null;
    readonly workflow: WorkflowId | null;
    readonly state: WorkitemRow['state'] | null;
    /** Only those that were opened before a time and still wait, oldest first; left out, or null: all. */
    readonly overdue?: Overdue | null;
    readonly limit: number;
    readonly after: string | null;
  }): Promise<Page<ReadItem>>;
  /**
   * Of these workflows, at most a thousand: the ids of the errors that wait (of a class, at a participant's workitems), or of the workitems that do (of a
   * participant, whose message stands so), by workflow and id, at most `limit`.
   */
  objects(query: {
    readonly tenant: Tenant;
    readonly workflows: readonly WorkflowId[];
    readonly of: 'errors' | 'workitems';
    readonly class: string | null;
    readonly participant: string | null;
    readonly state: ObjectState | null;
    readonly limit: number;
  }): Promise<readonly FoundItem[]>;
  /**
   * Messages that no pause holds back, without the fields of their workitems. `owed`, `failing`, or both (null): those that are due next come first; `spent`: those whose last
   * try failed last. Cursors of the one order lead on in that order only.
   */
  messages(query: {
    readonly tenant: Tenant;
    readonly state: ObjectState | null;
    readonly participant: string | null;
    /** Host and port, as in the URL, in small letters. */
    readonly host: string | null;
    /** What it says: `active`, or which notice. */
    readonly message?: string | null;
    readonly workflow?: WorkflowId | null;
    /** Since when its workitem waits. */
    readonly opened?: TimeRange;
    readonly limit: number;
    readonly after: string | null;
  }): Promise<Page<ReadItem>>;
  /** Timers that no pause holds back, those that are due next first, with the name of their workflow's definition. */
  timers(query: {
    readonly tenant: Tenant;
    readonly due?: TimeRange;
    readonly workflow?: WorkflowId | null;
    readonly limit: number;
    readonly after: string | null;
  }): Promise<Page<ReadTimer>>;
  /** Of these workflows, at most a thousand: whose turn it is (the participants of some of their workitems, who waits longest first, at most
   * TURNS_MAX), and the newest error without its details; those that have none are left out. */
  glance(
    tenant: Tenant,
    workflows: readonly WorkflowId[],
  ): Promise<ReadonlyMap<WorkflowId, { readonly turn: readonly string[]; readonly error: ErrorRow | null }>>;
  workitem(
    tenant: Tenant,
    key: MessageKey,
  ): Promise<{ readonly row: WorkitemRow; readonly base: string | null } | null>;
  /** Whose a workflow is, since when it runs, and since when a workitem of it waits (null: it does not); null when there is no such workflow. */
  ownerOf(
    key: MessageKey,
  ): Promise<{ readonly tenant: Tenant; readonly launchedAt: number; readonly openedAt: number | null } | null>;
  /** History rows that hold entries numbered > `after`, ascending, at most `limit` rows and PAGE_BYTES_MAX bytes of entries, but one at least. */
  history(tenant: Tenant, id: WorkflowId, after: number, limit: number): Promise<readonly HistoryRow[]>;
  /** The number of a workflow's last history entry, and of the first from which on none was folded away; null: no such workflow. */
  kept(tenant: Tenant, id: WorkflowId): Promise<{ readonly firstKept: number; readonly lastN: number } | null>;
  /** History rows that hold entries numbered < `before`, descending, bounded as those of `history` are. */
  historyBefore(tenant: Tenant, id: WorkflowId, before: number, limit: number): Promise<readonly HistoryRow[]>;
  /** All history in the order of commit; null where that is not to be had. */
  readonly recorded: {
    /** Rows at positions below `upTo` are all there are ever going to be. `hasLater`: others are there, and have to wait for transactions that
     * began before theirs. */
    edge(): Promise<{ readonly upTo: number; readonly hasLater: boolean }>;
    /** Rows at positions from `from` on and below `upTo`, which was an edge, by position, at most `limit`: of the last position some may be missing
     * then. A workflow's own rows have positions that never fall. */
    rows(from: number, upTo: number, limit: number): Promise<readonly Recorded[]>;
    /** The transaction that everything waits for; null: there is none that has written something and is open. */
    holder(): Promise<TransactionHolder | null>;
  } | null;
  /** Newest first, without their `details`; bounded in bytes as workitems are. `name`: of the workflow. */
  errors(query: {
    readonly tenant: Tenant;
    readonly class?: string | null;
    readonly participant?: string | null;
    readonly name?: string | null;
    /** The hash of the definition, or its beginning. */
    readonly definition?: string | null;
    /** The expid of where it happened. */
    readonly place?: string | null;
    readonly at?: TimeRange;
    readonly limit: number;
    readonly after: string | null;
  }): Promise<Page<ReadError>>;
  /** How many workflows a tenant has, by status (embedded counts are exact too). */
  counts(tenant: Tenant): Promise<ReadonlyMap<Status, number>>;
};
