import type { ExpressionId, WorkflowId } from '../../model/ids.ts';
import type { Fields, Json } from '../../model/json.ts';
import { cut } from '../../model/text.ts';

/** The expid of the root expression of every tree. */
export const ROOT = '0';

/*
 * The decoded form of a workflow's rows while a step works on them. These objects belong to one step alone: it changes them in
 * place, and when it throws they are simply forgotten. It is one thing, for each type names the others. Json values in them (fields above all) are never changed in place.
 */

/** Where an expression lives: its strand and its id. An empty id means the first expression of the strand. */
export type Ref = { readonly path: string; readonly id: ExpressionId };

/** Part of a definition: its content hash, or, for trees made at run time, the stored tree itself; and the child indexes that lead to
 * the part, joined by dots (`''` is the whole). */
export type TreeRef = { readonly root: string | readonly Json[]; readonly path: string };

/** A sub-process bound to a variable: the tree and the expid it is launched at. */
export class Bound {
  readonly expid: string;
  readonly tree: TreeRef;
  constructor(expid: string, tree: TreeRef) {
    this.expid = expid;
    this.tree = tree;
  }
}

/** An expression bound to a variable by its tag. */
export class Tagged {
  readonly ref: Ref;
  constructor(ref: Ref) {
    this.ref = ref;
  }
}

/** What a variable can hold. */
export type Value = Json | Bound | Tagged;

/** The variables of one scope. Past VARIABLES_INLINE_MAX new ones get rows of their own (`spilled`). */
export type Scope = { readonly own: Map<string, Value>; spilled: boolean };

/** docs/architecture.md, States. `null` is the normal state. `done` marks a handler that asked for a plain reply (undo, pass, store). */
export type State =
  | 'cancelling'
  | 'dying'
  | 'timing_out'
  | 'failing'
  | 'awaiting'
  | 'done_cancelled'
  | 'done_failed'
  | null;

export type Trigger = 'on_error' | 'on_cancel' | 'on_timeout' | 'on_re_apply' | 'on_reply';

export type Flavour = 'kill' | 'timeout' | 'retry' | null;
/** Why participants are told to stop. */
export type Cause = 'timeout' | 'error' | 'cancel';

/** How to go on after a cancel that re-applies. */
export type Reapply = {
  /** The tree to apply; null: its own. */
  readonly tree: TreeRef | null;
  /** With which workitem: as applied before, or as it came back from the cancel. */
  readonly workitem: 'applied' | 'returned';
  /** Other fields instead; null: those of the workitem. */
  readonly fields: Fields | null;
  /** A use of a retry list: on_cancel has no say in it. */
  readonly retry: boolean;
  /** As in `Place`. */
  readonly enter?: readonly number[];
};

export type Timer = { readonly agenda: string; readonly action: string };

/** A live expression. */
export type Node = {
  readonly id: ExpressionId;
  readonly expid: string;
  /** The name it runs under: the head of its tree, or what an alias or a bare head turned out to be. */
  name: string;
  /** The key of the expression in the registry. */
  kind: string;
  tree: TreeRef;
  /** Attributes added to, or replacing, those of the tree (ref of a bare head, on_x and tag of a handler). */
  added: readonly (readonly [string, Json])[];
  /** The tree was changed (consumed retries) and the parent is to learn of it. */
  updated: boolean;
  applied: Fields;
  scope: Scope | null;
  state: State;
  /** Children that have not replied yet, in this strand or in branches. */
  children: number;
  /** The child in this strand, applied or about to be. */
  child: ExpressionId | null;
  /** Branch strands below it that are alive. */
  branches: number;
  /** Flank strands below it that may be alive. */
  flanks: number;
  onError: Json;
  onCancel: Json;
  onTimeout: Json;
  onTerminate: Json;
  cause: Cause | null;
  reapply: Reapply | null;
  onReply: Reapply | null;
  trigger: Trigger | null;
  supplanted: {
    readonly tree: TreeRef;
    readonly name: string;
    readonly kind: string;
    readonly added: Node['added'];
    readonly applied: Fields;
  } | null;
  timers: readonly Timer[];
  timersMade: number;
  schedule: string | null;
  tag: string | null;
  fullTag: string | null;
  forgotten: boolean;
  lost: boolean;
  flanking: boolean;
  hasError: boolean;
  hasListener: boolean;
  hasWorkitem: boolean;
  /** When it was applied, in milliseconds after the launch of its workflow; -1: an earlier release did not write it down. */
  since: number;
  /** Fields before an `in` filter, for the `out` filter. */
  unfiltered: Fields | null;
  /** What its expression remembers. */
  data: Record<string, Json>;
  /** Who is asked for `applied`, or for some of `data`, when it is first read (held.ts); null once it was read. */
  appliedFrom: HeldOf | null;
  dataFrom: HeldOf | null;
  /** `data` as far as it was read. */
  readonly ownData: Readonly<Record<string, Json>>;
};

/** What the row of an open workitem says of its expression. */
export type Held = { readonly applied: Fields; readonly participant: Json; readonly params: Json };
export type HeldOf = (id: ExpressionId) => Held;

/** A chain of expressions, each the child of the one before. */
export type Strand = {
  readonly path: string;
  /** The strand it hangs below, and the expression there; both empty for the root and for forgotten strands. */
  parent: string;
  at: ExpressionId;
  kind: 'branch' | 'flank' | 'forgotten';
  readonly index: number;
  base: ExpressionId | null;
  /** Nesting depth of its first expression. */
  readonly depth: number;
  arrival: number | null;
  /** Number of the next strand below this one. */
  next: number;
  readonly nodes: Node[];
  /** Fields a finished branch (or the finished root) replied with. */
  reply: Fields | null;
  dead: boolean;
  touched: boolean;
  /** Whether a row of it is stored already. */
  readonly stored: boolean;
};

/** A condition of BPMN that waits: at which expression and under which key, for which variables, and whether it stays when it has held. */
export type Condition = {
  readonly path: string;
  readonly id: ExpressionId;
  readonly on: string;
  readonly names: readonly string[];
  readonly stays: boolean;
  readonly element: string;
  /** Its beginning, for those who look on. */
  readonly text: string;
  /** FEEL, or `{ rota }`. */
  readonly written: Json;
  readonly since: number;
};

/** What the workflow as a whole remembers. */
export type Header = {
  strands: number;
  expressions: number;
  forgotten: number;
  /** Live forgotten strands. */
  roots: number;
  errors: number;
  listeners: number;
  listenerSeq: number;
  /** Expressions that wait for events from outside. */
  waiters: number;
  /** How many events led to this workflow, one by way of the other. */
  hops: number;
  /** Events it has sent. */
  sent: number;
  /** Of BPMN: how often a token has left each element, by the path in its tree; null: none has. */
  passed: { readonly [path: string]: number } | null;
  answers: number;
  /** Expressions that are paused, and breakpoints (life/holding.ts). */
  holds: number;
  pausedAt: number | null;
  /** The last pause that has ended: from when, to when. */
  overslept: readonly [number, number] | null;
  cancelled: boolean;
  killed: boolean;
  continuing: boolean;
  /** An expression with an `on_cancel` was applied: what is let go while it is cancelled may need its variables. */
  onCancels: boolean;
  /** Characters in rows of its branches and variables. */
  kept: number;
  /** Conditions of BPMN that wait to hold; null: none. */
  conditions: readonly Condition[] | null;
  /** Messages of BPMN that wait for somebody, and how many there have been. */
  messages: number;
  messageSeq: number;
  /** Characters of those that wait. */
  messageCharacters: number;
  /** What participants have done that can be undone, oldest first: a number, and the tags that were entered; null: nothing (life/undoing.ts). */
  undos: readonly (readonly [number, ...string[]])[] | null;
  undoSeq: number;
  /** It is being cancelled with all that was done. */
  compensating: boolean;
  /** Agenda rows were put aside, for no step could work with them: they are due again once the error is dealt with, or go with the workflow. */
  aside: boolean;
  /** The workflow that goes on for it, which is over; null: none. */
  continuedAs: WorkflowId | null;
  /** Workflows before it that followed each other while nothing happened from outside. */
  rounds: number;
  /** Entries its history may have, by its launch; null: as the server says. */
  historyMax: number | null;
  tags: Record<string, number>;
  /** Tags of its launch; null: none. */
  labels: readonly string[] | null;
  /** Why it is being cancelled, or was killed, in the words of who wanted it; null: nothing was said. */
  reason: string | null;
  wfName: string | null;
  revision: string | null;
};

/** Inner messages, first in, first out (docs/architecture.md, A step). All plain data: they may be kept as a continuation. */
export type Message =
  | {
      readonly kind: 'apply';
      readonly parent: Ref | null;
      /** The strand to grow; `fresh` tells that it does not exist yet. */
      readonly path: string;
      readonly fresh: {
        readonly strandKind: Strand['kind'];
        readonly index: number;
        readonly base: ExpressionId | null;
      } | null;
      readonly id: ExpressionId;
      readonly tree: TreeRef;
      readonly fields: Fields;
      readonly variables: ReadonlyMap<string, Value> | null;
      /** The tree runs as the body of a definition. */
      readonly launch: boolean;
      readonly flanking: boolean;
      /** Takes the place of another expression. */
      readonly place: Place | null;
    }
  | {
      readonly kind: 'reply';
      readonly to: Ref;
      /** The expression whose workitem this is. */
      readonly from: ExpressionId;
      readonly fields: Fields;
      /** `child`: a registered child in the same strand; `branch`: one in a strand of its own; null: not a child. */
      readonly by: 'child' | 'branch' | null;
      readonly branch: { readonly path: string; readonly index: number } | null;
      readonly flanking: boolean;
      readonly updatedTree: Json;
      readonly received: boolean;
    }
  | {
      readonly kind: 'cancel';
      readonly to: Ref;
      readonly flavour: Flavour;
      readonly cause: Cause;
      readonly reapply: Reapply | null;
      /** Asked for from outside once more: goes through expressions that are cancelling already, to the handlers below them. */
      readonly again: boolean;
      /** What could be seen from the expression above, which is gone when this arrives: handlers of what is cancelled take it along. */
      readonly variables?: ReadonlyMap<string, Value>;
    }
  | {
      readonly kind: 'cancel_children';
      readonly to: Ref;
      readonly flavour: Flavour;
      readonly cause: Cause;
      readonly again: boolean;
      readonly after: number;
      /** As in `cancel`. */
      readonly variables?: ReadonlyMap<string, Value>;
    }
  | { readonly kind: 'fork'; readonly to: Ref; readonly from: number }
  | {
      readonly kind: 'fail';
      readonly to: Ref;
      /** The expression that failed; absent in what was kept before there was this. */
      readonly from?: Ref;
      readonly fields: Fields;
      readonly immediate: boolean;
    }
  | { readonly kind: 'dispatch'; readonly to: Ref }
  /** It was held where it was about to set out, and goes on from there. */
  | { readonly kind: 'set_out'; readonly to: Ref; readonly flanking: boolean }
  | { readonly kind: 'dispatch_cancel'; readonly to: Ref; readonly fields: Fields; readonly cause: Cause }
  | { readonly kind: 'cancel_process'; readonly flavour: Flavour; readonly after: number; readonly again: boolean }
  | {
      readonly kind: 'raise';
      readonly to: Ref;
      readonly class: string;
      readonly message: string;
      readonly fields: Fields;
    }
  | {
      readonly kind: 'tag';
      readonly event: 'entered_tag' | 'left_tag';
      readonly ref: Ref;
      readonly tag: string;
      readonly fullTag: string;
      readonly fields: Fields;
    }
  | { readonly kind: 'intercepted'; readonly ref: Ref; readonly error: Fields; readonly fields: Fields }
  | { readonly kind: 'awake'; readonly to: Ref }
  /** A condition that waits under `on` is to be looked at: a variable of it was changed. */
  | { readonly kind: 'look'; readonly to: Ref; readonly on: string }
  /** An event from outside has come, for one of BPMN's that waits under `on`. */
  | { readonly kind: 'event'; readonly to: Ref; readonly event: string; readonly on: string | null };

/**
 * Messages that are large and wait: their text is in an agenda row of its own, so that a turn which does not reach them does not write it again.
 * A node that does not know it puts the workflow in error; one that does goes on from there.
 */
export type SetDown = {
  readonly kind: 'set_down';
  readonly row: string;
  /** Of the text. */
  readonly characters: number;
  /** The strands that have to be known to handle them. */
  readonly strands: readonly string[];
  /** What is about to be applied by them. */
  readonly applies: readonly Awaited[];
};
/** What others want to know of an expression that is about to be applied; `from`: the one whose place it takes. */
export type Awaited = Pick<Extract<Message, { kind: 'apply' }>, 'parent' | 'path' | 'fresh' | 'id'> & {
  readonly from: ExpressionId | null;
};
export type Waiting = Message | SetDown;

/** What is about to be applied, by what waits in the queue. */
export function awaitedIn(waiting: Waiting): readonly Awaited[] {
  if (waiting.kind === 'set_down') return waiting.applies;
  if (waiting.kind !== 'apply') return [];
  const { parent, path, fresh, id, place } = waiting;
  return [{ parent, path, fresh, id, from: place?.from ?? null }];
}

/** A reply that does not come from a child: of an expression to itself, of a timer, a command, an event. */
export const plainReply = (
  to: Ref,
  from: ExpressionId,
  fields: Fields,
): Extract<Message, { readonly kind: 'reply' }> => ({
  kind: 'reply',
  to,
  from,
  fields,
  by: null,
  branch: null,
  flanking: false,
  updatedTree: null,
  received: false,
});

/** What an expression keeps of the one whose place it takes. */
export type Place = {
  readonly trigger: Trigger | null;
  readonly added: Node['added'];
  readonly scope: readonly (readonly [string, Value])[] | null;
  readonly onReply: Reapply | null;
  readonly supplanted: Node['supplanted'];
  /** Head and registry key, when the tree alone does not tell (a tree that ran as a definition's body). */
  readonly kind: string | null;
  /** The expression that stood here. */
  readonly from: ExpressionId;
  /** It had a tag, which means the new one from now on. */
  readonly tagFollows: boolean;
  readonly forgotten: boolean;
  /** The tree differs from the definition's, and the parent is to learn of it. */
  readonly updated: boolean;
  /** Where it begins (life/entering.ts): the index of its child, of the child's child and so on. Left out: at its own beginning. */
  readonly enter?: readonly number[];
};

/** How many variables of one scope live in its strand; further ones get rows of their own. */
export const VARIABLES_INLINE_MAX = 64;

/** All alike to the engine that runs this, read or not: properties that are defined later make every access slow. */
class LiveNode implements Node {
  readonly id: ExpressionId;
  readonly expid: string;
  name = '';
  kind = '';
  tree: TreeRef;
  added: Node['added'] = [];
  updated = false;
  scope: Scope | null = null;
  state: State = null;
  children = 0;
  child: ExpressionId | null = null;
  branches = 0;
  flanks = 0;
  onError: Json = null;
  onCancel: Json = null;
  onTimeout: Json = null;
  onTerminate: Json = null;
  cause: Cause | null = null;
  reapply: Reapply | null = null;
  onReply: Reapply | null = null;
  trigger: Trigger | null = null;
  supplanted: Node['supplanted'] = null;
  timers: readonly Timer[] = [];
  timersMade = 0;
  schedule: string | null = null;
  tag: string | null = null;
  fullTag: string | null = null;
  forgotten = false;
  lost = false;
  flanking = false;
  hasError = false;
  hasListener = false;
  hasWorkitem = false;
  since = -1;
  unfiltered: Fields | null = null;
  appliedFrom: HeldOf | null = null;
  dataFrom: HeldOf | null = null;
  ownData: Record<string, Json> = {};
  private ownApplied: Fields;

  constructor(id: ExpressionId, expid: string, tree: TreeRef, applied: Fields) {
    this.id = id;
    this.expid = expid;
    this.tree = tree;
    this.ownApplied = applied;
  }

  get applied(): Fields {
    if (this.appliedFrom !== null) this.applied = this.appliedFrom(this.id).applied;
    return this.ownApplied;
  }
  set applied(fields: Fields) {
    this.ownApplied = fields;
    this.appliedFrom = null;
  }

  get data(): Record<string, Json> {
    if (this.dataFrom !== null) {
      const { participant, params } = this.dataFrom(this.id);
      this.data = { ...this.ownData, participant, params };
    }
    return this.ownData;
  }
  set data(data: Record<string, Json>) {
    this.ownData = data;
    this.dataFrom = null;
  }
}

/** Characters of an element that are told. */
const ELEMENT_CHARACTERS_MAX = 80;

/** Of the first expression of a branch of an iterator: the beginning of the element it is about, as text. Such branches are born with their
 * element as a variable, and its index as another. */
export function elementIn({ scope }: Pick<Node, 'scope'>): string | undefined {
  if (!scope?.own.has('ii')) return undefined;
  const element = [...scope.own].find(([name]) => name !== 'ii')?.[1];
  if (element === undefined || element instanceof Bound || element instanceof Tagged) return undefined;
  return elementText(element as Json);
}

/** The beginning of an element, as text. */
export const elementText = (element: Json): string =>
  cut(typeof element === 'string' ? element : JSON.stringify(element), ELEMENT_CHARACTERS_MAX);

export const newNode = (id: ExpressionId, expid: string, tree: TreeRef, applied: Fields): Node =>
  new LiveNode(id, expid, tree, applied);

export const newHeader = (): Header => ({
  strands: 0,
  expressions: 0,
  forgotten: 0,
  roots: 0,
  errors: 0,
  listeners: 0,
  listenerSeq: 0,
  waiters: 0,
  hops: 0,
  sent: 0,
  passed: null,
  answers: 0,
  holds: 0,
  pausedAt: null,
  overslept: null,
  cancelled: false,
  killed: false,
  continuing: false,
  onCancels: false,
  kept: 0,
  conditions: null,
  messages: 0,
  messageSeq: 0,
  messageCharacters: 0,
  undos: null,
  undoSeq: 0,
  compensating: false,
  aside: false,
  continuedAs: null,
  rounds: 0,
  historyMax: null,
  tags: {},
  labels: null,
  reason: null,
  wfName: null,
  revision: null,
});
