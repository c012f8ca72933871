import { quoted, refuse, shortened } from '../complaint.ts';
import type { Limits } from '../limits.ts';
import { decodeReferences, scanXml } from '../xml-scan.ts';

/*
 * An XML text as elements with their namespaces. Names are compared by URI, never by prefix, for every modeler has prefixes of its own
 * and may bind them anew halfway down.
 */

export const BPMN = 'http://www.omg.org/spec/BPMN/20100524/MODEL';
export const BPMNDI = 'http://www.omg.org/spec/BPMN/20100524/DI';
export const DC = 'http://www.omg.org/spec/DD/20100524/DC';
export const DI = 'http://www.omg.org/spec/DD/20100524/DI';
export const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
export const ZEEBE = 'http://camunda.org/schema/zeebe/1.0';
export const ZENBPM = 'http://zenbpm.pbinitiative.org/1.0';
export const CAMUNDA = 'http://camunda.org/schema/1.0/bpmn';
export const ROTA = 'urn:rota:bpmn:1';

export type Element = {
  readonly uri: string;
  readonly local: string;
  /** Attributes without a prefix by their names, others as `{uri}name`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  /** All text directly inside. */
  readonly text: string;
  /** Where its start tag begins (UTF-16 units). */
  readonly offset: number;
};

type Open = { element: Element & { children: Element[]; text: string }; name: string; scope: Prefixes };
type Prefixes = ReadonlyMap<string, string>;

const TAG = /<(?:(!--)|(!\[CDATA\[)|(\?)|(\/))?/g;
const ATTRIBUTE = /([^\s=/>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/y;
const NAME = /[^\s/>]+/y;
const SPACE = /\s*/y;
const XML_PREFIXES: Prefixes = new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]);

/**
 * Reads a text that has passed `scanXml`: what is no XML is refused there.
 *
 * @throws Refusal also for a prefix that is bound to nothing
 */
export function readElements(text: string, limits: Limits): Element {
  scanXml(text, limits);
  const open: Open[] = [];
  let root: Element | null = null;
  let at = 0;
  const addText = (from: number, to: number, isCdata: boolean): void => {
    const top = open.at(-1);
    if (top === undefined || from === to) return;
    const piece = text.slice(from, to);
    top.element.text += isCdata ? piece : decodeReferences(piece);
  };
  for (;;) {
    TAG.lastIndex = at;
    const tag = TAG.exec(text);
    if (tag === null) break;
    addText(at, tag.index, false);
    const [whole, comment, cdata, instruction, closing] = tag;
    if (comment !== undefined) at = text.indexOf('-->', tag.index) + 3;
    else if (cdata !== undefined) {
      const end = text.indexOf(']]>', tag.index);
      addText(tag.index + whole.length, end, true);
      at = end + 3;
    } else if (instruction !== undefined) at = text.indexOf('?>', tag.index) + 2;
    else if (closing !== undefined) {
      open.pop();
      at = text.indexOf('>', tag.index) + 1;
    } else at = startTag(tag.index);
  }
  if (root === null) refuse(0, 'there is no root element');
  return root;

  function startTag(offset: number): number {
    NAME.lastIndex = offset + 1;
    const name = NAME.exec(text)?.[0] ?? '';
    const written: (readonly [string, string])[] = [];
    const above = open.at(-1)?.scope ?? XML_PREFIXES;
    let scope: Map<string, string> | null = null;
    let end = offset + 1 + name.length;
    for (;;) {
      SPACE.lastIndex = end;
      SPACE.exec(text);
      ATTRIBUTE.lastIndex = SPACE.lastIndex;
      const found = ATTRIBUTE.exec(text);
      if (found === null) break;
      end = ATTRIBUTE.lastIndex;
      const [, key = '', double, single = ''] = found;
      const value = decodeReferences((double ?? single).replace(/[\t\n\r]/g, ' '));
      if (key === 'xmlns' || key.startsWith('xmlns:')) {
        scope ??= new Map(above);
        scope.set(key === 'xmlns' ? '' : key.slice(6), value);
      } else written.push([key, value]);
    }
    const close = text.indexOf('>', end);
    const prefixes = scope ?? above;
    const attributes = new Map<string, string>();
    for (const [key, value] of written) {
      const colon = key.indexOf(':');
      attributes.set(
        colon < 0 ? key : `{${namespaceOf(key.slice(0, colon), prefixes, offset)}}${key.slice(colon + 1)}`,
        value,
      );
    }
    const colon = name.indexOf(':');
    const prefix = colon < 0 ? '' : name.slice(0, colon);
    const element = {
      uri: prefix === '' ? (prefixes.get('') ?? '') : namespaceOf(prefix, prefixes, offset),
      local: name.slice(colon + 1),
      attributes,
      children: [],
      text: '',
      offset,
    };
    const parent = open.at(-1);
    if (parent === undefined) root = element;
    else parent.element.children.push(element);
    if (text[close - 1] !== '/') open.push({ element, name, scope: prefixes });
    return close + 1;
  }
}

function namespaceOf(prefix: string, prefixes: Prefixes, offset: number): string {
  const uri = prefixes.get(prefix);
  if (uri === undefined) refuse(offset, `the prefix ${quoted(shortened(prefix))} is bound to no namespace`);
  return uri;
}

/** Whether a text that begins with `<` is BPMN: its root is `definitions` of BPMN's namespace, whatever the prefix. */
export function looksLikeBpmn(text: string): boolean {
  ROOT.lastIndex = 0;
  const start = ROOT.exec(text);
  if (start === null) return false;
  const prefix = (start[1] ?? '').slice(0, -1);
  const tag = start[2] ?? '';
  const bound = new RegExp(
    `\\sxmlns${prefix === '' ? '' : `:${escaped(prefix)}`}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`,
  ).exec(tag);
  return (bound?.[1] ?? bound?.[2]) === BPMN;
}
const ROOT =
  /^\s*(?:<\?[^>]*>\s*|<!--(?:[^-]|-[^-])*-->\s*)*<([^\s:<>/!?]+:)?definitions((?:\s+[^\s=<>]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*\/?>/y;
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\-]/g, '\\$&');
