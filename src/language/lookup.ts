/**
 * # Dotted names
 *
 * `customer.address.city` reaches inside objects, `lines.0` and `lines.-1` inside lists (from the end when negative); `.` is all fields.
 * Setting goes inside when the object or list is there already, and fills a list up with nulls; otherwise the whole name, dots included,
 * becomes one plain key. Unsetting takes an element out of its list.
 */
import { isObject, type Json, type JsonObject, ownValue, withKey, withoutKeys } from '../model/json.ts';
import { LanguageError } from './language-error.ts';

/**
 * Dotted paths into JSON values: `order.lines.0.price`, `list.-1`, `.` for the whole.
 *
 * Integers index lists, from the end when negative, and are ordinary keys of objects. Only own keys are ever found.
 */

/** How many nulls one assignment may put into a list to reach its index. */
export const MAX_LIST_GROWTH = 10_000;

/** A part of a path that indexes a list. */
export const INTEGER = /^-?\d{1,15}$/;

/** The value at `path`, or undefined when there is none (a null that is there is null). */
export function lookup(value: Json, path: string): Json | undefined {
  if (path === '.') return value;
  if (!path.includes('.')) return step(value, path);
  let current: Json | undefined = value;
  for (const key of path.split('.')) {
    current = step(current, key);
    if (current === undefined) return undefined;
  }
  return current;
}

/**
 * A copy of `target` with `value` at `path`; what is not on the way is shared.
 *
 * The value goes inside when the container named by all but the last key is there and is an object or a list; a list is
 * filled up with nulls. Otherwise the whole path becomes one flat key, as the language has it (`set 'a.b': 1` without an
 * `a`). `.` replaces the whole when `value` is an object. Throws a LanguageError for an index far outside of its list.
 */
export function assign(target: JsonObject, path: string, value: Json): JsonObject {
  if (path === '.') return isObject(value) ? value : withKey(target, path, value);
  const keys = path.split('.');
  const changed = assignIn(target, keys, 0, value, path);
  return isObject(changed) ? changed : withKey(target, path, value);
}

/** A copy of `target` without what is at `path`, and what was there; a list closes the gap. */
export function remove(
  target: JsonObject,
  path: string,
): { readonly target: JsonObject; readonly removed: Json | undefined } {
  if (path === '.') return { target: {}, removed: target };
  const keys = path.split('.');
  const removed = lookup(target, path);
  if (removed !== undefined) {
    const changed = removeIn(target, keys, 0);
    return { target: isObject(changed) ? changed : target, removed };
  }
  return { target: withoutKeys(target, path), removed: ownValue(target, path) };
}

function step(value: Json | undefined, key: string): Json | undefined {
  if (Array.isArray(value)) return INTEGER.test(key) ? value.at(Number(key)) : undefined;
  return isObject(value) ? ownValue(value, key) : undefined;
}

/** The changed container, or undefined when the way does not lead into one. */
function assignIn(
  container: Json | undefined,
  keys: readonly string[],
  at: number,
  value: Json,
  path: string,
): Json | undefined {
  const key = keys[at] as string;
  const isLast = at === keys.length - 1;
  if (Array.isArray(container)) {
    if (!INTEGER.test(key)) return undefined;
    const inner = isLast ? value : assignIn(container.at(Number(key)), keys, at + 1, value, path);
    return inner === undefined ? undefined : withItem(container, Number(key), inner, path);
  }
  if (!isObject(container)) return undefined;
  const inner = isLast ? value : assignIn(ownValue(container, key), keys, at + 1, value, path);
  return inner === undefined ? undefined : withKey(container, key, inner);
}

/** The place of `index` in a list of `length`. Throws a LanguageError when it is far outside. */
export function placeInList(length: number, index: number, path: string): number {
  const at = index < 0 ? length + index : index;
  if (at < 0) throw new LanguageError('IndexError', `cannot set "${path}": the list has only ${length} elements`);
  if (at - length > MAX_LIST_GROWTH)
    throw new LanguageError('IndexError', `cannot set "${path}": more than ${MAX_LIST_GROWTH} elements beyond the end`);
  return at;
}

function withItem(list: readonly Json[], index: number, value: Json, path: string): Json {
  const at = placeInList(list.length, index, path);
  const copy = [...list];
  while (copy.length < at) copy.push(null);
  copy[at] = value;
  return copy;
}

function removeIn(container: Json | undefined, keys: readonly string[], at: number): Json | undefined {
  const key = keys[at] as string;
  const isLast = at === keys.length - 1;
  if (Array.isArray(container)) {
    const index = Number(key) < 0 ? container.length + Number(key) : Number(key);
    if (isLast) return container.toSpliced(index, 1);
    return container.with(index, removeIn(container[index], keys, at + 1) as Json);
  }
  if (!isObject(container)) return container;
  return isLast
    ? withoutKeys(container, key)
    : withKey(container, key, removeIn(ownValue(container, key), keys, at + 1) as Json);
}
