import { LanguageError } from '../../../language/language-error.ts';
import type { ExpressionId } from '../../../model/ids.ts';
import type { Fields, Json, JsonObject } from '../../../model/json.ts';
import { isObject } from '../../../model/json.ts';
import { cut } from '../../../model/text.ts';
import type { Tree } from '../../../model/tree.ts';
import { childPath, dropStrand, refOf } from '../../life/branches.ts';
import { cancelChildren } from '../../life/cancelling.ts';
import { dropWaiter } from '../../life/events.ts';
import { removeExpression } from '../../life/leaving.ts';
import { parentOf } from '../../life/variables.ts';
import { plainReply, type Strand } from '../../state/state.ts';
import type { Acting } from '../../state/world.ts';
import { dropConditions } from './conditions.ts';
import {
  childIndexOf,
  childTree,
  type Flow,
  flowsOf,
  isScope,
  isTrue,
  isTrueHere,
  list,
  of,
  text,
  treeOf,
} from './parts.ts';
import { disarm } from './waits.ts';

/*
 * Tokens. A token at an activity or at an event that waits is a child expression of its scope; one at a join is a count. The first token
 * walks in the strand of the scope, every further one in a branch of its own, and whoever follows an expression takes its place.
 */

export type Target = { readonly index: number; readonly flow: string | null; readonly fields?: Fields };
type Counts = { readonly [child: string]: number };
type Arrived = { readonly [gateway: string]: Counts };

const NOTHING: Fields = {};
export const OVER = '@over' as ExpressionId;
export const CLEARED = '@cleared' as ExpressionId;

const counts = (value: Json | undefined): Counts => (isObject(value) ? (value as Counts) : {});
export const arrivedAt = (scope: Acting): Arrived =>
  isObject(scope.node.data['arrived']) ? (scope.node.data['arrived'] as unknown as Arrived) : {};

function changed(from: Counts, key: string, by: number): Counts {
  const { [key]: before = 0, ...rest } = from;
  return before + by === 0 ? rest : { ...from, [key]: before + by };
}

function countLive(scope: Acting, index: number, by: number): void {
  scope.node.data['live'] = changed(counts(scope.node.data['live']), String(index), by);
  scope.strand.touched = true;
}

/** Whether what runs in a scope is being ended, so that no token moves any more. */
export const isClearing = ({ node }: Acting): boolean => node.state !== null || node.data['clearing'] !== undefined;

/** An expression is done: its tokens go on. Takes it out of the world; `fields` go to a parent that is no scope. */
export function leave(x: Acting, targets: readonly Target[], fields: Fields = NOTHING): void {
  const { node, strand, world } = x;
  const parent = parentOf(x);
  disarm(x);
  const first = strand.nodes[0] === node;
  if (node.state === null && node.data['boundary'] === undefined) countPassed(x);
  removeExpression(x, true);
  if (parent === null) {
    // The process itself.
    if (strand.path === '0') {
      strand.reply = fields;
      world.header.strands--;
    } else dropStrand(world, strand);
    return;
  }
  if (!isScope(parent)) {
    world.send({
      kind: 'reply',
      to: refOf(parent),
      from: node.id,
      fields,
      by: first ? 'branch' : 'child',
      branch: first ? { path: strand.path, index: strand.index } : null,
      flanking: false,
      updatedTree: null,
      received: false,
    });
    if (first) dropStrand(world, strand);
    return;
  }
  parent.node.children--;
  if (!first) parent.node.child = null;
  countLive(parent, childIndexOf(x), -1);
  let free: Strand | null = first ? strand : null;
  if (!isClearing(parent)) for (const target of targets) free = place(parent, target, free);
  if (free !== null) dropStrand(world, free);
  settle(parent);
}

/** Elements of which it is told how often they were passed: a workflow's row holds the counts. */
const PASSED_MAX = 500;

function countPassed({ node, world }: Acting): void {
  const { header, row } = world;
  // What a called definition does is told of the call.
  if (node.tree.root !== row.definition || node.tree.path === '') return;
  const passed = header.passed ?? {};
  const before = passed[node.tree.path];
  if (before === undefined && Object.keys(passed).length >= PASSED_MAX) return;
  header.passed = { ...passed, [node.tree.path]: (before ?? 0) + 1 };
}

/** Puts a token somewhere in a scope. `free`: a strand whose expression has just gone. Answers with it when it was not needed. */
export function place(scope: Acting, target: Target, free: Strand | null): Strand | null {
  const tree = childTree(scope, target.index);
  const type = text(tree, 'type');
  if (target.flow === null || (type !== 'parallelGateway' && of(tree, 'reach') === null))
    return apply(scope, target, free);
  const arrived = arrivedAt(scope);
  const here = changed(counts(arrived[target.index]), target.flow, 1);
  setArrived(scope, target.index, here);
  if (type !== 'parallelGateway') return free;
  const from = list(tree, 'from') as readonly string[];
  if (!from.every((flow) => (here[flow] ?? 0) > 0)) return free;
  consume(scope, target.index, from);
  return apply(scope, target, free);
}

function setArrived(scope: Acting, index: number, here: Counts): void {
  const { [index]: _, ...rest } = arrivedAt(scope);
  const all: Arrived = Object.keys(here).length === 0 ? rest : { ...arrivedAt(scope), [index]: here };
  if (Object.keys(all).length === 0) delete scope.node.data['arrived'];
  else scope.node.data['arrived'] = all as unknown as Json;
  // Who waits, the first to come first: object keys that are numbers do not keep their order.
  const order = ((scope.node.data['order'] ?? []) as readonly number[]).filter((each) => all[each] !== undefined);
  const next = all[index] === undefined || order.includes(index) ? order : [...order, index];
  if (next.length === 0) delete scope.node.data['order'];
  else scope.node.data['order'] = next;
  scope.strand.touched = true;
}

function consume(scope: Acting, index: number, flows: readonly string[]): void {
  let here = counts(arrivedAt(scope)[index]);
  for (const flow of flows) if ((here[flow] ?? 0) > 0) here = changed(here, flow, -1);
  setArrived(scope, index, here);
}

function apply(scope: Acting, { index, fields }: Target, free: Strand | null): Strand | null {
  const { node, strand, world } = scope;
  countLive(scope, index, 1);
  node.children++;
  const id = world.freshId(`${node.expid}_${index}`);
  const common = {
    kind: 'apply',
    parent: refOf(scope),
    id,
    tree: childPath(node.tree, index),
    fields: fields ?? NOTHING,
    variables: null,
    launch: false,
    flanking: false,
    place: null,
  } as const;
  if (free !== null) {
    world.send({ ...common, path: free.path, fresh: null });
    return null;
  }
  if (node.child === null) {
    node.child = id;
    world.send({ ...common, path: strand.path, fresh: null });
    return null;
  }
  const path = `${strand.path}.${strand.next}`;
  strand.next++;
  node.branches++;
  world.send({ ...common, path, fresh: { strandKind: 'branch', index, base: null } });
  return null;
}

/** Looks what follows from the counts of a scope: an inclusive gateway that fires, the end, being cleared. */
export function settle(scope: Acting): void {
  const { node, world } = scope;
  const tell = (from: ExpressionId): void => world.send(plainReply(refOf(scope), from, NOTHING));
  if (!isClearing(scope)) {
    for (let fired = fireInclusive(scope); fired; fired = fireInclusive(scope));
    if (node.children === 0 && node.data['arrived'] === undefined) tell(OVER);
    return;
  }
  if (node.children === 0) tell(CLEARED);
}

/** Fires one inclusive gateway that nothing holds up any more. */
function fireInclusive(scope: Acting): boolean {
  const order = (scope.node.data['order'] ?? []) as readonly number[];
  const held = new Map<number, readonly number[]>();
  for (const index of order) {
    const tree = childTree(scope, index);
    const reach = of(tree, 'reach');
    if (!isObject(reach)) continue;
    const holders = holdersOf(scope, index, tree, reach as Counts);
    if (holders.length > 0) {
      held.set(index, holders);
      continue;
    }
    fire(scope, index, tree);
    return true;
  }
  // Those that wait for each other alone: the one that has waited longest goes on. What waits for a join that is stuck stays with it.
  if (scope.node.children > 0) return false;
  for (let size = -1; size !== held.size; ) {
    size = held.size;
    for (const [index, holders] of held) if (!holders.every((holder) => held.has(holder))) held.delete(index);
  }
  const [oldest] = held.keys();
  if (oldest === undefined) return false;
  fire(scope, oldest, childTree(scope, oldest));
  return true;
}

/** Where tokens stand that an inclusive gateway waits for. */
function holdersOf(scope: Acting, index: number, tree: Tree, reach: Counts): readonly number[] {
  const here = counts(arrivedAt(scope)[index]);
  let full = 0;
  for (const [bit, flow] of (list(tree, 'from') as readonly string[]).entries())
    if ((here[flow] ?? 0) > 0) full |= 1 << bit;
  const others = [
    ...Object.keys(counts(scope.node.data['live'])),
    ...Object.keys(arrivedAt(scope)).filter((other) => Number(other) !== index),
  ];
  return others
    .filter((other) => {
      const bits = reach[other] ?? 0;
      return (bits & ~full) !== 0 && (bits & full) === 0;
    })
    .map(Number);
}

function fire(scope: Acting, index: number, tree: Tree): void {
  consume(scope, index, list(tree, 'from') as readonly string[]);
  apply(scope, { index, flow: null }, null);
}

// Choosing.

export const along = ([id, to]: Flow): Target => ({ index: to, flow: id });

const holds = (x: Acting, condition: Json): boolean => {
  if (typeof condition === 'string') return isTrue(x, condition);
  const rota = isObject(condition) ? condition['rota'] : undefined;
  return typeof rota !== 'string' || isTrueHere(x, rota);
};

const writtenIn = (condition: Json): string =>
  cut(typeof condition === 'string' ? condition : isObject(condition) ? String(condition['rota']) : '', 100);

function noFlow(x: Acting): LanguageError {
  const tree = treeOf(x);
  const byDefault = text(tree, 'default');
  const conditions = flowsOf(tree).map(([id, , condition]) => {
    if (id === byDefault) return `${id}: the default`;
    // Whichever was asked said no: the flow would have been taken.
    return `${id}: ${condition === null ? 'no condition' : `${writtenIn(condition)} gave false`}`;
  });
  return new LanguageError(
    'NoFlow',
    `no flow out of ${text(tree, 'id')} can be taken (${conditions.slice(0, 10).join('; ')})`,
  );
}

/** Every flow without a condition or with one that is true; the default when no conditional one is taken. */
export function outgoing(x: Acting): readonly Target[] {
  const tree = treeOf(x);
  const flows = flowsOf(tree);
  if (flows.length === 0) return [];
  const byDefault = text(tree, 'default');
  const others = flows.filter(([id]) => id !== byDefault);
  const taken = others.filter(([, , condition]) => holds(x, condition));
  const isDecided = taken.some(([, , condition]) => condition !== null);
  const fallback = isDecided ? undefined : flows.find(([id]) => id === byDefault);
  const chosen = flows.filter((flow) => taken.includes(flow) || flow === fallback);
  if (chosen.length === 0) throw noFlow(x);
  return chosen.map(along);
}

/** The default of an inclusive gateway counts only when no other flow is taken. */
export function inclusive(x: Acting): readonly Target[] {
  const tree = treeOf(x);
  const flows = flowsOf(tree);
  if (flows.length === 1 && text(tree, 'default') !== '') return flows.map(along);
  const byDefault = text(tree, 'default');
  const taken = flows.filter(([id, , condition]) => id !== byDefault && holds(x, condition));
  const fallback = flows.find(([id]) => id === byDefault);
  if (taken.length === 0 && fallback !== undefined) return [along(fallback)];
  if (taken.length === 0 && flows.length > 0) throw noFlow(x);
  return taken.map(along);
}

/** The first flow whose condition is true; else the default; else the only one without a condition. */
export function exclusive(x: Acting): readonly Target[] {
  const tree = treeOf(x);
  const flows = flowsOf(tree);
  if (flows.length < 2) return flows.map(along);
  const byDefault = text(tree, 'default');
  const first = flows.find(([id, , condition]) => id !== byDefault && condition !== null && holds(x, condition));
  const fallback =
    byDefault === '' ? flows.find(([, , condition]) => condition === null) : flows.find(([id]) => id === byDefault);
  const chosen = first ?? fallback;
  if (chosen === undefined) throw noFlow(x);
  return [along(chosen)];
}

// Ending what runs.

/** Ends everything in a scope; then it is over, or goes on with an event sub-process. */
export function clear(scope: Acting, then: Target | null, cause: 'timeout' | 'error' | 'cancel'): void {
  const { node } = scope;
  if (isClearing(scope)) return;
  node.data['clearing'] = then === null ? { then: null } : { then: then.index, fields: then.fields ?? {} };
  delete node.data['arrived'];
  delete node.data['order'];
  scope.strand.touched = true;
  disarmSubs(scope);
  if (node.children > 0) cancelChildren(scope, null, cause, false);
  else settle(scope);
}

/** Event sub-processes wait no more, boundary events of the scope do. */
function disarmSubs(scope: Acting): void {
  const { node, world } = scope;
  const subs = node.timers.filter(({ action }) => action.startsWith('s'));
  for (const { agenda } of subs) world.changeAgenda(agenda, { kind: 'delete' });
  node.timers = node.timers.filter(({ action }) => !action.startsWith('s'));
  dropConditions(scope, 's');
  const armed = (node.data['armed'] ?? []) as readonly string[];
  for (const on of armed.filter((each) => each.startsWith('s'))) {
    world.header.listeners--;
    world.listeners.set(`${node.id}#${on}`, { kind: 'delete' });
    dropWaiter(world, `${node.id}#${on}` as ExpressionId);
  }
  node.data['armed'] = armed.filter((each) => !each.startsWith('s'));
}

export const fieldsOfCleared = (value: Json): Target | null => {
  if (!isObject(value) || typeof value['then'] !== 'number') return null;
  return { index: value['then'], flow: null, fields: (value['fields'] ?? {}) as JsonObject };
};

/** An interrupting boundary event: the activity ends, then its token goes on from the event. */
export function interrupt(host: Acting, index: number, payload: Fields, cause: 'timeout' | 'error' | 'cancel'): void {
  const { node, world } = host;
  if (node.data['boundary'] !== undefined || node.state !== null) return;
  node.data['boundary'] = [index, payload];
  host.strand.touched = true;
  disarm(host);
  world.send({ kind: 'cancel', to: refOf(host), flavour: null, cause, reapply: null, again: false });
}

/** A boundary event that does not interrupt: a new token is born at it. */
export function spawn(scope: Acting, index: number, payload: Fields): void {
  if (isClearing(scope)) return;
  place(scope, { index, flow: null, fields: payload }, null);
}

/** One of its own boundary events or event sub-processes has happened. */
export function react(x: Acting, on: string, payload: Fields): void {
  const index = Number(on.slice(1));
  const cause = on === '' ? 'cancel' : isTimer(x, on) ? 'timeout' : 'cancel';
  if (on.startsWith('b')) {
    const scope = parentOf(x);
    if (scope === null || x.node.data['boundary'] !== undefined) return;
    if (childTree(scope, index).attributes.get('interrupting') === false) spawn(scope, index, payload);
    else interrupt(x, index, payload, cause);
    return;
  }
  if (isClearing(x)) return;
  const tree = childTree(x, index);
  const [start] = list(tree, 'starts') as readonly number[];
  const isBeside = start !== undefined && tree.children[start]?.attributes.get('interrupting') === false;
  if (isBeside) place(x, { index, flow: null, fields: payload }, null);
  else clear(x, { index, flow: null, fields: payload }, cause);
}

function isTimer(x: Acting, on: string): boolean {
  const index = Number(on.slice(1));
  const scope = on.startsWith('b') ? parentOf(x) : x;
  if (scope === null) return false;
  const tree = childTree(scope, index);
  const [start] = list(tree, 'starts') as readonly number[];
  const event = on.startsWith('b')
    ? of(tree, 'event')
    : start === undefined
      ? null
      : of(tree.children[start] ?? tree, 'event');
  return isObject(event) && event['kind'] === 'timer';
}
