import { joinHistory } from './history.ts';
import type { ExpressionId } from './ids.ts';
import {
  CHILDREN,
  type Changes,
  type ChildKind,
  type Children,
  eachChild,
  followedBy,
  type HistoryRow,
  type Op,
  type Ops,
  type Rows,
  type WorkflowRow,
  type WorkitemRow,
} from './rows.ts';
import { type Loaded, type Need, needKey } from './stimulus.ts';

/*
 * Rows and changes of rows, put together: what a step sees are the rows that were loaded, with everything laid over them that earlier steps of
 * the same batch have changed. Nothing here is changed in place.
 */

const rowsOf = <Kind extends ChildKind>(rows: Rows, kind: Kind): ReadonlyMap<string, Children[Kind]> => rows[kind];
const opsOf = <Kind extends ChildKind>(ops: Ops, kind: Kind): ReadonlyMap<string, Op<Children[Kind]>> => ops[kind];
/** Rows of each kind, and changes of rows of each kind. */
const rowsBy = (make: <Kind extends ChildKind>(kind: Kind) => ReadonlyMap<string, Children[Kind]>): Rows =>
  eachChild(make) as Rows;
const opsBy = (make: <Kind extends ChildKind>(kind: Kind) => ReadonlyMap<string, Op<Children[Kind]>>): Ops =>
  eachChild(make) as Ops;
const NO_ROWS: Rows = rowsBy(() => new Map());
const NO_OPS: Ops = opsBy(() => new Map());
const NO_TEXTS: Changes['definitions'] = new Map();

/** A workflow of which nothing has been loaded but its row. */
export const bareView = (workflow: WorkflowRow | null): Loaded => ({
  workflow,
  ...NO_ROWS,
  answered: new Set(),
  received: NOTHING_RECEIVED,
});
const NOTHING_RECEIVED: Loaded['received'] = new Map();

/** Changes of nothing but the workflow row. */
export const bareChanges = (workflow: WorkflowRow): Changes => ({
  workflow,
  ...NO_OPS,
  definitions: NO_TEXTS,
  history: [],
  events: [],
  hold: null,
  shift: null,
  sweep: false,
  missed: [],
  waited: false,
});

/** `base` with rows that were loaded later; rows it has already stay as they are. */
export const withLoaded = (base: Loaded, more: Loaded): Loaded => ({
  workflow: base.workflow ?? more.workflow,
  ...rowsBy((kind) => united(rowsOf(more, kind), rowsOf(base, kind))),
  answered: new Set([...base.answered, ...more.answered]),
  received: united(base.received, more.received),
});

/** The need that a row of this kind and key answers; null: such rows are only ever asked for all together. */
const NEED_OF: { readonly [Kind in ChildKind]: ((key: string) => Need) | null } = {
  strands: (path) => ({ kind: 'strand', path }),
  workitems: (id) => ({ kind: 'workitem', id: id as ExpressionId }),
  agenda: (id) => ({ kind: 'agenda', id }),
  errors: (id) => ({ kind: 'error', id: id as ExpressionId }),
  listeners: null,
  variables: (key) => {
    const blank = key.indexOf(' ');
    return { kind: 'variable', scope: key.slice(0, blank) as ExpressionId, name: key.slice(blank + 1) };
  },
  waiters: null,
};

/**
 * What the next step of the batch sees after `changes`.
 *
 * Needs that these changes answer (a row written or deleted) count as answered. Needs for *some* children of a fork do not any
 * more: the part that was loaded may have moved on, and only the database can count on from there.
 */
export function overlay(view: Loaded, changes: Changes): Loaded {
  const fresh: string[] = [];
  for (const kind of CHILDREN) {
    const need = NEED_OF[kind];
    const ops: ReadonlyMap<string, Op<unknown>> = changes[kind];
    // A patch may change a row that was not loaded: it answers nothing.
    if (need !== null && ops.size > 0)
      for (const [key, op] of ops) if (op.kind !== 'patch') fresh.push(needKey(need(key)));
  }
  return {
    workflow: changes.workflow,
    ...rowsBy((kind) => overlaid(rowsOf(view, kind), opsOf(changes, kind))),
    // Children are strands: where none has changed, none has moved.
    answered: answeredAfter(view.answered, fresh, changes.strands.size > 0),
    received: view.received,
  };
}

/** A view that answers for the rows in it and for nothing else: what was missing may have been inserted by others since (events), and
 * of sets only a part may be here. */
export function rowsAlone(view: Loaded): Loaded {
  const answered = new Set<string>();
  for (const kind of CHILDREN) {
    const need = NEED_OF[kind];
    if (need !== null) for (const key of view[kind].keys()) answered.add(needKey(need(key)));
  }
  return { ...view, listeners: new Map(), waiters: new Map(), answered, received: NOTHING_RECEIVED };
}

/** The very same set where nothing changes: hundreds of ends of tries can be a workflow's part of a batch. */
function answeredAfter(before: ReadonlySet<string>, fresh: readonly string[], moved: boolean): ReadonlySet<string> {
  if (!moved && fresh.every((key) => before.has(key))) return before;
  const answered = new Set(fresh);
  for (const key of before) if (!moved || !key.startsWith(CHILDREN_KEY)) answered.add(key);
  return answered;
}

const CHILDREN_KEY = 'children ';

/** True for needs that ask for part of a set: what earlier steps of the batch changed cannot be laid over such a part. */
export const asksForPart = (need: Need): boolean => need.kind === 'children';

/** After such changes the rows of the database say nothing about those of the view: the workflow's next stimulus waits for the next batch. */
export const endsBatch = (changes: Changes): boolean =>
  changes.sweep || changes.hold !== null || changes.shift !== null;

/** Whether a save of them has to do with events from outside, beyond deleting those who wait no more. */
export function meetsEvents({ waiters, missed, waited }: Changes): boolean {
  if (missed.length > 0 || waited) return true;
  for (const op of waiters.values()) if (op.kind === 'put') return true;
  return false;
}

/** Two changes of one workflow, one after the other, as one. What the second holds or shifts replaces what the first does. */
export function joinChanges(first: Changes, second: Changes): Changes {
  // A sweep takes what the first wrote, all but the notices it owes.
  const before = second.sweep ? sweptBy(first) : first;
  return {
    workflow: second.workflow,
    ...opsBy((kind) => joinedOps(opsOf(before, kind), opsOf(second, kind))),
    definitions: united(before.definitions, second.definitions),
    history: [...before.history, ...second.history],
    events: [...before.events, ...second.events],
    hold: second.hold ?? before.hold,
    shift: second.shift ?? before.shift,
    sweep: before.sweep || second.sweep,
    missed: before.missed.length === 0 ? second.missed : [...before.missed, ...second.missed],
    waited: before.waited || second.waited,
    ...successorIn(second, before),
  };
}

const successorIn = (...changes: readonly Changes[]): Pick<Changes, 'successor'> => {
  const successor = changes.find((one) => one.successor !== undefined)?.successor;
  return successor === undefined ? {} : { successor };
};

function sweptBy(changes: Changes): Changes {
  // What is owed outlives a sweep, and so does what became of it: a notice that was delivered must not be owed again.
  const notices = new Map<string, Op<WorkitemRow>>();
  for (const [id, op] of changes.workitems)
    if (op.kind !== 'put' || (op.row.state === 'closed' && op.row.send !== null)) notices.set(id, op);
  return {
    ...bareChanges(changes.workflow),
    workitems: notices,
    definitions: changes.definitions,
    history: changes.history,
    events: changes.events,
    missed: changes.missed,
  };
}

/**
 * Two neighbouring history rows as one. The entries of the first must carry their own `at`, for the row takes that of the second.
 */
export const foldedHistory = (first: HistoryRow, second: HistoryRow): HistoryRow => ({
  firstN: first.firstN,
  lastN: second.lastN,
  at: second.at,
  entries: joinHistory(first.entries, second.entries),
});

/** What of a row may be large. */
const TEXTS: { readonly [Kind in ChildKind]: readonly (keyof Children[Kind])[] } = {
  strands: ['state', 'fields'],
  workitems: ['fields', 'params', 'log'],
  agenda: ['payload'],
  errors: ['message', 'details'],
  listeners: [],
  variables: ['value'],
  waiters: [],
};

function textOf<Kind extends ChildKind>(kind: Kind, row: Children[Kind]): number {
  let characters = 0;
  for (const part of TEXTS[kind]) {
    const text: unknown = row[part];
    if (typeof text === 'string') characters += text.length;
  }
  return characters;
}

/** Characters of text that writing these changes takes, roughly. */
export function weightOf(changes: Changes): number {
  let weight = changes.workflow.state.length + changes.workflow.fields.length;
  const weigh = <Kind extends ChildKind>(kind: Kind): void => {
    const ops = opsOf(changes, kind);
    if (ops.size === 0) return;
    for (const op of ops.values()) if (op.kind === 'put') weight += textOf(kind, op.row);
  };
  CHILDREN.forEach(weigh);
  for (const text of changes.definitions.values()) weight += text.length;
  for (const row of changes.history) weight += row.entries.length;
  return weight;
}

/** Characters of text that these rows take, roughly; `ofRow`: what one takes beside its texts. */
export function weightOfRows(rows: Rows, ofRow: number): number {
  let weight = 0;
  const weigh = <Kind extends ChildKind>(kind: Kind): void => {
    const those = rowsOf(rows, kind);
    if (those.size === 0) return;
    for (const row of those.values()) weight += ofRow + textOf(kind, row);
  };
  CHILDREN.forEach(weigh);
  return weight;
}

function united<Value>(
  first: ReadonlyMap<string, Value>,
  second: ReadonlyMap<string, Value>,
): ReadonlyMap<string, Value> {
  if (second.size === 0) return first;
  if (first.size === 0) return second;
  const both = new Map(first);
  for (const [key, value] of second) both.set(key, value);
  return both;
}

function overlaid<Row>(rows: ReadonlyMap<string, Row>, ops: ReadonlyMap<string, Op<Row>>): ReadonlyMap<string, Row> {
  if (ops.size === 0) return rows;
  const over = new Map(rows);
  for (const [key, op] of ops) {
    if (op.kind === 'delete') over.delete(key);
    else if (op.kind === 'put') over.set(key, op.row);
    else {
      // A row that was not loaded is patched where it lies; when it is loaded later the patch is laid over it then.
      const row = rows.get(key);
      if (row !== undefined) over.set(key, { ...row, ...op.set });
    }
  }
  return over;
}

function joinedOps<Row>(
  first: ReadonlyMap<string, Op<Row>>,
  second: ReadonlyMap<string, Op<Row>>,
): ReadonlyMap<string, Op<Row>> {
  if (second.size === 0) return first;
  if (first.size === 0) return second;
  const both = new Map(first);
  for (const [key, op] of second) both.set(key, followedBy(first.get(key), op));
  return both;
}
