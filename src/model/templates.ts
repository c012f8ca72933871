import { isObject, type Json } from './json.ts';

/*
 * Templates in what participants are asked with: `{workflow.tenant}` `{workflow.id}` `{workflow.name}` `{participant}` `{f:customer.id}`.
 * They stand in paths and values of queries, in values of headers and in bodies; never in a scheme, host or port.
 */

/** What names in templates stand for; undefined: nothing. */
export type TemplateScope = (name: string) => Json | undefined;

/** Characters that one value may bring into a URL. */
export const TEMPLATE_VALUE_MAX = 500;
/** Characters of a filled value of a header. */
export const HEADER_VALUE_MAX = 1_000;

/** Something cannot be put in: `message` says what, for the error of the workitem. */
export class TemplateError extends Error {}

type Piece = { readonly text: string } | { readonly name: string };

const FIXED_NAMES: ReadonlySet<string> = new Set(['workflow.tenant', 'workflow.id', 'workflow.name', 'participant']);
const isName = (name: string): boolean =>
  FIXED_NAMES.has(name) || (name.startsWith('f:') && name.length > 2 && name.length <= 202);

/** The pieces of a text with templates, or what is wrong with it, in words that fit behind what it is. Each `{` must begin a template. */
export function piecesOf(text: string): readonly Piece[] | string {
  const pieces: Piece[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf('{', at);
    const stray = text.indexOf('}', at);
    if (stray >= 0 && (open < 0 || stray < open)) return 'has a } that closes nothing';
    if (open < 0) break;
    const close = text.indexOf('}', open);
    if (close < 0) return 'has a { that is never closed';
    const name = text.slice(open + 1, close);
    if (!isName(name))
      return 'knows {workflow.tenant}, {workflow.id}, {workflow.name}, {participant} and {f:<a field>}, and no others';
    if (open > at) pieces.push({ text: text.slice(at, open) });
    pieces.push({ name });
    at = close + 1;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

/** Where the path, query or fragment of a URL begins. */
function endOfHost(url: string): number {
  const start = url.indexOf('//');
  const end = start < 0 ? -1 : url.slice(start + 2).search(/[/?#]/);
  return end < 0 ? url.length : start + 2 + end;
}

/** What is wrong with the templates of a URL, in words that fit behind "the URL", or null. */
export function urlTemplateComplaint(url: string): string | null {
  if (!/[{}]/.test(url)) return null;
  const host = endOfHost(url);
  if (/[{}]/.test(url.slice(0, host))) return 'has a template in its scheme, host or port, where none may be';
  const [before = '', fragment] = url.split('#', 2);
  if (fragment !== undefined && /[{}]/.test(fragment)) return 'has a template in its fragment, where none may be';
  const [path = '', ...query] = before.slice(host).split('?');
  for (const pair of query.join('?').split('&')) {
    const [key = '', ...value] = pair.split('=');
    if (/[{}]/.test(key)) return 'has a template in the name of a query parameter, where none may be';
    const pieces = piecesOf(value.join('='));
    if (typeof pieces === 'string') return pieces;
  }
  const pieces = piecesOf(path);
  return typeof pieces === 'string' ? pieces : null;
}

/** A URL as it is looked at by those who want one without templates: with a digit in their place. */
export const withoutTemplates = (url: string): string => url.replace(/\{[^{}]*\}/g, '0');

/** @throws TemplateError for a value that is missing, null, a list, an object, or too long */
export function textOf(name: string, scope: TemplateScope, most = TEMPLATE_VALUE_MAX): string {
  const value = scope(name);
  if (value === undefined || value === null || typeof value === 'object')
    throw new TemplateError(
      `{${name}} is ${value === undefined ? 'missing' : value === null ? 'null' : 'a list or an object'}, and must be a text, a number or a boolean`,
    );
  const text = String(value);
  if (text.length > most) throw new TemplateError(`{${name}} has more than ${most} characters`);
  return text;
}

const filled = (text: string, put: (name: string) => string): string => {
  const pieces = piecesOf(text);
  if (typeof pieces === 'string') throw new TemplateError(`a template ${pieces}`);
  return pieces.map((piece) => ('text' in piece ? piece.text : put(piece.name))).join('');
};

/** A URL with its templates filled, each value percent-encoded whole. @throws TemplateError, also where a part of the path became `.` or `..` */
export function filledUrl(url: string, scope: TemplateScope): string {
  if (!url.includes('{')) return url;
  const encoded = (name: string): string => encodeURIComponent(wellFormed(name, textOf(name, scope)));
  const result = filled(url, encoded);
  const path = result.slice(endOfHost(url)).split(/[?#]/)[0] ?? '';
  const isTravelling = (part: string): boolean => /^(?:\.|%2e){1,2}$/i.test(part);
  if (path.split('/').some(isTravelling)) throw new TemplateError('a part of the path of the URL became . or ..');
  return result;
}

function wellFormed(name: string, text: string): string {
  if (!/\p{Surrogate}/u.test(text)) return text;
  throw new TemplateError(`{${name}} holds half a character`);
}

/** A value of a header. @throws TemplateError, also for control characters */
export function filledHeader(value: string, scope: TemplateScope): string {
  const result = value.includes('{') ? filled(value, (name) => textOf(name, scope, HEADER_VALUE_MAX)) : value;
  // Headers travel as Latin-1.
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(result))
    throw new TemplateError('a header holds control characters, or characters that headers cannot say');
  if (result.length > HEADER_VALUE_MAX)
    throw new TemplateError(`a header has more than ${HEADER_VALUE_MAX} characters`);
  return result;
}

/** Texts inside a JSON value filled; one that is a single template keeps the type of what it names, missing is null. */
export function filledBody(value: Json, scope: TemplateScope): Json {
  if (typeof value === 'string') {
    if (!value.includes('{')) return value;
    const pieces = piecesOf(value);
    if (typeof pieces === 'string') return value;
    const [first] = pieces;
    if (pieces.length === 1 && first !== undefined && 'name' in first) return scope(first.name) ?? null;
    return pieces.map((piece) => ('text' in piece ? piece.text : asText(scope(piece.name)))).join('');
  }
  if (Array.isArray(value)) return value.map((item: Json) => filledBody(item, scope));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filledBody(item, scope)]));
}

const asText = (value: Json | undefined): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
