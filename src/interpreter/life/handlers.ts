/**
 * # Handlers
 *
 * `on_error`, `on_cancel` and `on_timeout` say what happens when an expression fails, is cancelled, or takes too long: first what still runs
 * below it is cancelled, then the handler runs in its place, and its reply is the reply of the expression. A handler is
 *
 * | written | what happens |
 * |---|---|
 * | a name | a participant, a sub-process or an expression of that name runs with the workitem at hand |
 * | a tree, `[name, { attributes }, [children]]` | the same |
 * | `redo`, `retry` | the expression runs again |
 * | `undo`, `pass` | the expression just replies |
 * | a command of a cursor: `rewind`, `break`, `skip 2`, `jump to x` | is given to the expression, when that is a cursor or an iterator, or else to the one around |
 * | `cancel`, `cando` | its `on_cancel` runs (without one as `undo`, or `redo`); `cando` runs the expression again afterwards |
 *
 * A handler keeps the other handlers and the tag of the expression, so a failing `on_error` is a matter of the expressions around. The
 * handler, a participant say, may decide what happens in the end: the field `__on_error__` (`__on_cancel__`, `__on_timeout__`) in its
 * reply is taken for one more handler (`redo`, `pass`…) of the expression whose place it took.
 *
 * # on_error (attribute)
 *
 * What handles an error. It is looked for at the expression that failed, then around it, further and further out, across sub-processes.
 * Expressions that are being cancelled, or run a handler already, are not asked. When nobody handles it the error waits at its expression
 * for an administrator (or for the late answer of the participant), and the other branches go on.
 *
 * Attributes: `on_error`: a handler as above, or
 *
 * | written | what happens |
 * |---|---|
 * | `''` | the search ends here: the error waits |
 * | `raise` | the error waits at this expression |
 * | `'!name'` | what runs below is killed instead of cancelled: no `on_cancel` of theirs |
 * | `'store: name'`, `'bury: v:name'` | the error goes into that field or variable, and the expression replies |
 * | `'5m: retry * 3, 1h: retry, bob'` | a list: each error uses up the entry in front. `* 3`: three times; `5m:`: after waiting so long. When it is used up the expressions around are asked |
 * | `[ { '/timeout/': 'retry' }, { null: 'bob' } ]` | the first whose pattern fits the message or the class: `/regex/` anywhere in it, a text only as a whole, `null` (or `''`) always |
 *
 * A pattern that is no regular expression handles nothing: the error waits, and tells of it.
 *
 * The failing workitem travels on with the field `__error__`: `fei` (the expression), `at`, `class`, `message`, `deviations` (of a filter),
 * `tree`. After `undo` it is the workitem that the cancelled children gave back.
 *
 * ```radial
 * sequence on_error: '1m: retry * 2, bob'
 *   alice task: 'fetch the file'
 * ```
 *
 * Give unbounded retries a delay; without one they take their turns behind other workflows, but they go on for ever.
 *
 * # on_cancel, on_terminate
 *
 * Attributes: `on_cancel`: the handler when the expression is cancelled (not when it is killed), by whoever: its workflow, a
 * concurrence that is over, `undo`. `on_cancel: ''` just replies. `on_terminate: 'regenerate'`, on the root: when the workflow would end it
 * begins again, with its last fields and its variables.
 *
 * ```radial
 * sequence on_cancel: 'clean_up'
 *   alice
 *   bob
 * ```
 */

import { LanguageError } from '../../language/language-error.ts';
import { compileRegex, literalRegex } from '../../language/regex.ts';
import { utcStamp } from '../../language/when.ts';
import type { ExpressionId } from '../../model/ids.ts';
import { subidOf } from '../../model/ids.ts';
import type { Fields, Json, JsonObject } from '../../model/json.ts';
import { isObject } from '../../model/json.ts';
import { storable } from '../../model/storable.ts';
import { isTreeJson, type Tree, treeToJson, treeToStored } from '../../model/tree.ts';
import type { Acting } from '../state/world.ts';
import { toText, treeOf } from './attributes.ts';
import { parentOf } from './variables.ts';

/*
 * on_error in all its forms (docs/definitions.md, on_error): which handler answers for an error, and retry lists.
 */

/** Larger trees are left out of `__error__`. */
const ERROR_TREE_CHARACTERS_MAX = 10_000;

export const expressionObject = (x: Acting, id: ExpressionId = x.node.id): JsonObject => ({
  engine_id: 'engine',
  wfid: x.world.row.id,
  subid: subidOf(id),
  expid: id.slice(0, id.indexOf('!')),
});

/** A text of at most so many characters, not cut within one (a surrogate pair). */
function cut(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const isPair = /[\uD800-\uDBFF]/.test(text.charAt(characters - 1));
  return `${text.slice(0, isPair ? characters - 1 : characters)}…`;
}

/** An error as definitions see it in `__error__`. */
export function errorFields(x: Acting, error: LanguageError): JsonObject {
  const tree = treeToJson(treeOf(x));
  const treeCharacters = JSON.stringify(tree).length;
  x.world.spend(treeCharacters);
  return {
    fei: expressionObject(x),
    at: utcStamp(x.world.now),
    class: error.errorClass,
    // What it quotes may have been cut within a character.
    message: storable(cut(error.message, x.world.context.limits.errorCharacters)),
    trace: null,
    details: null,
    deviations: error.deviations ?? null,
    tree: treeCharacters > ERROR_TREE_CHARACTERS_MAX ? null : tree,
  };
}

/** What answers for an error at one expression. `entry`: where in its list, and the child that put it there. */
export type Handler = {
  readonly action: Json;
  readonly entry: { readonly at: number; readonly pattern: string | null; readonly child: number | null } | null;
};

/** The handler of this very expression for an error, or null. An empty text stops the search without handling. */
export function handlerAt(x: Acting, error: JsonObject): Handler | null {
  const { onError } = x.node;
  if (onError === null || onError === false) return null;
  if (!Array.isArray(onError) || isTreeJson(onError)) return { action: onError, entry: null };
  const entries = onError as readonly Json[];
  for (const [at, entry] of entries.entries()) {
    const read = readEntry(entry);
    if (read !== null && matches(read.pattern, error))
      return { action: read.action, entry: { at, pattern: read.pattern, child: read.child } };
  }
  return null;
}

function readEntry(
  entry: Json,
): { readonly pattern: string | null; readonly action: Json; readonly child: number | null } | null {
  if (isObject(entry)) {
    const [pair] = Object.entries(entry);
    return pair === undefined
      ? null
      : { pattern: pair[0] === '' ? null : pair[0], action: pair[1] as Json, child: null };
  }
  if (!Array.isArray(entry)) return typeof entry === 'string' ? { pattern: null, action: entry, child: null } : null;
  const [pattern = null, action = null, child = null] = entry as readonly Json[];
  return {
    pattern: pattern === null || pattern === '' ? null : toText(pattern),
    action,
    child: typeof child === 'number' ? child : null,
  };
}

/** Whether a pattern (null = any; `/regex/` searches; a text must be equal) fits the message or the class of an error. */
export function matches(pattern: string | null, error: JsonObject): boolean {
  if (pattern === null) return true;
  const texts = [toText(error['message']), toText(error['class'])];
  const literal = literalRegex(pattern);
  if (literal === null) return texts.includes(pattern);
  const regex = compileRegex(literal.source, literal.flags);
  return texts.some((text) => regex.test(text));
}

/** The nearest expression, from `x` upward, that has something to say about an error. */
export function findHandler(
  x: Acting,
  error: JsonObject,
): { readonly owner: Acting; readonly handler: Handler } | null {
  for (let at: Acting | null = x; at !== null; at = parentOf(at)) {
    // Whoever is being cancelled or runs a handler already is not asked: what it is doing would be lost.
    if (at.node.state !== null) continue;
    const handler = handlerAt(at, error);
    if (handler !== null) return { owner: at, handler };
  }
  return null;
}

export const isImmediate = (action: Json): boolean =>
  typeof action === 'string'
    ? action.startsWith('!')
    : Array.isArray(action) && toText(action[0] as Json).startsWith('!');

/** One use of a retry list: what to do now, and what is left of the list. */
export type RetryUse = { readonly after: string; readonly action: string; readonly rest: string };

/** What only retry lists have: several entries, a count, or a time and its colon (told by the last digit of the time). */
const RETRY_MARK = /[,*]|\d[ywdhmsM]? *:/;

/** Reads a text such as `5m: retry * 3, 1h: retry, alpha`; null when the text is a plain handler. */
export function useRetryList(action: Json): RetryUse | null {
  if (typeof action !== 'string' || !RETRY_MARK.test(action)) return null;
  const entries = action
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const first = entries.shift() ?? '';
  const colon = first.indexOf(':');
  const after = colon < 0 ? '0' : first.slice(0, colon).trim();
  const times = /^(\S+) *\* *(\d+)$/.exec((colon < 0 ? first : first.slice(colon + 1)).trim());
  const name = times === null ? (colon < 0 ? first : first.slice(colon + 1)).trim() : (times[1] ?? '');
  const left = times === null ? 0 : Math.min(Number(times[2]), RETRIES_MAX) - 1;
  // With its delay even when that is none: a bare `retry` would be for ever.
  if (left === 1) entries.unshift(`${after}: ${name}`);
  else if (left > 1) entries.unshift(`${after}: ${name} * ${left}`);
  return { after, action: name, rest: entries.join(', ') };
}

/** More retries than this in one entry of a retry list count as this many. */
const RETRIES_MAX = 1_000_000;

/** The tree of an expression after one use of a retry list: `rest` stands where the list stood, or nothing when it is used up. */
export function withRetriesLeft(tree: Tree, handler: Handler, rest: string): Tree {
  const { entry } = handler;
  const attributes = new Map(tree.attributes);
  if (entry === null) {
    if (rest === '') attributes.delete('on_error');
    else attributes.set('on_error', rest);
    return { ...tree, attributes };
  }
  if (entry.child === null) {
    const list = attributes.get('on_error');
    if (Array.isArray(list)) {
      const entries = [...(list as readonly Json[])];
      entries.splice(entry.at, 1, ...(rest === '' ? [] : [[entry.pattern, rest] as Json]));
      attributes.set('on_error', entries);
    }
    return { ...tree, attributes };
  }
  const { child } = entry;
  return {
    ...tree,
    children: tree.children.map((each, index) => (index === child ? withHandlerLeft(each, entry.pattern, rest) : each)),
  };
}

/** The same for an `on_error` expression that stands among the children. */
function withHandlerLeft(child: Tree, pattern: string | null, rest: string): Tree {
  const attributes = new Map(child.attributes);
  if (pattern !== null && attributes.has(pattern)) {
    if (rest === '') attributes.delete(pattern);
    else attributes.set(pattern, rest);
  } else {
    const text = [...attributes].find(([, value]) => value === null)?.[0];
    if (text !== undefined) attributes.delete(text);
    if (rest !== '') attributes.set(rest, null);
  }
  return { ...child, attributes };
}

export const storedTree = (tree: Tree): readonly Json[] => treeToStored(tree) as readonly Json[];

/** Raises an error again as it was (`error re: …`). */
export function errorFromFields(error: Fields): LanguageError {
  const deviations = error['deviations'];
  return new LanguageError(
    toText(error['class'] ?? 'RuntimeError'),
    toText(error['message']),
    deviations ? { deviations } : {},
  );
}
