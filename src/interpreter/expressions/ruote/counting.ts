/**
 * # inc, increment, dec, decrement, push, pop
 *
 * Adds to a number or a list, or takes away from it. `inc` and `dec` count, or change a list when the current value is one; `push`
 * and `pop` always treat it as a list (nothing is an empty one).
 *
 * Attributes
 * - target: `v|var|variable`, `f|fld|field`, the text (`v:x`, `x`), or the first other attribute as `target: value`.
 * - value: `val|value`, `v_val…`, `f_val…`; with children their `__result__`; default 1.
 * - `position` (`pos`): `head` or `tail` (default): which end of a list.
 * - `to`, `to_v`, `to_f`: where `dec` and `pop` put what they took from a list; default the field `__result__`.
 *
 * ```radial
 * inc 'v:round'
 * push 'f:names': 'alice'
 * pop 'f:names', to_v: 'last'
 * ```
 *
 * Replies: at once (with children, after them).
 *
 * Errors: no target; a number added to a text.
 */

import { LanguageError } from '../../../language/language-error.ts';
import { lookup } from '../../../language/lookup.ts';
import type { Fields, Json } from '../../../model/json.ts';
import { equalJson, ownValue } from '../../../model/json.ts';
import { COMMON_ATTRIBUTES } from '../../../model/vocabulary.ts';
import {
  attribute,
  compiledAttributes,
  firstAttribute,
  givenValue,
  optionalText,
  presentKey,
  splitTarget,
  targets,
  toText,
  treeOf,
} from '../../life/attributes.ts';
import { end } from '../../life/life.ts';
import { dropScope, lookupVariable, newScope, setVariable } from '../../life/variables.ts';
import type { Acting, Expression } from '../../state/world.ts';
import { nextInSequence, startSequence } from './sequence.ts';
import { putField } from './setting.ts';

type Target = { readonly kind: 'field' | 'variable'; readonly name: string; readonly delta: Json | undefined };

function targetOf(x: Acting): Target {
  const variable = presentKey(x, 'v', 'var', 'variable');
  if (variable !== null) return { kind: 'variable', name: toText(attribute(x, variable)), delta: undefined };
  const field = presentKey(x, 'f', 'fld', 'field');
  if (field !== null) return { kind: 'field', name: toText(attribute(x, field)), delta: undefined };
  const text = optionalText(x);
  if (text !== null) return { ...splitTarget(toText(text)), delta: undefined };
  const pair = (Object.entries(compiledAttributes(x)) as [string, Json][]).find(
    ([key]) => !COMMON_ATTRIBUTES.has(key) && !key.startsWith('to_'),
  );
  if (pair === undefined) throw new LanguageError('ArgumentError', 'no variable or field to increment/decrement');
  return { ...splitTarget(pair[0]), delta: pair[1] ?? undefined };
}

function asNumber(value: Json): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*[-+]?\d[\d_]*(\.\d+)?([eE][-+]?\d+)?\s*$/.test(value)
    ? Number(value.replaceAll('_', ''))
    : null;
}

type Outcome = { readonly value: Json; readonly taken?: Json };

/** The new value, and for dec and pop of a list what was taken out. */
function outcome(x: Acting, current: Json, delta: Json): Outcome {
  const { name } = x.node;
  const takes = name.startsWith('dec') || name === 'pop';
  const isPush = name === 'push' || name === 'pop';
  const value: Json = isPush ? (current === null ? [] : Array.isArray(current) ? current : [current]) : current;
  const number = asNumber(delta ?? 1);
  if (number !== null && !Array.isArray(value)) {
    if (value !== null && typeof value !== 'number')
      throw new LanguageError('TypeError', `cannot add a number to ${JSON.stringify(value)}`);
    return { value: (value ?? 0) + (takes ? -number : number) };
  }
  const list = Array.isArray(value) ? (value as readonly Json[]) : value === null ? [] : [value];
  const atHead = toText(firstAttribute(x, 'position', 'pos') ?? 'tail') !== 'tail';
  if (!takes) return { value: atHead ? [delta, ...list] : [...list, delta] };
  if (delta !== null) {
    const left = list.filter((item) => !equalJson(item, delta));
    return { value: left, taken: left.length < list.length ? delta : null };
  }
  return atHead
    ? { value: list.slice(1), taken: list[0] ?? null }
    : { value: list.slice(0, -1), taken: list.at(-1) ?? null };
}

function put(x: Acting, kind: Target['kind'], name: string, value: Json): void {
  if (kind === 'variable') setVariable(x, name, value);
  else putField(x, name, value);
}

function finishCount(x: Acting, fields: Fields): void {
  const { node } = x;
  if (node.state !== null) {
    end(x, fields); // cancelled: nothing is counted
    return;
  }
  node.applied = fields;
  const target = targetOf(x);
  const children = treeOf(x).children.length > 0;
  const delta = target.delta ?? givenValue(x) ?? (children ? (ownValue(fields, '__result__') ?? null) : null);
  const current =
    (target.kind === 'variable' ? lookupVariable(x, target.name) : lookup(node.applied, target.name)) ?? null;
  const { value, taken } = outcome(x, current, delta);
  dropScope(x);
  node.scope = null;
  if (taken !== undefined) {
    const { variable, field } = targets(x);
    put(x, variable === null ? 'field' : 'variable', variable ?? field ?? '__result__', taken);
  }
  put(x, target.kind, target.name, value);
  end(x, node.applied);
}

export const inc: Expression = {
  names: ['inc', 'increment', 'dec', 'decrement', 'push', 'pop'],
  apply: (x) => {
    x.node.scope ??= newScope();
    startSequence(x);
  },
  reply: nextInSequence,
  replyToParent: finishCount,
};
