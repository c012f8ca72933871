import { characterAt, quoted, refuse, shortened } from './complaint.ts';
import type { Limits } from './limits.ts';

/** An element in document order: its name as written and where its start tag begins (UTF-16 units). */
export type ScannedElement = { readonly name: string; readonly offset: number };

export type XmlScan = {
  readonly elements: readonly ScannedElement[];
  /** The same document without its declaration, and with an empty comment for each comment and instruction. */
  readonly plain: string;
};

const START =
  ':A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}-\\u{200D}';
const MORE_START =
  '\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}';
const INNER = '\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}-\\u{2040}';
const NAME = new RegExp(`[${START}${MORE_START}][${START}${MORE_START}${INNER}]*`, 'uy');
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const REFERENCE = /&(?:(?:amp|lt|gt|quot|apos)|#(?:[0-9]+|x[0-9a-fA-F]+));/y;
const QUOTED = '(?:"[^"<&]*"|\'[^\'<&]*\')';
const DECLARATION = new RegExp(
  `<\\?xml[ \\t\\r\\n]+version[ \\t\\r\\n]*=[ \\t\\r\\n]*${QUOTED}(?:[ \\t\\r\\n]+encoding[ \\t\\r\\n]*=[ \\t\\r\\n]*${QUOTED})?` +
    `(?:[ \\t\\r\\n]+standalone[ \\t\\r\\n]*=[ \\t\\r\\n]*${QUOTED})?[ \\t\\r\\n]*\\?>`,
  'y',
);
const BLANK = /^[ \t\r\n]*$/;
const COMMENT = '<!---->';

/** True for what XML lets stand as the name of an element or attribute. */
export function isXmlName(name: string): boolean {
  NAME.lastIndex = 0;
  return NAME.exec(name)?.[0] === name;
}

/** True when XML can carry every character of `text`. */
export const isXmlText = (text: string): boolean => !FORBIDDEN.test(text);

/** The text meant by a text that passed the scan: predefined entities and character references decoded, once. */
export function decodeReferences(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-z]+));/g,
    (_all, hex?: string, decimal?: string, name?: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number.parseInt(decimal, 10));
      return PREDEFINED.get(name ?? '') ?? '';
    },
  );
}

const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/**
 * Makes sure that a text is well-formed XML without DOCTYPE, and notes where its elements are.
 *
 * fast-xml-parser reads many a text that is no XML (a second root, unclosed or mismatched elements, attributes that are
 * unquoted or given twice, stray text) and knows no lines, so nothing reaches it that has not passed here.
 *
 * @throws Refusal
 */
export function scanXml(text: string, limits: Limits): XmlScan {
  const forbidden = FORBIDDEN.exec(text);
  if (forbidden !== null)
    refuse(forbidden.index, `XML cannot hold the character ${characterAt(text, forbidden.index)}`);

  const elements: ScannedElement[] = [];
  const open: ScannedElement[] = [];
  const pieces: string[] = [];
  let copied = 0;
  let at = skipSpace(0);
  if (/<\?xml[ \t\r\n]/y.test(text.slice(at, at + 6))) readDeclaration();

  while (at < text.length) {
    const tag = text.indexOf('<', at);
    const end = tag === -1 ? text.length : tag;
    checkText(at, end);
    at = end;
    if (tag === -1) break;
    if (text.startsWith('<!--', at)) readComment();
    else if (text.startsWith('<![CDATA[', at)) readCdata();
    else if (text.startsWith('<!', at)) refuse(at, 'DOCTYPE and other declarations are not allowed in a definition');
    else if (text.startsWith('<?', at)) readInstruction();
    else if (text.startsWith('</', at)) readEndTag();
    else readStartTag();
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) refuse(unclosed.offset, `<${shortened(unclosed.name)}> is never closed`);
  if (elements.length === 0) refuse(0, 'there is no root element');
  pieces.push(text.slice(copied));
  return { elements, plain: pieces.join('') };

  function skipSpace(from: number): number {
    let end = from;
    while (text[end] === ' ' || text[end] === '\n' || text[end] === '\r' || text[end] === '\t') end += 1;
    return end;
  }

  function leaveOut(end: number, instead: string): void {
    pieces.push(text.slice(copied, at), instead);
    copied = end;
    at = end;
  }

  function readDeclaration(): void {
    DECLARATION.lastIndex = at;
    const found = DECLARATION.exec(text)?.[0];
    if (found === undefined) refuse(at, 'malformed XML declaration; write <?xml version="1.0"?> or leave it out');
    leaveOut(at + found.length, '');
  }

  function checkText(from: number, end: number): void {
    if (from === end) return;
    const segment = text.slice(from, end);
    if (open.length === 0) {
      if (BLANK.test(segment)) return;
      refuse(skipSpace(from), elements.length === 0 ? 'text before the root element' : 'text after the root element');
    }
    checkReferences(from, segment);
    const bracket = segment.indexOf(']]>');
    if (bracket !== -1) refuse(from + bracket, '"]]>" cannot stand in a text; write ]]&gt;');
  }

  function checkReferences(from: number, segment: string): void {
    for (let mark = segment.indexOf('&'); mark !== -1; mark = segment.indexOf('&', mark + 1)) {
      REFERENCE.lastIndex = mark;
      const found = REFERENCE.exec(segment)?.[0];
      if (found === undefined)
        refuse(
          from + mark,
          'a bare "&" or unknown entity; write &amp;, &lt;, &gt;, &quot;, &apos; or a number such as &#233;',
        );
      if (found[1] === '#' && !isXmlText(decodedCharacter(found)))
        refuse(from + mark, `XML has no character ${found.slice(0, 20)}`);
    }
  }

  function readComment(): void {
    const end = text.indexOf('--', at + 4);
    if (end === -1) refuse(at, 'this comment is never closed');
    if (text[end + 2] !== '>') refuse(end, '"--" cannot stand within a comment');
    leaveOut(end + 3, COMMENT);
  }

  function readInstruction(): void {
    NAME.lastIndex = at + 2;
    const target = NAME.exec(text)?.[0];
    if (target === undefined) refuse(at, 'a processing instruction needs a name');
    if (target.toLowerCase() === 'xml') refuse(at, 'an XML declaration can stand at the very beginning only');
    const end = text.indexOf('?>', at + 2 + target.length);
    if (end === -1) refuse(at, 'this processing instruction is never closed');
    leaveOut(end + 2, COMMENT);
  }

  function readCdata(): void {
    if (open.length === 0) refuse(at, 'a CDATA section outside the root element');
    const end = text.indexOf(']]>', at + 9);
    if (end === -1) refuse(at, 'this CDATA section is never closed');
    at = end + 3;
  }

  function readEndTag(): void {
    NAME.lastIndex = at + 2;
    const name = NAME.exec(text)?.[0] ?? '';
    const element = open.pop();
    if (element === undefined) refuse(at, `the end tag </${shortened(name)}> closes nothing`);
    if (element.name !== name)
      refuse(at, `the end tag </${shortened(name)}> does not match <${shortened(element.name)}>`);
    const end = skipSpace(at + 2 + name.length);
    if (text[end] !== '>') refuse(end, `expected ">", found ${characterAt(text, end)}`);
    at = end + 1;
  }

  function readStartTag(): void {
    const element = { name: readName(at + 1, 'an element name'), offset: at };
    if (open.length === 0 && elements.length > 0) refuse(at, 'a second root element');
    if (open.length >= limits.depth) refuse(at, `elements are nested more than ${limits.depth} deep`);
    elements.push(element);
    if (elements.length > limits.nodes) refuse(at, `more than ${limits.nodes} expressions`);
    checkLocalName(element);

    let end = at + 1 + element.name.length;
    const seen = new Set<string>();
    for (;;) {
      const next = skipSpace(end);
      if (text[next] === '>') {
        open.push(element);
        at = next + 1;
        return;
      }
      if (text[next] === '/' && text[next + 1] === '>') {
        at = next + 2;
        return;
      }
      if (text[next] === undefined) refuse(at, `the tag <${shortened(element.name)} is never closed`);
      const name = readName(next, 'an attribute, ">" or "/>"');
      if (next === end) refuse(next, `expected white space before the attribute ${quoted(name)}`);
      if (seen.has(name)) refuse(next, `the attribute ${quoted(name)} is given twice`);
      if (seen.size >= limits.attributes) refuse(next, `more than ${limits.attributes} attributes`);
      seen.add(name);
      end = readAttributeValue(name, next + name.length);
    }
  }

  function readAttributeValue(name: string, from: number): number {
    const equals = skipSpace(from);
    if (text[equals] !== '=')
      refuse(equals, `expected "=" after the attribute ${quoted(name)}, found ${characterAt(text, equals)}`);
    const start = skipSpace(equals + 1);
    const quote = text[start];
    if (quote !== '"' && quote !== "'") refuse(start, `the value of the attribute ${quoted(name)} must be in quotes`);
    const close = text.indexOf(quote, start + 1);
    if (close === -1) refuse(start, `the value of the attribute ${quoted(name)} is never closed`);
    const segment = text.slice(start + 1, close);
    const tag = segment.indexOf('<');
    if (tag !== -1) refuse(start + 1 + tag, '"<" cannot stand in an attribute; write &lt;');
    checkReferences(start + 1, segment);
    return close + 1;
  }

  function readName(from: number, wanted: string): string {
    NAME.lastIndex = from;
    const name = NAME.exec(text)?.[0];
    if (name === undefined) refuse(from, `expected ${wanted}, found ${characterAt(text, from)}`);
    return name;
  }

  /** A prefix is dropped later, so there must be something behind it. */
  function checkLocalName({ name, offset }: ScannedElement): void {
    const colon = name.indexOf(':');
    if (colon === -1 || (colon > 0 && colon < name.length - 1 && !name.includes(':', colon + 1))) return;
    refuse(offset, `the element name ${quoted(name)} is not of the form name or prefix:name`);
  }
}

/** The character of one numeric reference; U+0000, which XML has not, when its number is beyond Unicode. */
function decodedCharacter(reference: string): string {
  const hex = reference[2] === 'x';
  const code = Number.parseInt(reference.slice(hex ? 3 : 2, -1), hex ? 16 : 10);
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\0';
}
