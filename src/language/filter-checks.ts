import { canonicalJson, equalJson, isObject, type Json } from '../model/json.ts';
import { countCharacters, shorten } from '../model/text.ts';
import { LanguageError } from './language-error.ts';
import { compileRegex } from './regex.ts';
import { spendValue, type Work } from './work.ts';

/** The checks of filter rules: does a value (null when missing) follow the argument of the rule? */
type Check = (value: Json, argument: Json, work: Work) => boolean;

const match: Check = (value, argument, work) => {
  if (value === null) return false;
  spendValue(work, value);
  return compileRegex(textOf(argument)).test(textOf(value), work);
};

const textMatch: Check = (value, argument, work) =>
  typeof value === 'string' && compileRegex(textOf(argument)).test(value, work);

const size: Check = (value, argument, work) => {
  const actual = sizeOf(value, work);
  const [min, max] = bounds(argument);
  return actual !== null && (min === null || actual >= min) && (max === null || actual <= max);
};

const empty: Check = (value, argument, work) =>
  (sizeOf(value, work) === 0) === (argument === true || argument === 'true');

const isIn: Check = (value, argument, work) => {
  const members = list(argument);
  spendValue(work, argument);
  spendValue(work, value);
  return members.some((item) => equalJson(item, value));
};

const has: Check = (value, argument, work) => {
  if (!isObject(value) && !Array.isArray(value)) return false;
  spendValue(work, value);
  spendValue(work, argument);
  const members: readonly Json[] = isObject(value) ? Object.keys(value) : (value as readonly Json[]);
  const known = new Set(members.map(canonicalJson));
  return list(argument).every((wanted) => known.has(canonicalJson(wanted)));
};

const includes: Check = (value, argument, work) => {
  if (typeof value !== 'object' || value === null) return false;
  spendValue(work, value);
  spendValue(work, argument);
  return (Object.values(value) as Json[]).some((item) => equalJson(item, argument));
};

const is: Check = (value, argument, work) => {
  spendValue(work, argument);
  return equalJson(value, argument);
};

/** Every check under all of its names. */
export const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ...names('type t', (value, argument, work) => isOfType(value, readTypes(argument, work, 0), work)),
  ...names('match m', match),
  ...names('smatch sm', textMatch),
  ...names('size sz', size),
  ...names('empty e', empty),
  ...names('in i', isIn),
  ...names('has h', has),
  ...names('includes', includes),
  ...names('is', is),
  ...names('valid v', (_, argument) => argument === true || argument === 'true'),
]);

function names(aliases: string, check: Check): [string, Check][] {
  return aliases.split(' ').map((name) => [name, check]);
}

const textOf = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** A list, or what stands between the commas of a text. */
const list = (argument: Json): readonly Json[] =>
  Array.isArray(argument)
    ? argument
    : textOf(argument)
        .split(',')
        .map((item) => item.trim());

/** Characters, elements or keys; null for what has no size. */
function sizeOf(value: Json, work: Work): number | null {
  if (typeof value === 'string') {
    work.spend(value.length);
    return countCharacters(value);
  }
  if (Array.isArray(value)) return value.length;
  if (!isObject(value)) return null;
  const { length } = Object.keys(value);
  work.spend(length);
  return length;
}

/** `4` and `[4]` are exactly four, `[2,4]` and `"2,4"` from two to four, `[4,null]` and `"4,"` at least four. */
function bounds(argument: Json): readonly [number | null, number | null] {
  const parts = Array.isArray(argument) ? argument : textOf(argument).split(',');
  const [min = null, max = null] = parts.map((part) => {
    const text = textOf(part as Json).trim();
    return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : null;
  });
  return parts.length === 1 ? [min, min] : [min, max];
}

/** Types inside types. */
const MAX_TYPE_DEPTH = 20;

/** A type as a rule names it; `inside` are the types that the elements of `array<…>` may have. */
type Type = { readonly name: string; readonly inside: readonly Type[] | null };

/** The types that a rule names, each read once, however many values are held against them. */
function readTypes(written: Json, work: Work, depth: number): readonly Type[] {
  if (depth > MAX_TYPE_DEPTH)
    throw new LanguageError('ArgumentError', `types inside more than ${MAX_TYPE_DEPTH} types`);
  spendValue(work, written);
  const texts = Array.isArray(written) ? written.map(textOf) : splitTypes(textOf(written));
  return texts.map((text): Type => {
    const trimmed = text.trim();
    const [, outer, inner] = /^(array|object|hash)\s*<(.*)>$/s.exec(trimmed) ?? [];
    return outer === undefined || inner === undefined
      ? { name: trimmed, inside: null }
      : { name: outer, inside: readTypes(inner, work, depth + 1) };
  });
}

/** Whether `value` is of one of the types, `array<string>` and the like included. Throws for a type nobody knows. */
function isOfType(value: Json, types: readonly Type[], work: Work): boolean {
  return types.some((type) => {
    work.spend(1);
    return isOfOneType(value, type, work);
  });
}

function isOfOneType(value: Json, { name, inside }: Type, work: Work): boolean {
  switch (name) {
    case 'null':
    case 'nil':
      return value === null;
    case 'string':
    case 'number':
      return typeof value === name;
    case 'boolean':
    case 'bool':
      return typeof value === 'boolean';
    case 'array':
    case 'object':
    case 'hash': {
      const isContainer = name === 'array' ? Array.isArray(value) : isObject(value);
      if (!isContainer || inside === null) return isContainer;
      return (Object.values(value as object) as Json[]).every((item) => isOfType(item, inside, work));
    }
    default:
      throw new LanguageError('ArgumentError', `unknown type '${shorten(name, 100)}'`);
  }
}

/** Splits at the commas that are not inside `<…>`. */
function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '<') depth += 1;
    else if (char === '>') depth -= 1;
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}
