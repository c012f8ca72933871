import { isExact } from '../model/exact.ts';
import type { Json } from '../model/json.ts';
import { quoted, refuse } from './complaint.ts';

/** No value of the kind asked for begins here. (null is a value.) */
export const NONE: unique symbol = Symbol('none');

type Entry = { readonly key: string; readonly value: Json; readonly end: number };
/** What closes the list or object we are in, `''` when we are in none. */
type Closer = '' | ']' | '}';
type Stuck = { readonly offset: number; readonly wanted: string };

type LiteralReader = {
  /** `key : value`, or undefined when there is none at `from`. */
  readonly entry: (from: number, closer: Closer, depth: number) => Entry | undefined;
  /** The value at `from`; `end()` then tells where it stopped. */
  readonly value: (from: number, closer: Closer, depth: number) => Json | typeof NONE;
  readonly end: () => number;
  /** The furthest place where a list, object or entry went wrong: where the author should look. */
  readonly furthest: () => Stuck | undefined;
  /** Where the last text began with a quote that nothing closes; -1 when none did. */
  readonly openQuote: () => number;
};

// White space is ASCII only: a no-break space is a character of a text like any other.
const TEXT = /[^ \t\r\n\f\v:,=[\]#]+/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORDS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['nil', null],
]);
const WORD = /true|false|null|nil/y;
const UNICODE_ESCAPE = /u[0-9a-fA-F]{4}/y;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['a', '\x07'],
  ['b', '\b'],
  ['e', '\x1b'],
  ['f', '\f'],
  ['v', '\v'],
  ['s', ' '],
]);

const isSpace = (character: string | undefined): boolean =>
  character === ' ' ||
  character === '\n' ||
  character === '\r' ||
  character === '\t' ||
  character === '\f' ||
  character === '\v';

/** Blanks and tabs of one line. */
export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return at;
}

/** White space over several lines with at most one comment in it (`sp` of the grammar). */
export function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text[at])) at += 1;
  if (text[at] !== '#') return at;
  while (at < text.length && text[at] !== '\n' && text[at] !== '\r') at += 1;
  while (isSpace(text[at])) at += 1;
  return at;
}

/**
 * The values of Radial: quoted and bare texts, numbers, true, false, null, regular expressions, lists and objects.
 *
 * @throws Refusal for what cannot be meant otherwise: an unknown escape, too big a number, nesting beyond `maxDepth`
 */
export function literalReader(text: string, maxDepth: number): LiteralReader {
  let end = 0;
  let stuck: Stuck | undefined;
  let openQuote = -1;
  const containers = new Map<number, { readonly value: Json | typeof NONE; readonly end: number }>();

  return { entry, value, end: () => end, furthest: () => stuck, openQuote: () => openQuote };

  function note(offset: number, wanted: string): typeof NONE {
    if (stuck === undefined || offset > stuck.offset) stuck = { offset, wanted };
    return NONE;
  }

  function entry(from: number, closer: Closer, depth: number): Entry | undefined {
    const key = readKey(from, closer);
    if (key === NONE) return undefined;
    let at = skipSpace(text, end);
    if (text[at] === ':') at += 1;
    else if (text[at] === '=' && text[at + 1] === '>') at += 2;
    else return undefined;
    at = skipSpace(text, at);
    const found = value(at, closer, depth);
    if (found === NONE) {
      note(at, `a value for ${quoted(key)}`);
      return undefined;
    }
    return { key, value: found, end };
  }

  /** A null key reads as the empty text: in a list of handlers it means "whatever the error". */
  function readKey(from: number, closer: Closer): string | typeof NONE {
    const literal = readQuoted(from);
    if (literal !== NONE) return literal;
    if (readWord(from, closer) === null) return '';
    const regex = readRegex(from);
    return regex === NONE ? readText(from) : regex;
  }

  function value(from: number, closer: Closer, depth: number): Json | typeof NONE {
    const first = text[from];
    if (first === '[' || first === '{') {
      if (depth >= maxDepth) refuse(from, `lists and objects are nested more than ${maxDepth} deep`);
      const found = container(from, first, depth);
      return found === NONE ? readText(from) : found;
    }
    let found: Json | typeof NONE = readQuoted(from);
    if (found === NONE) found = readNumber(from, closer);
    if (found === NONE) found = readWord(from, closer);
    if (found === NONE) found = readRegex(from);
    return found === NONE ? readText(from) : found;
  }

  /**
   * The list or object at `from`. What came of it is remembered: a choice that fails is tried again as a text, and what
   * is inside would be read twice at each level of nesting.
   */
  function container(from: number, opening: '[' | '{', depth: number): Json | typeof NONE {
    const known = containers.get(from);
    if (known !== undefined) {
      end = known.end;
      return known.value;
    }
    const found = opening === '[' ? readList(from, depth + 1) : readObject(from, depth + 1);
    containers.set(from, { value: found, end });
    return found;
  }

  function readList(from: number, depth: number): Json | typeof NONE {
    const list: Json[] = [];
    let at = skipSpace(text, from + 1);
    for (;;) {
      const item = value(at, ']', depth);
      if (item === NONE) break;
      list.push(item);
      at = end;
      const comma = skipSpace(text, at);
      if (text[comma] !== ',') break;
      const next = skipSpace(text, comma + 1);
      if (text[next] === ']') return note(next, 'a value after the comma');
      at = next;
    }
    at = skipSpace(text, at);
    if (text[at] !== ']') return note(at, '"," or "]" in a list');
    end = at + 1;
    return list;
  }

  function readObject(from: number, depth: number): Json | typeof NONE {
    const object: Record<string, Json> = {};
    let at = skipSpace(text, from + 1);
    for (;;) {
      const found = entry(at, '}', depth);
      if (found === undefined) break;
      // An own property even when the key is __proto__.
      Object.defineProperty(object, found.key, {
        value: found.value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
      at = found.end;
      const comma = skipSpace(text, at);
      if (text[comma] !== ',') break;
      const next = skipSpace(text, comma + 1);
      if (text[next] === '}') return note(next, 'a key after the comma');
      at = next;
    }
    at = skipSpace(text, at);
    if (text[at] !== '}') return note(at, '"," or "}" in an object (a bare text before "}" needs a blank behind it)');
    end = at + 1;
    return object;
  }

  function readQuoted(from: number): string | typeof NONE {
    const quote = text[from];
    if (quote !== '"' && quote !== "'") return NONE;
    const close = closing(from + 1, quote);
    if (close === -1) return NONE;
    const body = text.slice(from + 1, close);
    const plain = body.includes('\\') ? unescaped(body, from + 1) : body;
    end = close + 1;
    return plain;
  }

  /** The body is kept as it is but for `\/`, so that `/\d+/` means what it says. */
  function readRegex(from: number): string | typeof NONE {
    if (text[from] !== '/') return NONE;
    const close = closing(from + 1, '/');
    if (close === -1) return NONE;
    const body = text.slice(from + 1, close);
    end = close + 1;
    return `/${body.replace(/\\[\s\S]/g, (pair) => (pair === '\\/' ? '/' : pair))}/`;
  }

  /** Where the next `mark` without a backslash before it stands; -1 when there is none. */
  function closing(from: number, mark: string): number {
    for (let at = from; at < text.length; at += 1) {
      if (text[at] === '\\') at += 1;
      else if (text[at] === mark) return at;
    }
    return -1;
  }

  function readNumber(from: number, closer: Closer): number | typeof NONE {
    NUMBER.lastIndex = from;
    const digits = NUMBER.exec(text)?.[0];
    if (digits === undefined) return NONE;
    const next = text[from + digits.length];
    const ends = next === undefined || next === ',' || next === closer || ' \n\r\t'.includes(next);
    if (!ends) return NONE;
    const number = Number(digits);
    if (!Number.isFinite(number))
      refuse(from, `the number ${digits.slice(0, 40)} is too big; quote it to have it as a text`);
    if (!isExact(digits))
      refuse(from, `the number ${digits.slice(0, 40)} would be changed to ${number}; quote it to have it as a text`);
    end = from + digits.length;
    return number + 0;
  }

  function readWord(from: number, closer: Closer): Json | typeof NONE {
    WORD.lastIndex = from;
    const word = WORD.exec(text)?.[0];
    if (word === undefined) return NONE;
    const next = text[from + word.length];
    if (next !== undefined && next !== closer && !isSpace(next) && !':,=[]#'.includes(next)) return NONE;
    end = from + word.length;
    return WORDS.get(word) ?? null;
  }

  function readText(from: number): string | typeof NONE {
    TEXT.lastIndex = from;
    const found = TEXT.exec(text)?.[0];
    if (found === undefined) return NONE;
    if (text[from] === '"' || text[from] === "'") openQuote = from;
    end = from + found.length;
    return found;
  }

  function unescaped(body: string, offset: number): string {
    let plain = '';
    let copied = 0;
    for (let at = body.indexOf('\\'); at !== -1; at = body.indexOf('\\', copied)) {
      plain += body.slice(copied, at);
      const mark = body[at + 1] as string;
      const replacement = ESCAPES.get(mark);
      UNICODE_ESCAPE.lastIndex = at + 1;
      if (replacement !== undefined) plain += replacement;
      else if (mark === '\n' || mark === '\r') plain += `\\${mark}`;
      else if (mark >= '0' && mark <= '7') plain += String.fromCharCode(Number(mark));
      else if (UNICODE_ESCAPE.test(body)) plain += String.fromCharCode(Number.parseInt(body.slice(at + 2, at + 6), 16));
      else if (/[A-Za-z89]/.test(mark)) refuse(offset + at, `unknown escape \\${mark}; write \\\\ for a backslash`);
      else plain += mark;
      copied = at + (mark === 'u' ? 6 : 2);
    }
    return plain + body.slice(copied);
  }
}
