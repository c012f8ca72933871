import { isObject, type Json, type JsonObject, ownValue } from '../model/json.ts';
import { cut, shownJson } from '../model/text.ts';
import { formatOf } from './json-schema-formats.ts';
import { LanguageError } from './language-error.ts';
import { compileRegex, type Matcher } from './regex.ts';
import { makeMeter, type Work } from './work.ts';

/*
 * JSON Schema 2020-12 as far as it is wanted for inputs: a stranger's schema held against another stranger's value. Nothing is compiled to code;
 * a schema is walked, and each keyword that is looked at takes fuel, so that 22 doubled `allOf` end like everything else. `$ref` leads into the
 * schema itself alone. It is one thing: what a schema may say and what that means for a value are read side by side, keyword by keyword.
 */

/** Bytes (UTF-8), depth and nodes of a schema; each object, list and value in it is a node. */
export const SCHEMA_BYTES_MAX = 64 * 1024;
export const SCHEMA_DEPTH_MAX = 32;
export const SCHEMA_NODES_MAX = 2_000;
/** Bytes of what is held against a schema, as JSON. */
export const INPUT_BYTES_MAX = 1_000_000;
/** Keywords that one validation looks at; long texts and large values count as several. */
export const FUEL = 100_000;
/** What all patterns of one validation may cost together (regex.ts). */
const PATTERN_WORK_MAX = 2_000_000;
/** How deep schemas and values may lead into each other. */
const WALK_DEPTH_MAX = 400;
/** Complaints that are told. */
export const COMPLAINTS_MAX = 20;
/** Characters of a text that count as one keyword. */
const CHARACTERS_PER_FUEL = 200;

/** What is wrong, and where: a JSON pointer as a fragment. Of a missing member, where it should be. */
export type SchemaComplaint = { readonly detail: string; readonly pointer: string };

export type Verdict =
  /** `value`: with the defaults of the schema filled in. */
  | { readonly kind: 'valid'; readonly value: Json }
  | { readonly kind: 'invalid'; readonly complaints: readonly SchemaComplaint[] }
  /** To tell would take more than FUEL. */
  | { readonly kind: 'exhausted' };

/** What stands behind a keyword. */
type Shape =
  | 'schema'
  | 'schemas'
  | 'map of schemas'
  | 'number'
  | 'positive'
  | 'count'
  | 'flag'
  | 'names'
  | 'map of names'
  | 'any'
  | 'list'
  | 'text'
  | 'pattern'
  | 'type'
  | 'ref'
  | 'patterns of schemas';

const KEYWORDS: ReadonlyMap<string, Shape> = new Map(
  Object.entries({
    $schema: 'text',
    $id: 'text',
    $comment: 'text',
    $ref: 'ref',
    $anchor: 'text',
    $defs: 'map of schemas',
    definitions: 'map of schemas',
    title: 'text',
    description: 'text',
    default: 'any',
    examples: 'list',
    deprecated: 'flag',
    readOnly: 'flag',
    writeOnly: 'flag',
    type: 'type',
    enum: 'list',
    const: 'any',
    multipleOf: 'positive',
    maximum: 'number',
    exclusiveMaximum: 'number',
    minimum: 'number',
    exclusiveMinimum: 'number',
    maxLength: 'count',
    minLength: 'count',
    pattern: 'pattern',
    format: 'text',
    contentEncoding: 'text',
    contentMediaType: 'text',
    contentSchema: 'schema',
    maxItems: 'count',
    minItems: 'count',
    uniqueItems: 'flag',
    maxContains: 'count',
    minContains: 'count',
    prefixItems: 'schemas',
    items: 'schema',
    contains: 'schema',
    unevaluatedItems: 'schema',
    maxProperties: 'count',
    minProperties: 'count',
    required: 'names',
    dependentRequired: 'map of names',
    dependentSchemas: 'map of schemas',
    properties: 'map of schemas',
    patternProperties: 'patterns of schemas',
    additionalProperties: 'schema',
    propertyNames: 'schema',
    unevaluatedProperties: 'schema',
    allOf: 'schemas',
    anyOf: 'schemas',
    oneOf: 'schemas',
    not: 'schema',
    if: 'schema',
    then: 'schema',
    else: 'schema',
  } satisfies Record<string, Shape>),
);
const TYPES: readonly string[] = ['null', 'boolean', 'object', 'array', 'number', 'integer', 'string'];

const escaped = (part: string | number): string =>
  encodeURIComponent(cut(String(part).replaceAll('~', '~0').replaceAll('/', '~1'), 200)).replaceAll('%24', '$');

/** Where something stands: the parts of its pointer, the last in front. */
type Place = { readonly part: string | number; readonly in: Place } | null;
function pointerOf(place: Place): string {
  const parts: string[] = [];
  for (let at = place; at !== null; at = at.in) parts.unshift(escaped(at.part));
  return ['#', ...parts].join('/');
}

/** The pattern as the language's own engine takes it: there `^` and `$` are ends of lines, here those of the text. */
export function patternOf(source: string): Matcher {
  let text = '';
  let isInClass = false;
  for (let i = 0; i < source.length; i++) {
    const character = source[i] as string;
    if (character === '\\') {
      text += character + (source[i + 1] ?? '');
      i += 1;
    } else if (isInClass) {
      if (character === ']') isInClass = false;
      text += character;
    } else if (character === '[') {
      isInClass = true;
      text += character;
    } else text += character === '^' ? '\\A' : character === '$' ? '\\z' : character;
  }
  return compileRegex(text);
}

/**
 * Whether a value is a schema that can be used here.
 *
 * @returns the first complaint, its pointer into the schema; null: it is one
 */
export function schemaComplaint(schema: Json): SchemaComplaint | null {
  const bytes = new TextEncoder().encode(JSON.stringify(schema)).length;
  if (bytes > SCHEMA_BYTES_MAX) return { detail: `a schema has at most ${SCHEMA_BYTES_MAX} bytes`, pointer: '#' };
  let nodes = 0;
  /** A value of the schema that is no schema itself. */
  const count = (value: Json, place: Place, depth: number): SchemaComplaint | null => {
    nodes += 1;
    if (nodes > SCHEMA_NODES_MAX)
      return at(place, `a schema has at most ${SCHEMA_NODES_MAX} objects, lists and values`);
    if (depth > SCHEMA_DEPTH_MAX) return at(place, `a schema is at most ${SCHEMA_DEPTH_MAX} deep`);
    if (typeof value !== 'object' || value === null) return null;
    for (const [part, inner] of Object.entries(value)) {
      const wrong = count(inner as Json, { part, in: place }, depth + 1);
      if (wrong !== null) return wrong;
    }
    return null;
  };
  return count(schema, null, 0) ?? checkOne(schema, null, { root: schema });
}

const at = (place: Place, detail: string): SchemaComplaint => ({ detail, pointer: pointerOf(place) });

function checkOne(schema: Json | undefined, place: Place, all: { readonly root: Json }): SchemaComplaint | null {
  if (typeof schema === 'boolean') return null;
  if (!isObject(schema)) return at(place, 'a schema must be an object, true or false');
  for (const [keyword, value] of Object.entries(schema)) {
    const shape = KEYWORDS.get(keyword);
    const here = { part: keyword, in: place };
    if (shape === undefined) {
      if (keyword.startsWith('x-')) continue;
      return at(here, `the keyword ${shownJson(keyword, 100)} is not known here`);
    }
    if (keyword === '$id' && place !== null) return at(here, '$id may stand at the root of the schema only');
    const wrong = checkValue(shape, value as Json, here, all);
    if (wrong !== null) return wrong;
  }
  return null;
}

function checkValue(shape: Shape, value: Json, place: Place, all: { readonly root: Json }): SchemaComplaint | null {
  const wants = (what: string): SchemaComplaint => at(place, `must be ${what}`);
  const each = (
    entries: Iterable<readonly [string | number, Json]>,
    check: (value: Json, place: Place) => SchemaComplaint | null,
  ): SchemaComplaint | null => {
    for (const [part, inner] of entries) {
      const wrong = check(inner, { part, in: place });
      if (wrong !== null) return wrong;
    }
    return null;
  };
  const one = (inner: Json, where: Place): SchemaComplaint | null => checkOne(inner, where, all);
  const namesIn = (inner: Json, where: Place): SchemaComplaint | null =>
    Array.isArray(inner) && inner.every((name) => typeof name === 'string')
      ? null
      : at(where, 'must be a list of names');
  switch (shape) {
    case 'any':
      return null;
    case 'schema':
      return one(value, place);
    case 'schemas':
      if (!Array.isArray(value) || value.length === 0) return wants('a list of schemas that is not empty');
      return each((value as readonly Json[]).entries(), one);
    case 'map of schemas':
      return isObject(value) ? each(Object.entries(value) as [string, Json][], one) : wants('an object of schemas');
    case 'patterns of schemas':
      if (!isObject(value)) return wants('an object of schemas');
      return (
        each(Object.entries(value) as [string, Json][], (_inner, where) =>
          checkPattern(where?.part as string, where),
        ) ?? each(Object.entries(value) as [string, Json][], one)
      );
    case 'map of names':
      return isObject(value)
        ? each(Object.entries(value) as [string, Json][], namesIn)
        : wants('an object of lists of names');
    case 'names':
      return namesIn(value, place);
    case 'number':
      return typeof value === 'number' ? null : wants('a number');
    case 'positive':
      return typeof value === 'number' && value > 0 ? null : wants('a number above zero');
    case 'count':
      return typeof value === 'number' && Number.isInteger(value) && value >= 0
        ? null
        : wants('a whole number from 0 on');
    case 'flag':
      return typeof value === 'boolean' ? null : wants('true or false');
    case 'list':
      return Array.isArray(value) ? null : wants('a list');
    case 'text':
      return typeof value === 'string' ? null : wants('a text');
    case 'pattern':
      return typeof value === 'string' ? checkPattern(value, place) : wants('a text');
    case 'type': {
      const names = Array.isArray(value) ? (value as readonly Json[]) : [value];
      return names.length > 0 && names.every((name) => TYPES.includes(name as string))
        ? null
        : wants(`one of ${TYPES.join(', ')}, or a list of them`);
    }
    case 'ref':
      if (typeof value !== 'string' || !value.startsWith('#'))
        return wants('a reference into the schema itself, such as #/$defs/name');
      return referred(all.root, value) === undefined ? at(place, `there is nothing at ${shownJson(value, 100)}`) : null;
  }
}

function checkPattern(source: string, place: Place): SchemaComplaint | null {
  try {
    patternOf(source);
    return null;
  } catch (error) {
    if (error instanceof LanguageError) return at(place, `is a pattern that cannot be used: ${error.message}`);
    throw error;
  }
}

/** What a `$ref` leads to; undefined: nothing. */
function referred(root: Json, ref: string): Json | undefined {
  if (ref === '#') return root;
  if (!ref.startsWith('#/')) return anchored(root, ref.slice(1));
  let here: Json | undefined = root;
  for (const written of ref.slice(2).split('/')) {
    let part: string;
    try {
      part = decodeURIComponent(written).replaceAll('~1', '/').replaceAll('~0', '~');
    } catch {
      // A percent sign that begins nothing leads nowhere.
      return undefined;
    }
    if (Array.isArray(here)) here = /^\d{1,6}$/.test(part) ? (here as readonly Json[])[Number(part)] : undefined;
    else here = isObject(here) ? ownValue(here, part) : undefined;
    if (here === undefined) return undefined;
  }
  return isObject(here) || typeof here === 'boolean' ? here : undefined;
}

function anchored(root: Json, name: string): Json | undefined {
  const open: Json[] = [root];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    if (isObject(next) && ownValue(next, '$anchor') === name) return next;
    for (const inner of Object.values(next)) open.push(inner as Json);
  }
  return undefined;
}

class Exhausted extends Error {}

/**
 * Holds a value against a schema that `schemaComplaint` has nothing against, and fills in the defaults of members that are missing. Nothing is
 * made of another type.
 */
export function validate(schema: Json, value: Json): Verdict {
  const walk = new Walk(schema);
  try {
    const filled = walk.filled(schema, value, 0);
    const complaints: SchemaComplaint[] = [];
    return walk.holds(schema, filled, { place: null, depth: 0, complaints, seen: null })
      ? { kind: 'valid', value: filled }
      : { kind: 'invalid', complaints };
  } catch (error) {
    // All that the language's own engine complains about when it matches is work.
    if (error instanceof Exhausted || error instanceof LanguageError) return { kind: 'exhausted' };
    throw error;
  }
}

/** What of a value schemas have looked at, for `unevaluatedProperties` and `unevaluatedItems`. */
type Seen = { readonly names: Set<string>; readonly items: Set<number> };
const nothingSeen = (): Seen => ({ names: new Set(), items: new Set() });
function addSeen(to: Seen | null, from: Seen | null): void {
  if (to === null || from === null) return;
  for (const name of from.names) to.names.add(name);
  for (const index of from.items) to.items.add(index);
}

type At = {
  readonly place: Place;
  readonly depth: number;
  /** Null: only whether it holds is asked. */
  readonly complaints: SchemaComplaint[] | null;
  /** Null: nobody asks what was looked at. */
  readonly seen: Seen | null;
};

class Walk {
  private readonly root: Json;
  private fuel = FUEL;
  private readonly work: Work = makeMeter(PATTERN_WORK_MAX, 'the patterns of a schema');
  private readonly references = new Map<string, Json>();

  constructor(root: Json) {
    this.root = root;
  }

  private burn(units = 1): void {
    this.fuel -= units;
    if (this.fuel < 0) throw new Exhausted();
  }

  private target(ref: string): Json {
    let found = this.references.get(ref);
    if (found === undefined) {
      found = referred(this.root, ref) ?? false;
      this.references.set(ref, found);
    }
    return found;
  }

  /** The value with defaults: those of members that are missing, along `properties`, `items`, `allOf` and `$ref`. */
  filled(schema: Json, value: Json, depth: number): Json {
    if (!isObject(schema) || typeof value !== 'object' || value === null) return value;
    if (depth > WALK_DEPTH_MAX) throw new Exhausted();
    this.burn();
    let now: Json = value;
    const ref = ownValue(schema, '$ref');
    if (typeof ref === 'string') now = this.filled(this.target(ref), now, depth + 1);
    for (const inner of listIn(schema, 'allOf')) now = this.filled(inner, now, depth + 1);
    if (Array.isArray(now)) {
      const list = now as readonly Json[];
      const first = listIn(schema, 'prefixItems');
      const items = ownValue(schema, 'items');
      if (first.length === 0 && items === undefined) return now;
      return list.map((item, i) => this.filled(first[i] ?? items ?? true, item, depth + 1));
    }
    const properties = ownValue(schema, 'properties');
    if (!isObject(properties) || !isObject(now)) return now;
    const changed = new Map<string, Json>();
    for (const [name, inner] of Object.entries(properties) as [string, Json][]) {
      this.burn();
      const given = ownValue(now, name);
      const otherwise = isObject(inner) ? ownValue(inner, 'default') : undefined;
      const before = given ?? (given === undefined ? otherwise : given);
      if (before === undefined) continue;
      const after = this.filled(inner, before, depth + 1);
      if (after !== given) changed.set(name, after);
    }
    return changed.size === 0 ? now : Object.fromEntries([...(Object.entries(now) as [string, Json][]), ...changed]);
  }

  /** Whether the value is as the schema says; complaints are added where they are wanted. */
  holds(schema: Json, value: Json, where: At): boolean {
    this.burn();
    if (where.depth > WALK_DEPTH_MAX) throw new Exhausted();
    if (schema === true) return true;
    if (!isObject(schema)) return this.fail(where, 'is not allowed');
    const asksSeen = Object.hasOwn(schema, 'unevaluatedProperties') || Object.hasOwn(schema, 'unevaluatedItems');
    const here: At = asksSeen && where.seen === null ? { ...where, seen: nothingSeen() } : where;
    // What is seen here counts for those above only if the whole holds; they throw it away otherwise.
    let ok = this.inPlace(schema, value, here);
    if (Object.hasOwn(schema, 'type') && !this.type(schema['type'] as Json, value, here)) return false;
    ok = this.anything(schema, value, here) && ok;
    if (typeof value === 'number') ok = this.number(schema, value, here) && ok;
    else if (typeof value === 'string') ok = this.text(schema, value, here) && ok;
    else if (Array.isArray(value)) ok = this.list(schema, value as readonly Json[], here) && ok;
    else if (isObject(value)) ok = this.object(schema, value, here) && ok;
    return ok;
  }

  private fail({ complaints, place }: At, detail: string, part?: string | number): false {
    if (complaints !== null && complaints.length < COMPLAINTS_MAX)
      complaints.push(at(part === undefined ? place : { part, in: place }, detail));
    return false;
  }

  /** A schema about the same value. `quiet`: whether it holds, and nothing of why not. */
  private same(schema: Json, value: Json, where: At, quiet: boolean): boolean {
    const seen = where.seen === null ? null : nothingSeen();
    const ok = this.holds(schema, value, {
      place: where.place,
      depth: where.depth + 1,
      complaints: quiet ? null : where.complaints,
      seen,
    });
    if (ok) addSeen(where.seen, seen);
    return ok;
  }

  private inside(schema: Json, value: Json, part: string | number, where: At, quiet = false): boolean {
    return this.holds(schema, value, {
      place: { part, in: where.place },
      depth: where.depth + 1,
      complaints: quiet ? null : where.complaints,
      seen: null,
    });
  }

  /** Keywords that hold other schemas against the same value. */
  private inPlace(schema: JsonObject, value: Json, where: At): boolean {
    let ok = true;
    const ref = ownValue(schema, '$ref');
    if (typeof ref === 'string') ok = this.same(this.target(ref), value, where, false) && ok;
    for (const inner of listIn(schema, 'allOf')) ok = this.same(inner, value, where, false) && ok;
    const any = listIn(schema, 'anyOf');
    if (any.length > 0) {
      let found = false;
      // All of them are looked at where it matters what they look at.
      for (const inner of any) {
        if (found && where.seen === null) break;
        found = this.same(inner, value, where, true) || found;
      }
      if (!found) ok = this.fail(where, 'must match one of the schemas of anyOf');
    }
    const alternatives = listIn(schema, 'oneOf');
    if (alternatives.length > 0) {
      const fitting = alternatives.filter((inner) => this.same(inner, value, where, true)).length;
      if (fitting !== 1) ok = this.fail(where, 'must match exactly one of the schemas of oneOf');
    }
    const not = ownValue(schema, 'not');
    if (not !== undefined && this.same(not, value, { ...where, seen: null }, true))
      ok = this.fail(where, 'must not match the schema of not');
    const condition = ownValue(schema, 'if');
    if (condition !== undefined) {
      const next = ownValue(schema, this.same(condition, value, where, true) ? 'then' : 'else');
      if (next !== undefined) ok = this.same(next, value, where, false) && ok;
    }
    return ok;
  }

  private type(wanted: Json, value: Json, where: At): boolean {
    this.burn();
    const names = (Array.isArray(wanted) ? wanted : [wanted]) as readonly string[];
    return names.some((name) => isOfType(name, value)) || this.fail(where, `must be ${names.join(' or ')}`);
  }

  private anything(schema: JsonObject, value: Json, where: At): boolean {
    let ok = true;
    if (Object.hasOwn(schema, 'const') && !this.isEqual(schema['const'] as Json, value))
      ok = this.fail(where, `must be ${shownJson(schema['const'] as Json, 100)}`);
    const among = ownValue(schema, 'enum');
    if (Array.isArray(among) && !(among as readonly Json[]).some((one) => this.isEqual(one, value)))
      ok = this.fail(where, `must be one of ${shownJson(among as Json, 200)}`);
    return ok;
  }

  private number(schema: JsonObject, value: number, where: At): boolean {
    let ok = true;
    for (const [keyword, sign, isGood] of LIMITS) {
      const limit = ownValue(schema, keyword);
      if (typeof limit !== 'number') continue;
      this.burn();
      if (!isGood(value, limit)) ok = this.fail(where, `must be ${sign} ${limit}`);
    }
    const step = ownValue(schema, 'multipleOf');
    if (typeof step === 'number' && !isMultiple(value, step)) ok = this.fail(where, `must be a multiple of ${step}`);
    return ok;
  }

  private text(schema: JsonObject, value: string, where: At): boolean {
    let ok = true;
    const least = ownValue(schema, 'minLength');
    const most = ownValue(schema, 'maxLength');
    if (typeof least === 'number' || typeof most === 'number') {
      this.burn(1 + value.length / CHARACTERS_PER_FUEL);
      const length = lengthOf(value);
      if (typeof least === 'number' && length < least) ok = this.fail(where, `must have at least ${least} characters`);
      if (typeof most === 'number' && length > most) ok = this.fail(where, `must have at most ${most} characters`);
    }
    const pattern = ownValue(schema, 'pattern');
    if (typeof pattern === 'string' && !this.matches(pattern, value))
      ok = this.fail(where, `must match the pattern ${shownJson(pattern, 200)}`);
    const format = ownValue(schema, 'format');
    if (typeof format === 'string') {
      this.burn(1 + value.length / CHARACTERS_PER_FUEL);
      const isGood = formatOf(format);
      if (isGood !== null && !isGood(value)) ok = this.fail(where, `must be a ${format}`);
    }
    return ok;
  }

  private matches(pattern: string, value: string): boolean {
    this.burn(1 + value.length / CHARACTERS_PER_FUEL);
    return patternOf(pattern).test(value, this.work);
  }

  private list(schema: JsonObject, value: readonly Json[], where: At): boolean {
    let ok = this.count(schema, value.length, ['minItems', 'maxItems', 'items'], where);
    const first = listIn(schema, 'prefixItems');
    const items = ownValue(schema, 'items');
    for (const [i, item] of value.entries()) {
      const inner = first[i] ?? items;
      if (inner === undefined) break;
      where.seen?.items.add(i);
      ok = this.inside(inner, item, i, where) && ok;
    }
    if (ownValue(schema, 'uniqueItems') === true && !this.areUnique(value))
      ok = this.fail(where, 'must not have the same item twice');
    const contains = ownValue(schema, 'contains');
    if (contains !== undefined) {
      let found = 0;
      for (const [i, item] of value.entries())
        if (this.inside(contains, item, i, where, true)) {
          found += 1;
          where.seen?.items.add(i);
        }
      const least = ownValue(schema, 'minContains') ?? 1;
      const most = ownValue(schema, 'maxContains');
      if (typeof least === 'number' && found < least)
        ok = this.fail(where, `must contain at least ${least} items that match contains`);
      if (typeof most === 'number' && found > most)
        ok = this.fail(where, `must contain at most ${most} items that match contains`);
    }
    const rest = ownValue(schema, 'unevaluatedItems');
    if (rest !== undefined && where.seen !== null)
      for (const [i, item] of value.entries()) {
        if (where.seen.items.has(i)) continue;
        ok = this.inside(rest, item, i, where) && ok;
        where.seen.items.add(i);
      }
    return ok;
  }

  private object(schema: JsonObject, value: JsonObject, where: At): boolean {
    const members = Object.entries(value) as [string, Json][];
    let ok = this.count(schema, members.length, ['minProperties', 'maxProperties', 'members'], where);
    for (const name of listIn(schema, 'required')) {
      this.burn();
      if (!Object.hasOwn(value, name as string)) ok = this.fail(where, 'is missing', name as string);
    }
    const properties = objectIn(schema, 'properties');
    const patterns = Object.entries(objectIn(schema, 'patternProperties')) as [string, Json][];
    const others = ownValue(schema, 'additionalProperties');
    const names = ownValue(schema, 'propertyNames');
    for (const [name, member] of members) {
      this.burn();
      let isKnown = false;
      const own = ownValue(properties, name);
      if (own !== undefined) {
        isKnown = true;
        ok = this.inside(own, member, name, where) && ok;
      }
      for (const [pattern, inner] of patterns)
        if (this.matches(pattern, name)) {
          isKnown = true;
          ok = this.inside(inner, member, name, where) && ok;
        }
      if (!isKnown && others !== undefined) {
        isKnown = true;
        ok = this.inside(others, member, name, where) && ok;
      }
      if (isKnown) where.seen?.names.add(name);
      if (names !== undefined && !this.inside(names, name, name, where, true))
        ok = this.fail(where, 'has a name that is not allowed', name);
    }
    for (const [name, wanted] of Object.entries(objectIn(schema, 'dependentRequired'))) {
      this.burn();
      if (!Object.hasOwn(value, name)) continue;
      for (const other of wanted as readonly string[]) {
        this.burn();
        if (!Object.hasOwn(value, other))
          ok = this.fail(where, `is missing, as there is ${shownJson(name, 100)}`, other);
      }
    }
    for (const [name, inner] of Object.entries(objectIn(schema, 'dependentSchemas')) as [string, Json][]) {
      this.burn();
      if (Object.hasOwn(value, name)) ok = this.same(inner, value, where, false) && ok;
    }
    const rest = ownValue(schema, 'unevaluatedProperties');
    if (rest !== undefined && where.seen !== null)
      for (const [name, member] of members) {
        if (where.seen.names.has(name)) continue;
        ok = this.inside(rest, member, name, where) && ok;
        where.seen.names.add(name);
      }
    return ok;
  }

  private count(
    schema: JsonObject,
    count: number,
    [least, most, what]: readonly [string, string, string],
    where: At,
  ): boolean {
    const [from, to] = [ownValue(schema, least), ownValue(schema, most)];
    if (typeof from === 'number' && count < from) return this.fail(where, `must have at least ${from} ${what}`);
    if (typeof to === 'number' && count > to) return this.fail(where, `must have at most ${to} ${what}`);
    return true;
  }

  private isEqual(one: Json, other: Json): boolean {
    this.burn();
    if (one === other) return true;
    if (typeof one === 'string' && typeof other === 'string')
      this.burn(Math.min(one.length, other.length) / CHARACTERS_PER_FUEL);
    if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
    if (Array.isArray(one) || Array.isArray(other)) {
      if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
      return (one as readonly Json[]).every((item, i) => this.isEqual(item, (other as readonly Json[])[i] as Json));
    }
    if (!isObject(one) || !isObject(other)) return false;
    const names = Object.keys(one);
    return (
      names.length === Object.keys(other).length &&
      names.every((name) => {
        const there = ownValue(other, name);
        return there !== undefined && this.isEqual(ownValue(one, name) as Json, there);
      })
    );
  }

  private areUnique(items: readonly Json[]): boolean {
    const texts = new Set<string>();
    for (const item of items) {
      const text = this.canonical(item);
      this.burn(1 + text.length / CHARACTERS_PER_FUEL);
      if (texts.has(text)) return false;
      texts.add(text);
    }
    return true;
  }

  /** The same text for equal values. */
  private canonical(value: Json): string {
    this.burn();
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    if (Array.isArray(value)) return `[${(value as readonly Json[]).map((item) => this.canonical(item)).join(',')}]`;
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${this.canonical(item as Json)}`).join(',')}}`;
  }
}

const LIMITS: readonly (readonly [string, string, (value: number, limit: number) => boolean])[] = [
  ['minimum', '>=', (value, limit) => value >= limit],
  ['maximum', '<=', (value, limit) => value <= limit],
  ['exclusiveMinimum', '>', (value, limit) => value > limit],
  ['exclusiveMaximum', '<', (value, limit) => value < limit],
];

const listIn = (schema: JsonObject, keyword: string): readonly Json[] => {
  const value = ownValue(schema, keyword);
  return Array.isArray(value) ? (value as readonly Json[]) : [];
};
const objectIn = (schema: JsonObject, keyword: string): JsonObject => {
  const value = ownValue(schema, keyword);
  return isObject(value) ? value : {};
};

function isOfType(name: string, value: Json): boolean {
  switch (name) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    default:
      return typeof value === name;
  }
}

/** Characters as people count them: a pair of surrogates is one. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _character of text) length += 1;
  return length;
}

/** 0.3 is a multiple of 0.1, whatever binary fractions make of it. */
function isMultiple(value: number, step: number): boolean {
  const times = value / step;
  if (!Number.isFinite(times)) return value % step === 0;
  return Math.abs(times - Math.round(times)) <= Number.EPSILON * Math.max(1, Math.abs(times)) * 2;
}
