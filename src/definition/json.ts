import { isExact } from '../model/exact.ts';
import type { Json } from '../model/json.ts';
import type { Tree } from '../model/tree.ts';
import { characterAt, quoted, refuse } from './complaint.ts';
import type { Limits } from './limits.ts';
import { pathText, type Reading } from './reading.ts';

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** Neither control characters, nor `"`, nor a backslash. */
const PLAIN = /[ !#-[\]-\uFFFF]*/y;
const HEX = /[0-9a-fA-F]{4}/y;
const ESCAPES: ReadonlyMap<string | undefined, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
const WORDS: readonly (readonly [string, Json])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/**
 * Reads JSON text (docs/definitions.md): strictly JSON, and a tree all the way down.
 *
 * JSON.parse would do, but it knows no lines, moves integer-like attribute names to the front and does not say which
 * node is wrong.
 *
 * @throws Refusal
 */
export function readJson(text: string, limits: Limits): Reading {
  const offsets = new Map<Tree, number>();
  const path: number[] = [];
  let at = skipSpace(0);
  const tree = readNode(1);
  at = skipSpace(at);
  if (at < text.length) refuse(at, `the tree ends before ${characterAt(text, at)}; there must be nothing behind it`);
  return { tree, offsets };

  function skipSpace(from: number): number {
    let end = from;
    while (text[end] === ' ' || text[end] === '\n' || text[end] === '\r' || text[end] === '\t') end += 1;
    return end;
  }

  function readNode(depth: number): Tree {
    const offset = at;
    if (text[at] !== '[')
      refuse(at, `${place()} must be a tree, [name, {attributes}, [children]], not ${characterAt(text, at)}`);
    if (depth > limits.depth) refuse(at, `expressions are nested more than ${limits.depth} deep`);
    at = skipSpace(at + 1);
    if (text[at] !== '"') refuse(at, `${place()} must begin with its name, a text, not ${characterAt(text, at)}`);
    const name = readString();
    separator('attributes');
    if (text[at] !== '{') refuse(at, `the attributes of ${place()} must be an object, not ${characterAt(text, at)}`);
    const attributes = new Map<string, Json>();
    readMembers(1, (key, value) => attributes.set(key, value));
    separator('children');
    if (text[at] !== '[') refuse(at, `the children of ${place()} must be a list, not ${characterAt(text, at)}`);
    const children: Tree[] = [];
    readItems(() => {
      path.push(children.length);
      children.push(readNode(depth + 1));
      path.pop();
    });
    at = skipSpace(at);
    if (text[at] !== ']')
      refuse(
        at,
        `${place()} has three parts, name, attributes and children; expected "]", found ${characterAt(text, at)}`,
      );
    at += 1;
    const tree: Tree = { name, attributes, children };
    offsets.set(tree, offset);
    if (offsets.size > limits.nodes) refuse(offset, `more than ${limits.nodes} expressions`);
    return tree;
  }

  function place(): string {
    return path.length === 0 ? 'the definition' : `the node ${pathText(path)}`;
  }

  function separator(wanted: string): void {
    at = skipSpace(at);
    if (text[at] !== ',')
      refuse(
        at,
        `${place()} must be [name, {attributes}, [children]]; expected its ${wanted}, found ${characterAt(text, at)}`,
      );
    at = skipSpace(at + 1);
  }

  /** The items of the list at `at`, each read by `readItem`. */
  function readItems(readItem: () => void): void {
    at = skipSpace(at + 1);
    if (text[at] === ']') {
      at += 1;
      return;
    }
    for (;;) {
      readItem();
      at = skipSpace(at);
      if (text[at] === ']') break;
      if (text[at] !== ',') refuse(at, `expected "," or "]", found ${characterAt(text, at)}`);
      at = skipSpace(at + 1);
    }
    at += 1;
  }

  /** The members of the object at `at`. Of members with the same key the last one counts. */
  function readMembers(depth: number, member: (key: string, value: Json) => void): void {
    at = skipSpace(at + 1);
    if (text[at] === '}') {
      at += 1;
      return;
    }
    for (;;) {
      if (text[at] !== '"') refuse(at, `expected a key in double quotes, found ${characterAt(text, at)}`);
      const key = readString();
      at = skipSpace(at);
      if (text[at] !== ':') refuse(at, `expected ":" after the key ${quoted(key)}, found ${characterAt(text, at)}`);
      at = skipSpace(at + 1);
      member(key, readValue(depth));
      at = skipSpace(at);
      if (text[at] === '}') break;
      if (text[at] !== ',') refuse(at, `expected "," or "}", found ${characterAt(text, at)}`);
      at = skipSpace(at + 1);
    }
    at += 1;
  }

  function readValue(depth: number): Json {
    const first = text[at];
    if (first === '"') return readString();
    if (first === '[' || first === '{') {
      if (depth > limits.valueDepth) refuse(at, `lists and objects are nested more than ${limits.valueDepth} deep`);
      return first === '[' ? readList(depth) : readObject(depth);
    }
    for (const [word, value] of WORDS) {
      if (!text.startsWith(word, at)) continue;
      at += word.length;
      return value;
    }
    NUMBER.lastIndex = at;
    const digits = NUMBER.exec(text)?.[0];
    if (digits === undefined) refuse(at, `expected a value, found ${characterAt(text, at)}`);
    const number = Number(digits);
    if (!Number.isFinite(number))
      refuse(at, `the number ${digits.slice(0, 40)} is too big; quote it to have it as a text`);
    if (!isExact(digits))
      refuse(at, `the number ${digits.slice(0, 40)} would be changed to ${number}; quote it to have it as a text`);
    at += digits.length;
    return number + 0;
  }

  function readList(depth: number): Json {
    const list: Json[] = [];
    readItems(() => list.push(readValue(depth + 1)));
    return list;
  }

  function readObject(depth: number): Json {
    const object: Record<string, Json> = {};
    // An own property even when the key is __proto__.
    readMembers(depth + 1, (key, value) =>
      Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true }),
    );
    return object;
  }

  function readString(): string {
    const offset = at;
    const parts: string[] = [];
    at += 1;
    for (;;) {
      PLAIN.lastIndex = at;
      const plain = PLAIN.exec(text)?.[0] ?? '';
      at += plain.length;
      const next = text[at];
      if (next === '"') {
        at += 1;
        if (parts.length === 0) return plain;
        parts.push(plain);
        return parts.join('');
      }
      if (next === undefined) refuse(offset, 'this text is never closed');
      if (next !== '\\')
        refuse(at, `the character ${characterAt(text, at)} must be written as an escape in a JSON text`);
      parts.push(plain, readEscape());
    }
  }

  function readEscape(): string {
    const mark = text[at + 1];
    if (mark === 'u') {
      HEX.lastIndex = at + 2;
      const hex = HEX.exec(text)?.[0];
      if (hex === undefined) refuse(at, '\\u must be followed by four hexadecimal digits');
      at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const character = ESCAPES.get(mark);
    if (character === undefined) refuse(at, `unknown escape, a backslash before ${characterAt(text, at + 1)}`);
    at += 2;
    return character;
  }
}
