import { type FaultCode, unreachable } from './fault.ts';
import type { ExpressionId } from './ids.ts';
import type { Fields, Json } from './json.ts';
import type { Launch } from './launch.ts';
import type { AgendaRow, Changes, Rows, WorkflowRow } from './rows.ts';
import type { Tree } from './tree.ts';

/** What can happen to a workflow from outside. `actor`, `reason` and `batch` go into the history. */
export type Stimulus = {
  /** Business time of the step, milliseconds; the step's own time is max(now, the workflow's last). */
  readonly now: number;
  /** 32 hexadecimal digits: every fresh id of the step derives from it, so that the step is deterministic. */
  readonly seed: string;
  readonly actor?: string;
  readonly reason?: string;
  readonly batch?: BatchMark;
  readonly event: Happening;
};

/** Names an item of a batch: by this the history tells that it was done. */
export type BatchMark = { readonly id: string; readonly item: number };

export type Happening =
  | { readonly kind: 'launch'; readonly launch: Launch }
  | {
      readonly kind: 'proceed';
      readonly workitem: ExpressionId;
      readonly fields: Fields;
      readonly by?: Answering;
    }
  /** The participant gives up, or its tries are spent (`class` RetriesExceeded). */
  | {
      readonly kind: 'fail';
      readonly workitem: ExpressionId;
      readonly class: string;
      readonly message: string;
      /** An error of BPMN, with the fields its catcher is given. */
      readonly code?: string;
      readonly fields?: Fields;
      readonly by?: Answering;
    }
  /** A message to this workflow; `key` undefined: any key fits. `keep`: waits for somebody when nobody waits for it, so many seconds (left out, or
   * null: as long as the workflow lives). */
  | {
      readonly kind: 'message';
      readonly name: string;
      readonly key?: string | null;
      readonly fields: Fields;
      readonly keep: boolean;
      readonly seconds?: number | null;
    }
  | { readonly kind: 'signal'; readonly name: string; readonly fields: Fields }
  | {
      readonly kind: 'edit';
      readonly workitem: ExpressionId;
      readonly fields: Fields;
      readonly revision: number | null;
      readonly by?: Answering;
    }
  /** Its participant is still at work. `extendMs`: it is to be done that much later than now; null: as before. */
  | {
      readonly kind: 'heartbeat';
      readonly workitem: ExpressionId;
      readonly extendMs: number | null;
      readonly progress: Json;
    }
  /** `claimant`: the caller, who may answer for the assignee. */
  | {
      readonly kind: 'claim';
      readonly workitem: ExpressionId;
      readonly assignee: string;
      readonly claimant: string | null;
      readonly ttlMs: number;
    }
  | { readonly kind: 'release'; readonly workitem: ExpressionId; readonly by?: Answering }
  /** `compensate`: what participants have done is undone before it is over. */
  | { readonly kind: 'cancel'; readonly compensate?: boolean }
  | { readonly kind: 'kill' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** An agenda row is due; when it is gone it has fired already and nothing happens. */
  | { readonly kind: 'due'; readonly agenda: string }
  | { readonly kind: 'cancel_expression'; readonly expression: ExpressionId }
  | { readonly kind: 'kill_expression'; readonly expression: ExpressionId }
  /** It takes nothing in, and nothing below it moves, until it is resumed. `breakpoint`: what comes to this place below it is held there instead. */
  | { readonly kind: 'pause_expression'; readonly expression: ExpressionId; readonly breakpoint: string | null }
  /** `breakpoint`: only that one is lifted; null: the pause and all of them. */
  | { readonly kind: 'resume_expression'; readonly expression: ExpressionId; readonly breakpoint: string | null }
  /** It is done, with these fields over those it has; what still runs below it is cancelled. */
  | { readonly kind: 'reply'; readonly expression: ExpressionId; readonly fields: Fields }
  /** Of BPMN: its token goes on at another element of its scope. */
  | { readonly kind: 'move'; readonly expression: ExpressionId; readonly to: string }
  /** Of BPMN: a scope gets one token more. */
  | { readonly kind: 'add_token'; readonly expression: ExpressionId; readonly at: string }
  | {
      readonly kind: 'reapply';
      readonly expression: ExpressionId;
      readonly fields: Fields | null;
      readonly tree: Tree | null;
      /** `fields` are merged over those at hand, instead of taking their place. */
      readonly merge?: boolean;
      /** It begins at this child, at this child of that child and so on, with the fields of what runs below it now. */
      readonly enter?: readonly number[];
      /** The hash of the tree, for the history. */
      readonly hash?: string;
    }
  | {
      readonly kind: 'replay';
      readonly expression: ExpressionId;
      readonly fields: Fields | null;
      readonly tree: Tree | null;
      /** As in `reapply`. */
      readonly merge?: boolean;
    }
  /** A bug of ours: the step for this workflow threw again and again; it is put in error and kept. `pause`: it is paused as well, and what
   * was left of a long step is not taken up. `agenda`: the row whose step it was, which tells the expression. */
  | { readonly kind: 'broken'; readonly message: string; readonly pause?: boolean; readonly agenda?: string };

/** A caller that does something with a workitem which a colleague may have claimed: as whom, and who it is. Left out: the server by itself. */
export type Answering = { readonly assignee: string | null; readonly claimant: string | null };

/** The least and the most there may be of `Launch.historyMax`. */
export const HISTORY_MAX_LEAST = 1_000;
export const HISTORY_MAX_MOST = 1_000_000;

export type { Callbacks, Launch } from './launch.ts';

/** Rows a step asks for because they were not loaded. The engine loads them and runs the step again from its start. */
export type Need =
  /** One strand and all its ancestors. */
  | { readonly kind: 'strand'; readonly path: string }
  /** The strand that holds an expression (and its ancestors), when only the expression's id is known. */
  | { readonly kind: 'find'; readonly expression: ExpressionId }
  /** Children attached to one expression, by number (last part of the path), ascending, those greater than `after`, at most `limit`;
   * `finished`: only those that have arrived (true) or only those that have not (false). */
  | {
      readonly kind: 'children';
      readonly path: string;
      readonly at: ExpressionId;
      readonly after: number;
      readonly limit: number;
      readonly finished: boolean;
    }
  | { readonly kind: 'workitem'; readonly id: ExpressionId }
  | { readonly kind: 'agenda'; readonly id: string }
  /** All agenda rows of one kind, by due time then id: the answers kept during a pause, at most `Limits.answers`. */
  | { readonly kind: 'agenda_kind'; readonly of: AgendaRow['kind'] }
  | { readonly kind: 'error'; readonly id: ExpressionId }
  /** At most `Limits.listeners`. */
  | { readonly kind: 'listeners' }
  | { readonly kind: 'variable'; readonly scope: ExpressionId; readonly name: string }
  /** Those with rows of their own: at most `Limits.variablesCharacters`, and of what BPMN keeps `Limits.keptCharacters`. */
  | { readonly kind: 'variables'; readonly scope: ExpressionId }
  | { readonly kind: 'definition'; readonly hash: string }
  /** At most `Limits.listeners`. */
  | { readonly kind: 'waiters' }
  /** An event that came from outside. */
  | { readonly kind: 'event'; readonly id: string }
  /** The workitems that are not closed, at most `Limits.expressions`, by name: `fields`, `added`, `params` and `log` are left out (as null, null, '{}' and '[]'), except of
   * the root strand's. For whoever ends them all, however large they are. */
  | { readonly kind: 'open_workitems' }
  /** Every row of the workflow. No step asks for it. */
  | { readonly kind: 'everything' };

/** How a need of kind `definition` names a stored definition, `order` or `order@3`, instead of a hash. */
/** A version of a stored definition, as far as steps have to do with it. */
export type StoredVersion = {
  /** Of its tree. */
  readonly hash: string;
  readonly name: string;
  readonly version: number;
  /** Of its text as it was posted. */
  readonly source: string;
  /** What its input has to be like (language/json-schema.ts); left out: anything. */
  readonly inputSchema?: Json;
};

/** Finds the version that `order` or `order@3` names; null: there is none; undefined: it has to be loaded first. */
export type FindStored = (tenant: string, reference: string) => StoredVersion | null | undefined;

export const storedKey = (tenant: string, reference: string): string => `stored ${tenant} ${reference}`;
/** What such a key names; null: it is a hash. */
export function readStoredKey(key: string): { readonly tenant: string; readonly reference: string } | null {
  if (!key.startsWith('stored ')) return null;
  const end = key.indexOf(' ', 'stored '.length);
  return { tenant: key.slice('stored '.length, end), reference: key.slice(end + 1) };
}

/** One text per need, the same for the same need: its kind and what it names, joined by blanks. Names that strangers choose come last. */
export function needKey(need: Need): string {
  switch (need.kind) {
    case 'workitem':
    case 'agenda':
    case 'error':
    case 'event':
      return `${need.kind} ${need.id}`;
    case 'strand':
      return `strand ${need.path}`;
    case 'variable':
      return `variable ${need.scope} ${need.name}`;
    case 'find':
    case 'children':
    case 'agenda_kind':
    case 'listeners':
    case 'waiters':
    case 'variables':
    case 'definition':
    case 'open_workitems':
    case 'everything':
      return Object.values(need).join(' ');
    default:
      return unreachable(need);
  }
}

/** What is known of one workflow: rows that were loaded, and the needs they answer (a row that is missing although its need was
 * answered does not exist). */
export type Loaded = Rows & {
  readonly workflow: WorkflowRow | null;
  readonly answered: ReadonlySet<string>;
  /** Events from outside, by their ids here. */
  readonly received: ReadonlyMap<string, ReceivedEvent>;
};

/** An event as it was received. */
export type ReceivedEvent = {
  readonly type: string;
  /** JSON: its attributes and its data, as they came. */
  readonly body: string;
  readonly hops: number;
};

export type Answer =
  /** `sizes`: told where one of them is large (SIZES_TOLD), each with what it may be: characters of the fields that were looked at, expressions that are live. */
  | {
      readonly ok: true;
      readonly value: Json;
      readonly sizes?: {
        readonly fields: readonly [number, number];
        readonly expressions: readonly [number, number];
      };
    }
  | { readonly ok: false; readonly code: FaultCode; readonly message: string };

export type StepResult =
  | { readonly kind: 'stepped'; readonly changes: Changes | null; readonly answer: Answer }
  | { readonly kind: 'need'; readonly needs: readonly Need[] };

/** Sizes are told from this part of what they may be on. */
export const SIZES_TOLD = 0.1;

/** The bounds a step keeps. Past `messages` and `work` the rest goes to the agenda; past the others the workflow gets an error. */
export type Limits = {
  /** Inner messages of one step. */
  readonly messages: number;
  /** Characters and elements that one step reads, copies or writes before the rest takes its turn. */
  readonly work: number;
  /** The same for one inner message, which cannot be divided. */
  readonly messageWork: number;
  /** Live expressions of one workflow. */
  readonly expressions: number;
  /** Expressions of one workflow that listen at once: each event looks at all of them. */
  readonly listeners: number;
  /** What comes for a workflow while it is paused, until it goes on: all of it is taken up in one step. */
  readonly answers: number;
  /** Characters of a workitem's fields as JSON. */
  readonly fieldsCharacters: number;
  /** Characters of the variables of one scope as JSON, names included. */
  readonly variablesCharacters: number;
  /** Characters of what the branches of one concurrence replied with, as it waits to be merged. */
  readonly mergeCharacters: number;
  /** Characters of all that one workflow keeps beside its root: branches, variables with rows of their own, copies shared by forks. */
  readonly keptCharacters: number;
  /** Lists and objects around the innermost part of a field or variable. */
  readonly valueDepth: number;
  /** Finished branches that are loaded at a time when they are merged, and side activities that are told to stop. Others follow. */
  readonly finishedPerLoad: number;
  /** How deep expressions may be nested (recursion of sub-processes). */
  readonly depth: number;
  /** Bytes (UTF-8) of the name of a variable, tag or participant. */
  readonly nameBytes: number;
  /** Characters of the message of an error; longer ones are cut. */
  readonly errorCharacters: number;
  /** Events that may lead to each other, one by way of the next. */
  readonly hops: number;
  /** Entries that each gateway and event of BPMN writes which a token passes: 1 or 0. */
  readonly flowEntries: number;
  /** Characters of what somebody gave that are kept in the history beside who gave it; of more, the size alone. 0: nothing is kept. */
  readonly givenCharacters: number;
  /** Entries kept in `__past_tags__`, and characters of all of them; the oldest go first. */
  readonly pastTags: number;
  readonly pastTagsCharacters: number;
};
export const LIMITS: Limits = {
  messages: 200,
  work: 2_000_000,
  messageWork: 16_000_000,
  expressions: 50_000,
  listeners: 10_000,
  answers: 10_000,
  fieldsCharacters: 4_000_000,
  variablesCharacters: 4_000_000,
  mergeCharacters: 16_000_000,
  keptCharacters: 100_000_000,
  valueDepth: 300,
  finishedPerLoad: 10_000,
  depth: 500,
  nameBytes: 2_000,
  errorCharacters: 10_000,
  hops: 16,
  flowEntries: 1,
  givenCharacters: 0,
  pastTags: 200,
  pastTagsCharacters: 500_000,
};
