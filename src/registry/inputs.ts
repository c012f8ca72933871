import { SCHEMA_BYTES_MAX, schemaComplaint } from '../language/json-schema.ts';
import { isObject, type Json, type JsonObject, ownValue } from '../model/json.ts';
import { cut } from '../model/text.ts';

/* What a route takes from where, and as what: `inputs` of a stored definition. */

export const PLACES = ['header', 'query', 'path', 'body'] as const;
export const TYPES = ['integer', 'number', 'boolean', 'string', 'object', 'array'] as const;
/** Declared inputs of one definition. */
export const INPUTS_MAX = 200;

export type Input = {
  readonly key: string;
  readonly in: (typeof PLACES)[number];
  /** What it is called there. */
  readonly name: string;
  readonly type: (typeof TYPES)[number];
  readonly required: boolean;
  /** Undefined: none. */
  readonly otherwise: Json | undefined;
  readonly schema: Json | undefined;
};

type Complaint = { readonly detail: string; readonly pointer: string };
const MEMBERS: ReadonlySet<string> = new Set(['in', 'name', 'type', 'required', 'default', 'schema']);

/** Reads `inputs`; a complaint: what is wrong with them, its pointer below them. */
export function readInputs(written: Json | undefined): readonly Input[] | Complaint {
  if (written === undefined) return [];
  if (!isObject(written)) return { detail: 'must be an object, input → where it is', pointer: '' };
  const entries = Object.entries(written) as [string, Json][];
  if (entries.length > INPUTS_MAX) return { detail: `must have at most ${INPUTS_MAX} inputs`, pointer: '' };
  const inputs: Input[] = [];
  for (const [key, spec] of entries) {
    const input = readInput(key, spec);
    if (!('key' in input)) {
      const part = encodeURIComponent(cut(key.replaceAll('~', '~0').replaceAll('/', '~1'), 200));
      return { detail: input.detail, pointer: `/${part}${input.pointer}` };
    }
    inputs.push(input);
  }
  return inputs;
}

function readInput(key: string, spec: Json): Input | Complaint {
  if (!isObject(spec)) return { detail: 'must be an object', pointer: '' };
  const unknown = Object.keys(spec).find((member) => !MEMBERS.has(member));
  if (unknown !== undefined)
    return { detail: 'is not known here', pointer: `/${encodeURIComponent(cut(unknown, 200))}` };
  const place = PLACES.find((one) => one === ownValue(spec, 'in'));
  if (place === undefined) return { detail: `must be one of ${PLACES.join(', ')}`, pointer: '/in' };
  const name = ownValue(spec, 'name') ?? key;
  if (typeof name !== 'string' || name === '' || name.length > 200)
    return { detail: 'must be a text of 1 to 200 characters', pointer: '/name' };
  const type = TYPES.find((one) => one === (ownValue(spec, 'type') ?? 'string'));
  if (type === undefined) return { detail: `must be one of ${TYPES.join(', ')}`, pointer: '/type' };
  const required = ownValue(spec, 'required') ?? false;
  if (typeof required !== 'boolean') return { detail: 'must be true or false', pointer: '/required' };
  const schema = ownValue(spec, 'schema');
  const wrong = schema === undefined ? null : schemaComplaint(schema);
  if (wrong !== null) return { detail: wrong.detail, pointer: `/schema${wrong.pointer.slice(1)}` };
  return { key, in: place, name, type, required, otherwise: ownValue(spec, 'default'), schema };
}

/** A value as the type that is wanted; undefined: it is none of it. Only texts are made into something else. */
export function typed(value: Json, type: Input['type']): Json | undefined {
  if (typeof value !== 'string') {
    const is =
      type === 'array'
        ? Array.isArray(value)
        : type === 'object'
          ? isObject(value)
          : type === 'integer'
            ? typeof value === 'number' && Number.isInteger(value)
            : typeof value === type;
    return is ? value : undefined;
  }
  switch (type) {
    case 'string':
      return value;
    case 'integer': {
      const number = /^[+-]?\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
      return Number.isSafeInteger(number) ? number : undefined;
    }
    case 'number': {
      const number =
        /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?$/i.test(value.slice(0, 400)) && value.length <= 400
          ? Number(value)
          : Number.NaN;
      return Number.isFinite(number) ? number : undefined;
    }
    case 'boolean':
      return value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : undefined;
    case 'object':
    case 'array':
      return parsed(value, type);
  }
}

/** Characters of a text that is read as JSON. */
const JSON_LENGTH_MAX = SCHEMA_BYTES_MAX;

function parsed(text: string, type: 'object' | 'array'): Json | undefined {
  if (text.length > JSON_LENGTH_MAX) return undefined;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    // A text that is no JSON is none of what is wanted.
    return undefined;
  }
  if (text.includes('__proto__')) return undefined;
  return type === 'array' ? (Array.isArray(value) ? value : undefined) : isObject(value) ? value : undefined;
}

/**
 * The inputs of a route: declared ones from where they are, the rest of the path and the body as fields. `repeated`: one that stands in the query more
 * than once although it is no list; which of them was meant nobody knows.
 */
export function inputsOf(
  inputs: readonly Input[],
  from: {
    readonly header: (name: string) => string | null;
    readonly query: URLSearchParams;
    readonly path: Readonly<Record<string, string>>;
    readonly body: JsonObject;
  },
): { readonly fields: JsonObject } | { readonly complaints: readonly Complaint[] } | { readonly repeated: Complaint } {
  const fields = new Map<string, Json>();
  const complaints: Complaint[] = [];
  const used = { path: new Set<string>(), body: new Set<string>() };
  const declared = new Map<string, Json>();
  for (const { key, in: place, name, type, required, otherwise } of inputs) {
    const pointer = `#/${encodeURIComponent(cut(key.replaceAll('~', '~0').replaceAll('/', '~1'), 200))}`;
    let value: Json | null | undefined;
    if (place === 'header') value = from.header(name.toLowerCase());
    else if (place === 'query') {
      const all = from.query.getAll(name);
      if (all.length > 1 && type !== 'array')
        return { repeated: { detail: `${cut(name, 100)} was given more than once in the query`, pointer } };
      value = all.length > 1 ? all : all[0];
    } else if (place === 'path') {
      value = Object.hasOwn(from.path, name) ? from.path[name] : undefined;
      used.path.add(name);
    } else {
      value = ownValue(from.body, name);
      used.body.add(name);
    }
    if (value === undefined || value === null) {
      if (otherwise !== undefined) declared.set(key, otherwise);
      else if (required) complaints.push({ detail: `is missing: ${name} in the ${place}`, pointer });
      continue;
    }
    const made = typed(value, type);
    if (made === undefined) complaints.push({ detail: `must be ${type}`, pointer });
    else declared.set(key, made);
  }
  if (complaints.length > 0) return { complaints };
  for (const [name, value] of Object.entries(from.body)) if (!used.body.has(name)) fields.set(name, value as Json);
  for (const [name, value] of Object.entries(from.path)) if (!used.path.has(name)) fields.set(name, value);
  for (const [key, value] of declared) fields.set(key, value);
  return { fields: Object.fromEntries(fields) };
}
