import { equalJson, isObject, type Json } from '../model/json.ts';
import { LanguageError } from './language-error.ts';
import { compileRegex } from './regex.ts';

/** The checks of filter rules: does a value (null when missing) follow the argument of the rule? */
type Check = (value: Json, argument: Json) => boolean;

const match: Check = (value, argument) => value !== null && compileRegex(textOf(argument)).test(textOf(value));

const textMatch: Check = (value, argument) => typeof value === 'string' && compileRegex(textOf(argument)).test(value);

const size: Check = (value, argument) => {
  const actual = sizeOf(value);
  const [min, max] = bounds(argument);
  return actual !== null && (min === null || actual >= min) && (max === null || actual <= max);
};

const empty: Check = (value, argument) => (sizeOf(value) === 0) === (argument === true || argument === 'true');

const isIn: Check = (value, argument) => list(argument).some((item) => equalJson(item, value));

const has: Check = (value, argument) => {
  if (!isObject(value) && !Array.isArray(value)) return false;
  const members: readonly Json[] = isObject(value) ? Object.keys(value) : (value as readonly Json[]);
  return list(argument).every((wanted) => members.some((member) => equalJson(member, wanted)));
};

const includes: Check = (value, argument) =>
  typeof value === 'object' &&
  value !== null &&
  (Object.values(value) as Json[]).some((item) => equalJson(item, argument));

/** Every check under all of its names. */
export const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ...names('type t', (value, argument) => isOfType(value, argument, 0)),
  ...names('match m', match),
  ...names('smatch sm', textMatch),
  ...names('size sz', size),
  ...names('empty e', empty),
  ...names('in i', isIn),
  ...names('has h', has),
  ...names('includes', includes),
  ...names('is', equalJson),
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
function sizeOf(value: Json): number | null {
  if (typeof value === 'string') return [...value].length;
  if (Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : null;
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

/** Whether `value` is of one of the types, `array<string>` and the like included. Throws for a type nobody knows. */
function isOfType(value: Json, types: Json, depth: number): boolean {
  if (depth > MAX_TYPE_DEPTH)
    throw new LanguageError('ArgumentError', `types inside more than ${MAX_TYPE_DEPTH} types`);
  const wanted = Array.isArray(types) ? types.map(textOf) : splitTypes(textOf(types));
  return wanted.some((type) => isOfOneType(value, type.trim(), depth));
}

function isOfOneType(value: Json, type: string, depth: number): boolean {
  const nested = /^(array|object|hash)\s*<(.*)>$/s.exec(type);
  if (nested !== null) {
    const isContainer = nested[1] === 'array' ? Array.isArray(value) : isObject(value);
    const items = isContainer ? (Object.values(value as object) as Json[]) : [];
    return isContainer && items.every((item) => isOfType(item, nested[2] as string, depth + 1));
  }
  switch (type) {
    case 'null':
    case 'nil':
      return value === null;
    case 'string':
    case 'number':
      return typeof value === type;
    case 'boolean':
    case 'bool':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value);
    case 'object':
    case 'hash':
      return isObject(value);
    default:
      throw new LanguageError('ArgumentError', `unknown type '${type}'`);
  }
}

/** Splits at the commas that are not inside `<…>`. */
function splitTypes(text: string): string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const char of text) {
    if (char === '<') depth += 1;
    if (char === '>') depth -= 1;
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}
