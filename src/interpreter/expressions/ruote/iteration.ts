/**
 * # iterator
 *
 * Runs its children once for each element of a list. Obeys commands (see `cursor`; also as attributes, `break_if`…), which move among the
 * elements: `rewind` and `continue` to the first, `skip 1` over one, `back 2` to the one before, `jump to: -1` to the last. A command that
 * leaves the element as it is, and `reset`, do nothing.
 *
 * Attributes
 * - `times` (`branches`): a number: the elements are 0, 1, 2…
 * - `on`, `on_v` (a variable), `on_f` (a field): the list; a text is split at `separator` (`sep`, default a comma; `''`: into characters); the elements of
 *   an object are its `[key, value]` pairs.
 * - `to` (`v:name`; `f:name` or just `name` is a field), `to_v`, `to_f`: where the element goes; default the variable `i`. Its index is
 *   in the variable `ii`. Both stay set afterwards, unless there is a `scope: true`.
 *
 * ```radial
 * iterator on: 'alice, bob', to_v: 'who'
 *   participant '${v:who}'
 * ```
 *
 * Replies: after the last element, at the first that is null, or when told to break; at once for an empty list.
 *
 * Errors: a command whose argument is no number; more than 100,000 `times`.
 */

import { LanguageError } from '../../../language/language-error.ts';
import type { Fields, Json } from '../../../model/json.ts';
import { isObject, withKey } from '../../../model/json.ts';
import { charactersOf } from '../../../model/text.ts';
import { firstAttribute, prefixedValue, targets, toText, treeOf } from '../../life/attributes.ts';
import { applyChild, childIndex } from '../../life/birth.ts';
import { end, replyToParent } from '../../life/life.ts';
import { setVariable } from '../../life/variables.ts';
import type { Acting, Expression } from '../../state/world.ts';
import { commanded, takeCommand } from './commands.ts';

/** A text split at the separator, a list as it is, an object as pairs; anything else is empty. */
export function splitList(x: Acting, value: Json): readonly Json[] {
  if (typeof value === 'string') {
    const separator = toText(firstAttribute(x, 'separator', 'sep') ?? ',');
    x.world.spend(value.length);
    const parts = separator === '' ? charactersOf(value) : value.split(separator);
    x.world.spend(parts.length * SPLIT_WORK);
    // As Ruby's split: empty parts at the end do not count.
    while (parts.length > 0 && parts.at(-1) === '') parts.pop();
    return parts.map((part) => part.trim());
  }
  if (Array.isArray(value)) return value as readonly Json[];
  return isObject(value) ? (Object.entries(value) as [string, Json][]) : [];
}

/** The list an iterator goes through. */
export function determineList(x: Acting): { readonly list: readonly Json[]; readonly isTimes: boolean } {
  const times = firstAttribute(x, 'times', 'branches');
  if (times === null) return { list: splitList(x, prefixedValue(x, 'on') ?? null), isTimes: false };
  const count = Math.max(0, Math.trunc(Number.parseFloat(toText(times))) || 0);
  const { expressions } = x.world.context.limits;
  if (count > ELEMENTS_MAX)
    throw new LanguageError(
      'LimitExceeded',
      `times: ${count} is more than ${ELEMENTS_MAX} (live expressions: ${expressions})`,
    );
  return { list: Array.from({ length: count }, (_, index) => index), isTimes: true };
}

/** Making an element takes as long as copying so many characters. */
const SPLIT_WORK = 8;

/** More elements than this are refused for `times`; a list given as such is as long as fields may be. */
const ELEMENTS_MAX = 100_000;

function moveOn(x: Acting, given: { readonly fields: Fields; readonly from: string }): void {
  const { node } = x;
  const { data } = node;
  const { children } = treeOf(x);
  const list = (data['list'] as readonly Json[] | undefined) ?? [];
  const child = given.from === node.id ? 0 : childIndex(given.from as never) + 1;
  const { fields: bare, command } = takeCommand(x, given.fields);
  const before = data['position'] as number;
  let position = before === -1 ? 0 : before;
  switch (command?.name) {
    case 'break':
      replyToParent(x, bare);
      return;
    case 'rewind':
    case 'continue':
      position = 0;
      break;
    case 'skip':
      position += command.steps + 1;
      break;
    case 'jump':
      position = /^-?\d{1,9}$/.test(toText(command.target)) ? Number(toText(command.target)) : before;
      break;
    default:
      if (child >= children.length) position++;
  }
  if (position < 0) position = Math.max(0, list.length + position);
  if (position !== before && position !== before + 1) countLeap(data, before, position);
  data['position'] = position;
  if (position === before) {
    applyChild(x, child < children.length ? child : 0, bare);
    return;
  }
  const element = list[position];
  if (element === undefined || element === null) {
    replyToParent(x, bare);
    return;
  }
  setVariable(x, 'ii', position);
  const toVariable = data['toVariable'];
  if (typeof toVariable === 'string') setVariable(x, toVariable, element);
  applyChild(x, 0, typeof toVariable === 'string' ? bare : withKey(bare, toText(data['toField']), element));
}

/** The round is told by the position, as long as elements have their turns one after the other; a leap is made up for. */
function countLeap(data: Acting['node']['data'], before: number, position: number): void {
  data['leapt'] = Number(data['leapt'] ?? 0) + before + 1 - position;
}

export const iterator: Expression = {
  names: ['iterator'],
  commanded: true,
  apply: (x) => {
    const { node } = x;
    if (treeOf(x).children.length === 0) {
      end(x, node.applied);
      return;
    }
    const { list } = determineList(x);
    x.world.checkList(list);
    const { variable, field } = targets(x);
    Object.assign(node.data, {
      list,
      position: -1,
      toVariable: variable ?? (field === null ? 'i' : null),
      toField: field,
    });
    moveOn(x, { fields: node.applied, from: node.id });
  },
  reply: commanded(moveOn),
};
