import type { Json, JsonObject } from '../../../model/json.ts';
import { isObject } from '../../../model/json.ts';
import { childPath, refOf } from '../../life/branches.ts';
import { newScope, parentOf } from '../../life/variables.ts';
import type { Acting } from '../../state/world.ts';
import { leave } from './flow.ts';
import { childTree, eventOf, list, of, text, treeOf } from './parts.ts';

/*
 * Compensation. A scope remembers which of its activities with a handler are done, in the order they were; of a sub-process also its
 * variables at that time and what was done in it. A throw runs the handlers one after the other, the latest first, and uses each once.
 */

/** What a scope remembers of one completed activity. */
export type Done = { readonly at: number; readonly variables?: JsonObject; readonly done?: readonly Done[] };

export const recordsOf = (scope: Acting): readonly Done[] =>
  (scope.node.data['done'] ?? []) as unknown as readonly Done[];

function keep(scope: Acting, done: readonly Done[]): void {
  if (done.length === 0) delete scope.node.data['done'];
  else scope.node.data['done'] = done as unknown as Json;
  scope.strand.touched = true;
}

/** The boundary event that says what undoes an activity, and its handler. */
function handlerOf(scope: Acting, index: number): number | null {
  for (const each of list(childTree(scope, index), 'boundary') as readonly number[]) {
    const tree = childTree(scope, each);
    const handler = tree.attributes.get('handler');
    if (eventOf(tree)?.kind === 'compensate' && typeof handler === 'number') return handler;
  }
  return null;
}

const eventSubOf = (scope: Acting, index: number): number | null => {
  const tree = childTree(scope, index);
  for (const each of list(tree, 'eventSubs') as readonly number[]) {
    const inner = tree.children[each];
    const start = inner?.children[(list(inner, 'starts') as readonly number[])[0] ?? -1];
    if (start !== undefined && eventOf(start)?.kind === 'compensate') return each;
  }
  return null;
};

/** An activity is done: its scope remembers it when something can undo it. */
export function remember(
  scope: Acting,
  index: number,
  more: { readonly variables: JsonObject; readonly done: readonly Done[] } | null,
): void {
  const inner = more !== null && (more.done.length > 0 || eventSubOf(scope, index) !== null);
  if (handlerOf(scope, index) === null && !inner) return;
  const done: Done = { at: index, ...(inner && { variables: more.variables, done: more.done }) };
  keep(scope, [...recordsOf(scope), done]);
}

/** The scope whose activities a throw undoes. */
function scopeOf(x: Acting, activity: string | null): Acting | null {
  let at = parentOf(x);
  if (activity === null) {
    while (at !== null && treeOf(at).attributes.get('eventSub') === true) at = parentOf(at);
    return at;
  }
  for (; at !== null; at = parentOf(at))
    if (treeOf(at).children.some((child) => text(child, 'id') === activity)) return at;
  return null;
}

/** Begins to undo; false when there is nothing to undo. The thrower waits for the handlers as for children. */
export function compensate(x: Acting, activity: string | null): boolean {
  const scope = scopeOf(x, activity);
  if (scope === null) return false;
  const isMeant = ({ at }: Done): boolean => activity === null || text(childTree(scope, at), 'id') === activity;
  const all = recordsOf(scope);
  const todo = all.filter(isMeant).reverse();
  keep(
    scope,
    all.filter((done) => !isMeant(done)),
  );
  if (todo.length === 0) return false;
  x.node.data['undo'] = {
    scope: scope.node.expid,
    tree: scope.node.tree.path,
    root: scope.node.tree.root,
    todo: todo as unknown as Json,
  } as JsonObject;
  undoNext(x, scope);
  return true;
}

/** Runs the next handler as a child of `x`; false when all have run. */
export function undoNext(x: Acting, given: Acting | null = null): boolean {
  const undo = x.node.data['undo'];
  if (!isObject(undo)) return false;
  const scope = given ?? scopeNamed(x, String(undo['scope']));
  const [next, ...rest] = (undo['todo'] ?? []) as unknown as readonly Done[];
  if (next === undefined || scope === null) {
    delete x.node.data['undo'];
    return false;
  }
  x.node.data['undo'] = { ...undo, todo: rest as unknown as Json };
  const handler = handlerOf(scope, next.at);
  run(x, scope, handler ?? next.at, handler === null ? { __undo__: next as unknown as Json } : {});
  return true;
}

/** What undoes a sub-process is an expression of the sub-process once more: it stands for the scope its handlers belong to. */
function scopeNamed(x: Acting, expid: string): Acting | null {
  if (x.node.expid === expid) return x;
  for (let at = parentOf(x); at !== null; at = parentOf(at)) if (at.node.expid === expid) return at;
  return null;
}

function run(x: Acting, scope: Acting, index: number, fields: JsonObject): void {
  const { node, strand, world } = x;
  strand.touched = true;
  node.children++;
  const id = world.freshId(`${scope.node.expid}_${index}`);
  node.child = id;
  world.send({
    kind: 'apply',
    parent: refOf(x),
    path: strand.path,
    fresh: null,
    id,
    tree: childPath(scope.node.tree, index),
    fields,
    variables: null,
    launch: false,
    flanking: false,
    place: null,
  });
}

/** A completed sub-process is undone: by its compensation event sub-process, else by the handlers of what was done in it. */
export function undoSub(x: Acting, record: JsonObject | null, place: (index: number) => unknown): void {
  const { node } = x;
  if (record !== null) {
    const done = record as unknown as Done;
    node.applied = {};
    node.scope = newScope(Object.entries(done.variables ?? {}) as [string, Json][]);
    keep(x, done.done ?? []);
    const sub = eventSubIn(x);
    if (sub !== null) {
      place(sub);
      return;
    }
    node.data['undoing'] = true;
    node.data['undo'] = { scope: node.expid, todo: [...recordsOf(x)].reverse() as unknown as Json };
  }
  if (!undoNext(x, x)) leave(x, []);
}

function eventSubIn(x: Acting): number | null {
  for (const each of list(treeOf(x), 'eventSubs') as readonly number[]) {
    const inner = childTree(x, each);
    const start = inner.children[(list(inner, 'starts') as readonly number[])[0] ?? -1];
    if (start !== undefined && isObject(of(start, 'event')) && eventOf(start)?.kind === 'compensate') return each;
  }
  return null;
}
