import { XMLParser } from 'fast-xml-parser';
import type { Json } from '../model/json.ts';
import type { Tree } from '../model/tree.ts';
import { refuse } from './complaint.ts';
import type { Limits } from './limits.ts';
import type { Reading } from './reading.ts';
import { decodeReferences, scanXml } from './xml-scan.ts';

const TEXT = '#text';
const CDATA = '#cdata';
const COMMENT = '#comment';
const ATTRIBUTES = ':@';
/** Before every name in the parser's output, so that no name is special there: `__proto__`, `toString`… XML names cannot begin so. */
const MARK = '.';

// Texts come raw: the library would trim attribute values too and decode more entities than the predefined ones.
const PARSER = {
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: MARK,
  transformTagName: (name: string) => (name.startsWith(MARK) ? name : MARK + name),
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  textNodeName: TEXT,
  cdataPropName: CDATA,
  commentPropName: COMMENT,
  jPath: false,
} as const;

/** A stretch of text between two tags: CDATA is never decoded. */
type Piece = { readonly text: string; readonly literal: boolean };

/**
 * Reads XML text (docs/definitions.md): an element is a node, a text an attribute with the value null.
 *
 * @throws Refusal
 */
export function readXml(text: string, limits: Limits): Reading {
  const scan = scanXml(text, limits);
  const offsets = new Map<Tree, number>();
  const parsed: unknown = new XMLParser({ ...PARSER, maxNestedTags: limits.depth }).parse(scan.plain);
  let seen = 0;
  const root = listOf(parsed).find((item) => elementName(item) !== undefined);
  if (root === undefined) return refuse(0, 'there is no root element');
  const tree = readElement(root);
  if (seen !== scan.elements.length) refuse(0, 'this XML cannot be read without doubt');
  return { tree, offsets };

  function readElement(item: object): Tree {
    const name = elementName(item) ?? '';
    const scanned = scan.elements[seen];
    seen += 1;
    // Two readers of one text that differ about it are what attacks are made of.
    if (scanned?.name !== name) refuse(scanned?.offset ?? 0, 'this XML cannot be read without doubt');

    const attributes = readAttributes(item);
    const children: Tree[] = [];
    let pieces: Piece[] = [];
    const endText = (): void => {
      const found = joined(pieces);
      if (found !== '') attributes.set(found, null);
      pieces = [];
    };
    for (const inner of listOf(property(item, MARK + name))) {
      const plain = property(inner, TEXT);
      const cdata = property(inner, CDATA);
      if (typeof plain === 'string') pieces.push({ text: plain, literal: false });
      else if (cdata !== undefined)
        pieces.push({
          text: listOf(cdata)
            .map((part) => String(property(part, TEXT)))
            .join(''),
          literal: true,
        });
      else {
        endText();
        if (elementName(inner) !== undefined) children.push(readElement(inner));
      }
    }
    endText();
    const tree: Tree = { name: treeName(name), attributes, children };
    offsets.set(tree, scanned.offset);
    return tree;
  }
}

/** Elements lose their namespace prefix; `-` becomes `_`. */
const treeName = (name: string): string => name.slice(name.indexOf(':') + 1).replaceAll('-', '_');

function readAttributes(item: object): Map<string, Json> {
  const attributes = new Map<string, Json>();
  const found = property(item, ATTRIBUTES);
  if (typeof found !== 'object' || found === null) return attributes;
  for (const [marked, value] of Object.entries(found)) {
    const name = marked.slice(MARK.length);
    if (name === 'xmlns' || name.startsWith('xmlns:')) continue;
    attributes.set(name.replaceAll('-', '_'), decodeReferences(String(value)));
  }
  return attributes;
}

/** One text out of the pieces between two tags, without the white space at its ends; a blank written as `&#32;` stays. */
function joined(pieces: readonly Piece[]): string {
  const last = pieces.length - 1;
  const trimmed = pieces.map((piece) => ({ ...piece }));
  for (let i = 0; i <= last; i += 1) {
    const piece = trimmed[i] as { text: string };
    let start = 0;
    while (isSpace(piece.text[start])) start += 1;
    piece.text = piece.text.slice(start);
    if (piece.text !== '') break;
  }
  for (let i = last; i >= 0; i -= 1) {
    const piece = trimmed[i] as { text: string };
    let end = piece.text.length;
    while (isSpace(piece.text[end - 1])) end -= 1;
    piece.text = piece.text.slice(0, end);
    if (piece.text !== '') break;
  }
  return trimmed.map((piece) => (piece.literal ? piece.text : decodeReferences(piece.text))).join('');
}

const isSpace = (character: string | undefined): boolean =>
  character === ' ' || character === '\n' || character === '\r' || character === '\t';

// The library's output is untyped: a list of objects with one key, the marked name or #text and its like.

function listOf(value: unknown): object[] {
  return Array.isArray(value) ? value.filter((item): item is object => typeof item === 'object' && item !== null) : [];
}

const property = (item: object, key: string): unknown =>
  Object.hasOwn(item, key) ? Reflect.get(item, key) : undefined;

const elementName = (item: object): string | undefined =>
  Object.keys(item)
    .find((key) => key.startsWith(MARK))
    ?.slice(MARK.length);
