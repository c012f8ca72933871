/**
 * # Reading an expression
 *
 * An expression is a name, attributes in the order they are written, and children. An attribute without a value (`alice 'today'`,
 * `sequence`'s neighbour `wait '2d'`) is the *text* of the expression: the first key whose value is null. Values are looked at when they
 * are needed, with the dollar notation replaced at that moment; one that comes out as nothing counts as absent. Where an attribute says
 * yes or no, only `true` (or the text `true`) means yes.
 *
 * Every expression understands the attributes of this chapter besides its own. They count in this order: `await`, then `if` or `unless`,
 * `scope`, the first of `forget`, `lose` and `flank`, `filter` on its way in, `tag`, `timers` and `timeout`; then the expression does what
 * it is there for. When it has replied: timers go, flanks are cancelled, handlers run where there is a reason, then `filter` on its way
 * out (or `take`, or `discard`), `vars_to_f`, and the tag is left.
 *
 * # if, unless
 *
 * Whether the expression runs at all.
 *
 * Attributes: `if`: a condition; when it does not hold the expression replies at once, as if it were not there. `unless`: the opposite;
 * it is not looked at when there is an `if`. An empty text is a condition that does not hold.
 *
 * ```radial
 * alice if: '${f:total} > 1000'
 * bob unless: '${f:country} == France'
 * ```
 *
 * Replies: at once, with the workitem as it came, when the condition says no. Errors: a condition that cannot be read.
 *
 * # scope
 *
 * Attributes: `scope: true` gives the expression variables of its own: what is set inside is not seen outside, and goes with it.
 *
 * ```radial
 * sequence scope: true
 *   set 'v:reviewer': 'alice'
 *   participant '${v:reviewer}'
 * ```
 *
 * Errors: none of its own.
 */

import { evaluateCondition } from '../../language/condition.ts';
import { lookup } from '../../language/lookup.ts';
import { substituteDeep } from '../../language/substitution.ts';
import { mnemo, subidOf, workitemId } from '../../model/ids.ts';
import type { Fields, Json, JsonObject } from '../../model/json.ts';
import { ownValue } from '../../model/json.ts';
import type { Tree } from '../../model/tree.ts';
import type { Acting } from '../state/world.ts';
import { lookupVariable } from './variables.ts';

/*
 * Reading the attributes of an expression: substituted when they are looked at, null where they are absent (docs/definitions.md, Reading an expression, Notations).
 */

/** Those that Ruote left out when it looked for a target among the attributes of `equals`, `set`, `inc` and `filter`. */
export const SKIPPED_ATTRIBUTES: ReadonlySet<string> = new Set([
  'if',
  'unless',
  'forget',
  'lose',
  'flank',
  'timeout',
  'timers',
  'on_error',
  'on_cancel',
  'on_timeout',
]);

export const treeOf = (x: Acting): Tree => x.world.tree(x.node.tree);

/** All attributes as written, those added at run time replacing or following those of the tree. */
export function writtenAttributes(x: Acting): ReadonlyMap<string, Json> {
  const { attributes } = treeOf(x);
  return x.node.added.length === 0 ? attributes : new Map([...attributes, ...x.node.added]);
}

/** The written value of one attribute; null when absent. */
export function written(x: Acting, key: string): Json {
  for (const [name, value] of x.node.added) if (name === key) return value;
  return treeOf(x).attributes.get(key) ?? null;
}

/** `value` with the dollar notation replaced, as seen from this expression. */
export function substituted(x: Acting, value: Json, fields: Fields = x.node.applied): Json {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string' && !value.includes('$')) return value;
  const result = substituteDeep(value, {
    field: (path) => lookup(fields, path),
    variable: (path) => lookupVariable(x, path),
    special: (name) => special(x, fields, name),
  });
  const { world } = x;
  if (typeof result === 'string') world.spend(result.length);
  else if (typeof result === 'object' && result !== null) {
    world.spendCopy(result);
    // A list or object that was put together here may be nested deeper than what it was made of.
    if (typeof value === 'object') world.extentOf(result);
  }
  return result;
}

function special(x: Acting, fields: Fields, name: string): Json | undefined {
  const tags = ownValue(fields, '__tags__');
  switch (name) {
    case 'wfid':
      return x.world.row.id;
    case 'fei':
      return workitemId(x.node.id, x.world.row.id);
    case 'expid':
      return x.node.expid;
    case 'subid':
    case 'sub_wfid':
      return subidOf(x.node.id);
    case 'engine_id':
      return 'engine';
    case 'mnemo_id':
      return mnemo(Number.parseInt(subidOf(x.node.id).slice(0, 9), 16));
    case 'tags':
      return tags ?? null;
    case 'tag':
      return Array.isArray(tags) ? ((tags.at(-1) as Json | undefined) ?? null) : null;
    case 'full_tag':
      return Array.isArray(tags) ? tags.map(toText).join('/') : '';
    default:
      return undefined;
  }
}

/** The value of an attribute, substituted; null when absent. */
export const attribute = (x: Acting, key: string, fields: Fields = x.node.applied): Json =>
  substituted(x, written(x, key), fields);

/** The first of `keys` that is present as written (not null), or null. */
export const presentKey = (x: Acting, ...keys: readonly string[]): string | null =>
  keys.find((key) => written(x, key) !== null) ?? null;

/** The value of the first of `keys` whose substituted value is not null; null when there is none. */
export function firstAttribute(x: Acting, ...keys: readonly string[]): Json {
  for (const key of keys) {
    const value = attribute(x, key);
    if (value !== null) return value;
  }
  return null;
}

/** The text of an expression (the first key without a value), substituted; null when it has none. */
export function optionalText(x: Acting, fields: Fields = x.node.applied): Json {
  for (const [key, value] of writtenAttributes(x)) if (value === null) return substituted(x, key, fields);
  return null;
}

/** As optionalText, but `''` when it has none. */
export const textOf = (x: Acting, fields: Fields = x.node.applied): Json => optionalText(x, fields) ?? '';

/** All attributes, keys and values substituted. `asWritten`: values as written. */
export function compiledAttributes(x: Acting, asWritten = false): JsonObject {
  // fromEntries makes own keys of whatever comes, and copies nothing twice.
  return Object.fromEntries(
    [...writtenAttributes(x)].map(([key, value]) => [
      toText(substituted(x, key)),
      asWritten ? value : substituted(x, value),
    ]),
  );
}

/** One of `values` (the first is the default), as the first present of `keys` says. */
export function choice<Value extends string>(
  x: Acting,
  keys: readonly string[],
  values: readonly [Value, ...Value[]],
): Value {
  const given = toText(firstAttribute(x, ...keys));
  return values.find((value) => value === given) ?? values[0];
}

const VALUE = ['val', 'value'] as const;
const VARIABLE = ['v', 'var', 'variable'] as const;
const FIELD = ['f', 'fld', 'field'] as const;
const joined = (heads: readonly string[], tails: readonly string[]): string[] =>
  heads.flatMap((head) => tails.map((tail) => `${head}_${tail}`));

type ValueKeys = {
  readonly values: readonly string[];
  readonly variables: readonly string[];
  readonly fields: readonly string[];
};
const VALUE_KEYS: ValueKeys = { values: VALUE, variables: joined(VARIABLE, VALUE), fields: joined(FIELD, VALUE) };
const PREFIXED = new Map<string, ValueKeys>();

function prefixedKeys(prefix: string): ValueKeys {
  let keys = PREFIXED.get(prefix);
  if (keys === undefined) {
    keys = {
      values: [prefix, ...joined([prefix], VALUE)],
      variables: joined([prefix], VARIABLE),
      fields: joined([prefix], FIELD),
    };
    PREFIXED.set(prefix, keys);
  }
  return keys;
}

function referredValue(x: Acting, keys: ValueKeys, asWritten: boolean): Json | undefined {
  const valueKey = presentKey(x, ...keys.values);
  if (valueKey !== null) return asWritten ? written(x, valueKey) : attribute(x, valueKey);
  const variableKey = presentKey(x, ...keys.variables);
  if (variableKey !== null)
    return lookupVariable(x, toText(asWritten ? written(x, variableKey) : attribute(x, variableKey))) ?? null;
  const fieldKey = presentKey(x, ...keys.fields);
  if (fieldKey !== null)
    return lookup(x.node.applied, toText(asWritten ? written(x, fieldKey) : attribute(x, fieldKey))) ?? null;
  return undefined;
}

/** The value meant by `val|value`, `v_val…` (a variable) or `f_val…` (a field); undefined when none of them is there. */
export const givenValue = (x: Acting, asWritten = false): Json | undefined => referredValue(x, VALUE_KEYS, asWritten);

/** The same for `<prefix>|<prefix>_val…`, `<prefix>_v…`, `<prefix>_f…`, such as `on`, `on_v`, `on_f`. */
export const prefixedValue = (x: Acting, prefix: string): Json | undefined =>
  referredValue(x, prefixedKeys(prefix), false);

/** The keys that name a variable holding such a value: `tree_v|tree_var|tree_variable`. */
export const prefixedVariableKey = (x: Acting, prefix: string): string | null =>
  presentKey(x, ...prefixedKeys(prefix).variables);

/** Where a value goes: `to_v…`, `to_f…`, or `to: [f…:|v…:]name`. Null where none is given. */
export function targets(x: Acting): { readonly variable: string | null; readonly field: string | null } {
  const variable = firstAttribute(x, 'to_v', 'to_var', 'to_variable');
  const field = firstAttribute(x, 'to_f', 'to_fld', 'to_field');
  const to = attribute(x, 'to');
  if (to !== null) {
    const { kind, name } = splitTarget(toText(to));
    return kind === 'field'
      ? { variable: variable === null ? null : toText(variable), field: name }
      : { variable: name, field: field === null ? null : toText(field) };
  }
  return { variable: variable === null ? null : toText(variable), field: field === null ? null : toText(field) };
}

/** `f…:name` and `name` are fields, any other prefix means a variable. */
export function splitTarget(target: string): { readonly kind: 'field' | 'variable'; readonly name: string } {
  const colon = target.indexOf(':');
  if (colon <= 0 || colon === target.length - 1) return { kind: 'field', name: target };
  return { kind: target.startsWith('f') ? 'field' : 'variable', name: target.slice(colon + 1) };
}

/** A value as the text that Ruby's to_s would give for the ordinary ones: null is `''`, lists and objects are JSON. */
export function toText(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export const isTrueText = (value: Json): boolean => toText(value) === 'true';

/** Whether `if` and `unless` let the expression run (`unless` is looked at only without `if`). */
export function maySetOut(x: Acting): boolean {
  const only = attribute(x, 'if');
  if (only !== null) return evaluateCondition(only);
  const unless = attribute(x, 'unless');
  return unless === null || !evaluateCondition(unless);
}

/** A comma-separated text or a list, as a list of trimmed texts without empty ones. */
export function commaList(value: Json): string[] {
  const items = Array.isArray(value) ? value.map((item) => toText(item as Json)) : toText(value).split(',');
  return items.map((item) => item.trim()).filter((item) => item !== '');
}
