import { type ExpressionId, expidOf } from '../model/ids.ts';
import type { Fields, Json } from '../model/json.ts';
import { isObject, ownValue, withKey, withoutKeys } from '../model/json.ts';
import { DEFINE_NAMES, isTreeJson, makeTree, type Tree, textKey, treeFromJson, treeToStored } from '../model/tree.ts';
import {
  attribute,
  compiledAttributes,
  isTrueText,
  maySetOut,
  splitTarget,
  toText,
  treeOf,
  written,
  writtenAttributes,
} from './attributes.ts';
import { CHILDREN_PER_TURN, childPath, dropStrand, refOf, strandsBelow, uncount } from './branches.ts';
import { filterIn, filterOut } from './filtering.ts';
import { expressionObject, type Handler, handlerAt, storedTree, useRetryList, withRetriesLeft } from './handlers.ts';
import { LanguageError } from './language-error.ts';
import { awaitEvent, dropListener } from './listening.ts';
import { assign } from './lookup.ts';
import {
  Bound,
  type Cause,
  type Flavour,
  type Message,
  newNode,
  type Place,
  type Reapply,
  type Strand,
  type TreeRef,
  type Trigger,
  type Value,
} from './state.ts';
import { bindTag, enterTag, leaveTag } from './tags.ts';
import { COMMANDS, clearTimers, schedule, setTimers } from './timers.ts';
import { dropScope, newScope, parentOf, setVariable, variablesToJson, visibleVariables } from './variables.ts';
import { parseWhen, utcStamp } from './when.ts';
import type { Acting, Expression, World } from './world.ts';

/*
 * The life of an expression (language.md 3): applied, replied to, cancelled, failed, replaced by a handler, gone. What differs from
 * one expression to the next is in expressions/; what all have in common is here.
 */

type Of<Kind extends Message['kind']> = Extract<Message, { readonly kind: Kind }>;

export function expressionOf(x: Acting): Expression {
  const expression = x.world.registry.get(x.node.kind);
  if (expression === undefined) throw new LanguageError('NotYet', `expression "${x.node.kind}" is not there yet`);
  return expression;
}

// Applying.

/** Applies child `index` with these fields; the child is the next of this strand. */
export function applyChild(x: Acting, index: number, fields: Fields): void {
  const { node, world } = x;
  applyNext(x, {
    id: world.freshId(`${node.expid}_${index}`),
    tree: childPath(node.tree, index),
    fields,
    variables: null,
    launch: false,
  });
}

/** Applies a tree from elsewhere (a sub-process, a block) as the child of this expression, in a scope of its own. */
export function launchTree(
  x: Acting,
  launch: {
    readonly expid: string;
    readonly tree: TreeRef;
    readonly fields: Fields;
    readonly variables: ReadonlyMap<string, Value>;
  },
): void {
  applyNext(x, {
    id: x.world.freshId(launch.expid),
    tree: launch.tree,
    fields: launch.fields,
    variables: launch.variables,
    launch: true,
  });
}

function applyNext(
  x: Acting,
  next: {
    readonly id: ExpressionId;
    readonly tree: TreeRef;
    readonly fields: Fields;
    readonly variables: ReadonlyMap<string, Value> | null;
    readonly launch: boolean;
  },
): void {
  const { node, strand, world } = x;
  strand.touched = true;
  node.children++;
  node.child = next.id;
  world.send({
    kind: 'apply',
    parent: refOf(x),
    path: strand.path,
    fresh: null,
    flanking: false,
    place: null,
    ...next,
  });
}

/** Applies a tree in a forgotten strand: nobody waits for it, and it takes a copy of all variables along. */
export function launchForgotten(
  x: Acting,
  launch: {
    readonly expid: string;
    readonly tree: TreeRef;
    readonly fields: Fields;
    readonly launch: boolean;
    readonly variables?: ReadonlyMap<string, Value>;
  },
): void {
  const { world } = x;
  world.header.forgotten++;
  world.send({
    kind: 'apply',
    parent: null,
    path: `f${world.header.forgotten}`,
    fresh: { strandKind: 'forgotten', index: 0, base: null },
    id: world.freshId(launch.expid),
    tree: launch.tree,
    fields: launch.fields,
    variables: new Map([...visibleVariables(x), ...(launch.variables ?? [])]),
    launch: launch.launch,
    flanking: false,
    place: null,
  });
}

const newStrand = (path: string, parent: string, at: ExpressionId, kind: Strand['kind'], index: number, depth: number, base: ExpressionId | null): Strand => ({
  path, parent, at, kind, index, base, depth, arrival: null, next: 1, nodes: [], reply: null, dead: false, touched: true, stored: false,
}); // biome-ignore format: a list of parts

/** Makes the expression an apply message asks for. Null when what it belongs to is gone. */
export function createExpression(world: World, message: Of<'apply'>): Acting | null {
  const parent = message.parent === null ? null : world.find(message.parent);
  if (message.parent !== null && parent === null) return null;
  let strand: Strand | null;
  if (message.fresh === null) strand = world.strand(message.path);
  else {
    const { strandKind, index, base } = message.fresh;
    const depth = parent === null ? 0 : parent.strand.depth + parent.strand.nodes.length;
    strand = newStrand(
      message.path,
      message.parent?.path ?? '',
      message.parent?.id ?? ('' as ExpressionId),
      strandKind,
      index,
      depth,
      base,
    );
    world.addStrand(strand);
  }
  if (strand === null) return null;
  strand.touched = true;
  const node = newNode(message.id, expidOf(message.id), message.tree, message.fields);
  strand.nodes.push(node);
  world.header.expressions++;
  const x: Acting = { world, strand, node };
  const tree = treeOf(x);
  node.name = tree.name;
  const { place } = message;
  if (message.variables !== null) node.scope = newScope(message.variables);
  if (place !== null) takePlace(x, place);
  const runsBody = message.launch && DEFINE_NAMES.has(tree.name);
  node.kind = place?.kind ?? (runsBody ? 'sequence' : (world.registry.get(tree.name)?.names[0] ?? 'ref'));
  if (runsBody && node.scope !== null) {
    const name = definitionName(tree);
    if (name !== null) node.scope.own.set(name, new Bound('0', message.tree));
  }
  return x;
}

export const definitionName = (tree: Tree): string | null => {
  const name = tree.attributes.get('name');
  return name === undefined || name === null ? (textKey(tree) ?? null) : toText(name);
};

function takePlace({ node }: Acting, place: Place): void {
  node.added = place.added;
  if (place.scope !== null) node.scope = { own: new Map(place.scope), spilled: place.spilled };
  node.trigger = place.trigger;
  node.onReply = place.onReply;
  node.supplanted = place.supplanted;
  node.forgotten = place.forgotten;
  node.updated = place.updated;
}

export function applyExpression(x: Acting, message: Of<'apply'>): void {
  const { node, strand, world } = x;
  const { limits } = world.context;
  world.record({ kind: 'expression.applied', expid: node.expid, id: node.id, name: node.name });
  if (world.header.expressions > limits.expressions)
    throw new LanguageError('LimitExceeded', `the workflow has more than ${limits.expressions} live expressions`);
  if (strand.depth + strand.nodes.length > limits.depth)
    throw new LanguageError(
      'LimitExceeded',
      `expressions are nested more than ${limits.depth} deep (a sub-process that calls itself without end?)`,
    );
  node.onError = attribute(x, 'on_error');
  node.onCancel = handlerAttribute(x, 'on_cancel');
  node.onTimeout = handlerAttribute(x, 'on_timeout');
  node.onTerminate = attribute(x, 'on_terminate');
  const follows = message.place?.tagFollows;
  const awaited = attribute(x, 'await');
  if (awaited !== null && message.place === null) {
    node.state = 'awaiting';
    if (message.flanking) node.data['flanking'] = true;
    awaitEvent(x, toText(awaited));
    return;
  }
  setOut(x, message.flanking);
  if (follows) bindTag(x);
}

function handlerAttribute(x: Acting, key: string): Json {
  const value = attribute(x, key);
  return value === false ? null : value;
}

/** The event an expression awaited has come: it is applied at last. */
export function awaken(x: Acting): void {
  if (x.node.state !== 'awaiting') return;
  x.node.state = null;
  const flanking = x.node.data['flanking'] === true;
  delete x.node.data['flanking'];
  setOut(x, flanking);
}

/** Everything between the conditions and the expression's own apply (language.md 3.2). */
function setOut(applied: Acting, flanking: boolean): void {
  let x = applied;
  const { node } = x;
  if (!maySetOut(x)) {
    end(x, node.applied);
    return;
  }
  if (isTrueText(attribute(x, 'scope'))) node.scope ??= newScope();
  if (flanking) node.flanking = true;
  else if (isTrueText(attribute(x, 'forget'))) x = forgotten(x);
  else if (isTrueText(attribute(x, 'lose'))) node.lost = true;
  else if (isTrueText(attribute(x, 'flank'))) x = flank(x);
  filterIn(x);
  enterTag(x);
  setTimers(x);
  expressionOf(x).apply(x);
}

function forgotten(x: Acting): Acting {
  const { node, world } = x;
  node.scope = newScope(visibleVariables(x));
  if (parentOf(x) === null) {
    node.forgotten = true;
    return x;
  }
  world.header.forgotten++;
  return moveOut(
    x,
    newStrand(`f${world.header.forgotten}`, '', '' as ExpressionId, 'forgotten', 0, 0, x.strand.base),
    false,
  );
}

function flank(x: Acting): Acting {
  const above = parentOf(x);
  if (above === null) return x;
  x.node.flanking = true;
  const path = `${above.strand.path}.${above.strand.next}`;
  above.strand.next++;
  above.strand.touched = true;
  above.node.flanks++;
  return moveOut(
    x,
    newStrand(
      path,
      above.strand.path,
      above.node.id,
      'flank',
      0,
      above.strand.depth + above.strand.nodes.length,
      x.strand.base,
    ),
    true,
  );
}

/** Moves an expression that has just been made to a strand of its own, and replies to its parent for it. */
function moveOut(x: Acting, strand: Strand, flanking: boolean): Acting {
  const { node, world } = x;
  const above = parentOf(x);
  const wasFirst = x.strand.nodes[0] === node;
  x.strand.nodes.pop();
  x.strand.touched = true;
  world.addStrand(strand);
  strand.nodes.push(node);
  if (strand.kind === 'forgotten') node.forgotten = true;
  if (above !== null)
    world.send({
      kind: 'reply',
      to: refOf(above),
      from: node.id,
      fields: node.applied,
      by: wasFirst ? 'branch' : 'child',
      branch: wasFirst ? { path: x.strand.path, index: x.strand.index } : null,
      flanking,
      updatedTree: null,
      received: false,
    });
  if (wasFirst) dropStrand(world, x.strand);
  return { world, strand, node };
}

// Replying.

/** A reply has come in: from a child, a timer, a command, a participant. */
export function receiveReply(x: Acting, message: Of<'reply'>): void {
  const { node, strand } = x;
  strand.touched = true;
  if (message.by !== null) node.children = Math.max(0, node.children - 1);
  if (message.by === 'child' && node.child === message.from) node.child = null;
  x.world.replying = message.from;
  if (message.flanking && message.by === null) return;
  if (Array.isArray(message.updatedTree)) patchChild(x, message.from, message.updatedTree as readonly Json[]);
  if (node.state !== null && node.state !== 'awaiting') {
    if (node.children < 1) replyToParent(x, message.fields);
    return;
  }
  const { reply } = expressionOf(x);
  if (reply === undefined) replyToParent(x, message.fields);
  else reply(x, { fields: message.fields, from: message.from, by: message.by, branch: message.branch });
}

function patchChild(x: Acting, child: ExpressionId, updated: readonly Json[]): void {
  const tree = treeFromJson(updated);
  const index = childIndex(child);
  const own = treeOf(x);
  if (tree === null || own.children[index] === undefined) return;
  useTree(x, { ...own, children: own.children.map((each, at) => (at === index ? tree : each)) });
}

export const childIndex = (id: ExpressionId): number => {
  const expid = expidOf(id);
  return Number(expid.slice(expid.lastIndexOf('_') + 1));
};

/** Whether `id` is a direct child of the expression, by its expid. */
export const isDirectChild = (x: Acting, id: ExpressionId): boolean => {
  const expid = expidOf(id);
  return expid.slice(0, Math.max(0, expid.lastIndexOf('_'))) === x.node.expid;
};

function useTree(x: Acting, tree: Tree): void {
  x.node.tree = { root: storedTree(tree), path: '' };
  x.node.updated = true;
  x.strand.touched = true;
}

/** The expression is done: its own last word, then `end`. */
export function replyToParent(x: Acting, fields: Fields): void {
  x.strand.touched = true;
  const { replyToParent: own } = expressionOf(x);
  if (own === undefined) end(x, fields);
  else own(x, fields);
}

/** Leaves: to a handler, to be applied again, or with a reply to the parent (language.md 3.3). */
export function end(x: Acting, fields: Fields): void {
  const { node } = x;
  clearTimers(x);
  cancelFlanks(x);
  const again = node.trigger === null ? null : ownValue(fields, `__${node.trigger}__`);
  if (node.state === 'failing') trigger(x, 'on_error', fields);
  else if (node.state === 'cancelling' && node.onCancel !== null && !retries(node.reapply)) {
    // Both asked for: the handler first, then once more (Ruote lost the second).
    if (node.reapply !== null) node.onReply = once(x, node.reapply);
    trigger(x, 'on_cancel', fields);
  } else if (node.state === 'cancelling' && node.reapply !== null) trigger(x, 'on_re_apply', fields);
  else if (node.state === 'timing_out' && node.onTimeout !== null) trigger(x, 'on_timeout', fields);
  else if (node.state === null && node.onReply !== null) trigger(x, 'on_reply', fields);
  else if (node.flanking && node.state === null) removeExpression(x);
  else if (node.lost && node.state === null) x.strand.touched = true;
  else if (node.trigger !== null && again !== null && again !== undefined && again !== false)
    secondTake(x, again, node.trigger);
  else leave(x, fields);
}

const retries = (reapply: Reapply | null): boolean => reapply?.retry === true;

function cancelFlanks(x: Acting): void {
  const { node, strand, world } = x;
  if (node.flanks < 1) return;
  for (const kin of strandsBelow(world, {
    path: strand.path,
    at: node.id,
    alive: node.flanks,
    after: 0,
    limit: FLANKS_MAX,
  }))
    if (kin.kind === 'flank')
      world.send({
        kind: 'cancel',
        to: { path: kin.path, id: '' as ExpressionId },
        flavour: node.state === 'dying' ? 'kill' : null,
        cause: node.cause ?? 'cancel',
        reapply: null,
        again: false,
      });
}
const FLANKS_MAX = 10_000;

/** The ordinary end: filters, variables, tag, then the reply. `stays`: replies, but lives on, forgotten. */
function leave(x: Acting, given: Fields, stays = false): void {
  const { node, strand, world } = x;
  let fields = given;
  if (node.state === null) {
    fields = filterOut(x, fields);
    const into = attribute(x, 'vars_to_f');
    if (into !== null && into !== false && node.scope !== null)
      fields = assign(fields, toText(into), variablesToJson(x, node.scope));
  }
  fields = leaveTag(x, fields);
  const above = parentOf(x);
  const wasFirst = strand.nodes[0] === node;
  const hadParent = !wasFirst || strand.at !== '';
  const updatedTree = node.updated ? treeToStored(treeOf(x)) : null;
  const again = node.state === null && node.onTerminate === 'regenerate' && strand.path === '0' && wasFirst;
  const message: Of<'apply'> | null = again ? regeneration(x, fields) : null;
  world.record({
    kind: node.state === null ? 'expression.replied' : 'expression.cancelled',
    expid: node.expid,
    id: node.id,
    name: node.name,
  });
  if (stays) detach(x, above);
  else removeExpression(x, message !== null);
  if (message !== null) world.send(message);
  else if (above !== null)
    world.send({
      kind: 'reply',
      to: refOf(above),
      from: node.id,
      fields,
      by: node.flanking ? null : wasFirst ? 'branch' : 'child',
      branch: wasFirst ? { path: stays ? freshPath(above) : strand.path, index: strand.index } : null,
      flanking: node.flanking,
      updatedTree,
      received: false,
    });
  else if (!hadParent && strand.path === '0') strand.reply = fields;
  if (stays && strand.path === '0') strand.reply = fields;
}

/** Replies to the parent although branches still run; they go on below this expression, which nobody waits for any more. */
export function leaveForgotten(x: Acting, fields: Fields): void {
  clearTimers(x);
  cancelFlanks(x);
  leave(x, fields, true);
}

function detach(x: Acting, above: Acting | null): void {
  const { node, strand, world } = x;
  node.forgotten = true;
  strand.touched = true;
  if (above === null) return;
  uncount(world, strand);
  strand.kind = 'forgotten';
  strand.parent = '';
  strand.at = '' as ExpressionId;
  world.header.roots++;
}

function freshPath(x: Acting): string {
  x.strand.touched = true;
  x.strand.next++;
  return `${x.strand.path}.${x.strand.next - 1}`;
}

function regeneration(x: Acting, fields: Fields): Of<'apply'> {
  const { node, strand, world } = x;
  return {
    kind: 'apply', parent: null, path: strand.path, fresh: null, id: world.freshId('0'), tree: node.tree, fields,
    variables: node.scope?.own ?? new Map(), launch: true, flanking: false, place: null,
  }; // biome-ignore format: a list of parts
}

/** Takes an expression out of the world with all that hangs on it; its strand too when it was the first, unless something follows. */
export function removeExpression(x: Acting, followed = false): void {
  const { node, strand, world } = x;
  strand.touched = true;
  clearTimers(x);
  expressionOf(x).gone?.(x);
  if (node.hasListener) dropListener(x);
  if (node.hasError) clearError(x);
  if (node.hasWorkitem) {
    world.changeWorkitem(node.id, { kind: 'delete' });
    node.hasWorkitem = false;
  }
  if (!followed) dropScope(x);
  const at = strand.nodes.indexOf(node);
  strand.nodes.splice(at, 1);
  world.header.expressions--;
  if (at === 0 && !followed && strand.path !== '0') dropStrand(world, strand);
  else if (at === 0 && !followed) world.header.strands--;
}

export function clearError(x: Acting): void {
  if (!x.node.hasError) return;
  x.world.changeError(x.node.id, { kind: 'delete' });
  x.world.header.errors--;
  x.node.hasError = false;
  x.strand.touched = true;
}

// Cancelling and failing.

export function cancelExpression(x: Acting, message: Of<'cancel'>): void {
  const { node, strand, world } = x;
  const { flavour } = message;
  if (node.state === 'cancelling' || node.state === 'done_cancelled') {
    if (message.again) cancelChildren(x, flavour, message.cause, true);
    if (flavour !== 'kill') return;
  }
  if (node.state === 'dying') return;
  strand.touched = true;
  const awaited = node.state === 'awaiting';
  node.state = flavour === 'kill' ? 'dying' : flavour === 'timeout' ? 'timing_out' : 'cancelling';
  node.cause = message.cause;
  if (node.state === 'timing_out')
    node.applied = withKey(node.applied, '__timed_out__', [
      expressionObject(x),
      utcStamp(world.now),
      node.name,
      compiledAttributes(x),
    ]);
  if (node.state === 'cancelling') node.reapply = message.reapply;
  const { cancel } = expressionOf(x);
  if (awaited || cancel === undefined) cancelDefault(x, flavour);
  else cancel(x, flavour);
}

/** Cancels the children and waits for them; without children replies with the applied workitem. */
export function cancelDefault(x: Acting, flavour: Flavour): void {
  if (x.node.children < 1) replyToParent(x, x.node.applied);
  else cancelChildren(x, flavour, x.node.cause ?? 'cancel', false);
}

export function cancelChildren(x: Acting, flavour: Flavour, cause: Cause, again: boolean): void {
  const { node, strand, world } = x;
  if (node.child !== null)
    world.send({ kind: 'cancel', to: { path: strand.path, id: node.child }, flavour, cause, reapply: null, again });
  if (node.branches > 0)
    cancelBranches(world, { path: strand.path, at: node.id, alive: node.branches, flavour, cause, again, after: 0 });
}

/** Cancels branches below an expression (which may be gone already), some now and the others in later turns. */
export function cancelBranches(
  world: World,
  below: {
    readonly path: string;
    readonly at: ExpressionId;
    readonly alive: number;
    readonly flavour: Flavour;
    readonly cause: Cause;
    readonly again: boolean;
    readonly after: number;
  },
): void {
  const { path, at, flavour, cause, again } = below;
  const kin = strandsBelow(world, { path, at, alive: below.alive, after: below.after, limit: CHILDREN_PER_TURN });
  for (const each of kin) {
    if (each.kind === 'flank') continue;
    world.send({
      kind: 'cancel',
      to: { path: each.path, id: '' as ExpressionId },
      flavour,
      cause,
      reapply: null,
      again,
    });
  }
  const last = kin.at(-1);
  if (last !== undefined && kin.length >= CHILDREN_PER_TURN)
    world.send({ kind: 'cancel_children', to: { path, id: at }, flavour, cause, again, after: last.number });
}

/** An error below is to be handled here: what still runs is cancelled, then the handler runs. */
export function failExpression(x: Acting, message: Of<'fail'>): void {
  const { node, strand } = x;
  strand.touched = true;
  node.state = 'failing';
  node.cause = 'error';
  node.applied = message.fields;
  if (node.children < 1) replyToParent(x, node.applied);
  else cancelChildren(x, message.immediate ? 'kill' : null, 'error', false);
}

// Handlers.

const SAME_AGAIN: Reapply = { tree: null, workitem: 'returned', fields: null, retry: false };

/** A re-application that is to happen after a handler has run in the place of `x`: it must name what `x` is now. */
const once = ({ node }: Acting, reapply: Reapply): Reapply => ({
  tree: reapply.tree ?? node.tree,
  workitem: 'returned',
  fields: reapply.fields ?? (reapply.workitem === 'applied' ? node.applied : null),
  retry: reapply.retry,
});

/** Runs what an expression has for this occasion: replies, runs again, or gives its place to a handler (language.md 3.5). */
function trigger(x: Acting, on: Trigger, fields: Fields): void {
  const { node } = x;
  if (on === 'on_re_apply' || on === 'on_reply') {
    const reapply = (on === 'on_reply' ? node.onReply : node.reapply) ?? SAME_AGAIN;
    node.onReply = null;
    const base = reapply.workitem === 'applied' ? node.applied : fields;
    replace(x, { on, tree: reapply.tree, fields: reapply.fields ?? base });
    return;
  }
  if (on === 'on_error') {
    const error = ownValue(node.applied, '__error__');
    const handler = isObject(error) ? handlerAt(x, error) : null;
    if (handler === null) leaveDone(x, 'done_failed', fields);
    else handleError(x, handler, fields);
    return;
  }
  handle(x, on, on === 'on_cancel' ? node.onCancel : node.onTimeout, fields);
}

function handleError(x: Acting, handler: Handler, fields: Fields): void {
  let { action } = handler;
  if (typeof action === 'string') action = action.replace(/^!/, '').trim();
  else if (Array.isArray(action) && toText(action[0] as Json).startsWith('!'))
    action = [toText(action[0] as Json).slice(1), ...action.slice(1)] as Json;
  const use = useRetryList(action);
  if (use === null) {
    handle(x, 'on_error', action, fields);
    return;
  }
  useTree(x, withRetriesLeft(treeOf(x), handler, use.rest));
  x.node.added = x.node.added.filter(([key]) => key !== 'on_error');
  const retry = use.action === 'retry' || use.action === 'redo';
  const parsed = use.after === '0' || use.after === '' ? { at: x.world.now } : parseWhen(use.after, x.world.now);
  if ('error' in parsed) throw new LanguageError('ArgumentError', parsed.error);
  if (parsed.at > x.world.now) {
    const wake = retry
      ? ({ do: 'retry' } as const)
      : ({ do: 'become', tree: [use.action, {}, []], retry: true } as const);
    x.node.timers = [{ agenda: schedule(x, parsed.at, wake), action: 'retry' }];
  } else if (retry) {
    x.world.send({
      kind: 'cancel',
      to: refOf(x),
      flavour: 'retry',
      cause: 'error',
      reapply: { ...SAME_AGAIN, retry: true },
      again: false,
    });
  } else handle(x, 'on_error', use.action, fields);
}

function secondTake(x: Acting, action: Json, on: Trigger): void {
  const supplanted = x.node.supplanted;
  if (supplanted === null) return;
  const use = useRetryList(action);
  handle(x, on, use === null ? action : use.action, supplanted.applied, supplanted);
}

function leaveDone(x: Acting, state: 'done_cancelled' | 'done_failed', fields: Fields): void {
  x.node.state = state;
  replyToParent(x, fields);
}

/** Does what a handler says: a word of its own, a command, or the name or tree of what runs instead. */
function handle(
  x: Acting,
  on: Trigger,
  given: Json,
  fields: Fields,
  supplanted: Acting['node']['supplanted'] = null,
): void {
  const { node } = x;
  let action = typeof given === 'string' ? given.trim() : given;
  if ((action === 'cancel' || action === 'cando') && (on === 'on_cancel' || node.onCancel === null))
    action = action === 'cancel' ? 'undo' : 'redo';
  if (typeof action === 'string') {
    const stored = /^(?:store|bury) *: *(.+)/.exec(action);
    const [word = '', ...rest] = action.split(/\s+/);
    if (action === 'redo' || action === 'retry')
      return replace(x, {
        on,
        tree: supplanted === null ? null : supplanted,
        fields: on === 'on_error' ? node.applied : fields,
      });
    if (action === 'undo' || action === 'pass' || action === '')
      return leaveDone(x, on === 'on_cancel' ? 'done_cancelled' : 'done_failed', fields);
    if (action === 'cancel') return trigger(x, 'on_cancel', fields);
    if (action === 'cando') {
      node.onReply = once(x, SAME_AGAIN);
      return trigger(x, 'on_cancel', fields);
    }
    if (action === 'raise') {
      const error = ownValue(node.applied, '__error__');
      throw new RaisedAgain(isObject(error) ? error : {});
    }
    if (stored !== null) return store(x, stored[1] ?? '', fields);
    if (COMMANDS.has(word)) return command(x, word, rest.at(-1), fields);
    if (on === 'on_timeout' && /^err(or)?( |$)/.test(action))
      return replace(x, {
        on,
        tree: inline(makeTree('error', rest.length > 0 ? [[rest.join(' '), null]] : [])),
        fields,
      });
    return replace(x, { on, tree: inline(makeTree(action)), fields: on === 'on_error' ? node.applied : fields });
  }
  const tree = isTreeJson(action) ? treeFromJson(action) : null;
  if (tree === null)
    throw new LanguageError('ArgumentError', `${on}: ${JSON.stringify(action)} is neither a name nor a tree`);
  return replace(x, { on, tree: inline(tree), fields: on === 'on_error' ? node.applied : fields });
}

/** `on_error: raise`: the error is kept at this expression; nobody above is asked. */
export class RaisedAgain extends Error {
  readonly error: Fields;
  constructor(error: Fields) {
    super(toText(error['message']));
    this.error = error;
  }
}

const inline = (tree: Tree): TreeRef => ({ root: storedTree(tree), path: '' });

function store(x: Acting, target: string, fields: Fields): void {
  const error = ownValue(x.node.applied, '__error__') ?? null;
  const { kind, name } = splitTarget(target);
  if (kind === 'variable') setVariable(x, name, error);
  leaveDone(x, 'done_failed', kind === 'field' ? assign(fields, name, error) : fields);
}

function command(x: Acting, word: string, argument: string | undefined, fields: Fields): void {
  const { node } = x;
  node.state = null;
  node.cause = null;
  const given = argument === undefined ? null : /^-?\d+$/.test(argument) ? Number(argument) : argument;
  const commanded = withKey(fields, '__command__', [word, given]);
  const { reply } = expressionOf(x);
  if (reply === undefined) replyToParent(x, commanded);
  else reply(x, { fields: commanded, from: childOf(x, x.world.replying) ?? node.id, by: null, branch: null });
}

/** The child whose reply is being handled, if it is one of this expression. */
const childOf = (x: Acting, from: ExpressionId | null): ExpressionId | null =>
  from !== null && isDirectChild(x, from) ? from : null;

/** Puts another expression in the place of this one: same expid, fresh subid, so that a late answer to the old one is refused. */
function replace(
  x: Acting,
  next: {
    readonly on: Trigger;
    readonly tree: TreeRef | NonNullable<Acting['node']['supplanted']> | null;
    readonly fields: Fields;
  },
): void {
  const { node, strand, world } = x;
  const above = parentOf(x);
  const id = world.freshId(node.expid);
  const former = next.tree !== null && 'applied' in next.tree ? next.tree : null;
  const same = next.tree === null;
  const inherited = [...writtenAttributes(x)].filter(
    ([key]) => (key.startsWith('on_') && key !== next.on) || key === 'tag',
  );
  const place: Place = {
    trigger: next.on,
    added: same ? node.added : former !== null ? former.added : inherited,
    scope: node.scope === null ? null : [...node.scope.own],
    spilled: false,
    onReply: node.onReply,
    supplanted: { tree: node.tree, name: node.name, kind: node.kind, added: node.added, applied: node.applied },
    kind: same && node.kind === 'sequence' ? 'sequence' : former?.kind === 'sequence' ? 'sequence' : null,
    tagFollows:
      node.tag !== null && node.fullTag !== null ? { tag: node.tag, fullTag: node.fullTag, from: node.id } : null,
    forgotten: node.forgotten,
    // A consumed retry list is part of the tree from now on; the parent learns of it with the reply.
    updated: node.updated && same,
  };
  const message: Of<'apply'> = {
    kind: 'apply',
    parent: above === null ? null : refOf(above),
    path: strand.path,
    fresh: null,
    id,
    tree: former !== null ? former.tree : next.tree === null ? node.tree : (next.tree as TreeRef),
    fields: next.fields,
    variables: null,
    launch: next.on === 'on_re_apply' || next.on === 'on_reply',
    flanking: node.flanking,
    place,
  };
  world.record({ kind: 'expression.cancelled', expid: node.expid, id: node.id, name: node.name, handler: next.on });
  removeExpression(x, true);
  if (above?.node.child === node.id) above.node.child = id;
  if (above !== null) above.strand.touched = true;
  world.send(message);
}

/** Fields without what was put there for one participant. */
export const withoutParams = (fields: Fields): Fields => withoutKeys(fields, 'params', 'dispatched_at');

/** The written attribute of an expression as text, for messages. */
export const writtenText = (x: Acting, key: string): string => toText(written(x, key));
