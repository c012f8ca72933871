/**
 * # set, rset, unset
 *
 * Sets or removes a field or a variable.
 *
 * Attributes
 * - target: `v|var|variable`, `f|fld|field`, or the first other attribute, as `target: value`; a target `v:x` is a variable, `f:x` or
 *   `x` a field. Dotted targets reach inside objects and lists that are there.
 * - value: `val|value`, `v_val…` (a variable), `f_val…` (a field): values with their types; with children their `__result__`.
 * - `escape: true`: the value as written, without substitution. `override: true`: a variable is set where it is bound already;
 *   `override: 'sub'`: the same within the sub-process.
 *
 * ```radial
 * set 'f:customer.name': 'Alice'
 * set v: tries, value: 0
 * unset 'f:customer.name'
 * ```
 *
 * Replies: at once (with children, after them). The field `__result__` is the value set, or the one removed.
 *
 * Errors: no target.
 */

import { LanguageError } from '../../../language/language-error.ts';
import { assign, remove } from '../../../language/lookup.ts';
import type { Fields, Json } from '../../../model/json.ts';
import { ownValue, withKey } from '../../../model/json.ts';
import { COMMON_ATTRIBUTES } from '../../../model/vocabulary.ts';
import {
  attribute,
  compiledAttributes,
  givenValue,
  presentKey,
  splitTarget,
  toText,
  treeOf,
} from '../../life/attributes.ts';
import { end } from '../../life/life.ts';
import { dropScope, newScope, setVariable, unsetVariable } from '../../life/variables.ts';
import type { Acting, Expression } from '../../state/world.ts';
import { nextInSequence, startSequence } from './sequence.ts';

const NOT_TARGETS: ReadonlySet<string> = new Set([...COMMON_ATTRIBUTES, 'escape', 'over', 'override']);

type Target = { readonly kind: 'field' | 'variable'; readonly name: string; readonly value: Json };

function targetOf(x: Acting, asWritten: boolean): Target {
  const variable = presentKey(x, 'v', 'var', 'variable');
  if (variable !== null) return { kind: 'variable', name: toText(attribute(x, variable)), value: null };
  const field = presentKey(x, 'f', 'fld', 'field');
  if (field !== null) return { kind: 'field', name: toText(attribute(x, field)), value: null };
  const pair = (Object.entries(compiledAttributes(x, asWritten)) as [string, Json][]).find(
    ([key]) => !NOT_TARGETS.has(key),
  );
  if (pair === undefined || pair[0] === '')
    throw new LanguageError(
      'ArgumentError',
      `missing a variable or field target in ${x.node.name}: write "${x.node.name} 'f:name': value"`,
    );
  return { ...splitTarget(pair[0]), value: pair[1] };
}

function finishSet(x: Acting, fields: Fields): void {
  const { node } = x;
  if (node.state !== null) {
    end(x, fields); // cancelled: nothing is set
    return;
  }
  node.applied = fields;
  const asWritten = attribute(x, 'escape') === true || attribute(x, 'escape') === 'true';
  const override = attribute(x, 'override') ?? attribute(x, 'over');
  const given = treeOf(x).children.length === 0 ? givenValue(x, asWritten) : (ownValue(fields, '__result__') ?? null);
  // The scope was for the children; the value goes to the one around.
  dropScope(x);
  node.scope = null;
  const target = targetOf(x, asWritten);
  const value = given ?? target.value;
  const result = node.name === 'unset' ? unsetTarget(x, target, override) : setTarget(x, target, value, override);
  const isVouched = x.world.isVouched(node.applied) && (typeof result !== 'object' || result === null);
  node.applied = withKey(node.applied, '__result__', result);
  if (isVouched) x.world.vouch(node.applied);
  end(x, node.applied);
}

function setTarget(x: Acting, target: Target, value: Json, override: Json): Json {
  if (target.kind === 'variable') setVariable(x, target.name, value, override);
  else putField(x, target.name, value);
  return value;
}

/** Sets a field. What is small and flat cannot make the fields too large or too deep: then they are not measured again. */
export function putField(x: Acting, name: string, value: Json): void {
  const { node, world } = x;
  const before = node.applied;
  node.applied = assign(before, name, value);
  if (typeof value !== 'object' || value === null) {
    // Twice, as it will be in `__result__` too.
    world.noteGrowth(name.length + 2 * (typeof value === 'string' ? value.length : 0) + PUT_CHARACTERS);
    world.vouch(node.applied);
  }
}
/** What a field takes besides its name and its text. */
const PUT_CHARACTERS = 40;

function unsetTarget(x: Acting, target: Target, override: Json): Json {
  if (target.kind === 'variable') return unsetVariable(x, target.name, override) ?? null;
  const { target: fields, removed } = remove(x.node.applied, target.name);
  x.node.applied = fields;
  return removed ?? null;
}

export const set: Expression = {
  names: ['set', 'rset', 'unset'],
  apply: (x) => {
    x.node.scope ??= newScope();
    startSequence(x);
  },
  reply: nextInSequence,
  replyToParent: finishSet,
};
