/**
 * # Filters
 *
 * A filter is a list of rules; each names fields and says what they must be, or what becomes of them. The keys of a rule count in the
 * order they are written. `'or'` between rules separates alternatives: the first one that is followed wins, and what the others changed is
 * forgotten. Rules run on a copy; when one is not followed nothing is changed.
 *
 * A rule names its fields (`fields`, `field`, `f`): a comma list; `a|b|c` (those that are there, at least one must be); a regex `"/…/"`
 * over all dotted names; or a list. A rule with nothing but fields wants them to be there. While the rules run, `~` holds the fields as they
 * came in, `~~` those to compare with and to restore from (on exit: those at entry).
 *
 * | keys | meaning |
 * |---|---|
 * | `type`, `t` | `string`, `number`, `boolean` (`bool`), `null` (`nil`), `array`, `object` (`hash`), `array<string>`…; several at commas or as a list |
 * | `match`, `m`; `smatch`, `sm` | a regex found in the value as text; only in texts |
 * | `size`, `sz` | of a text, list or object: `4` exactly, `[2, 4]` or `'2,4'`, `'4,'` at least, `',4'` at most |
 * | `empty`, `e` | `true`: it is empty; `false`: it is not |
 * | `in`, `i`; `has`, `h`; `includes` | one of a list; has all these elements or keys; has this element or value |
 * | `is`; `valid`, `v` | equal to; `'true'` |
 * | `set`, `s`; `remove`, `rm`, `delete`, `del` | puts a value there; removes it |
 * | `copy_to`, `cp_to`, `move_to`, `mv_to`; `copy_from`… | copies or moves; `\1` in a target is the first group of a regex of fields |
 * | `merge_to`, `mg_to`, `push_to`, `pu_to`, `migrate_to`, `mi_to`; `merge_from`… | merges an object into another, pushes to a list; `migrate` removes the source. `.` is all fields |
 * | `restore`, `restore_from`, `rs` | the value from before: `true`, or `~~`-like name to take it from |
 * | `take`, `discard` | as the attributes: from here on only these of the new fields, or all but these; `discard: 'all'` |
 * | `or` | the value to set when a check fails (or, without checks, when there is none); then all is well |
 * | `and`; `default` | the value to set when the checks hold; when there is none |
 *
 * ```radial
 * filter
 *   customer.name type: 'string', size: '1,80'
 *   order.total type: 'number', or: 0
 * ```
 *
 * What is not followed is listed in the `deviations` of the error, `[[rule, field, value]…]`. Unknown keys are not looked at.
 *
 * `or: false` and `or: null` are no `or`: the check still has to hold (as in Ruote). `default: false` sets nothing either. Any other value
 * works, `or: 0` and `or: 'false'` included.
 *
 * A filter has a bound on its work, 2,000,000 characters and elements read or written: some hundred rules over a thousand fields. Beyond it
 * the error is `LimitExceeded`.
 */
import {
  type Fields,
  isObject,
  type Json,
  type JsonObject,
  ownValue,
  withKey,
  withoutAll,
  withoutKeys,
} from '../model/json.ts';
import { cut, shownJson } from '../model/text.ts';
import { makeDraft, withoutTildes } from './filter-draft.ts';
import { type Deviation, runRule } from './filter-rules.ts';
import { LanguageError } from './language-error.ts';
import { bothOf, makeMeter, type Work } from './work.ts';

export type FilterOptions = {
  /** A list of rules, or `{ in: rules, out: rules }`, already substituted. */
  readonly rules: Json;
  readonly fields: Fields;
  /** The fields behind `~~`. */
  readonly base: Fields;
  /** Which side of an `{ in, out }` counts; `in` when left out. */
  readonly direction?: 'in' | 'out';
  /** Counts the work beside the filter's own budget, for a step that has one. */
  readonly work?: Work;
};

/** What one filter may read, copy and write: some hundred rules over a thousand fields. */
export const MAX_FILTER_WORK = 1_000_000;

export type FilterOutcome =
  | { readonly ok: true; readonly fields: Fields }
  | { readonly ok: false; readonly deviations: readonly Deviation[] };

/**
 * The fields after the filter, or what does not follow it. Throws a LanguageError (ArgumentError) for what is no filter,
 * for unknown types and for regexes that cannot be used; LimitExceeded for more work than MAX_FILTER_WORK.
 */
export function applyFilter(options: FilterOptions): FilterOutcome {
  const own = makeMeter(MAX_FILTER_WORK, 'the filter');
  const work = options.work === undefined ? own : bothOf(own, options.work);
  let outcome: FilterOutcome = { ok: true, fields: options.fields };
  for (const rules of alternatives(rulesOf(options))) {
    outcome = applyRules(rules, options, work);
    if (outcome.ok) break;
  }
  return outcome;
}

/** The error of a filter that was not followed. */
export function validationError(deviations: readonly Deviation[]): LanguageError {
  return new LanguageError(
    'Ruote::ValidationError',
    `validation failed with ${deviations.length} deviation(s)`,
    // Deviations are JSON: tuples of a rule, a name and a value.
    { deviations: deviations as readonly Json[] },
  );
}

/** What the first rule says about recording deviations instead of failing, and the rules without that. */
export type Recording = { readonly rules: Json; readonly field: string | null; readonly flush: boolean };

/**
 * Takes `record` and `flush` off the first rule. `field` is where deviations go (`__validation_errors__` for
 * `record: true`), null when the filter is to fail.
 */
export function readRecording(rules: Json): Recording {
  const first = Array.isArray(rules) ? (rules[0] as Json | undefined) : undefined;
  if (!Array.isArray(rules) || !isObject(first)) return { rules, field: null, flush: false };
  const record = ownValue(first, 'record') ?? false;
  const isPlain = record === true || record === 'true';
  const field = isPlain ? '__validation_errors__' : typeof record === 'string' && record !== 'false' ? record : null;
  const flush = ownValue(first, 'flush') ?? false;
  return {
    rules: [withoutKeys(first, 'record', 'flush'), ...rules.slice(1)],
    field,
    flush: flush !== false && flush !== 'false',
  };
}

/** The fields with the deviations appended to the list in `field`, or put there alone when flushed. */
export function recordDeviations(fields: Fields, recording: Recording, deviations: readonly Deviation[]): Fields {
  if (recording.field === null) return fields;
  const recorded = recording.flush ? null : (ownValue(fields, recording.field) ?? null);
  const earlier = Array.isArray(recorded) ? recorded : [];
  return withKey(fields, recording.field, [...earlier, ...(deviations as readonly Json[])]);
}

/** The attribute `take`: the entry fields and, of the new ones, those that are named (null when missing). */
export function takeFields(names: Json, entry: Fields, fields: Fields): Fields {
  const taken = listOf(names).map((name): [string, Json] => [name, ownValue(fields, name) ?? null]);
  return Object.fromEntries([...Object.entries(entry), ...taken]);
}

/** The attribute `discard`: `true` for the entry fields alone, else entry and new fields without those that are named. */
export function discardFields(names: Json, entry: Fields, fields: Fields): Fields {
  return names === true || names === 'true' ? entry : withoutAll({ ...entry, ...fields }, listOf(names));
}

const listOf = (names: Json): string[] =>
  (Array.isArray(names) ? (names as readonly Json[]) : [names]).map((name) =>
    typeof name === 'string' ? name : JSON.stringify(name),
  );

function rulesOf({ rules, direction }: FilterOptions): readonly Json[] {
  let list: Json | undefined = rules;
  if (isObject(rules))
    list =
      (direction === 'out'
        ? (ownValue(rules, 'out') ?? ownValue(rules, 'reply'))
        : (ownValue(rules, 'in') ?? ownValue(rules, 'apply'))) ?? [];
  if (Array.isArray(list)) return list;
  const shown = list === null || list === undefined ? '' : typeof list === 'string' ? list : JSON.stringify(list);
  throw new LanguageError('ArgumentError', `not a filter : ${cut(shown, 200)}`);
}

/** The alternatives of a filter: its parts between `'or'`s, or the lists it consists of. */
function alternatives(rules: readonly Json[]): JsonObject[][] {
  if (Array.isArray(rules[0]))
    return rules.map((part) => (Array.isArray(part) ? (part as readonly Json[]) : [part]).map(ruleOf));
  const parts: JsonObject[][] = [[]];
  for (const rule of rules) {
    if (rule === 'or') parts.push([]);
    else (parts.at(-1) as JsonObject[]).push(ruleOf(rule));
  }
  return parts;
}

function ruleOf(rule: Json): JsonObject {
  if (isObject(rule)) return rule;
  throw new LanguageError('ArgumentError', `not a rule of a filter: ${shownJson(rule)}`);
}

function applyRules(rules: readonly JsonObject[], { fields, base }: FilterOptions, work: Work): FilterOutcome {
  const draft = makeDraft(fields, work);
  draft.root['~'] = fields;
  draft.root['~~'] = base;
  const deviations = rules.flatMap((rule) => runRule(rule, draft));
  return deviations.length > 0 ? { ok: false, deviations } : { ok: true, fields: withoutTildes(draft.root) };
}
