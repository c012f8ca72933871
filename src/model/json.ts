/** Anything JSON can say. Values are never changed in place: whoever wants another value makes another value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** The fields of a workitem: what travels through a workflow. Treated as a value; equal parts are shared by reference. */
export type Fields = JsonObject;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A copy of `object` with `key` set. `__proto__` becomes an ordinary own key, so that strangers' keys can do no harm.
 */
export function withKey(object: JsonObject, key: string, value: Json): JsonObject {
  const copy: Record<string, Json> = { ...object };
  if (key === '__proto__')
    Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true });
  else copy[key] = value;
  return copy;
}

/** A copy of `object` without `keys`; the object itself when it has none of them. */
export function withoutKeys(object: JsonObject, ...keys: readonly string[]): JsonObject {
  if (!keys.some((key) => Object.hasOwn(object, key))) return object;
  const copy: Record<string, Json> = { ...object };
  for (const key of keys) delete copy[key];
  return copy;
}

/** The own value of `key`, or undefined; inherited names such as `constructor` are never found. */
export const ownValue = (object: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/** Deep equality of JSON values; the order of keys does not matter. */
export function equalJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => equalJson(item, b[i] as Json));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && equalJson(a[key] as Json, b[key] as Json));
}

/** True when lists and objects are nested more than `limit` deep in `value`. Takes no stack, however deep it is. */
export function isDeeperThan(value: Json, limit: number): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const next: Json[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      if (depth >= limit) return true;
      for (const inner of Object.values(item) as Json[]) next.push(inner);
    }
    level = next;
  }
  return false;
}

/** Equal texts for values that are equal as `equalJson` has it: keys are in order. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as Json)}`).join()}}`;
}

/** A copy of `object` without any of `keys`, however many they are. */
export function withoutAll(object: JsonObject, keys: Iterable<string>): JsonObject {
  const copy: Record<string, Json> = { ...object };
  for (const key of keys) delete copy[key];
  return copy;
}
