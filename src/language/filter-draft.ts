import { isObject, type Json, type JsonObject } from '../model/json.ts';
import { INTEGER, lookup, placeInList } from './lookup.ts';
import type { Work } from './work.ts';

/** Fields that a filter is working on: they are changed in place, but never what came in from outside. */
export type Draft = {
  readonly root: Record<string, Json>;
  /** The objects and lists that belong to this draft alone. */
  readonly owned: Set<Json>;
  /** Counts what the rules read, copy and write. */
  readonly work: Work;
};

type Container = Record<string, Json> | Json[];

/** A draft of `fields`, which themselves stay as they are. */
export function makeDraft(fields: JsonObject, work: Work): Draft {
  const root: Record<string, Json> = withoutTildes(fields);
  work.spend(Object.keys(root).length);
  return { root, owned: new Set<Json>([root]), work };
}

/** The value at a dotted path; `.` is the whole without `~`, `~~` and `~~~`. */
export function readDraft(draft: Draft, path: string): Json | undefined {
  draft.work.spend(path.length);
  if (path === '.') return wholeDraft(draft);
  const value = lookup(draft.root, path);
  if (value !== undefined) disown(draft, value);
  return value;
}

/** All fields as they are now. */
export function wholeDraft(draft: Draft): JsonObject {
  const whole = withoutTildes(draft.root);
  const values = Object.values(whole);
  draft.work.spend(values.length);
  for (const value of values) disown(draft, value);
  return whole;
}

/** Sets inside when the container is there, a flat key otherwise (as `assign` does). */
export function writeDraft(draft: Draft, path: string, value: Json): void {
  draft.work.spend(path.length);
  if (path === '.' && isObject(value)) {
    removeFromDraft(draft, '.');
    const entries = Object.entries(value);
    draft.work.spend(entries.length);
    for (const [key, item] of entries) setKey(draft.root, key, item);
    return;
  }
  const container = ownContainer(draft, path);
  const key = path === '.' ? path : path.slice(path.lastIndexOf('.') + 1);
  if (container === undefined) setKey(draft.root, path, value);
  else if (!Array.isArray(container)) setKey(container, key, value);
  else if (INTEGER.test(key)) {
    const at = placeInList(container.length, Number(key), path);
    draft.work.spend(Math.max(0, at - container.length));
    while (container.length < at) container.push(null);
    container[at] = value;
  } else setKey(draft.root, path, value);
}

export function removeFromDraft(draft: Draft, path: string): void {
  draft.work.spend(path.length);
  if (path === '.') {
    const keys = Object.keys(draft.root);
    draft.work.spend(keys.length);
    for (const key of keys) if (!TILDES.test(key)) delete draft.root[key];
    return;
  }
  if (lookup(draft.root, path) === undefined) {
    if (Object.hasOwn(draft.root, path)) delete draft.root[path];
    return;
  }
  const container = ownContainer(draft, path) as Container;
  const key = path.slice(path.lastIndexOf('.') + 1);
  if (Array.isArray(container)) {
    // Whatever stands behind it moves up.
    draft.work.spend(container.length);
    container.splice(Number(key), 1);
  } else delete container[key];
}

/** The object or list at `path` for changing, or undefined when there is none. */
export function openContainer(draft: Draft, path: string): Container | undefined {
  if (path === '.') return draft.root;
  const found = lookup(draft.root, path);
  return Array.isArray(found) || isObject(found) ? own(draft, path.split('.')) : undefined;
}

/** `container[key] = value`, where `__proto__` is a key like any other. */
export function setKey(container: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__')
    Object.defineProperty(container, key, { value, enumerable: true, configurable: true, writable: true });
  else container[key] = value;
}

/** The names under which a filter keeps former fields. */
const TILDES = /^~+$/;

export const withoutTildes = (object: JsonObject): Record<string, Json> =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !TILDES.test(key)));

/** The container that holds the last key of `path`. */
function ownContainer(draft: Draft, path: string): Container | undefined {
  const last = path.lastIndexOf('.');
  return last < 0 || path === '.' ? draft.root : openContainer(draft, path.slice(0, last));
}

/** Walks down, copying what does not belong to the draft yet. Everything on the way is known to be there. */
function own(draft: Draft, keys: readonly string[]): Container {
  let container: Container = draft.root;
  for (const key of keys) {
    const child = lookup(container, key) as JsonObject | readonly Json[];
    if (draft.owned.has(child)) container = child as Container;
    else {
      const copy: Container = Array.isArray(child) ? [...child] : { ...(child as JsonObject) };
      draft.work.spend(Object.keys(copy).length);
      draft.owned.add(copy);
      if (Array.isArray(container)) container[indexIn(container, Number(key))] = copy;
      else setKey(container, key, copy);
      container = copy;
    }
  }
  return container;
}

const indexIn = (list: readonly Json[], index: number): number => (index < 0 ? list.length + index : index);

/** A value that is about to be put somewhere else too must be copied before it is changed again. */
function disown(draft: Draft, value: Json): void {
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (!draft.owned.delete(next)) continue;
    if (typeof next !== 'object' || next === null) continue;
    const inner = Object.values(next) as Json[];
    draft.work.spend(inner.length);
    for (const value of inner) open.push(value);
  }
}
