import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';

/*
 * What a form is made of, from a JSON Schema (2020-12) that a stranger wrote. Whatever is not covered becomes a field of JSON that says which
 * word it is because of.
 */

export type Part = {
  readonly title: string;
  readonly about: string;
  readonly readOnly: boolean;
  readonly required: boolean;
} & (
  | {
      readonly kind: 'text';
      readonly input: 'text' | 'email' | 'url' | 'date' | 'time' | 'datetime-local';
      readonly long: boolean;
    }
  | { readonly kind: 'choice'; readonly options: readonly { readonly value: Json; readonly title: string }[] }
  | { readonly kind: 'number'; readonly whole: boolean }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'list'; readonly item: JsonObject; readonly min: number; readonly max: number }
  | {
      readonly kind: 'object';
      readonly members: readonly (readonly [name: string, schema: JsonObject, required: boolean])[];
    }
  /** `because`: the word that is not covered; empty: nothing says what it is. */
  | { readonly kind: 'json'; readonly because: string }
);

/** Levels, and members and options of one level, that are made into fields. */
const DEPTH_MAX = 6;
const MEMBERS_MAX = 200;

const COVERED = new Set(
  `$schema $id $comment title description default examples deprecated readOnly writeOnly type enum const oneOf pattern format minLength maxLength
   minimum maximum exclusiveMinimum exclusiveMaximum multipleOf items minItems maxItems uniqueItems properties required additionalProperties
   minProperties maxProperties if then else`.split(/\s+/),
);
const INPUTS = { email: 'email', uri: 'url', date: 'date', time: 'time', 'date-time': 'datetime-local' } as const;
/** A text that may be longer is written in a field of several lines. */
const LONG_TEXT = 200;

export function partOf(schema: JsonObject, name: string, value: Json | undefined, required = false, depth = 0): Part {
  const whole = withBranch(schema, value);
  const base = {
    title: textIn(whole, 'title') || name,
    about: textIn(whole, 'description'),
    readOnly: whole['readOnly'] === true,
    required,
  };
  const json = (because: string): Part => ({ ...base, kind: 'json', because });
  const strange = Object.keys(whole).find((word) => !COVERED.has(word));
  if (strange !== undefined) return json(strange);
  if (depth > DEPTH_MAX) return json('more levels than a form has');
  const options = optionsOf(whole);
  if (options === 'strange') return json('oneOf');
  if (options !== null) return { ...base, kind: 'choice', options };
  switch (typeOf(whole)) {
    case 'string': {
      const format = textIn(whole, 'format');
      const input = Object.hasOwn(INPUTS, format) ? INPUTS[format as keyof typeof INPUTS] : 'text';
      const long =
        Number(whole['maxLength'] ?? 0) > LONG_TEXT || (typeof value === 'string' && /\n|^.{120}/.test(value));
      return { ...base, kind: 'text', input, long: input === 'text' && long };
    }
    case 'number':
    case 'integer':
      return { ...base, kind: 'number', whole: typeOf(whole) === 'integer' };
    case 'boolean':
      return { ...base, kind: 'boolean' };
    case 'array': {
      const { items } = whole;
      if (!isObject(items)) return json('items');
      return {
        ...base,
        kind: 'list',
        item: items,
        min: Number(whole['minItems'] ?? 0),
        max: Number(whole['maxItems'] ?? MEMBERS_MAX),
      };
    }
    case 'object': {
      const properties = Object.entries(isObject(whole['properties']) ? whole['properties'] : {});
      if (properties.length > MEMBERS_MAX) return json('properties');
      const needed = new Set(Array.isArray(whole['required']) ? (whole['required'] as readonly Json[]) : []);
      return {
        ...base,
        kind: 'object',
        members: properties.flatMap(([member, one]) =>
          isObject(one) ? [[member, one, needed.has(member)] as const] : [],
        ),
      };
    }
    default:
      return json(Array.isArray(whole['type']) ? 'type' : '');
  }
}

const textIn = (schema: JsonObject, name: string): string => (typeof schema[name] === 'string' ? schema[name] : '');

function typeOf(schema: JsonObject): string {
  if (typeof schema['type'] === 'string') return schema['type'];
  return isObject(schema['properties']) ? 'object' : '';
}

function optionsOf(schema: JsonObject): readonly { readonly value: Json; readonly title: string }[] | 'strange' | null {
  if (Array.isArray(schema['enum']))
    return (schema['enum'] as readonly Json[])
      .slice(0, MEMBERS_MAX)
      .map((value) => ({ value, title: typeof value === 'string' ? value : JSON.stringify(value) }));
  const each = schema['oneOf'];
  if (each === undefined) return null;
  if (!Array.isArray(each)) return 'strange';
  const options = (each as readonly Json[]).slice(0, MEMBERS_MAX);
  return options.every((one) => isObject(one) && one['const'] !== undefined)
    ? (options as readonly JsonObject[]).map((one) => ({
        value: one['const'] as Json,
        title: textIn(one, 'title') || String(one['const']),
      }))
    : 'strange';
}

/** `if` on one field that is a constant or one of a list: the schema with the branch that holds laid over it. */
function withBranch(schema: JsonObject, value: Json | undefined): JsonObject {
  const condition = schema['if'];
  if (!isObject(condition)) return schema;
  const tested = isObject(condition['properties']) ? Object.entries(condition['properties']) : [];
  const [one] = tested;
  if (tested.length !== 1 || one === undefined || !isObject(one[1])) return { ...schema, 'if on several fields': true };
  const given = isObject(value) ? value[one[0]] : undefined;
  const holds =
    one[1]['const'] !== undefined
      ? JSON.stringify(given) === JSON.stringify(one[1]['const'])
      : Array.isArray(one[1]['enum']) && (one[1]['enum'] as readonly Json[]).some((each) => each === given);
  const branch = schema[holds ? 'then' : 'else'];
  if (!isObject(branch)) return schema;
  const both = (name: 'properties'): JsonObject => ({
    ...(isObject(schema[name]) ? schema[name] : {}),
    ...(isObject(branch[name]) ? branch[name] : {}),
  });
  const required = [schema['required'], branch['required']].flatMap((list) => (Array.isArray(list) ? list : []));
  return { ...schema, ...branch, properties: both('properties'), required } as JsonObject;
}

/** What a form begins with: the value, with defaults where it says nothing. */
export function firstValue(schema: JsonObject, value: Json | undefined, depth = 0): Json | undefined {
  if (value === undefined && schema['default'] !== undefined) return schema['default'];
  if (depth > DEPTH_MAX || typeOf(schema) !== 'object' || !isObject(schema['properties'])) return value;
  const given = isObject(value) ? value : {};
  const filled = Object.entries(schema['properties']).flatMap(([name, one]): [string, Json][] => {
    const first = isObject(one) ? firstValue(one, given[name], depth + 1) : given[name];
    return first === undefined ? [] : [[name, first]];
  });
  return filled.length === 0 && value === undefined ? undefined : { ...given, ...Object.fromEntries(filled) };
}
