import { evaluateCondition } from '../../../language/condition.ts';
import { type FeelWorld, feelJson } from '../../../language/feel/feel.ts';
import type { FeelValue } from '../../../language/feel/values.ts';
import { LanguageError } from '../../../language/language-error.ts';
import { lookup } from '../../../language/lookup.ts';
import { substitute } from '../../../language/substitution.ts';
import type { HistoryEntry } from '../../../model/history-kinds.ts';
import {
  equalJson,
  type Fields,
  isObject,
  type Json,
  type JsonObject,
  ownValue,
  withKey,
} from '../../../model/json.ts';
import { shorten, shownJson } from '../../../model/text.ts';
import type { Tree } from '../../../model/tree.ts';
import { newScope, parentOf, read, valueToJson, visibleVariables, write } from '../../life/variables.ts';
import type { Scope } from '../../state/state.ts';
import type { Acting } from '../../state/world.ts';

/*
 * What the expressions of BPMN read: the attributes of their tree, and the variables they can see.
 *
 * Both are JSON for everybody else. The attributes were checked and written by our own reader (definition/bpmn), the data of a node by these
 * files themselves, so here they are taken for what they were written as: `as unknown as` says so, and is for nothing else.
 */

export const PROCESS = 'bpmn:process';
export const SUB = 'bpmn:sub';

/** A flow as a node's tree has it: id, index of the child it leads to, condition (FEEL, or `{ rota }`). */
export type Flow = readonly [id: string, to: number, condition: Json];
export type EventSpec = { readonly kind: string; readonly [key: string]: Json };

export const treeOf = (x: Acting): Tree => x.world.tree(x.node.tree);
export const of = (tree: Tree, key: string): Json => tree.attributes.get(key) ?? null;
export const text = (tree: Tree, key: string): string => {
  const value = of(tree, key);
  return typeof value === 'string' ? value : '';
};
export const list = (tree: Tree, key: string): readonly Json[] => {
  const value = of(tree, key);
  return Array.isArray(value) ? (value as readonly Json[]) : [];
};
export const flowsOf = (tree: Tree): readonly Flow[] => list(tree, 'to') as unknown as readonly Flow[];
export const eventOf = (tree: Tree): EventSpec | null => {
  const value = of(tree, 'event');
  return isObject(value) ? (value as EventSpec) : null;
};
export const elementOf = (x: Acting): string => text(treeOf(x), 'id');
export const childIndexOf = ({ node }: Acting): number => Number(node.expid.slice(node.expid.lastIndexOf('_') + 1));
export const childTree = (scope: Acting, index: number): Tree => {
  const tree = treeOf(scope).children[index];
  if (tree === undefined) throw new Error(`Broken assumption: ${scope.node.expid} has a child ${index}`);
  return tree;
};

/** An expression of the family that holds tokens: a process or a sub-process, but not an activity of many instances. */
export const isScope = ({ node }: Acting): boolean =>
  (node.kind === PROCESS || node.kind === SUB) && node.data['many'] === undefined && node.data['undoing'] === undefined;

/** One of the instances of an activity that is done several times. */
export function isInstance(x: Acting): boolean {
  const above = parentOf(x);
  return (
    above !== null &&
    above.node.data['many'] !== undefined &&
    above.node.tree.path === x.node.tree.path &&
    above.node.expid === x.node.expid
  );
}

/** Something passed without a stop: told in the history, with its element, once for each flow that is taken. */
export function passed(x: Acting, flows: readonly (string | null)[] = []): void {
  if (x.world.context.limits.flowEntries === 0) return;
  const end = text(treeOf(x), 'type') === 'endEvent';
  for (const flow of flows.length === 0 ? [null] : flows)
    x.world.record({
      kind: 'token.passed',
      expid: x.node.expid,
      element: elementOf(x),
      ...(flow !== null && { flow }),
      ...(end && { end }),
    } satisfies HistoryEntry);
}

// Variables.

/** Ends the search outwards: a process sees nothing of whoever calls it. */
const isBorder = ({ node }: Acting): boolean => node.kind === PROCESS;

/** The expressions whose variables can be seen, from the inside out. */
export function chainOf(x: Acting): readonly Acting[] {
  const chain: Acting[] = [];
  for (let at: Acting | null = x; at !== null; at = isBorder(at) ? null : parentOf(at)) chain.push(at);
  return chain;
}

export function variable(x: Acting, name: string): Json | undefined {
  for (let at: Acting | null = x; at !== null; at = parentOf(at)) {
    const value = at.node.scope === null ? undefined : read(at, at.node.scope, name);
    if (value !== undefined) return valueToJson(x.world, value);
    if (isBorder(at)) return undefined;
  }
  return undefined;
}

/** Sets a variable, and notes the change where conditions wait. */
function put(place: Acting, scope: Scope, name: string, value: Json): void {
  const { world } = place;
  if (world.header.conditions !== null) {
    const before = read(place, scope, name);
    if (before === undefined || !equalJson(valueToJson(world, before), value)) {
      world.changed ??= new Map();
      world.changed.set(name, (world.changed.get(name) ?? new Set()).add(place.node.id));
    }
  }
  write(place, scope, name, value);
}

/** Everything that can be seen, nearer scopes over farther ones. */
export function visible(x: Acting): Fields {
  const found = new Map<string, Json>();
  for (const [name, value] of visibleVariables(x)) found.set(name, valueToJson(x.world, value));
  return Object.fromEntries(found);
}

/** Sets a variable outside of `x`: in the nearest scope that has it, else in the process (of a call: its own). */
export function setOutside(x: Acting, target: string, value: Json): void {
  const name = target.includes('.') ? target.slice(0, target.indexOf('.')) : target;
  const place = placeFor(x, name);
  if (place === null) return;
  const scope = place.node.scope ?? newScope();
  place.node.scope = scope;
  if (name === target) {
    put(place, scope, name, value);
    return;
  }
  const own = read(place, scope, name);
  const before = own === undefined ? undefined : valueToJson(x.world, own);
  put(place, scope, name, within(before, target.split('.').slice(1), value));
}

function placeFor(x: Acting, name: string): Acting | null {
  if (x.node.data['keeps'] === true) return x;
  for (let at = parentOf(x); at !== null; at = parentOf(at)) {
    if (at.node.data['keeps'] === true || isBorder(at)) return at;
    if (at.node.scope !== null && read(at, at.node.scope, name) !== undefined) return at;
  }
  return null;
}

/** A variable of the activity itself. */
export function setLocal(x: Acting, target: string, value: Json): void {
  const scope = x.node.scope ?? newScope();
  x.node.scope = scope;
  const name = target.includes('.') ? target.slice(0, target.indexOf('.')) : target;
  const own = name === target ? undefined : read(x, scope, name);
  const before = own === undefined ? undefined : valueToJson(x.world, own);
  put(x, scope, name, within(before, target.split('.').slice(1), value));
}

/** A copy of a value with another one at a path in it; what is not there on the way becomes an object. */
function within(before: Json | undefined, path: readonly string[], value: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(before) && /^\d+$/.test(key)) {
    const items = before as readonly Json[];
    return items.map((item, i) => (i === Number(key) ? within(item, rest, value) : item));
  }
  const object = before !== undefined && isObject(before) ? before : {};
  return withKey(object, key, within(ownValue(object, key), rest, value));
}

// Expressions.

const world = (x: Acting, nearer: JsonObject, asked: Set<string> | null): FeelWorld => ({
  lookup: (name) => {
    asked?.add(name);
    return (ownValue(nearer, name) ?? variable(x, name)) as FeelValue | undefined;
  },
  now: x.world.now,
});

/** FEEL as JSON. An error tells the text. `nearer`: seen before any variable. `asked` is given the names of the variables that were looked for. */
export function feel(x: Acting, expression: string, nearer: JsonObject = {}, asked: Set<string> | null = null): Json {
  try {
    return feelJson(expression, world(x, nearer, asked));
  } catch (error) {
    if (!(error instanceof LanguageError)) throw error;
    throw new LanguageError(error.errorClass, `${shorten(expression, 99).trim()}: ${error.message}`);
  }
}

/** A text that is FEEL when it begins with `=`, else itself. */
export function meant(x: Acting, written: string, nearer: JsonObject = {}): Json {
  const trimmed = written.trimStart();
  return trimmed.startsWith('=') ? feel(x, trimmed.slice(1), nearer) : written;
}

/** A condition in our own notation, `${f:total} > 100`: its fields and variables are those of the process. */
export function isTrueHere(x: Acting, written: string, asked: Set<string> | null = null): boolean {
  const at = (path: string): Json | undefined => {
    asked?.add(headOf(path));
    return lookup(visibleAt(x, path), path.replace(/^\/+/, ''));
  };
  return evaluateCondition(substitute(written, { field: at, variable: at, special: () => undefined }));
}

const headOf = (path: string): string => path.replace(/^\/+/, '').split('.')[0] ?? '';

/** The one variable that a dotted path begins with. */
function visibleAt(x: Acting, path: string): JsonObject {
  const name = headOf(path);
  const value = variable(x, name);
  return value === undefined ? {} : Object.fromEntries([[name, value]]);
}

export function isTrue(
  x: Acting,
  expression: string,
  nearer: JsonObject = {},
  asked: Set<string> | null = null,
): boolean {
  const value = feel(x, expression, nearer, asked);
  if (typeof value !== 'boolean')
    throw new LanguageError('ExpressionError', `${expression}: ${shownJson(value, 100)} is neither true nor false`);
  return value;
}
