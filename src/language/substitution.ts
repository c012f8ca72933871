/**
 * # Dollar notation
 *
 * `${…}` anywhere in a text of the definition (attribute values, lists and objects in them, keys, the text, the head of an expression) is
 * replaced when the expression looks at it:
 *
 * | written | stands for |
 * |---|---|
 * | `${name}`, `${f:name}`, `${field:name}` | a field, as text: nothing when missing, JSON for lists and objects |
 * | `${v:name}`, `${v:/name}` | a variable, of the nearest scope, of the workflow |
 * | `${fv:name}`, `${vf:name}` | the first of both that is there |
 * | `${'name}`, `${"name}` | the same as a quoted text, for conditions |
 * | `${wfid}`, `${fei}`, `${expid}`, `${subid}`, `${mnemo_id}`, `${engine_id}` | ids of the workflow and the expression |
 * | `${tag}`, `${full_tag}`, `${tags}` | the innermost tag, all of them joined by slashes, and as a list |
 * | `${v:${f:which}}` | names may be put together |
 * | `\${` | the two characters themselves |
 * | `$name`, `$f:name`, `$v:name` as the whole text | the value itself, with its type; nothing when missing |
 * | `$100`, `$1,50` | themselves: money, not fields |
 *
 * Names are dotted (`${order.lines.0.price}`). Only what the author wrote is read this way: what was put in is never read again. An
 * unclosed `${` stays as it is. `${r:…}` (program code) is an error.
 *
 * ```radial
 * alice greeting: 'Dear ${f:customer.name}', order: '$f:order'
 * ```
 */
import { isObject, type Json } from '../model/json.ts';
import { cut } from '../model/text.ts';
import { LanguageError } from './language-error.ts';

/** Where names are looked up. Paths are dotted; undefined means "not there". */
export type SubstitutionScope = {
  readonly field: (path: string) => Json | undefined;
  /** Understands the prefixes `/` and `//` itself. */
  readonly variable: (path: string) => Json | undefined;
  /** wfid, subid, expid, fei, engine_id, mnemo_id, sub_wfid, tag, tags, full_tag; undefined for any other name. */
  readonly special: (name: string) => Json | undefined;
};

/** Characters that one substitution, however deep, may produce. */
export const MAX_SUBSTITUTED_LENGTH = 4_000_000;
/** Nesting of lists and objects that are substituted. */
const MAX_DEPTH = 500;

export const SPECIAL_NAMES: ReadonlySet<string> = new Set([
  'wfid',
  'subid',
  'expid',
  'fei',
  'engine_id',
  'mnemo_id',
  'sub_wfid',
  'tag',
  'tags',
  'full_tag',
]);

const WHOLE = /^\$(?:(f|fld|field|v|var|variable):([^\s{}$]+)|([^\s{}$:]+))$/;
/** `$10`, `$1,000.50`: amounts of money, left alone. */
const AMOUNT = /^[0-9][0-9.,']*$/;

/**
 * The value of `text` after substitution: a text, or for a whole `$name` the value of that name, null when missing.
 * Throws a LanguageError for `${r:…}` and when more than MAX_SUBSTITUTED_LENGTH characters would come out.
 */
export function substitute(text: string, scope: SubstitutionScope): Json {
  return text.includes('$') ? substituteWithin(text, scope, { left: MAX_SUBSTITUTED_LENGTH }) : text;
}

/** As `substitute`, for every text inside `value`: elements of lists, values and keys of objects. */
export function substituteDeep(value: Json, scope: SubstitutionScope): Json {
  return deep(value, scope, { left: MAX_SUBSTITUTED_LENGTH }, 0);
}

type Budget = { left: number };

function deep(value: Json, scope: SubstitutionScope, budget: Budget, depth: number): Json {
  if (typeof value === 'string') return value.includes('$') ? substituteWithin(value, scope, budget) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) throw new LanguageError('ArgumentError', `cannot substitute in more than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return value.map((item) => deep(item, scope, budget, depth + 1));
  if (!isObject(value)) return value;
  // fromEntries makes own keys of whatever comes, `__proto__` included.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      asText(deep(key, scope, budget, depth + 1)),
      deep(item, scope, budget, depth + 1),
    ]),
  );
}

function substituteWithin(text: string, scope: SubstitutionScope, budget: Budget): Json {
  const whole = WHOLE.exec(text);
  if (whole !== null) {
    const [, prefix, path = '', plain = ''] = whole;
    if (prefix !== undefined) return (prefix.startsWith('f') ? scope.field(path) : scope.variable(path)) ?? null;
    return AMOUNT.test(plain) ? text : (scope.field(plain) ?? null);
  }
  return text.includes('${') ? substituteKeys(text, scope, budget) : text;
}

/** An open `${`: what has been collected of its key, and how many plain braces are open in it. */
type OpenKey = { text: string; braces: number };

/** One pass over the author's text with a stack of open keys; an unclosed key is left as it was written. */
function substituteKeys(text: string, scope: SubstitutionScope, budget: Budget): string {
  const stack: OpenKey[] = [];
  let top: OpenKey = { text: '', braces: 0 };
  const marks = /\\\$\{|\$\{|[{}]/g;
  let from = 0;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    top.text += text.slice(from, mark.index);
    from = marks.lastIndex;
    if (mark[0] === '\\${') {
      top.text += '${';
      // In a key, this brace is a plain one that wants its partner.
      if (stack.length > 0) top.braces += 1;
    } else if (mark[0] === '${') {
      stack.push(top);
      top = { text: '', braces: 0 };
    } else if (mark[0] === '}' && stack.length > 0 && top.braces === 0) {
      const value = textFor(top.text, scope);
      budget.left -= value.length;
      if (budget.left < 0)
        throw new LanguageError(
          'ArgumentError',
          `substitution gives more than ${MAX_SUBSTITUTED_LENGTH} characters, at "${cut(text, 60)}"`,
        );
      top = stack.pop() as OpenKey;
      top.text += value;
    } else {
      if (stack.length > 0) top.braces += mark[0] === '{' ? 1 : -1;
      top.text += mark[0];
    }
  }
  top.text += text.slice(from);
  const parts = [...stack, top].map((open) => open.text);
  return parts.join('${');
}

/** The text that stands for `${written}`; '' for a name nobody knows. */
function textFor(written: string, scope: SubstitutionScope): string {
  const quoted = written.startsWith("'") || written.startsWith('"');
  const text = asText(find(quoted ? written.slice(1) : written, scope));
  return quoted ? JSON.stringify(text) : text;
}

function find(key: string, scope: SubstitutionScope): Json | undefined {
  if (SPECIAL_NAMES.has(key)) return scope.special(key);
  const colon = key.indexOf(':');
  const prefix = colon < 0 ? 'f' : key.slice(0, colon);
  const path = key.slice(colon + 1);
  if (prefix.startsWith('r'))
    throw new LanguageError(
      'ArgumentError',
      `'ruby_eval_allowed' is set to false, cannot evaluate >${path}< (http://ruote.rubyforge.org/dollar.html)`,
    );
  if (path === '') return undefined;
  if (prefix.startsWith('fv')) return scope.field(path) ?? scope.variable(path);
  if (prefix.startsWith('vf')) return scope.variable(path) ?? scope.field(path);
  if (prefix.startsWith('f')) return scope.field(path);
  if (prefix.startsWith('v')) return scope.variable(path);
  return undefined;
}

function asText(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
