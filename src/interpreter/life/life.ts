import { LanguageError } from '../../language/language-error.ts';
import { assign } from '../../language/lookup.ts';
import { parseWhen, utcStamp } from '../../language/when.ts';
import type { ExpressionId } from '../../model/ids.ts';
import type { Fields, Json } from '../../model/json.ts';
import { isObject, ownValue, withKey, withoutKeys } from '../../model/json.ts';
import { type Tree, treeFromJson } from '../../model/tree.ts';
import type { Flavour, Reapply, TreeRef, Trigger, Value } from '../state/state.ts';
import type { Acting } from '../state/world.ts';
import { compiledAttributes, splitTarget, toText, treeOf } from './attributes.ts';
import { childIndex, expressionOf, isDirectChild, type Of } from './birth.ts';
import { refOf } from './branches.ts';
import { cancelChildren } from './cancelling.ts';
import { readDeed } from './deeds.ts';
import { keepForgotten } from './failing.ts';
import { expressionObject, type Handler, handlerAt, storedTree, useRetryList, withRetriesLeft } from './handlers.ts';
import { letGo, sendKept } from './holding.ts';
import { cancelFlanks, leave, leaveUnheard } from './leaving.ts';
import { replace } from './replacing.ts';
import { clearTimers, clockOf, schedule } from './timers.ts';
import { addOuter, parentOf, setVariable } from './variables.ts';

/*
 * The life of an expression (docs/architecture.md, States): replied to, cancelled, failed, replaced by a handler, gone. What differs from
 * one expression to the next is in expressions/; what all have in common is here.
 */

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

/** Leaves: to a handler, to be applied again, or with a reply to the parent (docs/definitions.md, Handlers). */
export function end(x: Acting, fields: Fields): void {
  const { node } = x;
  // What is being cancelled has to end, whatever it carries.
  if (node.state === null) x.world.checkFields(fields);
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
  else if (node.flanking && node.state === null) leaveUnheard(x);
  else if (node.lost && node.state === null) x.strand.touched = true;
  // A handler that is being cancelled has no say any more.
  else if (node.state === null && node.trigger !== null && again !== null && again !== undefined && again !== false)
    secondTake(x, again, node.trigger);
  else leave(x, fields);
}

const retries = (reapply: Reapply | null): boolean => reapply?.retry === true;

// Cancelling and failing.

export function cancelExpression(x: Acting, message: Of<'cancel'>): void {
  const { node, strand, world } = x;
  const { flavour } = message;
  if (node.state === 'cancelling' || node.state === 'done_cancelled') {
    // Whoever cancels it now does not want it applied once more.
    if (message.reapply === null && node.reapply !== null) {
      node.reapply = null;
      strand.touched = true;
    }
    // A handler that could not even begin (its error waits here) is not waited for a second time.
    if (message.again && node.children < 1 && node.hasError && flavour !== 'kill') {
      leaveDone(x, 'done_cancelled', node.applied);
      return;
    }
    if (message.again) cancelChildren(x, flavour, message.cause, true);
    if (flavour !== 'kill') return;
  }
  if (node.state === 'dying') return;
  strand.touched = true;
  adoptOrphan(x, message.variables);
  const held = world.header.holds > 0 ? letGo(x) : null;
  // What came for it, and for what is below it, meets what is leaving.
  if (held?.wasPaused) sendKept(world);
  const isIdle = node.state === 'awaiting' || held?.hadSetOut === false;
  node.state = flavour === 'kill' ? 'dying' : flavour === 'timeout' ? 'timing_out' : 'cancelling';
  node.cause = message.cause;
  if (node.state === 'timing_out' && parentOf(x)?.node.state !== 'timing_out')
    world.record({ kind: 'expression.timing_out', expid: node.expid, expression_id: node.id, name: node.name });
  if (node.state === 'timing_out')
    node.applied = withKey(node.applied, '__timed_out__', [
      expressionObject(x),
      utcStamp(world.now),
      node.name,
      compiledAttributes(x),
    ]);
  if (node.state === 'cancelling') node.reapply = message.reapply;
  const { cancel } = expressionOf(x);
  if (isIdle || cancel === undefined) cancelDefault(x, flavour);
  else cancel(x, flavour);
}

/** A strand whose parent is gone (the rest of a concurrence that is over, a flank) is a root from now on, so that a cancel of the
 * workflow reaches what its handlers start. What they call by name is in a copy of the variables that were to be seen. */
function adoptOrphan(x: Acting, variables: ReadonlyMap<string, Value> | undefined): void {
  const { node, strand, world } = x;
  if (strand.at === '' || strand.nodes[0] !== node) return;
  if (world.find({ path: strand.parent, id: strand.at }) !== null) return;
  strand.kind = 'forgotten';
  strand.parent = '';
  strand.at = '' as ExpressionId;
  world.header.roots++;
  if (variables !== undefined) addOuter(x, variables);
}

/** Cancels the children and waits for them; without children replies with the applied workitem. */
export function cancelDefault(x: Acting, flavour: Flavour): void {
  if (x.node.children < 1) replyToParent(x, x.node.applied);
  else cancelChildren(x, flavour, x.node.cause ?? 'cancel', false);
}

/** An error below is to be handled here: what still runs is cancelled, then the handler runs. */
export function failExpression(x: Acting, message: Of<'fail'>): void {
  const { node, strand } = x;
  strand.touched = true;
  node.state = 'failing';
  node.cause = 'error';
  node.applied = message.fields;
  if (message.from !== undefined) node.data['failed'] = [message.from.path, message.from.id];
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
  ...(reapply.enter !== undefined && { enter: reapply.enter }),
});

/** Runs what an expression has for this occasion: replies, runs again, or gives its place to a handler (docs/definitions.md, Handlers). */
function trigger(x: Acting, on: Trigger, fields: Fields): void {
  const { node } = x;
  if (on === 'on_re_apply' || on === 'on_reply') {
    const reapply = (on === 'on_reply' ? node.onReply : node.reapply) ?? SAME_AGAIN;
    node.onReply = null;
    const base = reapply.workitem === 'applied' ? node.applied : fields;
    const { tree, fields: others, enter } = reapply;
    replace(x, { on, tree, fields: others ?? base, ...(enter !== undefined && { enter }) });
    return;
  }
  if (on === 'on_error') {
    keepForgotten(x);
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
  const parsed =
    use.after === '0' || use.after === ''
      ? { at: x.world.now, by: 'duration' as const }
      : parseWhen(use.after, x.world.now);
  if ('error' in parsed) throw new LanguageError('ArgumentError', parsed.error);
  if (parsed.at > x.world.now) {
    const wake = retry
      ? ({ do: 'retry' } as const)
      : ({ do: 'become', tree: [use.action, {}, []], retry: true } as const);
    x.node.timers = [{ agenda: schedule(x, parsed.at, wake, clockOf(parsed.by, use.after)), action: 'retry' }];
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
  // Once only: what asked for it does not travel on, or it would be found again at the next end.
  const fields = withoutKeys(supplanted.applied, `__${on}__`);
  handle(x, on, use === null ? action : use.action, fields, { ...supplanted, applied: fields });
}

function leaveDone(x: Acting, state: 'done_cancelled' | 'done_failed', fields: Fields): void {
  x.node.state = state;
  replyToParent(x, fields);
}

/** Does what a handler says. `supplanted`: what stood here before a handler that has a say of its own (second take). */
function handle(
  x: Acting,
  on: Trigger,
  given: Json,
  fields: Fields,
  supplanted: Acting['node']['supplanted'] = null,
): void {
  const { node } = x;
  const deed = readDeed(x, on, given);
  const carried = on === 'on_error' ? node.applied : fields;
  switch (deed.kind) {
    case 'again':
      replace(x, { on, tree: supplanted, fields: carried });
      return;
    case 'reply':
      leaveDone(x, on === 'on_cancel' ? 'done_cancelled' : 'done_failed', fields);
      return;
    case 'cando':
      node.onReply = once(x, SAME_AGAIN);
      trigger(x, 'on_cancel', fields);
      return;
    case 'on_cancel':
      trigger(x, 'on_cancel', fields);
      return;
    case 'raise': {
      const error = ownValue(node.applied, '__error__');
      throw new RaisedAgain(isObject(error) ? error : {});
    }
    case 'store':
      store(x, deed.target, fields);
      return;
    case 'command':
      command(x, deed.word, deed.argument, fields);
      return;
    case 'tree':
      replace(x, { on, tree: inline(deed.tree), fields: carried });
      return;
  }
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
