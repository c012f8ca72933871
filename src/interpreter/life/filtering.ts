/**
 * # filter, take, discard
 *
 * What goes in, and what comes out.
 *
 * Attributes
 * - `filter`: a list of rules (see Filters), run on entry and on exit; or `{ in: rules, out: rules }`; or the name of a variable that holds
 *   one of these.
 * - `take`: without a filter: on exit the fields are those at entry, and of the new ones only those named (a name or a list).
 * - `discard`: the new fields without those named; `true`: none of the new ones.
 *
 * ```radial
 * sequence take: 'decision'
 *   set f: 'draft', value: 'only seen inside'
 *   set f: 'decision', value: 'yes'
 * ```
 *
 * Errors: `Ruote::ValidationError` when the fields do not follow the rules; a filter of an unknown name; rules that cannot be read.
 */

import { applyFilter, discardFields, takeFields, validationError } from '../../language/filter.ts';
import { LanguageError } from '../../language/language-error.ts';
import type { Fields, Json } from '../../model/json.ts';
import { isObject, ownValue, withoutKeys } from '../../model/json.ts';
import type { Acting } from '../state/world.ts';
import { attribute, toText } from './attributes.ts';
import { lookupVariable } from './variables.ts';

/*
 * The attributes filter, take and discard (docs/definitions.md, Filters): what is checked or changed when an expression is entered and left.
 */

type Direction = 'in' | 'out';
const KEYS: Record<Direction, readonly string[]> = { in: ['in', 'apply'], out: ['out', 'reply'] };

/** The rules of the filter attribute for one direction; null when there are none. */
function rulesFor(x: Acting, direction: Direction): Json {
  let filter = attribute(x, 'filter');
  if (filter === null) return null;
  if (typeof filter === 'string') {
    const named = lookupVariable(x, filter);
    if (named === undefined || named === null)
      throw new LanguageError('ArgumentError', `found no filter named '${filter}': set it as a variable first`);
    filter = named;
  }
  if (Array.isArray(filter)) return filter;
  if (!isObject(filter))
    throw new LanguageError(
      'ArgumentError',
      `a filter is a list of rules or { in, out }, not ${JSON.stringify(filter)}`,
    );
  for (const key of KEYS[direction]) {
    const rules = ownValue(filter, key);
    if (rules !== undefined && rules !== null) return rules;
  }
  return null;
}

function filtered({ world }: Acting, rules: Json, fields: Fields, base: Fields, direction: Direction): Fields {
  const outcome = applyFilter({ rules, fields, base, direction, work: world });
  if (!outcome.ok) throw validationError(outcome.deviations);
  return outcome.fields;
}

/** Runs the filter on entry; remembers the fields from before for take, discard and the filter on exit. */
export function filterIn(x: Acting): void {
  const { node } = x;
  if (attribute(x, 'filter') === null) return;
  const rules = rulesFor(x, 'in');
  node.unfiltered = node.applied;
  if (rules !== null) node.applied = filtered(x, rules, node.applied, node.applied, 'in');
}

/** Runs the filter on exit, or take or discard. */
export function filterOut(x: Acting, fields: Fields): Fields {
  const { node } = x;
  const entry = node.unfiltered ?? node.applied;
  if (attribute(x, 'filter') !== null) {
    const rules = rulesFor(x, 'out');
    return rules === null ? fields : withoutKeys(filtered(x, rules, fields, entry, 'out'), 'params');
  }
  const take = attribute(x, 'take');
  if (take !== null && take !== false && toText(take) !== '')
    return withoutKeys(takeFields(take, entry, fields), 'params');
  const discard = attribute(x, 'discard');
  if (discard !== null && discard !== false && toText(discard) !== '')
    return withoutKeys(discardFields(discard, entry, fields), 'params');
  return fields;
}
