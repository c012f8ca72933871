import { joinHistory } from '../model/history.ts';
import type { ExpressionId } from '../model/ids.ts';
import {
  type Changes,
  followedBy,
  type HistoryRow,
  type Op,
  type WorkflowRow,
  type WorkitemRow,
} from '../model/rows.ts';
import { type Loaded, type Need, needKey } from '../model/stimulus.ts';

/*
 * What a step sees: the rows that were loaded, with everything laid over them that earlier steps of the same batch have changed.
 * Pure; nothing here is changed in place.
 */

/** A workflow of which nothing has been loaded but its row. */
export const bareView = (workflow: WorkflowRow | null): Loaded => ({
  workflow,
  strands: new Map(),
  workitems: new Map(),
  agenda: new Map(),
  errors: new Map(),
  listeners: new Map(),
  variables: new Map(),
  answered: new Set(),
});

/** Changes of nothing but the workflow row. */
export const bareChanges = (workflow: WorkflowRow): Changes => ({
  workflow,
  strands: new Map(),
  workitems: new Map(),
  agenda: new Map(),
  errors: new Map(),
  listeners: new Map(),
  variables: new Map(),
  definitions: new Map(),
  history: [],
  events: [],
  hold: null,
  shift: null,
  sweep: false,
});

/** `base` with rows that were loaded later; rows it has already stay as they are. */
export const withLoaded = (base: Loaded, more: Loaded): Loaded => ({
  workflow: base.workflow ?? more.workflow,
  strands: united(more.strands, base.strands),
  workitems: united(more.workitems, base.workitems),
  agenda: united(more.agenda, base.agenda),
  errors: united(more.errors, base.errors),
  listeners: united(more.listeners, base.listeners),
  variables: united(more.variables, base.variables),
  answered: new Set([...base.answered, ...more.answered]),
});

/**
 * What the next step of the batch sees after `changes`.
 *
 * Needs that these changes answer (a row written or deleted) count as answered. Needs for *some* children of a fork do not any
 * more: the part that was loaded may have moved on, and only the database can count on from there.
 */
export function overlay(view: Loaded, changes: Changes): Loaded {
  const fresh: string[] = [];
  const touched = (ops: ReadonlyMap<string, Op<unknown>>, need: (key: string) => Need): void => {
    // A patch may change a row that was not loaded: it answers nothing.
    for (const [key, op] of ops) if (op.kind !== 'patch') fresh.push(needKey(need(key)));
  };
  touched(changes.strands, (path) => ({ kind: 'strand', path }));
  touched(changes.workitems, (id) => ({ kind: 'workitem', id: id as ExpressionId }));
  touched(changes.agenda, (id) => ({ kind: 'agenda', id }));
  touched(changes.errors, (id) => ({ kind: 'error', id: id as ExpressionId }));
  touched(changes.variables, (key) => {
    const blank = key.indexOf(' ');
    return { kind: 'variable', scope: key.slice(0, blank) as ExpressionId, name: key.slice(blank + 1) };
  });
  return {
    workflow: changes.workflow,
    strands: overlaid(view.strands, changes.strands),
    workitems: overlaid(view.workitems, changes.workitems),
    agenda: overlaid(view.agenda, changes.agenda),
    errors: overlaid(view.errors, changes.errors),
    listeners: overlaid(view.listeners, changes.listeners),
    variables: overlaid(view.variables, changes.variables),
    // Children are strands: where none has changed, none has moved.
    answered: answeredAfter(view.answered, fresh, changes.strands.size > 0),
  };
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

/** Two changes of one workflow, one after the other, as one. */
export function joined(first: Changes, second: Changes): Changes {
  // A sweep takes what the first wrote, all but the notices it owes.
  const before = second.sweep ? sweptBy(first) : first;
  return {
    workflow: second.workflow,
    strands: joinedOps(before.strands, second.strands),
    workitems: joinedOps(before.workitems, second.workitems),
    agenda: joinedOps(before.agenda, second.agenda),
    errors: joinedOps(before.errors, second.errors),
    listeners: joinedOps(before.listeners, second.listeners),
    variables: joinedOps(before.variables, second.variables),
    definitions: united(before.definitions, second.definitions),
    history: [...before.history, ...second.history],
    events: [...before.events, ...second.events],
    hold: second.hold ?? before.hold,
    shift: second.shift ?? before.shift,
    sweep: before.sweep || second.sweep,
  };
}

function sweptBy(changes: Changes): Changes {
  const notices = new Map<string, Op<WorkitemRow>>();
  for (const [id, op] of changes.workitems)
    if (op.kind === 'put' && op.row.state === 'closed' && op.row.send !== null) notices.set(id, op);
  return {
    ...bareChanges(changes.workflow),
    workitems: notices,
    definitions: changes.definitions,
    history: changes.history,
    events: changes.events,
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

/** Characters of text that writing these changes takes, roughly. */
export function weightOf(changes: Changes): number {
  let weight = changes.workflow.state.length + changes.workflow.fields.length;
  for (const op of changes.strands.values())
    if (op.kind === 'put') weight += op.row.state.length + op.row.fields.length;
  for (const op of changes.workitems.values()) if (op.kind === 'put') weight += op.row.fields?.length ?? 0;
  for (const op of changes.agenda.values()) if (op.kind === 'put') weight += op.row.payload.length;
  for (const op of changes.variables.values()) if (op.kind === 'put') weight += op.row.value.length;
  for (const text of changes.definitions.values()) weight += text.length;
  for (const row of changes.history) weight += row.entries.length;
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
