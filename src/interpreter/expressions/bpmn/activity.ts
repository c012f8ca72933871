import { LanguageError } from '../../../language/language-error.ts';
import type { ExpressionId } from '../../../model/ids.ts';
import { equalJson, type Fields, isObject, type Json, type JsonObject, ownValue } from '../../../model/json.ts';
import { shownJson } from '../../../model/text.ts';
import { CHILDREN_PER_TURN, refOf } from '../../life/branches.ts';
import { cancelChildren } from '../../life/cancelling.ts';
import { newScope, parentOf, read, valueToJson } from '../../life/variables.ts';
import type { Acting, Reply } from '../../state/world.ts';
import { type Done, remember } from './compensation.ts';
import { isClearing, leave, outgoing } from './flow.ts';
import { giveOut } from './happening.ts';
import {
  childIndexOf,
  feel,
  isInstance,
  isScope,
  isTrue,
  list,
  meant,
  of,
  PROCESS,
  setLocal,
  setOutside,
  treeOf,
  visible,
} from './parts.ts';
import { armBoundary } from './waits.ts';

/*
 * Activities: mappings in, boundary events, many instances, mappings out.
 */

/** Instances of one activity. */
const INSTANCES_MAX = 10_000;

type Loop = {
  readonly kind: 'standard' | 'sequential' | 'parallel';
  readonly collection?: string | null;
  readonly count?: string | null;
  readonly item?: string | null;
  readonly into?: string | null;
  readonly give?: string | null;
  readonly until?: string | null;
  readonly while?: string | null;
  readonly before?: boolean;
  readonly most?: number | null;
};
/** What an activity of many instances counts. */
type Many = {
  readonly total: number;
  readonly next: number;
  readonly done: number;
  readonly ended: number;
  readonly over: boolean;
};

const loopOf = (x: Acting): Loop | null => {
  const value = of(treeOf(x), 'loop');
  return isObject(value) ? (value as unknown as Loop) : null;
};

export function armBoundaryOf(x: Acting): void {
  const scope = parentOf(x);
  if (scope !== null && isScope(scope)) armBoundary(x, scope);
}

/** Inputs, boundary events, then the work itself; or its instances, when it is done several times. */
export function beginActivity(x: Acting, work: () => void): void {
  if (isInstance(x)) {
    keepsToItself(x);
    mapIn(x);
    work();
    return;
  }
  const loop = loopOf(x);
  if (loop !== null) {
    armBoundaryOf(x);
    beginMany(x, loop);
    return;
  }
  try {
    mapIn(x);
  } catch (error) {
    // It waits in error; what may end that wait is armed all the same.
    if (error instanceof LanguageError) armBoundaryOf(x);
    throw error;
  }
  armBoundaryOf(x);
  work();
}

function mapIn(x: Acting): void {
  for (const [source, target] of list(treeOf(x), 'input') as unknown as readonly (readonly [string, string])[])
    setLocal(x, target, meant(x, source));
}

/** The activity is done: its answer goes out, it is remembered for compensation, its token goes on. */
export function completeActivity(
  x: Acting,
  answer: Fields,
  more: { readonly variables: JsonObject; readonly done: readonly Done[] } | null = null,
): void {
  const parent = parentOf(x);
  const inner = x.node.kind === 'bpmn:sub';
  if (!inner || list(treeOf(x), 'output').length > 0) giveOut(x, answer, localsOf(x));
  if (parent !== null && isInstance(x)) {
    const loop = loopOf(x);
    const given = loop?.give != null ? feel(x, loop.give, answer) : null;
    const number = x.node.scope === null ? null : read(x, x.node.scope, 'loopCounter');
    told(x);
    leave(x, [], { number: (number ?? 0) as Json, given });
    return;
  }
  if (parent === null || !isScope(parent)) {
    told(x);
    leave(x, []);
    return;
  }
  const targets = outgoing(x);
  remember(parent, childIndexOf(x), more);
  told(x);
  leave(x, targets);
}

const told = ({ node, world }: Acting): void =>
  world.record({ kind: 'expression.replied', expid: node.expid, expression_id: node.id, name: node.name });

/** The mapped inputs, which output mappings see as well. */
function localsOf(x: Acting): Fields {
  const { scope, kind } = x.node;
  const own = scope === null || kind === PROCESS ? [] : [...scope.own];
  return Object.fromEntries(own.map(([name, value]) => [name, valueToJson(x.world, value)]));
}

// The answer of a participant.

/** Only what differs from what was delivered is an answer. */
export function answerOf(x: Acting, fields: Fields): Fields {
  const { applied } = x.node;
  return Object.fromEntries(
    Object.entries(fields).filter(([key, value]) => {
      if (key === 'params' || key === 'dispatched_at' || /^__.*__$/.test(key)) return false;
      const before = ownValue(applied, key);
      return before === undefined || !equalJson(before, value as Json);
    }) as [string, Json][],
  );
}

/** Everything that can be seen, the mapped inputs over it. */
export const deliveredTo = (x: Acting): Fields => visible(x);

// Many instances.

function itemsOf(x: Acting, loop: Loop): readonly Json[] | null {
  if (loop.collection == null) return null;
  const value = feel(x, loop.collection);
  if (!Array.isArray(value))
    throw new LanguageError('ExpressionError', `${loop.collection}: ${shownJson(value, 100)} is no list`);
  return value as readonly Json[];
}

function beginMany(x: Acting, loop: Loop): void {
  const items = itemsOf(x, loop);
  let total = items?.length ?? 0;
  if (loop.kind === 'standard') total = loop.most ?? INSTANCES_MAX;
  else if (items === null) {
    const count = feel(x, loop.count ?? '0');
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 0)
      throw new LanguageError('ExpressionError', `${loop.count}: ${JSON.stringify(count)} is no number of instances`);
    total = count;
  }
  if (total > INSTANCES_MAX)
    throw new LanguageError('LimitExceeded', `${total} instances are more than ${INSTANCES_MAX}`);
  x.node.scope ??= newScope();
  const many: Many = { total, next: 0, done: 0, ended: 0, over: false };
  x.node.data['many'] = many;
  if (loop.kind === 'standard' ? !goesOn(x, loop, many, true) : total === 0) finishMany(x, loop);
  else if (loop.kind === 'parallel') birth(x, loop, items);
  else one(x, loop, items, 0);
}

const manyOf = (x: Acting): Many => x.node.data['many'] as unknown as Many;

/** Whether a standard loop has another round. */
function goesOn(x: Acting, loop: Loop, many: Many, first: boolean): boolean {
  if (many.next >= many.total) return false;
  if (first && loop.before !== true) return true;
  return loop.while == null || isTrue(x, loop.while, { loopCounter: many.next });
}

/** Begets up to a hundred instances and leaves the others for later turns. */
function birth(x: Acting, loop: Loop, items: readonly Json[] | null): void {
  const { next, total } = manyOf(x);
  const until = Math.min(total, next + CHILDREN_PER_TURN);
  for (let i = next; i < until; i++) one(x, loop, items, i);
  if (until < total) x.world.send({ kind: 'fork', to: refOf(x), from: until });
}

/** A wide fork goes on. */
export function isAsked(x: Acting, _from: number): void {
  const loop = loopOf(x);
  if (loop !== null && !manyOf(x).over) birth(x, loop, itemsOf(x, loop));
}

function one(x: Acting, loop: Loop, items: readonly Json[] | null, i: number): void {
  const { node, strand, world } = x;
  node.data['many'] = { ...manyOf(x), next: i + 1 };
  node.children++;
  strand.touched = true;
  const id = world.freshId(node.expid);
  const variables = new Map<string, Json>([['loopCounter', i + 1]]);
  if (loop.item != null && items !== null) variables.set(loop.item, items[i] ?? null);
  const common = {
    kind: 'apply',
    parent: refOf(x),
    id,
    tree: node.tree,
    fields: {},
    variables,
    launch: false,
    flanking: false,
    place: null,
  } as const;
  if (loop.kind === 'parallel') {
    node.branches++;
    const path = `${strand.path}.${strand.next}`;
    strand.next++;
    world.send({ ...common, path, fresh: { strandKind: 'branch', index: i, base: null } });
  } else {
    node.child = id;
    world.send({ ...common, path: strand.path, fresh: null });
  }
}

/** One instance is over. False when the reply is none of an instance. */
export function replyToMany(x: Acting, reply: Reply): boolean {
  const loop = loopOf(x);
  if (reply.by === null || loop === null) return false;
  const before = manyOf(x);
  const many: Many = before.over ? { ...before, ended: before.ended + 1 } : { ...before, done: before.done + 1 };
  x.node.data['many'] = many;
  const { number, given } = reply.fields;
  if (!many.over && loop.into != null && typeof number === 'number') keepResult(x, number, given ?? null);
  if (many.over) {
    if (x.node.children === 0) finishMany(x, loop);
    return true;
  }
  const counted = {
    numberOfInstances: many.total,
    numberOfActiveInstances: x.node.children,
    numberOfCompletedInstances: many.done,
    numberOfTerminatedInstances: many.ended,
  };
  if (loop.until != null && isTrue(x, loop.until, counted)) {
    x.node.data['many'] = { ...many, over: true };
    if (x.node.children === 0) finishMany(x, loop);
    else cancelChildren(x, null, 'cancel', false);
  } else if (loop.kind === 'parallel') {
    if (x.node.children === 0 && many.next >= many.total) finishMany(x, loop);
  } else if (loop.kind === 'standard' ? goesOn(x, loop, many, false) : many.next < many.total)
    one(x, loop, itemsOf(x, loop), many.next);
  else finishMany(x, loop);
  return true;
}

const RESULT = '^r';
const resultKey = (number: number): string => `${RESULT}${number}`;
/** Whether a variable of an activity holds what one of its instances gave. */
export const isResult = (name: string): boolean => name.startsWith(RESULT);

/** What an instance gave has a row of its own until the last one is over. */
function keepResult(x: Acting, number: number, value: Json): void {
  const { node, world } = x;
  const name = resultKey(number);
  world.variables.set(`${node.id} ${name}`, {
    kind: 'put',
    row: { scope: node.id as ExpressionId, name, value: JSON.stringify([value]) },
  });
  node.data['kept'] = true;
}

function results(x: Acting, total: number): readonly Json[] {
  const { node, world } = x;
  const found = new Map<string, string>();
  if (node.data['kept'] === true) {
    world.want({ kind: 'variables', scope: node.id });
    for (const row of world.loaded.variables.values()) if (row.scope === node.id) found.set(row.name, row.value);
    for (const [key, op] of world.variables)
      if (key.startsWith(`${node.id} `) && op.kind === 'put') found.set(op.row.name, op.row.value);
  }
  return Array.from({ length: total }, (_, i) => {
    const value = found.get(resultKey(i + 1));
    return value === undefined ? null : ((JSON.parse(value) as readonly Json[])[0] ?? null);
  });
}

function finishMany(x: Acting, loop: Loop): void {
  const { node, world } = x;
  if (loop.into != null) {
    const gathered = results(x, manyOf(x).total);
    if (node.data['kept'] === true)
      for (let i = 1; i <= gathered.length; i++) world.variables.set(`${node.id} ${resultKey(i)}`, { kind: 'delete' });
    setOutside(x, loop.into, gathered);
  }
  const parent = parentOf(x);
  if (parent === null || !isScope(parent)) {
    leave(x, []);
    return;
  }
  if (isClearing(parent)) {
    leave(x, []);
    return;
  }
  const targets = outgoing(x);
  // Each instance that was completed is undone by itself.
  for (let done = manyOf(x).done; done > 0; done--) remember(parent, childIndexOf(x), null);
  told(x);
  leave(x, targets);
}

/** With an output collection everything an instance sets stays in it. */
function keepsToItself(x: Acting): void {
  const loop = loopOf(x);
  if (isInstance(x) && loop?.into != null) x.node.data['keeps'] = true;
}
