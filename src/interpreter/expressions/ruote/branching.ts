/**
 * # if
 *
 * Applies its first child when a condition holds, else its second.
 *
 * Attributes: `test`, `t` or the text: the condition (an empty one is false). Without any of them the first child is run as the
 * condition (see `equals`): when the field `__result__` is then true the second child is applied, else the third.
 *
 * ```radial
 * if '${f:total} > 1000'
 *   boss
 *   clerk
 * ```
 *
 * Replies: when the chosen child has; at once when there is none.
 *
 * Errors: a condition that cannot be read.
 *
 * # equals
 *
 * Compares two values, typed, and sets the field `__result__` to true or false.
 *
 * Attributes: two of `field`, `variable`, `value` (or their short forms), each also with the prefix `other_`.
 *
 * ```radial
 * equals f: 'colour', other_value: 'red'
 * ```
 *
 * Replies: at once. Errors: none of its own.
 *
 * # given, that, of
 *
 * A case statement: `given` runs its children in order until a `that` (a condition) or an `of` (a value or a regular expression
 * compared with what is given) fits; what fits runs its children as a sequence and ends the whole. Other children run where they
 * stand, as the else part.
 *
 * Attributes: `given`: `t` or the text, the value. `that`: `t`, `test` or the text, a condition. `of`: `t`, `test` or the text, a
 * value or `/regex/`.
 *
 * ```radial
 * given '${f:country}'
 *   of 'France'
 *     alice
 *   of '/land$/'
 *     bob
 *   charly
 * ```
 *
 * Replies: when what fitted, or the last child, has replied. Errors: a condition or regular expression that cannot be read.
 */

import { evaluateCondition } from '../../../language/condition.ts';
import { compileRegex, literalRegex } from '../../../language/regex.ts';
import type { Json } from '../../../model/json.ts';
import { equalJson, ownValue, withKey, withoutKeys } from '../../../model/json.ts';
import { COMMON_ATTRIBUTES } from '../../../model/vocabulary.ts';
import { attribute, optionalText, textOf, toText, treeOf, writtenAttributes } from '../../life/attributes.ts';
import { applyChild, childIndex } from '../../life/birth.ts';
import { end, replyToParent } from '../../life/life.ts';
import { lookupVariable } from '../../life/variables.ts';
import type { Acting, Expression, Reply } from '../../state/world.ts';
import { nextInSequence } from './sequence.ts';

function applyIfThere(x: Acting, index: number, fields: Reply['fields']): void {
  if (index < treeOf(x).children.length) applyChild(x, index, fields);
  else replyToParent(x, fields);
}

/** The condition of an expression: the first of the attributes, else the text; undefined when none is written. */
function condition(x: Acting, ...keys: readonly string[]): Json | undefined {
  const attributes = writtenAttributes(x);
  for (const key of keys) if (attributes.has(key) && attributes.get(key) !== null) return attribute(x, key);
  return [...attributes.values()].includes(null) ? optionalText(x) : undefined;
}

export const if_: Expression = {
  names: ['if'],
  apply: (x) => {
    const test = condition(x, 'test', 't');
    x.node.data['tested'] = test !== undefined;
    applyIfThere(x, test === undefined || evaluateCondition(test) ? 0 : 1, x.node.applied);
  },
  reply: (x, { fields, from }) => {
    if (x.node.data['tested'] === true || childIndex(from) !== 0) replyToParent(x, fields);
    else applyIfThere(x, ownValue(fields, '__result__') === true ? 1 : 2, fields);
  },
};

export const equals: Expression = {
  names: ['equals'],
  apply: (x) => {
    const { node } = x;
    const values = [...writtenAttributes(x).keys()]
      .filter((key) => !COMMON_ATTRIBUTES.has(key))
      .map((key) => compared(x, key));
    const [first] = values;
    const last = values.at(-1);
    const result = values.length >= 2 && first !== undefined && last !== undefined && equalJson(first, last);
    replyToParent(x, withKey(node.applied, '__result__', result));
  },
};

function compared(x: Acting, key: string): Json {
  const value = attribute(x, key);
  const kind = key.startsWith('other_') ? key.slice('other_'.length) : key;
  if (kind.startsWith('f')) return ownValue(x.node.applied, toText(value)) ?? null;
  if (kind.startsWith('var')) return lookupVariable(x, toText(value)) ?? null;
  return kind.startsWith('val') ? value : null;
}

function nextGiven(x: Acting, reply: Pick<Reply, 'fields' | 'from'>): void {
  const isStart = reply.from === x.node.id;
  const fields = isStart ? withoutKeys(reply.fields, '__result__') : reply.fields;
  const isLast = (isStart ? 0 : childIndex(reply.from) + 1) >= treeOf(x).children.length;
  if (toText(ownValue(fields, '__result__')) === 'true')
    replyToParent(x, withoutKeys(fields, '__given__', '__result__'));
  else if (isLast) replyToParent(x, withoutKeys(fields, '__given__'));
  else nextInSequence(x, { fields: withKey(fields, '__given__', attribute(x, 't') ?? textOf(x)), from: reply.from });
}

export const given: Expression = {
  names: ['given'],
  apply: (x) => nextGiven(x, { fields: x.node.applied, from: x.node.id }),
  reply: nextGiven,
};

function startThat(x: Acting): void {
  const { node } = x;
  const fits = isOf(x) ? fitsGiven(x) : evaluateCondition(condition(x, 't', 'test') ?? '');
  node.data['fits'] = fits;
  if (fits) applyIfThere(x, 0, node.applied);
  else replyToParent(x, node.applied);
}

const isOf = (x: Acting): boolean => x.node.name === 'of';

function fitsGiven(x: Acting): boolean {
  const wanted = toText(condition(x, 't', 'test') ?? '').trim();
  const value = toText(ownValue(x.node.applied, '__given__')).trim();
  const literal = literalRegex(wanted);
  return literal === null ? value === wanted : compileRegex(literal.source, literal.flags).test(value);
}

export const that: Expression = {
  names: ['that', 'of'],
  apply: startThat,
  reply: nextInSequence,
  replyToParent: (x, fields) => end(x, withKey(fields, '__result__', x.node.data['fits'] === true)),
};
