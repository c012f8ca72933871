import type { Json } from '../../src/model/json.ts';
import { tenant } from '../address/tenant.ts';

/*
 * A call as a line for a shell. Texts in it are strangers': each word is one single-quoted word, the body is ASCII and never read as the name
 * of a file.
 */

export const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** JSON in ASCII alone. */
export const asciiJson = (value: Json): string =>
  JSON.stringify(value).replace(/[\u007f-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

export function curlOf(method: string, url: string, body?: Json, withKey = false): string {
  const words = ['curl', '--globoff'];
  if (method !== 'GET') words.push('-X', method);
  if (withKey) words.push('-H', '"Authorization: Bearer $ROTA_API_KEY"');
  if (tenant.value !== null) words.push('-H', shellWord(`Rota-Tenant: ${tenant.value}`));
  if (body !== undefined)
    words.push('-H', shellWord('Content-Type: application/json'), '--data-raw', shellWord(asciiJson(body)));
  // A control character or a blank in an address would end it early in some shell or other.
  words.push(shellWord(encodeURI(decodeURI(url)).replaceAll("'", '%27')));
  return words.join(' ');
}
