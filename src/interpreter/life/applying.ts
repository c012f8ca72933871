/**
 * # forget, lose, flank
 *
 * Three ways not to be waited for. When several are there, the first in this order counts.
 *
 * | attribute | replies to its parent | is cancelled with its parent | variables | its end |
 * |---|---|---|---|---|
 * | `forget: true` | at once | no | a copy of all it could see | nobody hears of it |
 * | `lose: true` | never | yes | shared | it stays until it is cancelled |
 * | `flank: true` | at once | yes, and also when its parent ends | shared | nobody hears of it |
 *
 * A workflow runs until its forgotten parts have ended, too; cancelling it reaches them.
 *
 * ```radial
 * sequence
 *   archivist forget: true
 *   watcher flank: true
 *   alice
 * ```
 *
 * Errors: none of their own.
 */

import { LanguageError } from '../../language/language-error.ts';
import { type ExpressionId, expidOf } from '../../model/ids.ts';
import type { Json } from '../../model/json.ts';
import { elementIn, ROOT, type Strand } from '../state/state.ts';
import type { Acting } from '../state/world.ts';
import { attribute, isTrueText, maySetOut, toText } from './attributes.ts';
import { expressionOf, newStrand, type Of } from './birth.ts';
import { dropStrand, refOf } from './branches.ts';
import { catchUp, isCaught } from './cancelling.ts';
import { waitForEvent } from './events.ts';
import { filterIn } from './filtering.ts';
import { stopAt } from './holding.ts';
import { end } from './life.ts';
import { awaitEvent } from './listening.ts';
import { bindTag, enterTag } from './tags.ts';
import { setTimers } from './timers.ts';
import { newScope, parentOf, spendVariables, visibleVariables } from './variables.ts';

/* An expression is applied: what all have in common between its birth and its own apply. */

export function applyExpression(x: Acting, message: Of<'apply'>): void {
  const { node, strand, world } = x;
  const { limits } = world.context;
  world.record({ kind: 'expression.applied', expid: node.expid, expression_id: node.id, name: node.name, ...kinOf(x) });
  if (world.header.expressions > limits.expressions)
    throw new LanguageError('LimitExceeded', `the workflow has more than ${limits.expressions} live expressions`);
  if (strand.depth + strand.nodes.length > limits.depth)
    throw new LanguageError(
      'LimitExceeded',
      `expressions are nested more than ${limits.depth} deep (a sub-process that calls itself without end?)`,
    );
  const { keptCharacters } = limits;
  if (world.header.kept > keptCharacters)
    throw new LanguageError(
      'LimitExceeded',
      `the workflow keeps more than ${keptCharacters} characters in its branches and variables`,
    );
  node.onError = attribute(x, 'on_error');
  node.onCancel = handlerAttribute(x, 'on_cancel');
  if (node.onCancel !== null) world.header.onCancels = true;
  node.onTimeout = handlerAttribute(x, 'on_timeout');
  node.onTerminate = attribute(x, 'on_terminate');
  if (world.header.holds > 0 && message.place === null && stopAt(x, message.flanking)) return;
  beginWith(x, message.flanking, message.place);
}

/** What comes first: it waits for an event, or sets out. */
function beginWith(x: Acting, isFlanking: boolean, place: Of<'apply'>['place']): void {
  const { node, world } = x;
  const wait = (): void => {
    node.state = 'awaiting';
    if (isFlanking) node.data['flanking'] = true;
    world.record({ kind: 'expression.awaiting', expid: node.expid, expression_id: node.id, name: node.name });
  };
  const awaited = attribute(x, 'await');
  if (awaited !== null && place === null) {
    wait();
    awaitEvent(x, toText(awaited));
    return;
  }
  const event = place === null ? attribute(x, 'await_event') : null;
  if (event !== null) {
    wait();
    waitForEvent(x, { type: event, prefix: 'await_', waits: { as: 'attribute', left: 1 } });
    // Its time runs from here, not from when it is applied at last.
    setTimers(x);
    node.data['timed'] = true;
    return;
  }
  const settled = setOut(x, isFlanking);
  if (place?.tagFollows && settled.strand.nodes.includes(node)) bindTag(settled);
}

/** It was stopped at a breakpoint, and goes on. */
export const setOutAgain = (x: Acting, isFlanking: boolean): void => beginWith(x, isFlanking, null);

/** What the history cannot tell by the place alone: whose child it is, and of which element. */
function kinOf({ node, strand }: Acting): {
  readonly parent_id?: string;
  readonly branch?: { readonly index: number; readonly element?: string };
} {
  const above = strand.nodes[strand.nodes.length - 2];
  const parent = above?.id ?? strand.at;
  const isFirst = above === undefined;
  if (parent === '') return {};
  const element = isFirst ? elementIn(node) : undefined;
  // Of the expressions at one place of the root's strand the last is meant.
  const isPlain = (isFirst ? strand.parent : strand.path) === ROOT && isChildPlace(expidOf(parent), node.expid);
  return {
    ...(isPlain ? {} : { parent_id: parent }),
    ...(element === undefined ? {} : { branch: { index: strand.index, element } }),
  };
}

const isChildPlace = (parent: string, child: string): boolean =>
  child.startsWith(parent) && child.lastIndexOf('_') === parent.length;

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

/** Everything between the conditions and the expression's own apply (docs/definitions.md, Attributes). */
function setOut(applied: Acting, flanking: boolean): Acting {
  let x = applied;
  const { node } = x;
  const { family } = expressionOf(x);
  if (family !== undefined) {
    const settled = family.settle(x);
    if (settled !== null) expressionOf(settled).apply(settled);
    return settled ?? x;
  }
  if (!maySetOut(x)) {
    end(x, node.applied);
    return x;
  }
  if (isTrueText(attribute(x, 'scope'))) node.scope ??= newScope();
  if (flanking) node.flanking = true;
  else if (isTrueText(attribute(x, 'forget'))) x = forgotten(x);
  else if (isTrueText(attribute(x, 'lose'))) node.lost = true;
  else if (isTrueText(attribute(x, 'flank'))) x = flank(x);
  x = expressionOf(x).settle?.(x) ?? x;
  filterIn(x);
  enterTag(x);
  if (node.state === null && node.timers.length > 0 && node.data['timed'] === true) delete node.data['timed'];
  else setTimers(x);
  expressionOf(x).apply(x);
  return x;
}

function forgotten(x: Acting): Acting {
  const { node, world } = x;
  const variables = visibleVariables(x);
  spendVariables(world, variables);
  node.scope = newScope(variables);
  if (parentOf(x) === null) {
    node.forgotten = true;
    return x;
  }
  world.header.forgotten++;
  const caught = isCaught(x);
  const out = moveOut(
    x,
    newStrand(`f${world.header.forgotten}`, '', '' as ExpressionId, 'forgotten', 0, 0, x.strand.base),
    false,
  );
  if (caught) catchUp(out);
  return out;
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
