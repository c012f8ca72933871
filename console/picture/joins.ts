import type { Json } from '../../src/model/json.ts';
import { branchesOf, type Place } from './figure.ts';

/* What is said at the bar where branches join: how many are waited for, and how they are merged. */

/** `2 of 3, merge mix` */
export function joinWords(place: Place): string {
  const given = new Map(place.attributes);
  const said = (...names: readonly string[]): string => {
    const value = names.map((name) => given.get(name)).find((one) => one !== undefined && one !== null);
    return value === undefined ? '' : wordsOf(value);
  };
  const merge = [said('merge', 'm'), said('merge_type', 'mt')].filter((one) => one !== '').join(' ');
  const until = UNTIL.flatMap(([name, words]) => (said(name) === '' ? [] : [`${words} ${said(name)}`]));
  const rest = said('remaining', 'rem', 'r');
  return [
    countWords(said('count', 'c'), said('wait_for', 'wf'), branchesOf(place).length),
    ...until,
    ...(merge === '' ? [] : [`merge ${merge}`]),
    ...(rest === '' || rest === 'cancel' ? [] : [`${rest} the rest`]),
  ].join(', ');
}

const UNTIL = [
  ['over_if', 'over if'],
  ['over_unless', 'over unless'],
] as const;
const NUMBER = /^-?\d{1,9}$/;

function countWords(count: string, waitFor: string, of: number): string {
  const wanted = NUMBER.test(count) ? count : waitFor;
  if (NUMBER.test(wanted)) {
    const least = Number(wanted);
    return least < 0 ? `${Math.max(0, of + least)} of ${of}` : least === 0 ? 'none waited for' : `${least} of ${of}`;
  }
  return wanted === '' ? `all ${of}` : `waits for ${wanted}`;
}

/** Characters of one value that are said. */
const WORDS_MAX = 24;
function wordsOf(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > WORDS_MAX ? `${text.slice(0, WORDS_MAX)}…` : text;
}
