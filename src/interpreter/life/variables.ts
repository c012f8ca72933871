/**
 * # Variables
 *
 * A variable belongs to a scope: the workflow has one, and so has every sub-process, every `let`, every branch of a concurrent iterator,
 * whatever has `scope: true` or is forgotten. Reading looks in the nearest scope first, then further out. Setting sets in the nearest scope,
 * even where the name is bound further out; `override: true` changes it there. `/name` is the scope of the workflow (of a forgotten part:
 * its own). `//name`, a variable of the whole engine, does not exist: it reads as nothing, and setting it sets nothing. The variables of
 * a concurrence's branches are shared; those of forgotten parts are copies. A scope goes with its expression.
 *
 * The name of a definition is a variable, too: `define approve` binds `approve`, and `set 'v:tom': 'alice'` makes `tom` another name for alice.
 */

import { LanguageError } from '../../language/language-error.ts';
import { assign, lookup, remove } from '../../language/lookup.ts';
import { subidOf } from '../../model/ids.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import { isObject } from '../../model/json.ts';
import { shorten } from '../../model/text.ts';
import { DEFINE_NAMES, treeToJson } from '../../model/tree.ts';
import { encodeValue } from '../state/encoding.ts';
import { Bound, type Scope, Tagged, VARIABLES_INLINE_MAX, type Value } from '../state/state.ts';
import type { Acting, World } from '../state/world.ts';

/*
 * Variables and their scopes (docs/definitions.md, Variables). A scope belongs to an expression; lookup goes up through the parents. `/x` means
 * the topmost reachable scope; `//x`, engine variables, do not exist here.
 */

/** The parent of an expression, or null when it has none (any more). */
export function parentOf(x: Acting): Acting | null {
  const { strand, world } = x;
  const at = strand.nodes.indexOf(x.node);
  const above = at > 0 ? strand.nodes[at - 1] : undefined;
  if (above !== undefined) return { world, strand, node: above };
  return strand.at === '' ? null : world.find({ path: strand.parent, id: strand.at });
}

export const newScope = (pairs: Iterable<readonly [string, Value]> = []): Scope => ({
  own: new Map(pairs),
  spilled: false,
});

/** Variables of scopes further out, which are out of reach from now on, become the expression's own; its own come first. */
export function addOuter(x: Acting, outer: ReadonlyMap<string, Value>): void {
  const { node, strand } = x;
  const own = node.scope === null ? new Map<string, Value>() : ownVariables(x, node.scope);
  node.scope = {
    own: new Map([...[...outer].filter(([name]) => !own.has(name)), ...(node.scope?.own ?? [])]),
    spilled: node.scope?.spilled ?? false,
  };
  strand.touched = true;
}

type Name = { readonly prefix: '' | '/' | '//'; readonly name: string };

function splitName(name: string): Name {
  if (name.startsWith('//')) return { prefix: '//', name: name.replace(/^\/+/, '') };
  return name.startsWith('/') ? { prefix: '/', name: name.slice(1) } : { prefix: '', name };
}

/** A value as JSON: a sub-process as `[expid, tree]`, a tag as an expression id object. */
export function valueToJson(world: World, value: Value): Json {
  if (value instanceof Bound) {
    const tree = treeToJson(world.tree(value.tree));
    return value.expid === '' ? tree : [value.expid, tree];
  }
  if (value instanceof Tagged) {
    const { id } = value.ref;
    return { engine_id: 'engine', expid: id.slice(0, id.indexOf('!')), subid: subidOf(id), wfid: world.row.id };
  }
  return value;
}

const head = (name: string): string => (name.includes('.') ? name.slice(0, name.indexOf('.')) : name);

/** A variable of this very scope. */
export function read(x: Acting, scope: Scope, name: string): Value | undefined {
  if (scope.own.has(name)) return scope.own.get(name);
  return scope.spilled ? x.world.spilledVariable(x.node.id, name) : undefined;
}

/** Characters a variable takes in its scope. */
const charactersOf = (world: World, name: string, value: Value): number =>
  name.length + VARIABLE_CHARACTERS + world.extentOf(value).characters;
const VARIABLE_CHARACTERS = 8;

/** Characters of the variables of a scope that have rows of their own. All of them are loaded: their sum is stored nowhere. */
function spilledCharacters(x: Acting, scope: Scope): number {
  if (!scope.spilled) return 0;
  const { world } = x;
  let sum = world.spilledCharacters.get(x.node.id);
  if (sum === undefined) {
    sum = 0;
    for (const [name, value] of world.spilledVariables(x.node.id)) sum += charactersOf(world, name, value);
    world.spilledCharacters.set(x.node.id, sum);
  }
  return sum;
}

/** A variable is about to be written. Throws LimitExceeded when its scope would hold too much, or its name is too long. */
function checkVariable(x: Acting, scope: Scope, name: string, value: Value): void {
  const { world } = x;
  checkName(world, 'a variable', name);
  if (typeof value === 'string') world.noteGrowth(name.length + value.length + VARIABLE_CHARACTERS);
  else if (typeof value === 'object' && value !== null) world.noteGrowth(charactersOf(world, name, value));
  else world.noteGrowth(name.length + VARIABLE_CHARACTERS);
  if (!world.isBulky && !scope.spilled) return;
  const characters = charactersOf(world, name, value);
  world.spend(characters);
  const before = read(x, scope, name);
  const replaced = before === undefined ? 0 : charactersOf(world, name, before);
  const spilled = spilledCharacters(x, scope) + characters - replaced;
  let sum = spilled;
  for (const [other, held] of scope.own) sum += charactersOf(world, other, held);
  const { variablesCharacters } = world.context.limits;
  if (sum > variablesCharacters)
    throw new LanguageError(
      'LimitExceeded',
      `the variables of one scope would be more than ${variablesCharacters} characters long, with '${shortened(name)}'`,
    );
  const isInline = scope.own.has(name) || scope.own.size < VARIABLES_INLINE_MAX;
  if (!isInline) world.spilledCharacters.set(x.node.id, spilled);
}

/** Throws LimitExceeded for a name that no row can hold. */
export function checkName(world: World, what: string, name: string): void {
  const { nameBytes } = world.context.limits;
  // A character of a text in memory takes at most three bytes.
  if (name.length * 3 <= nameBytes || Buffer.byteLength(name) <= nameBytes) return;
  throw new LanguageError(
    'LimitExceeded',
    `the name of ${what} is longer than ${nameBytes} bytes: '${shortened(name)}'`,
  );
}
const shortened = (name: string): string => shorten(name, 60);

/** The variables are copied into another scope. */
export function spendVariables(world: World, variables: ReadonlyMap<string, Value>): void {
  if (!world.isBulky) return;
  for (const [name, value] of variables) world.spend(charactersOf(world, name, value));
}

/** Binds a variable in this very scope; undefined unbinds it. */
export function write(x: Acting, scope: Scope, name: string, value: Value | undefined): void {
  x.strand.touched = true;
  if (value !== undefined) checkVariable(x, scope, name, value);
  if (value === undefined) {
    if (scope.own.delete(name) || !scope.spilled) return;
    const before = read(x, scope, name);
    if (before === undefined) return;
    const sum = spilledCharacters(x, scope) - charactersOf(x.world, name, before);
    x.world.spilledCharacters.set(x.node.id, sum);
    x.world.variables.set(`${x.node.id} ${name}`, { kind: 'delete' });
  } else if (scope.own.has(name) || scope.own.size < VARIABLES_INLINE_MAX) {
    if (scope.spilled && !scope.own.has(name)) x.world.variables.set(`${x.node.id} ${name}`, { kind: 'delete' });
    scope.own.set(name, value);
  } else {
    scope.spilled = true;
    x.world.variables.set(`${x.node.id} ${name}`, {
      kind: 'put',
      row: { scope: x.node.id, name, value: encodeValue(value) },
    });
  }
}

/**
 * What a scope holds under a dotted name; undefined when it holds nothing there. A path into a value comes first; where
 * it leads nowhere the whole name counts, for names come from data: hosts, versions.
 */
function readPath(x: Acting, scope: Scope, name: string): Value | undefined {
  if (!name.includes('.')) return read(x, scope, name);
  const first = head(name);
  const value = read(x, scope, first);
  const inside = value === undefined ? undefined : lookup(valueToJson(x.world, value), name.slice(first.length + 1));
  return inside ?? read(x, scope, name);
}

/** `x` and everything around it, from the inside out. */
export function* around(x: Acting): Generator<Acting> {
  const { world } = x;
  for (let at: Acting | null = x; at !== null; ) {
    const strand: Acting['strand'] = at.strand;
    for (let i = strand.nodes.indexOf(at.node); i >= 0; i--) {
      const node = strand.nodes[i];
      if (node !== undefined) yield { world, strand, node };
    }
    at = strand.at === '' ? null : world.find({ path: strand.parent, id: strand.at });
  }
}

/** The value bound to a name as seen from `x`, with sub-processes and tags as what they are. */
export const boundValue = (x: Acting, fullName: string): Value | undefined => findBound(x, fullName, true);

/** The same for what is called by its name: a tag never hides a sub-process, another name or a participant. */
export const calledValue = (x: Acting, fullName: string): Value | undefined => findBound(x, fullName, false);

function findBound(x: Acting, fullName: string, tags: boolean): Value | undefined {
  const { prefix, name } = splitName(fullName);
  if (prefix === '//' || name === '') return undefined;
  for (const at of prefix === '/' ? [topOf(x)] : around(x)) {
    const { scope } = at.node;
    if (scope === null) continue;
    const held = readPath(at, scope, name);
    const value = tags || !(held instanceof Tagged) ? held : read(at, scope, UNDER_TAG + name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The value bound to a name, as JSON; undefined when it is bound nowhere. */
export function lookupVariable(x: Acting, name: string): Json | undefined {
  const value = boundValue(x, name);
  return value === undefined ? undefined : valueToJson(x.world, value);
}

type Place = { readonly owner: Acting; readonly scope: Scope; readonly name: string };

/** Where a variable of this name is set: the nearest scope, or with `/` the topmost one; null for `//`. */
export function scopeFor(x: Acting, fullName: string): Place | null {
  const { prefix, name } = splitName(fullName);
  if (prefix === '//' || name === '') return null;
  let found: Place | null = null;
  for (const at of around(x)) {
    if (at.node.scope === null) continue;
    found = { owner: at, scope: at.node.scope, name };
    if (prefix === '') return found;
  }
  return found;
}

/** Where a variable is bound already, upward from `x`; `sub` stops at the sub-process. */
function scopeBinding(x: Acting, fullName: string, override: Json): Place | null {
  if (override === null || override === false || override === '' || fullName.startsWith('/')) return null;
  for (const at of around(x)) {
    const { scope } = at.node;
    if (scope !== null && read(at, scope, fullName) !== undefined) return { owner: at, scope, name: fullName };
    if (override === 'sub' && DEFINE_NAMES.has(at.world.tree(at.node.tree).name)) return null;
  }
  return null;
}

/** Binds a variable (docs/definitions.md, Variables): in the nearest scope, or where it is bound already when `override` says so. */
export function setVariable(x: Acting, name: string, value: Value, override: Json = null): void {
  const place = scopeBinding(x, name, override) ?? scopeFor(x, name);
  if (place === null) return;
  const first = head(place.name);
  if (first === place.name) {
    write(place.owner, place.scope, place.name, value);
    return;
  }
  const container = read(place.owner, place.scope, first);
  const holder: JsonObject = container === undefined ? {} : { [first]: valueToJson(x.world, container) };
  const changed = assign(holder, place.name, valueToJson(x.world, value));
  for (const [key, changedValue] of Object.entries(changed))
    if (!Object.hasOwn(holder, key) || holder[key] !== changedValue)
      write(place.owner, place.scope, key, changedValue as Json);
}

/** What a scope held under a name before a tag took the name; it comes back when the tag is left. */
const UNDER_TAG = '__under_tag__ ';

/** Binds a tag under its whole name, dots included. What had the name waits, and can still be called (calledValue). */
export function bindTagged(x: Acting, fullName: string, tagged: Tagged): void {
  const place = scopeFor(x, fullName);
  if (place === null) return;
  const { owner, scope, name } = place;
  const held = read(owner, scope, name);
  if (held !== undefined && !(held instanceof Tagged)) write(owner, scope, UNDER_TAG + name, held);
  write(owner, scope, name, tagged);
}

/** Takes a tag off its name. What has been set in its place meanwhile stays. */
export function unbindTagged(x: Acting, fullName: string): void {
  const place = scopeFor(x, fullName);
  if (place === null) return;
  const { owner, scope, name } = place;
  const under = read(owner, scope, UNDER_TAG + name);
  if (read(owner, scope, name) instanceof Tagged) write(owner, scope, name, under);
  if (under !== undefined) write(owner, scope, UNDER_TAG + name, undefined);
}

/** Unbinds a variable and answers what it held. */
export function unsetVariable(x: Acting, name: string, override: Json = null): Json | undefined {
  const place = scopeBinding(x, name, override) ?? scopeFor(x, name);
  if (place === null) return undefined;
  const first = head(place.name);
  const container = read(place.owner, place.scope, first);
  const json = container === undefined ? undefined : valueToJson(x.world, container);
  if (json === undefined || (first !== place.name && lookup({ [first]: json }, place.name) === undefined)) {
    // The path leads nowhere: the whole name counts.
    const whole = read(place.owner, place.scope, place.name);
    if (whole !== undefined) write(place.owner, place.scope, place.name, undefined);
    return whole === undefined ? undefined : valueToJson(x.world, whole);
  }
  if (first === place.name) {
    write(place.owner, place.scope, first, undefined);
    return json;
  }
  const { target, removed } = remove({ [first]: json }, place.name);
  write(place.owner, place.scope, first, target[first] as Json);
  return removed;
}

/** Everything visible from `x`, nearer scopes over farther ones: what a forgotten branch takes along. */
export function visibleVariables(x: Acting): Map<string, Value> {
  const scopes: Map<string, Value>[] = [];
  for (const at of around(x)) if (at.node.scope !== null) scopes.push(ownVariables(at, at.node.scope));
  return new Map(scopes.reverse().flatMap((own) => [...own]));
}

/** All variables of one scope. */
export const ownVariables = (x: Acting, scope: Scope): Map<string, Value> =>
  scope.spilled ? new Map([...scope.own, ...x.world.spilledVariables(x.node.id)]) : scope.own;

export function variablesToJson(x: Acting, scope: Scope): JsonObject {
  const json = Object.create(null) as Record<string, Json>;
  for (const [name, value] of ownVariables(x, scope))
    if (!name.startsWith(UNDER_TAG)) json[name] = valueToJson(x.world, value);
  return Object.fromEntries(Object.entries(json));
}

/** The topmost expression reachable from `x`. */
export function topOf(x: Acting): Acting {
  let top = x;
  for (const above of around(x)) top = above;
  return top;
}

/** Deletes the rows of a scope that goes away. */
export function dropScope(x: Acting): void {
  const { scope } = x.node;
  if (scope?.spilled)
    for (const name of x.world.spilledVariables(x.node.id).keys())
      x.world.variables.set(`${x.node.id} ${name}`, { kind: 'delete' });
}

export const isTaggedJson = (value: Json): boolean =>
  isObject(value) && typeof value['expid'] === 'string' && typeof value['subid'] === 'string';
