/**
 * # vars_to_f
 *
 * Attributes: `vars_to_f`: a field. When the expression replies, its own variables (it needs `scope: true`, or to be a `let` or a
 * sub-process) are copied there, as one object.
 *
 * ```radial
 * sequence scope: true, vars_to_f: 'kept'
 *   set 'v:count': 3
 * ```
 *
 * Errors: none of its own.
 */

import { assign } from '../../language/lookup.ts';
import type { ExpressionId } from '../../model/ids.ts';
import type { Fields } from '../../model/json.ts';
import { withoutKeys } from '../../model/json.ts';
import { treeToStored } from '../../model/tree.ts';
import type { Acting, World } from '../state/world.ts';
import { attribute, toText, treeOf } from './attributes.ts';
import { expressionOf, type Of } from './birth.ts';
import { dropStrand, type KinPage, refOf, strandsBelow, uncount } from './branches.ts';
import { cancelFirst, catchUp, isCaught, leftToHandlers } from './cancelling.ts';
import { stopWaiting } from './events.ts';
import { filterOut } from './filtering.ts';
import { letGo } from './holding.ts';
import { dropListener } from './listening.ts';
import { leaveTag } from './tags.ts';
import { clearTimers } from './timers.ts';
import { undoingAfter } from './undoing.ts';
import { dropScope, ownVariables, parentOf, variablesToJson } from './variables.ts';

/*
 * How expressions go: with a reply to the parent, or without; and what goes with them.
 */

export function cancelFlanks(x: Acting): void {
  const { node, strand, world } = x;
  if (node.flanks < 1) return;
  const flavour = node.state === 'dying' ? 'kill' : null;
  const limit = world.context.limits.finishedPerLoad;
  const along = leftToHandlers(x);
  for (let after: number | null = 0; after !== null; ) {
    const page: KinPage = strandsBelow(world, {
      path: strand.path,
      at: node.id,
      kind: 'flank',
      alive: node.flanks,
      after,
      limit,
    });
    for (const path of page.paths)
      world.send({ ...cancelFirst(path, { flavour, cause: node.cause ?? 'cancel', again: false }), ...along });
    after = page.next;
  }
}

/** The ordinary end: filters, variables, tag, then the reply. `stays`: replies, but lives on, forgotten. */
export function leave(x: Acting, given: Fields, stays = false): void {
  const { node, strand, world } = x;
  let fields = given;
  const { family } = expressionOf(x);
  if (family !== undefined) fields = family.leave(x, fields);
  else if (node.state === null) {
    fields = filterOut(x, fields);
    const into = attribute(x, 'vars_to_f');
    if (into !== null && into !== false && node.scope !== null)
      fields = assign(fields, toText(into), variablesToJson(x, node.scope));
    if (fields !== given) world.checkFields(fields);
  }
  if (family === undefined) fields = leaveTag(x, fields);
  const above = parentOf(x);
  const wasFirst = strand.nodes[0] === node;
  const hadParent = !wasFirst || strand.at !== '';
  const updatedTree = node.updated ? treeToStored(treeOf(x)) : null;
  const again = node.state === null && node.onTerminate === 'regenerate' && strand.path === '0' && wasFirst;
  const isRoot = wasFirst && !hadParent && strand.path === '0';
  const message: Of<'apply'> | null = again
    ? regeneration(x, fields)
    : isRoot && world.header.compensating
      ? undoingAfter(x, fields)
      : null;
  world.record({
    kind: node.state === null ? 'expression.replied' : 'expression.cancelled',
    expid: node.expid,
    expression_id: node.id,
    name: node.name,
    ...(stays ? { goes_on: true } : {}),
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
  if (isCaught(x)) catchUp(x);
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
    kind: 'apply',
    parent: null,
    path: strand.path,
    fresh: null,
    id: world.freshId('0'),
    tree: node.tree,
    fields,
    variables: node.scope === null ? new Map() : ownVariables(x, node.scope),
    launch: true,
    flanking: false,
    place: null,
  };
}

/** The end of an expression that nobody waits for (any more): it is told in the history, but to no parent. */
export function leaveUnheard(x: Acting): void {
  const { node, world } = x;
  world.record({ kind: 'expression.replied', expid: node.expid, expression_id: node.id, name: node.name });
  removeExpression(x);
}

/** Takes an expression out of the world with all that hangs on it; its strand too when it was the first, unless something follows. */
export function removeExpression(x: Acting, followed = false): void {
  const { node, strand, world } = x;
  strand.touched = true;
  clearTimers(x);
  expressionOf(x).gone?.(x);
  if (node.hasListener) dropListener(x);
  if (world.header.waiters > 0) stopWaiting(x);
  if (world.header.holds > 0) letGo(x);
  if (node.hasError) clearError(x);
  if (node.hasWorkitem) {
    world.changeWorkitem(node.id, { kind: 'delete' });
    node.hasWorkitem = false;
  }
  dropScope(x); // whoever follows has taken all variables along
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
  freeAside(x.world);
}

/** What was put aside (`broken`) is due again. A pause that goes on frees it by itself. */
export function freeAside(world: World): void {
  if (!world.header.aside || world.header.pausedAt !== null) return;
  world.header.aside = false;
  world.shift ??= 0;
}

/** Fields without what was put there for one participant. */
export const withoutParams = (fields: Fields): Fields => withoutKeys(fields, 'params', 'dispatched_at');
