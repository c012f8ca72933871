/**
 * # save
 *
 * Copies all fields into a variable or a field.
 *
 * Attributes: `to_v`, `to_f`, or `to: [f:|v:]name`. Without a target nothing happens.
 *
 * ```radial
 * save to_v: 'before'
 * ```
 *
 * Replies: at once. Errors: none of its own.
 *
 * # restore, set_fields
 *
 * Replaces all fields by those saved before, or puts them into one field.
 *
 * Attributes: `from_v|from_var|from_variable`, `from_f|from_fld|from_field`, or `val|value` (an object); `to_f`: set only this field.
 *
 * ```radial
 * save to_v: 'before'
 * alice
 * restore from_v: 'before'
 * ```
 *
 * Replies: at once. Errors: what is restored is not there, or is no object.
 *
 * # filter
 *
 * Checks and changes fields by rules; for what rules can say see Filters. A former `__result__` is removed.
 *
 * Attributes: the text `v:name` or `f:name` (stored rules); `in` (a list of rules); or one rule as attributes, the text being its
 * `field`; or one rule for each child, its head being the field (`or` separates alternatives). `record: true` (or a field name)
 * notes what does not follow the rules instead of failing; `flush: true` empties the notes first.
 *
 * ```radial
 * filter total, type: 'number', or: 0
 * filter
 *   customer.name type: 'string', size: '1,80'
 *   items type: 'array'
 * ```
 *
 * Replies: at once. Errors: `Ruote::ValidationError` when the fields do not follow the rules; no rules; an unknown type.
 */

import { applyFilter, readRecording, recordDeviations, validationError } from '../../../language/filter.ts';
import { LanguageError } from '../../../language/language-error.ts';
import { assign, lookup } from '../../../language/lookup.ts';
import type { Json, JsonObject } from '../../../model/json.ts';
import { isObject, ownValue, withKey, withoutKeys } from '../../../model/json.ts';
import { shownJson } from '../../../model/text.ts';
import { COMMON_ATTRIBUTES } from '../../../model/vocabulary.ts';
import {
  attribute,
  optionalText,
  presentKey,
  substituted,
  targets,
  toText,
  treeOf,
  writtenAttributes,
} from '../../life/attributes.ts';
import { replyToParent } from '../../life/life.ts';
import { lookupVariable, parentOf, setVariable } from '../../life/variables.ts';
import type { Acting, Expression } from '../../state/world.ts';

export const save: Expression = {
  names: ['save'],
  apply: (x) => {
    const { node } = x;
    const { variable, field } = targets(x);
    let { applied } = node;
    if (variable !== null) setVariable(x, variable, node.applied);
    else if (field !== null) applied = assign(node.applied, field, node.applied);
    replyToParent(x, applied);
  },
};

function saved(x: Acting): Json {
  const variable = presentKey(x, 'from_v', 'from_var', 'from_variable');
  if (variable !== null) return lookupVariable(x, toText(attribute(x, variable))) ?? null;
  const field = presentKey(x, 'from_f', 'from_fld', 'from_field');
  if (field !== null) return lookup(x.node.applied, toText(attribute(x, field))) ?? null;
  const value = presentKey(x, 'val', 'value');
  return value === null ? null : attribute(x, value);
}

export const restore: Expression = {
  names: ['restore', 'set_fields'],
  apply: (x) => {
    const { node } = x;
    const fields = saved(x);
    const { field } = targets(x);
    if (field !== null) {
      replyToParent(x, assign(node.applied, field, fields));
      return;
    }
    if (!isObject(fields))
      throw new LanguageError(
        'ArgumentError',
        `there is nothing to restore: ${shownJson(fields, 100)} is not an object of fields`,
      );
    replyToParent(x, fields);
  },
};

function storedRules(x: Acting, text: string): Json {
  const [prefix = '', key = ''] = text.split(':');
  if (!['v', 'var', 'variable', 'f', 'field'].includes(prefix)) return null;
  const rules = (prefix.startsWith('v') ? lookupVariable(x, key) : lookup(x.node.applied, key)) ?? null;
  return isObject(rules) ? (ownValue(rules, 'in') ?? rules) : rules;
}

/** One rule: attributes as keys, the text as its field. */
function ruleOf(pairs: Iterable<readonly [string, Json]>): JsonObject {
  let rule: JsonObject = {};
  for (const [key, value] of pairs) rule = value === null ? withKey(rule, 'field', key) : withKey(rule, key, value);
  return rule;
}

const NOT_RULES: ReadonlySet<string> = new Set([...COMMON_ATTRIBUTES, 'ref', 'original_ref']);

function filterRules(x: Acting): Json {
  const text = toText(optionalText(x));
  const stored = text === '' ? null : storedRules(x, text);
  if (stored !== null) return stored;
  if (text === '') {
    const given = attribute(x, 'in');
    if (given !== null) return given;
  }
  const own = [...writtenAttributes(x)].filter(([key, value]) => value === null || !NOT_RULES.has(key));
  if (own.length > 0) return substituted(x, [ruleOf(own)]);
  const { children } = treeOf(x);
  if (children.length === 0)
    throw new LanguageError(
      'ArgumentError',
      'a filter needs rules: attributes, children, "in", or the name of stored ones',
    );
  return substituted(
    x,
    children.map((child): Json => {
      if (child.name === 'or') return 'or';
      const rule = ruleOf(child.attributes);
      return Object.hasOwn(rule, 'field') ? rule : { field: child.name, ...rule };
    }),
  );
}

export const filter: Expression = {
  names: ['filter'],
  apply: (x) => {
    const { node } = x;
    node.applied = withoutKeys(node.applied, '__result__');
    const recording = readRecording(filterRules(x));
    const outcome = applyFilter({
      rules: recording.rules,
      fields: node.applied,
      base: parentOf(x)?.node.applied ?? node.applied,
      work: x.world,
    });
    if (outcome.ok) replyToParent(x, outcome.fields);
    else if (recording.field !== null) replyToParent(x, recordDeviations(node.applied, recording, outcome.deviations));
    else throw validationError(outcome.deviations);
  },
};
