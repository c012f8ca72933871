import { isObject, type Json, type JsonObject, ownValue } from '../model/json.ts';
import { shownJson } from '../model/text.ts';
import { checks } from './filter-checks.ts';
import {
  type Draft,
  openContainer,
  readDraft,
  removeFromDraft,
  setKey,
  wholeDraft,
  writeDraft,
} from './filter-draft.ts';
import { LanguageError } from './language-error.ts';
import { compileRegex, literalRegex } from './regex.ts';
import { spendValue, type Work } from './work.ts';

/** One rule of a filter: the fields it is about, its checks and its transformations. */

/** `[rule, field, value]`: the wire form of "this field does not follow this rule". */
export type Deviation = readonly [JsonObject, string, Json];

/** A field that a rule selects; `groups` are those of a regex selector. */
type Selected = { readonly field: string; readonly value: Json; readonly groups: readonly (string | null)[] };

const NO_CHECKS: ReadonlySet<string> = new Set(['and', 'or', 'fields', 'field', 'f']);
/** What running a rule, and one key of it on one field, count as work besides what they read and write. */
const RULE_WORK = 10;
const FIELD_WORK = 5;

/** Runs one rule on the draft and tells what does not follow it. */
export function runRule(rule: JsonObject, draft: Draft): Deviation[] {
  const selector = ownValue(rule, 'fields') ?? ownValue(rule, 'field') ?? ownValue(rule, 'f') ?? null;
  if (selector === null || selector === false)
    throw new LanguageError('ArgumentError', `filter is missing a 'fields', 'field' or 'f' arg at ${shownJson(rule)}`);
  const keys = Object.keys(rule).filter((key) => !NO_CHECKS.has(key));
  draft.work.spend(RULE_WORK + keys.length);
  const selected = select(selector, rule, draft);
  const isPresence = keys.length === 0 && !Object.hasOwn(rule, 'and') && !Object.hasOwn(rule, 'or');
  if (isPresence && selected.length === 0) return [[rule, textOf(selector), null]];
  return selected.flatMap((one) => {
    draft.work.spend(FIELD_WORK * (keys.length + 1));
    let isValid = keys.length > 0 || one.value !== null;
    for (const key of keys) {
      const argument = ownValue(rule, key) as Json;
      const check = checks.get(key);
      if (check !== undefined) isValid = check(one.value, argument, draft.work) && isValid;
      else transformations.get(key)?.({ draft, selected: one, key, argument });
    }
    if (conclude(rule, draft, one, isValid)) return [];
    // The error carries the rule and the value, once for each field that does not follow it.
    spendValue(draft.work, rule);
    spendValue(draft.work, one.value);
    return [[rule, one.field, one.value] as const];
  });
}

/** Applies `and`, `or` and `default`; false when the field deviates. */
function conclude(rule: JsonObject, draft: Draft, { field, value }: Selected, isValid: boolean): boolean {
  const given = (key: string): Json | undefined => {
    const found = ownValue(rule, key);
    return found === null || found === false ? undefined : found;
  };
  const or = given('or');
  const and = given('and');
  const fallback = or ?? given('default');
  if (!isValid) {
    if (or === undefined) return (ownValue(rule, 'and') ?? null) !== null;
    writeDraft(draft, field, or);
  } else if (and !== undefined) writeDraft(draft, field, and);
  else if (value === null && fallback !== undefined) writeDraft(draft, field, fallback);
  return true;
}

function select(selector: Json, rule: JsonObject, draft: Draft): Selected[] {
  const read = (field: string, groups: readonly (string | null)[] = []): Selected => ({
    field,
    value: readDraft(draft, field) ?? null,
    groups,
  });
  spendValue(draft.work, selector);
  if (Array.isArray(selector)) return selector.map((field) => read(textOf(field)));
  const text = textOf(selector);
  const regex = literalRegex(text.trim());
  if (regex !== null) {
    // "!" is an easier way to write an escaped dot.
    const source = regex.source.replaceAll('!', '\\.');
    const matcher = compileRegex(source, regex.flags);
    const isRestored = (ownValue(rule, 'restore') ?? false) !== false;
    const names = flatKeys(isRestored ? (draft.root['~~'] as Json) : draft.root, source.startsWith('^~'), draft.work);
    return names.flatMap((name) => {
      const match = matcher.match(name, draft.work);
      return match === null ? [] : [read(name, match.groups)];
    });
  }
  if (text.includes('|')) {
    const present = text
      .split('|')
      .map((field) => read(field.trim()))
      .filter(({ value }) => value !== null);
    return present.length > 0 ? present : [{ field: text, value: null, groups: [] }];
  }
  return text.split(',').map((field) => read(field.trim()));
}

/** All dotted keys, sorted level by level: `a`, `c`, `c.0`, `c.1`. Those that begin with a tilde only when asked for. */
function flatKeys(value: Json, withTildes: boolean, work: Work): string[] {
  const names: string[] = [];
  const add = (name: string): void => {
    work.spend(name.length + 1);
    names.push(name);
  };
  const visit = (container: Json, prefix: string): void => {
    if (Array.isArray(container)) {
      for (const [i, item] of container.entries()) {
        add(`${prefix}${i}`);
        visit(item, `${prefix}${i}.`);
      }
    } else if (isObject(container)) {
      for (const key of Object.keys(container).sort()) {
        if (prefix === '' && key.startsWith('~') && !withTildes) continue;
        add(`${prefix}${key}`);
        visit(container[key] as Json, `${prefix}${key}.`);
      }
    }
  };
  visit(value, '');
  return names;
}

type Step = { readonly draft: Draft; readonly selected: Selected; readonly key: string; readonly argument: Json };
type Transformation = (step: Step) => void;

const copyTo: Transformation = ({ draft, selected, key, argument }) => {
  writeDraft(draft, target(argument, selected), selected.value);
  if (/^mo?v/.test(key)) removeFromDraft(draft, selected.field);
};

const copyFrom: Transformation = ({ draft, selected, key, argument }) => {
  const source = textOf(argument);
  writeDraft(draft, selected.field, readDraft(draft, source) ?? null);
  if (/^mo?v/.test(key)) removeFromDraft(draft, source);
};

const mergeTo: Transformation = ({ draft, selected, key, argument }) => {
  const isMerged = mergeInto(draft, target(argument, selected), selected.field, selected.value);
  if (isMerged && key.startsWith('mi') && selected.field !== '.') removeFromDraft(draft, selected.field);
};

const mergeFrom: Transformation = ({ draft, selected, key, argument }) => {
  const source = textOf(argument);
  const isMerged = mergeInto(draft, selected.field, source, readDraft(draft, source) ?? null);
  if (isMerged && key.startsWith('mi') && source !== '.') removeFromDraft(draft, source);
};

const restore: Transformation = ({ draft, selected, argument }) => {
  const from = argument === true || argument === 'true' ? '~~' : textOf(argument);
  writeDraft(draft, selected.field, readDraft(draft, `${from}.${selected.field}`) ?? null);
};

/** The first take or discard switches to the base fields; the ones there were until then wait under `~~~`. */
const take: Transformation = ({ draft, selected, key, argument }) => {
  const { root } = draft;
  const isAll = key === 'discard' && argument === 'all';
  if (!Object.hasOwn(root, '~~~')) {
    const current = wholeDraft(draft);
    for (const name of Object.keys(current)) delete root[name];
    const base = root['~~'];
    const entries = [base, key === 'discard' && !isAll ? current : {}].flatMap((part) =>
      isObject(part) ? Object.entries(part) : [],
    );
    draft.work.spend(entries.length);
    for (const [name, value] of entries) setKey(root, name, value);
    root['~~~'] = current;
  }
  if (key === 'take') {
    const taken = ownValue(root['~~~'] as JsonObject, selected.field) ?? null;
    setKey(root, selected.field, taken);
  } else if (!isAll) delete root[selected.field];
};

const transformations: ReadonlyMap<string, Transformation> = new Map([
  ...names('remove rm delete del', ({ draft, selected }) => removeFromDraft(draft, selected.field)),
  ...names('set s', ({ draft, selected, argument }) => writeDraft(draft, selected.field, argument)),
  ...names('copy_to cp_to move_to mv_to', copyTo),
  ...names('copy_from cp_from move_from mv_from', copyFrom),
  ...names('merge_to mg_to push_to pu_to migrate_to mi_to', mergeTo),
  ...names('merge_from mg_from push_from pu_from migrate_from mi_from', mergeFrom),
  ...names('restore restore_from rs', restore),
  ...names('take discard', take),
]);

function names(list: string, transformation: Transformation): [string, Transformation][] {
  return list.split(' ').map((name) => [name, transformation]);
}

/** Merges into the container at `path`; false when there is none. Values that are no objects go under `field`. */
function mergeInto(draft: Draft, path: string, field: string, value: Json): boolean {
  const container = openContainer(draft, path);
  if (container === undefined) return false;
  if (Array.isArray(container)) container.push(value);
  else if (isObject(value)) {
    const entries = Object.entries(value);
    draft.work.spend(entries.length);
    for (const [key, item] of entries) setKey(container, key, item);
  } else setKey(container, field.slice(field.lastIndexOf('.') + 1), value);
  return true;
}

/** The name in a `…_to`: `\1` stands for the first group of a regex selector. */
function target(argument: Json, { groups }: Selected): string {
  // Groups are parts of a name, and at most a hundred of them; see select for the bound on names.
  return textOf(argument).replace(/\\(\d{1,2})/g, (_, group: string) => groups[Number(group)] ?? '');
}

const textOf = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));
