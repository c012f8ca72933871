import { isObject, type Json } from '../model/json.ts';
import type { Tree } from '../model/tree.ts';
import { EXPRESSION_NAMES } from '../model/vocabulary.ts';
import { quoted } from './complaint.ts';
import { pathText } from './reading.ts';
import { isXmlName, isXmlText } from './xml-scan.ts';

/** A definition as text, or why this format has no way to say it. */
export type Printed = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string };

/** Ends printing from deep inside a tree; no other file sees it. */
class Unsayable extends Error {}

function printed(print: () => string): Printed {
  try {
    return { ok: true, text: print() };
  } catch (error) {
    if (!(error instanceof Unsayable)) throw error;
    return { ok: false, message: error.message };
  }
}

/**
 * A tree as JSON text, a node a line where it has children. `readDefinition` gives the same tree back for every legal
 * tree; integer-like attribute names keep their place.
 */
export function printJson(tree: Tree): string {
  return `${jsonNode(tree, '')}\n`;
}

function jsonNode(tree: Tree, indent: string): string {
  const members = [...tree.attributes].map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  const attributes = members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
  const head = `${indent}[${JSON.stringify(tree.name)}, ${attributes}, [`;
  if (tree.children.length === 0) return `${head}]]`;
  return `${head}\n${tree.children.map((child) => jsonNode(child, `${indent}  `)).join(',\n')}\n${indent}]]`;
}

/**
 * A tree as Radial text. `readDefinition` gives the same tree back.
 *
 * Radial cannot say: heads that are empty or blank or contain a blank, a line end or any of `# " ' ,`; heads of small
 * letters and dashes only (the dashes would become underscores); names of attributes with a dash, unless their value is
 * null (a text); a root that is a single word and no expression, or begins as another format does.
 */
export const printRadial = (tree: Tree): Printed =>
  printed(() => {
    if (tree.children.length === 0 && tree.attributes.size === 0 && !EXPRESSION_NAMES.has(tree.name))
      throw new Unsayable(
        `${quoted(tree.name)} alone is a single word and no expression, which Radial does not take for a definition`,
      );
    if (/^\s*[<[{\uFEFF]/.test(tree.name) || /\bRuote\./.test(tree.name))
      throw new Unsayable(`a definition that begins with ${quoted(tree.name)} is not taken for Radial`);
    const lines: string[] = [];
    addRadialLines(tree, [], lines);
    return `${lines.join('\n')}\n`;
  });

function addRadialLines(tree: Tree, path: readonly number[], lines: string[]): void {
  if (!isRadialHead(tree.name))
    throw new Unsayable(`${quoted(tree.name)} (at ${pathText(path)}) cannot begin a line of Radial`);
  const attributes = [...tree.attributes].map(([key, value]) => {
    if (value === null) return radialText(key);
    if (key.includes('-'))
      throw new Unsayable(`the dash in the attribute ${quoted(key)} (at ${pathText(path)}) would be lost in Radial`);
    return `${radialKey(key)}: ${radialValue(value)}`;
  });
  const indent = '  '.repeat(path.length);
  lines.push(attributes.length === 0 ? indent + tree.name : `${indent}${tree.name} ${attributes.join(', ')}`);
  for (const [index, child] of tree.children.entries()) addRadialLines(child, [...path, index], lines);
}

const isRadialHead = (name: string): boolean =>
  /^[^ \r\n#"',]+$/.test(name) && name.trim() !== '' && !(/^[a-z-]+$/.test(name) && name.includes('-'));

/** Words that mean themselves wherever they stand; everything else is quoted. */
const radialKey = (key: string): string =>
  /^[A-Za-z_][\w.]*$/.test(key) && !/^(null|nil)$/.test(key) ? key : radialText(key);

function radialText(text: string): string {
  const body = text
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return `'${body}'`;
}

function radialValue(value: Json): string {
  if (typeof value === 'string') return radialText(value);
  if (Array.isArray(value)) return `[${value.map((item) => radialValue(item as Json)).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => `${radialText(key)}: ${radialValue(item)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

/**
 * A tree as XML text. `readDefinition` gives the same tree back, but texts (attributes with the value null) come behind
 * the other attributes.
 *
 * XML cannot say: attributes whose value is neither text nor null; heads and attributes that are no XML names, or have
 * a dash (it would become an underscore), heads with a colon, attributes that look like namespace declarations; an
 * empty text; characters that XML does not know, such as most control characters.
 */
export const printXml = (tree: Tree): Printed =>
  printed(() => {
    const lines: string[] = [];
    addXmlLines(tree, [], lines);
    return `${lines.join('\n')}\n`;
  });

function addXmlLines(tree: Tree, path: readonly number[], lines: string[]): void {
  const where = `(at ${pathText(path)})`;
  if (!isPlainXmlName(tree.name) || tree.name.includes(':'))
    throw new Unsayable(`${quoted(tree.name)} ${where} cannot be the name of an element`);
  const attributes: string[] = [];
  const texts: string[] = [];
  for (const [key, value] of tree.attributes) {
    if (value === null) {
      if (key === '') throw new Unsayable(`an empty text ${where} cannot be said in XML`);
      texts.push(xmlText(key, where));
    } else if (typeof value !== 'string')
      throw new Unsayable(`the attribute ${quoted(key)} ${where} is no text, and XML has texts only`);
    else if (!isPlainXmlName(key) || key === 'xmlns' || key.startsWith('xmlns:'))
      throw new Unsayable(`${quoted(key)} ${where} cannot be the name of an attribute in XML`);
    else attributes.push(` ${key}="${xmlText(value, where)}"`);
  }
  const indent = '  '.repeat(path.length);
  const start = `${indent}<${tree.name}${attributes.join('')}`;
  // Texts side by side would be one, so a comment keeps them apart.
  const text = texts.join('<!-- and -->');
  if (tree.children.length === 0) {
    lines.push(text === '' ? `${start}/>` : `${start}>${text}</${tree.name}>`);
    return;
  }
  lines.push(`${start}>${text}`);
  for (const [index, child] of tree.children.entries()) addXmlLines(child, [...path, index], lines);
  lines.push(`${indent}</${tree.name}>`);
}

const isPlainXmlName = (name: string): boolean => isXmlName(name) && !name.includes('-');

const XML_REFERENCES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ['\n', '&#10;'],
  ['\r', '&#13;'],
  ['\t', '&#9;'],
]);

/** White space at the ends is written as references, because it is dropped from texts otherwise. */
function xmlText(text: string, where: string): string {
  if (!isXmlText(text)) throw new Unsayable(`a text ${where} has a character that XML does not know`);
  return text
    .replace(/[&<>"\n\r\t]/g, (character) => XML_REFERENCES.get(character) ?? character)
    .replace(/^ | $/g, '&#32;');
}
