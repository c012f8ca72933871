import { evaluateCondition } from '../../../language/condition.ts';
import { type FeelWorld, feelJson } from '../../../language/feel/feel.ts';
import type { FeelValue } from '../../../language/feel/values.ts';
import { LanguageError } from '../../../language/language-error.ts';
import { assign, lookup } from '../../../language/lookup.ts';
import { substitute } from '../../../language/substitution.ts';
import type { HistoryEntry } from '../../../model/history-kinds.ts';
import { type Fields, isObject, type Json, type JsonObject, ownValue } from '../../../model/json.ts';
import { shorten, shownJson } from '../../../model/text.ts';
import type { Tree } from '../../../model/tree.ts';
import { newScope, parentOf, read, valueToJson, visibleVariables, write } from '../../life/variables.ts';
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

/** Something passed without a stop: told in the history, with its element. */
export function passed(x: Acting, element: string = elementOf(x)): void {
  if (x.world.context.limits.flowEntries === 0) return;
  const end = text(treeOf(x), 'type') === 'endEvent';
  x.world.record({ kind: 'token.passed', expid: x.node.expid, element, ...(end && { end }) } satisfies HistoryEntry);
}

// Variables.

/** Ends the search outwards: a process sees nothing of whoever calls it. */
const isBorder = ({ node }: Acting): boolean => node.kind === PROCESS;

export function variable(x: Acting, name: string): Json | undefined {
  for (let at: Acting | null = x; at !== null; at = parentOf(at)) {
    const value = at.node.scope === null ? undefined : read(at, at.node.scope, name);
    if (value !== undefined) return valueToJson(x.world, value);
    if (isBorder(at)) return undefined;
  }
  return undefined;
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
    write(place, scope, name, value);
    return;
  }
  const before = variable(x, name);
  const holder: JsonObject = before === undefined || !isObject(before) ? {} : { [name]: before };
  write(place, scope, name, (ownValue(assign(holder, target, value), name) ?? null) as Json);
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
  const own = read(x, scope, name);
  const holder: JsonObject = own === undefined ? {} : { [name]: valueToJson(x.world, own) };
  write(x, scope, name, (ownValue(assign(holder, target, value), name) ?? null) as Json);
}

// Expressions.

const world = (x: Acting, nearer: JsonObject): FeelWorld => ({
  lookup: (name) => (ownValue(nearer, name) ?? variable(x, name)) as FeelValue | undefined,
  now: x.world.now,
});

/** FEEL as JSON. An error tells the text. `nearer`: seen before any variable. */
export function feel(x: Acting, expression: string, nearer: JsonObject = {}): Json {
  try {
    return feelJson(expression, world(x, nearer));
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
export function isTrueHere(x: Acting, written: string): boolean {
  const at = (path: string): Json | undefined => lookup(visibleAt(x, path), path.replace(/^\/+/, ''));
  return evaluateCondition(substitute(written, { field: at, variable: at, special: () => undefined }));
}

/** The one variable that a dotted path begins with. */
function visibleAt(x: Acting, path: string): JsonObject {
  const [name = ''] = path.replace(/^\/+/, '').split('.');
  const value = variable(x, name);
  return value === undefined ? {} : Object.fromEntries([[name, value]]);
}

export function isTrue(x: Acting, expression: string, nearer: JsonObject = {}): boolean {
  const value = feel(x, expression, nearer);
  if (typeof value !== 'boolean')
    throw new LanguageError('ExpressionError', `${expression}: ${shownJson(value, 100)} is neither true nor false`);
  return value;
}
