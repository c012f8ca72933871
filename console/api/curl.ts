import { signal } from '@preact/signals';
import type { Json } from '../../src/model/json.ts';
import { urlOf } from '../../src/model/url.ts';
import { tenant } from '../address/tenant.ts';

/*
 * A call as a line for a shell. Texts in it are strangers': each word is one single-quoted word, the body is ASCII and never read as the name
 * of a file.
 */

export const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The text of JSON in ASCII alone: what is no ASCII stands in its strings only. */
const ascii = (json: string): string =>
  json.replace(/[\u007f-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** An address, percent-encoded as a browser sends it; what is none stays a word. */
const urlWord = (url: string): string => shellWord((urlOf(url)?.href ?? url).replaceAll("'", '%27'));

/** Whether this server asks callers who they are: then a line takes the key of whoever pastes it. */
export const wantsKey = signal(false);

/** The longest body that is a word of the line, in characters: beyond 128 kB a system takes no word. */
const WORD_MAX = 100_000;

export function curlOf(method: string, url: string, body?: Json): string {
  const words = ['curl', '--globoff'];
  if (method !== 'GET') words.push('-X', method);
  if (wantsKey.value) words.push('-H', '"Authorization: Bearer $ROTA_API_KEY"');
  if (tenant.value !== null) words.push('-H', shellWord(`Rota-Tenant: ${tenant.value}`));
  if (body === undefined) return [...words, urlWord(url)].join(' ');
  return withBody([...words, '-H', shellWord('Content-Type: application/json')], ascii(JSON.stringify(body)), url);
}

/** What a participant was sent, as it was sent. */
export function curlOfSent(url: string, headers: Readonly<Record<string, string>>, body: string): string {
  const words = ['curl', '--globoff', '-X', 'POST'];
  // curl takes away a header without a value; with a semicolon it sends one.
  for (const [name, value] of Object.entries(headers))
    words.push('-H', shellWord(value.trim() === '' ? `${name};` : `${name}: ${value}`));
  return withBody(words, ascii(body), url);
}

function withBody(words: readonly string[], body: string, url: string): string {
  if (body.length <= WORD_MAX) return [...words, '--data-raw', shellWord(body), urlWord(url)].join(' ');
  // The line that ends it is one that the body has not.
  let end = 'END';
  while (body.split('\n').includes(end)) end += '_';
  return `${[...words, '--data-binary', '@-', urlWord(url)].join(' ')} <<'${end}'\n${body}\n${end}`;
}
