import type { Json, JsonObject } from '../../model/json.ts';
import { shownJson } from '../../model/text.ts';
import { Problem } from '../problem.ts';

/*
 * Forms with bracketed keys: `a[b]=1` is { a: { b: '1' } }, `a[]=1` a list, `a[][b]=1&a[][c]=2&a[][b]=3` a list of objects, each begun
 * by a key the last one has already, and `a[0]=1&a[1]=2` a list, too. Of a key in brackets that comes twice the last one counts; a
 * parameter that comes twice is both of its values, so that whoever wants one text refuses it. Every leaf is a text. What cannot be read faithfully is refused.
 */

/** Parameters of a form, and how deep their keys may be nested. */
const PARAMETERS_MAX = 2_000;
const DEPTH_MAX = 12;

type Draft = { [key: string]: Value };
type Value = Draft | Value[] | string;
const isDraft = (value: Value): value is Draft => typeof value === 'object' && !Array.isArray(value);

/** @throws Problem `body_malformed` with the place */
export function readForm(text: string): JsonObject {
  const pairs = text === '' ? [] : text.split('&', PARAMETERS_MAX + 1);
  if (pairs.length > PARAMETERS_MAX) throw malformed(`a form has at most ${PARAMETERS_MAX} parameters`);
  const root: Draft = {};
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decoded(pair.slice(equals + 1));
    assign(root, keysOf(name), value, name);
  }
  return withLists(root) as JsonObject;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw malformed(`${shown(text)} is not percent-encoded UTF-8`);
  }
}

/** `a[b][]` → a, b, '' */
function keysOf(name: string): readonly string[] {
  const [, head, rest] = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name) ?? [];
  if (head === undefined || rest === undefined)
    throw malformed(`${shown(name)} is no name: brackets come in pairs behind it, as in a[b]`);
  const keys = [head, ...(rest === '' ? [] : rest.slice(1, -1).split(']['))];
  if (keys.length > DEPTH_MAX) throw malformed(`${shown(name)} is nested more than ${DEPTH_MAX} deep`);
  if (keys.includes('__proto__')) throw malformed('no parameter of a form can be called __proto__');
  return keys;
}

function assign(root: Draft, keys: readonly string[], value: string, name: string): void {
  let at: Draft = root;
  for (let i = 0; ; i++) {
    const key = keys[i] ?? '';
    const next = keys[i + 1];
    const held: Value | undefined = Object.hasOwn(at, key) ? at[key] : undefined;
    if (next === undefined) {
      if (keys.length === 1 && typeof held === 'string') {
        at[key] = [held, value];
        return;
      }
      if (keys.length === 1 && Array.isArray(held)) {
        held.push(value);
        return;
      }
      if (held !== undefined && typeof held !== 'string') throw clash(name);
      at[key] = value;
      return;
    }
    if (next !== '') {
      if (held !== undefined && !isDraft(held)) throw clash(name);
      const inner: Draft = held ?? {};
      at[key] = inner;
      at = inner;
      continue;
    }
    if (held !== undefined && !Array.isArray(held)) throw clash(name);
    const list = held ?? [];
    at[key] = list;
    const behind = keys.slice(i + 2);
    if (behind.length === 0) {
      list.push(value);
      return;
    }
    if (behind[0] === '') throw malformed(`${shown(name)}: a list in a list cannot be said in a form; send JSON`);
    const last = list.at(-1);
    if (last !== undefined && !isDraft(last)) throw clash(name);
    const element: Draft = last === undefined || has(last, behind) ? {} : last;
    if (element !== last) list.push(element);
    assign(element, behind, value, name);
    return;
  }
}

/** Whether an element has a value there: then the next element begins. A list may have one more. */
function has(element: Draft, keys: readonly string[]): boolean {
  let at: Value | undefined = element;
  for (const key of keys) {
    if (key === '') return false;
    at = isDraft(at) && Object.hasOwn(at, key) ? at[key] : undefined;
    if (at === undefined) return false;
  }
  return true;
}

/** Objects whose keys are 0, 1, 2, … are lists. Depth is bounded by that of the keys. */
function withLists(value: Value): Json {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(withLists);
  const keys = Object.keys(value);
  if (keys.length > 0 && keys.every((key, i) => key === String(i))) return Object.values(value).map(withLists);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withLists(inner)]));
}

const shown = (text: string): string => shownJson(text, 100);
const clash = (name: string): Problem =>
  malformed(`${shown(name)} is given as a value of one kind and of another: text, object or list`);
const malformed = (why: string): Problem => new Problem('body_malformed', `The form cannot be read: ${why}`);
