/**
 * # reserve
 *
 * A mutex: only one at a time of those that reserve the same name applies its child; the others wait in the order they came.
 *
 * Attributes: `mutex` or the text: the name, default `reserve`. It is a variable of the nearest scope; `/name` is shared by the whole
 * workflow. Each branch of a `concurrent_iterator` is a scope of its own, and so is each sub-process: for one at a time among them write
 * `reserve '/printer'`.
 *
 * ```radial
 * concurrence
 *   reserve 'printer'
 *     alice
 *   reserve 'printer'
 *     bob
 * ```
 *
 * Replies: when its child has; at once without a child. Its first child alone is run; a waiting one can be cancelled. Errors: a name that begins with `//`.
 */

import { LanguageError } from '../../../language/language-error.ts';
import type { ExpressionId } from '../../../model/ids.ts';
import type { Json } from '../../../model/json.ts';
import { attribute, optionalText, toText, treeOf } from '../../life/attributes.ts';
import { applyChild } from '../../life/birth.ts';
import { cancelDefault, replyToParent } from '../../life/life.ts';
import { boundValue, scopeFor, setVariable } from '../../life/variables.ts';
import type { Acting, Expression } from '../../state/world.ts';

/** Those who hold or wait for the mutex, first the holder, as pairs of strand and expression. */
type Queue = readonly (readonly [path: string, id: ExpressionId])[];

function queueOf(owner: Acting, name: string): Queue {
  const value = owner.node.scope?.own.get(name) ?? boundValue(owner, name);
  return Array.isArray(value) && value[0] === 'mutex'
    ? (value[2] as readonly Json[]).map((pair) => pair as [string, ExpressionId])
    : [];
}

function withQueue(x: Acting, change: (queue: Queue) => Queue): { readonly before: Queue; readonly after: Queue } {
  const place = scopeFor(x, toText(x.node.data['mutex']));
  if (place === null) return { before: [], after: [] };
  const before = queueOf(place.owner, place.name);
  const after = change(before);
  setVariable(place.owner, place.name, ['mutex', place.name, after.map(([path, id]): Json => [path, id])]);
  return { before, after };
}

function enter(x: Acting): void {
  x.strand.touched = true;
  applyChild(x, 0, x.node.applied);
}

/** Leaves the queue; when it was the holder, the next one enters. */
function release(x: Acting): void {
  const { node, world } = x;
  if (node.data['queued'] !== true) return;
  node.data['queued'] = false;
  const { before, after } = withQueue(x, (queue) => queue.filter(([, id]) => id !== node.id));
  const [next] = after;
  if (before[0]?.[1] !== node.id || next === undefined) return;
  const waiting = world.find({ path: next[0], id: next[1] });
  if (waiting !== null) enter(waiting);
}

export const reserve: Expression = {
  names: ['reserve'],
  apply: (x) => {
    const { node, strand } = x;
    if (treeOf(x).children.length === 0) {
      replyToParent(x, node.applied);
      return;
    }
    const name = toText(attribute(x, 'mutex') ?? optionalText(x)).trim() || 'reserve';
    if (name.startsWith('//')) throw new LanguageError('ArgumentError', "can't bind reserve mutex at engine level");
    node.data['mutex'] = name;
    node.data['queued'] = true;
    const { after } = withQueue(x, (queue) => [...queue, [strand.path, node.id]]);
    if (after[0]?.[1] === node.id) enter(x);
  },
  reply: (x, { fields }) => {
    release(x);
    replyToParent(x, fields);
  },
  cancel: (x, flavour) => {
    cancelDefault(x, flavour);
    release(x);
  },
  gone: release,
};
