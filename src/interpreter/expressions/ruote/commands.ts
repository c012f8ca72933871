/**
 * # skip, back, jump, rewind, continue, break, stop, over, reset
 *
 * Tell the nearest enclosing `cursor`, `loop` or `iterator` where to go on. A participant can do the same with the field
 * `__command__` (a name, or `[name, argument]`).
 *
 * | command | what a cursor does |
 * |---|---|
 * | `break`, `stop`, `over` | replies to its parent |
 * | `rewind`, `continue` | goes to its first child, with the workitem as it is |
 * | `reset` | goes to its first child, with the workitem it was given |
 * | `skip n` | leaves out n children |
 * | `back n` | goes n children back, counted from the command: `back 1` would be the command itself |
 * | `jump x` | goes to the child of that index (negative: from the end), or the first whose head, `ref`, `tag` or text is x; else nowhere |
 *
 * Attributes: `ref`: the tag of another cursor or iterator. `skip`, `back`: `step` or the text, default 1. `jump`: `to` or the text.
 *
 * ```radial
 * cursor
 *   alice
 *   rewind if: '${f:unhappy}'
 *   bob
 * ```
 *
 * Replies: does not, when it commands what it is inside of (it is cancelled); else at once, also when there is nothing to command. Errors:
 * none of its own; the one that is commanded fails when the step is no number.
 */

import { evaluateCondition } from '../../../language/condition.ts';
import { LanguageError } from '../../../language/language-error.ts';
import type { Fields, Json } from '../../../model/json.ts';
import { ownValue, withKey, withoutKeys } from '../../../model/json.ts';
import { attribute, optionalText, textOf, toText } from '../../life/attributes.ts';
import { isDirectChild } from '../../life/birth.ts';
import { refOf } from '../../life/branches.ts';
import { replyToParent } from '../../life/life.ts';
import { boundValue, parentOf } from '../../life/variables.ts';
import { plainReply, Tagged } from '../../state/state.ts';
import type { Acting, Expression, Reply } from '../../state/world.ts';

const FIELD = '__command__';
const BY_ATTRIBUTE = ['break', 'rewind', 'reset', 'over', 'stop'] as const;

/** A command as it is obeyed: `back` is a skip of negative steps; `over` and `stop` are break. */
export type Command =
  | { readonly name: 'break' | 'rewind' | 'continue' | 'reset' }
  | { readonly name: 'skip'; readonly steps: number }
  | { readonly name: 'jump'; readonly target: Json };

/** Takes the command out of the fields, or finds one in the attributes (`break_if`, `rewind_unless`…). */
export function takeCommand(x: Acting, fields: Fields): { readonly fields: Fields; readonly command: Command | null } {
  const given = ownValue(fields, FIELD);
  const bare = withoutKeys(fields, FIELD);
  const [name = null, argument = null] = Array.isArray(given) ? (given as readonly Json[]) : [given ?? null];
  if (name === null || name === false) {
    const byAttribute = attributeCommand(x, bare);
    return { fields: bare, command: byAttribute === null ? null : readCommand(byAttribute, null) };
  }
  return { fields: bare, command: readCommand(toText(name), argument) };
}

function attributeCommand(x: Acting, fields: Fields): string | null {
  for (const direction of ['if', 'unless'] as const)
    for (const name of BY_ATTRIBUTE) {
      const condition = attribute(x, `${name}_${direction}`, fields);
      if (condition !== null && condition !== false && evaluateCondition(condition) === (direction === 'if'))
        return name;
      if (condition === false && direction === 'unless') return name;
    }
  return null;
}

function readCommand(name: string, argument: Json): Command | null {
  switch (name) {
    case 'break':
    case 'over':
    case 'stop':
      return { name: 'break' };
    case 'rewind':
    case 'continue':
    case 'reset':
      return { name };
    case 'skip':
      return { name: 'skip', steps: steps(name, argument) };
    case 'back':
      return { name: 'skip', steps: -steps(name, argument) };
    case 'jump':
      return { name: 'jump', target: argument };
    default:
      return null;
  }
}

function steps(name: string, argument: Json): number {
  if (argument === null || argument === '') return 1;
  const text = toText(argument).trim();
  if (!/^[-+]?\d{1,9}$/.test(text))
    throw new LanguageError('TypeError', `${name} takes a number of steps, not ${JSON.stringify(argument)}`);
  return Number(text);
}

/** How a cursor or iterator takes replies: those of its children move it on; a command from deeper down first cancels the child. */
export function commanded(
  moveOn: (x: Acting, given: { readonly fields: Fields; readonly from: string }) => void,
): (x: Acting, reply: Reply) => void {
  return (x, reply) => {
    const { node, strand, world } = x;
    const waiting = node.data['command'];
    if (waiting !== undefined) {
      const from = toText(node.data['commandFrom'] ?? '') || reply.from;
      delete node.data['command'];
      delete node.data['commandFrom'];
      moveOn(x, { fields: waiting as Fields, from });
      return;
    }
    if (reply.from === node.id || isDirectChild(x, reply.from) || node.child === null) {
      moveOn(x, reply);
      return;
    }
    node.data['command'] = reply.fields;
    node.data['commandFrom'] = node.child;
    strand.touched = true;
    world.send({
      kind: 'cancel',
      to: { path: strand.path, id: node.child },
      flavour: null,
      cause: 'cancel',
      reapply: null,
      again: false,
    });
  };
}

const isCommanded = (x: Acting): boolean => x.world.registry.get(x.node.kind)?.commanded === true;

function nearestCommanded(x: Acting): Acting | null {
  for (let at = parentOf(x); at !== null; at = parentOf(at)) if (isCommanded(at)) return at;
  return null;
}

function taggedCommanded(x: Acting, name: string): Acting | null {
  const target = boundValue(x, name);
  const found = target instanceof Tagged ? x.world.find(target.ref) : null;
  return found !== null && isCommanded(found) ? found : null;
}

export function isAncestor(x: Acting, other: Acting): boolean {
  for (let at = parentOf(x); at !== null; at = parentOf(at)) if (at.node === other.node) return true;
  return false;
}

function applyCommand(x: Acting): void {
  const { node, world } = x;
  const { name } = node;
  const given =
    name === 'skip' || name === 'back'
      ? (attribute(x, 'step') ?? textOf(x))
      : name === 'jump'
        ? (attribute(x, 'to') ?? optionalText(x))
        : null;
  const argument = typeof given === 'string' && /^[-+]?\d{1,9}$/.test(given) ? Number(given) : given;
  const fields = withKey(node.applied, FIELD, [name, argument]);
  const ref = attribute(x, 'ref');
  const target = ref === null ? nearestCommanded(x) : taggedCommanded(x, toText(ref));
  if (target === null) {
    replyToParent(x, node.applied);
    return;
  }
  if (parentOf(x)?.node === target.node) {
    replyToParent(x, fields);
    return;
  }
  world.send(plainReply(refOf(target), node.id, fields));
  if (!isAncestor(x, target)) replyToParent(x, node.applied);
}

export const command: Expression = {
  names: ['skip', 'back', 'jump', 'rewind', 'continue', 'break', 'stop', 'over', 'reset'],
  apply: applyCommand,
};
