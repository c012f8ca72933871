/**
 * # cursor, loop, repeat
 *
 * A sequence that obeys commands (`skip`, `back`, `jump`, `rewind`, `continue`, `reset`, `break`, `stop`, `over`). `loop` and
 * `repeat` start again after the last child.
 *
 * Attributes: `break_if`, `rewind_if`, `reset_if`, `over_if`, `stop_if` and the same with `_unless`: conditions looked at on entry
 * and after each child; the first that fits is a command. A command in the field `__command__` counts before them.
 *
 * ```radial
 * loop
 *   alice task: 'write'
 *   bob task: 'review'
 *   break if: '${f:approved}'
 * ```
 *
 * Replies: after the last child (cursor) or when told to break; at once without children. An index before the first child is the first
 * child.
 *
 * Errors: a command whose argument is no number. A loop without children is refused at launch.
 */
import type { Fields, Json } from '../../../model/json.ts';
import { textKey } from '../../../model/tree.ts';
import { substituted, toText, treeOf } from '../../life/attributes.ts';
import { applyChild, childIndex } from '../../life/birth.ts';
import { takeEntry } from '../../life/entering.ts';
import { replyToParent } from '../../life/life.ts';
import { COMMANDS } from '../../life/timers.ts';
import type { Acting, Expression } from '../../state/world.ts';
import { commanded, takeCommand } from './commands.ts';

function moveOn(x: Acting, given: { readonly fields: Fields; readonly from: string }): void {
  const { node } = x;
  const { length } = treeOf(x).children;
  const { fields, command } = takeCommand(x, given.fields);
  const before = given.from === node.id ? null : childIndex(given.from as never);
  let position = before === null ? 0 : before + 1;
  let carried = fields;
  const entered = takeEntry(x);
  const entry = command === null ? entered : null;
  if (entry !== null) position = entry.index;
  switch (command?.name) {
    case 'break':
      replyToParent(x, fields);
      return;
    case 'rewind':
    case 'continue':
      position = 0;
      break;
    case 'reset':
      position = 0;
      carried = node.applied;
      break;
    case 'skip':
      position = Math.max(0, position + command.steps);
      break;
    case 'jump':
      position = jumpTarget(x, fields, position, command.target);
      break;
  }
  if (position >= length && isLoop(x)) position = 0;
  if (position >= length) {
    replyToParent(x, carried);
    return;
  }
  if (before !== null && position <= before) countRound(x);
  applyChild(x, position, carried, entry?.within);
}

/** A round ends where it goes back to a child it has been at. Most have one: that is written down nowhere. */
function countRound({ node }: Acting): void {
  node.data['round'] = Number(node.data['round'] ?? 1) + 1;
}

const isLoop = (x: Acting): boolean => x.node.name === 'loop' || x.node.name === 'repeat';

/** Where a jump goes: an index (from the end when negative), or the first child that is called so; else nowhere. */
function jumpTarget(x: Acting, fields: Fields, position: number, target: Json): number {
  const { children } = treeOf(x);
  const wanted = toText(target);
  if (/^[-+]?\d{1,9}$/.test(wanted))
    return Number(wanted) < 0 ? Math.max(0, children.length + Number(wanted)) : Number(wanted);
  const found = children.findIndex((child) => {
    if (COMMANDS.has(child.name)) return false;
    const names: (Json | undefined)[] = [
      child.name,
      child.attributes.get('ref'),
      child.attributes.get('tag'),
      textKey(child),
    ];
    return names.some((name) => name !== undefined && name !== null && toText(substituted(x, name, fields)) === wanted);
  });
  return found < 0 ? position : found;
}

export const cursor: Expression = {
  names: ['cursor', 'loop', 'repeat'],
  commanded: true,
  apply: (x) => {
    if (treeOf(x).children.length === 0) replyToParent(x, x.node.applied);
    else moveOn(x, { fields: x.node.applied, from: x.node.id });
  },
  reply: commanded(moveOn),
};
