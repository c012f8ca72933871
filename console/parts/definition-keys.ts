import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';

/** What the server says of a stored definition beside the keys that were stored with its text. */
const ABOUT: ReadonlySet<string> = new Set(
  'definition name version active sha256 format note created_at created_by'.split(' '),
);

/** What is stored with a text, such as callbacks and schedules: sent again with the next text, it stays. */
export const keysOf = (shown: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(shown).filter(([name, value]) => !ABOUT.has(name) && value !== null)) as JsonObject;

/** The name a definition gives itself, and its workflows have; empty: it has none. */
export function nameIn(tree: Json): string {
  const attributes = Array.isArray(tree) ? (tree as readonly Json[])[1] : undefined;
  const name = isObject(attributes ?? null) ? (attributes as JsonObject)['name'] : undefined;
  return typeof name === 'string' ? name : '';
}
