import type { Json } from '../model/json.ts';
import type { Tree } from '../model/tree.ts';
import { characterAt, quoted, refuse } from './complaint.ts';
import type { Limits } from './limits.ts';
import { literalReader, NONE, skipBlanks, skipSpace } from './radial-values.ts';
import type { Doubt, Reading } from './reading.ts';

/** A node under construction: its children are still to come. */
type Draft = { readonly name: string; readonly attributes: Map<string, Json>; readonly children: Tree[] };
type Open = { readonly indent: number; readonly node: Draft };

const HEAD = /[^ \r\n#"',]+/y;
const DASHED_WORD = /^[a-z-]+$/;

/**
 * Reads Radial text (docs/definitions.md): one node a line, indented below its parent.
 *
 * The grammar is a PEG, so every choice is final once something after it fails; each stretch of the text is looked at a
 * small number of times and reading takes time in proportion to its length.
 *
 * @throws Refusal
 */
export function readRadial(text: string, limits: Limits): Reading {
  const values = literalReader(text, limits.valueDepth);
  const offsets = new Map<Tree, number>();
  const doubts = new Map<Tree, Doubt[]>();
  const open: Open[] = [];
  let root: Tree | undefined;
  let at = 0;

  while (at < text.length) {
    const lineStart = at;
    const content = skipBlanks(text, at);
    if (isLineEnd(text, content) || text[content] === '#') {
      at = endLine(content);
      continue;
    }
    let start = lineStart;
    while (text[start] === ' ') start += 1;
    HEAD.lastIndex = start;
    const head = HEAD.exec(text)?.[0];
    if (head === undefined)
      refuse(start, `a line must begin with an expression or participant, not ${characterAt(text, start)}`);

    const node: Draft = { name: normalisedHead(head), attributes: new Map(), children: [] };
    at = readAttributes(start + head.length, node.attributes);
    if (values.openQuote() >= start) doubts.set(node, ['quote']);
    at = endLine(at);

    const indent = start - lineStart;
    let beside = indent;
    while ((open.at(-1)?.indent ?? -1) >= indent) beside = open.pop()?.indent ?? indent;
    if (beside !== indent) doubts.set(node, [...(doubts.get(node) ?? []), 'indentation']);
    const parent = open.at(-1);
    if (parent !== undefined) parent.node.children.push(node);
    else if (root === undefined) root = node;
    else
      refuse(
        start,
        `a second top-level line; indent it (with spaces, a tab does not count) to put it under ${quoted(root.name)}`,
      );
    offsets.set(node, start);
    open.push({ indent, node });
    if (offsets.size > limits.nodes) refuse(start, `more than ${limits.nodes} expressions`);
  }
  if (root === undefined) return refuse(0, 'the definition is empty');
  return { tree: root, offsets, doubts };

  /** `( ( comma / blanks ) attribute ( comma attribute )* )?`; answers where it stopped. */
  function readAttributes(from: number, attributes: Map<string, Json>): number {
    let end = from;
    let next = skipComma(end) ?? afterBlanks(end);
    while (next !== undefined) {
      const stop = readAttribute(next, attributes);
      if (stop === undefined) break;
      end = stop;
      next = skipComma(end);
    }
    return end;
  }

  function readAttribute(from: number, attributes: Map<string, Json>): number | undefined {
    const entry = values.entry(from, '', 0);
    if (entry !== undefined) {
      attributes.set(entry.key.replaceAll('-', '_'), entry.value);
      return entry.end;
    }
    const bare = values.value(from, '', 0);
    if (bare === NONE) return undefined;
    if (bare === null) refuse(from, 'null cannot stand alone as a text; quote it, or give it to an attribute');
    const end = values.end();
    attributes.set(bareText(bare, text.slice(from, end)), null);
    return end;
  }

  function skipComma(from: number): number | undefined {
    const comma = skipSpace(text, from);
    return text[comma] === ',' ? skipSpace(text, comma + 1) : undefined;
  }

  function afterBlanks(from: number): number | undefined {
    const end = skipBlanks(text, from);
    return end > from ? end : undefined;
  }

  /** Passes blanks, a comment and the line end; anything else is what could not be read. */
  function endLine(from: number): number {
    let end = skipBlanks(text, from);
    if (text[end] === '#') while (end < text.length && text[end] !== '\n' && text[end] !== '\r') end += 1;
    if (!isLineEnd(text, end)) {
      const stuck = values.furthest();
      if (stuck !== undefined && stuck.offset > end)
        refuse(stuck.offset, `expected ${stuck.wanted}, found ${characterAt(text, stuck.offset)}`);
      refuse(end, unexpected(end));
    }
    return end + (text[end] === '\r' ? 2 : 1);
  }

  function unexpected(offset: number): string {
    const character = characterAt(text, offset);
    const advice =
      text[offset] === ','
        ? 'a comma must be followed by an attribute'
        : 'attributes are separated by commas, and a text with blanks or any of : , = [ ] # is written in quotes';
    return `unexpected ${character}; ${advice}`;
  }
}

const isLineEnd = (text: string, at: number): boolean =>
  at >= text.length || text[at] === '\n' || (text[at] === '\r' && (text[at + 1] === '\n' || at + 1 === text.length));

const normalisedHead = (head: string): string => (DASHED_WORD.test(head) ? head.replaceAll('-', '_') : head);

/** A bare value is a text: what was written for a number or true or false, JSON for a list or an object. */
function bareText(value: Json, written: string): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' ? JSON.stringify(value) : written;
}
