import { inexactNumber } from '../model/exact.ts';
import { isDeeperThan, type Json, type JsonObject } from '../model/json.ts';
import { closingQuote } from './condition-atoms.ts';
import { type AnyNumber, compareNumbers, ExactNumber, readNumber } from './exact-number.ts';
import { compileRegex, literalRegex } from './regex.ts';

/** As JSON, but with numbers that a double cannot hold. */
export type Data = null | boolean | string | AnyNumber | readonly Data[] | DataObject;
export type DataObject = { readonly [key: string]: Data };

/** One side of a comparison. */
export type Operand =
  | { readonly kind: 'blank' }
  | { readonly kind: 'nil' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number'; readonly value: AnyNumber }
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  | { readonly kind: 'data'; readonly value: readonly Data[] | DataObject };

/** Lists and objects inside each other. */
const MAX_DEPTH = 100;

/** The value that is written as `text`; `shape` says what it is made of. Whatever is no literal is text. */
export function readOperand(text: string, shape: string): Operand {
  if (shape === 'string') return { kind: 'text', text: unquote(text), quoted: true };
  if (shape === 'brackets') {
    const value = readData(text);
    if (value !== undefined) return { kind: 'data', value };
  }
  if (shape === 'word') {
    if (text === 'true' || text === 'false') return { kind: 'boolean', value: text === 'true' };
    if (text === 'nil') return { kind: 'nil' };
    const number = readNumber(text);
    if (number !== undefined) return { kind: 'number', value: number };
  }
  return { kind: 'text', text, quoted: false };
}

/** Equality without coercion: 1 is 1.0, but not "1". */
export function sameOperand(left: Operand, right: Operand): boolean {
  if (left.kind === 'blank' || right.kind === 'blank') return left.kind === right.kind;
  if (left.kind === 'number' && right.kind === 'number') return compareNumbers(left.value, right.value) === 0;
  if (left.kind === 'text' && right.kind === 'text') return left.text === right.text;
  if (left.kind === 'data' && right.kind === 'data') return sameData(left.value, right.value);
  if (left.kind === 'boolean' && right.kind === 'boolean') return left.value === right.value;
  return left.kind === 'nil' && right.kind === 'nil';
}

/** Negative, zero or positive for two numbers or two texts; null when there is no order between the two. */
export function compareOperands(left: Operand, right: Operand): number | null {
  if (left.kind === 'number' && right.kind === 'number') return compareNumbers(left.value, right.value);
  return left.kind === 'text' && right.kind === 'text' ? compareText(left.text, right.text) : null;
}

/** `left =~ right`: right is `/…/flags`, or text that is taken as the source. */
export function matchesRegex(left: Operand, right: Operand): boolean {
  const source = asText(right);
  const literal = literalRegex(source) ?? { source, flags: '' };
  return compileRegex(literal.source, literal.flags).test(asText(left));
}

function asText(operand: Operand): string {
  if (operand.kind === 'text') return operand.text;
  if (operand.kind === 'data') return JSON.stringify(operand.value);
  return operand.kind === 'nil' || operand.kind === 'blank' ? '' : String(operand.value);
}

const isNumber = (value: Data): value is AnyNumber => typeof value === 'number' || value instanceof ExactNumber;
export const isDataObject = (value: Data): value is DataObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isNumber(value);

/** No deeper than MAX_DEPTH, as both were read. */
function sameData(a: Data, b: Data): boolean {
  if (isNumber(a) || isNumber(b)) return isNumber(a) && isNumber(b) && compareNumbers(a, b) === 0;
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, i) => sameData(item, b[i] as Data))
    );
  if (!isDataObject(a) || !isDataObject(b)) return a === b;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameData(a[key] as Data, b[key] as Data))
  );
}

/** By code point: surrogates would sort before U+E000 otherwise. */
function compareText(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) return (a.codePointAt(i) as number) - (b.codePointAt(i) as number);
  }
  return a.length - b.length;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['b', '\b'],
  ['f', '\f'],
  ['0', '\0'],
  ['e', '\x1b'],
  ['s', ' '],
]);

/** The content of a quoted string. Single quotes know only `\'` and `\\`, as in Ruby. */
function unquote(text: string): string {
  const body = text.slice(1, -1);
  if (!body.includes('\\')) return body;
  if (text.startsWith("'")) return body.replace(/\\([\\'])/g, '$1');
  return body.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code: string | undefined, char: string) =>
    code === undefined ? (ESCAPES.get(char) ?? char) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/**
 * A list `[a, 'b', 1]` or an object `{a => 1, "b": 2}`; undefined when it is malformed. Elements may be bare words,
 * up to the next comma or bracket.
 */
function readData(text: string): readonly Data[] | DataObject | undefined {
  let isJson = false;
  if (text.length > 2) {
    try {
      // What substitution put there is JSON.
      const value = JSON.parse(text) as Json;
      if (isDeeperThan(value, MAX_DEPTH)) return undefined;
      if (inexactNumber(text) === null) return value as readonly Json[] | JsonObject; // It begins with a bracket.
      isJson = true;
    } catch {
      // Written by hand, then.
    }
  }
  const reader = { text, at: 0, isJson };
  const value = readItem(reader, 0);
  skipBlanks(reader);
  return Array.isArray(value) || (value !== undefined && isDataObject(value))
    ? reader.at === text.length
      ? value
      : undefined
    : undefined;
}

type Reader = { readonly text: string; at: number; readonly isJson: boolean };

/** A character of a bare word; a blank cannot begin one, and `=>` ends it. */
const BARE = /[^,[\]{}:]/;
const BARE_START = /[^\s,[\]{}:"']/;

/** Where the quoted text or bare word at `from` ends; -1 when none begins there. Each character is looked at once. */
function itemEnd(text: string, from: number): number {
  const first = text[from];
  if (first === '"' || first === "'") return closingQuote(text, from);
  if (first === undefined || !BARE_START.test(first) || text.startsWith('=>', from)) return -1;
  let at = from + 1;
  while (at < text.length && BARE.test(text[at] as string) && !text.startsWith('=>', at)) at += 1;
  return at;
}

/** Passes what the sticky `pattern` finds; undefined when that is nothing. */
function take(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text)?.[0];
  if (found !== undefined) reader.at += found.length;
  return found;
}

const skipBlanks = (reader: Reader): void => {
  take(reader, /\s*/y);
};

function readItem(reader: Reader, depth: number): Data | undefined {
  if (depth > MAX_DEPTH) return undefined;
  skipBlanks(reader);
  const opening = take(reader, /[[{]/y);
  if (opening === '[') return readList(reader, depth);
  if (opening === '{') return readObject(reader, depth);
  const end = itemEnd(reader.text, reader.at);
  if (end < 0) return undefined;
  const written = reader.text.slice(reader.at, end).trim();
  reader.at = end;
  if (reader.isJson && written === 'null') return null;
  const shape = /^["']/.test(written) ? 'string' : 'word';
  const value = readOperand(written, shape);
  if (value.kind === 'text') return value.text;
  if (value.kind === 'number') return value.value;
  return value.kind === 'boolean' ? value.value : null;
}

function readList(reader: Reader, depth: number): Data | undefined {
  const items: Data[] = [];
  skipBlanks(reader);
  if (take(reader, /\]/y) !== undefined) return items;
  for (;;) {
    const item = readItem(reader, depth + 1);
    if (item === undefined) return undefined;
    items.push(item);
    skipBlanks(reader);
    if (take(reader, /\]/y) !== undefined) return items;
    if (take(reader, /,/y) === undefined) return undefined;
  }
}

function readObject(reader: Reader, depth: number): Data | undefined {
  const entries: [string, Data][] = [];
  skipBlanks(reader);
  if (take(reader, /\}/y) !== undefined) return {};
  for (;;) {
    const key = readItem(reader, depth + 1);
    if (key === undefined || isDataObject(key) || Array.isArray(key)) return undefined;
    skipBlanks(reader);
    if (take(reader, /=>|:/y) === undefined) return undefined;
    const value = readItem(reader, depth + 1);
    if (value === undefined) return undefined;
    entries.push([String(key), value]);
    skipBlanks(reader);
    if (take(reader, /\}/y) !== undefined) return Object.fromEntries(entries);
    if (take(reader, /,/y) === undefined) return undefined;
  }
}
