import { isObject } from './json.ts';

/* What a database cannot hold: U+0000, and half of a surrogate pair, which is no text. */

/** How deep lists and objects of one value from outside may be nested. Deeper ones could overflow the stack of whoever walks them. */
export const VALUE_DEPTH_MAX = 100;

const LONE_SURROGATE = /\p{Surrogate}/u;
const UNSTORABLES = /[\0\p{Surrogate}]/gu;

/** True for a text a database can hold. */
export const isStorable = (text: string): boolean => !text.includes('\0') && !LONE_SURROGATE.test(text);

/** The text with U+FFFD in the place of what no database holds: for words of ours that quote those of strangers. */
export const storable = (text: string): string => (isStorable(text) ? text : text.replace(UNSTORABLES, '\ufffd'));

/**
 * What keeps a value from being stored, as a sentence without its subject, or null when nothing does.
 *
 * Walks without recursion: the value is a stranger's and may be nested a hundred thousand deep.
 */
export function valueComplaint(value: unknown): string | null {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === 'string' && !isStorable(item)) return UNSTORABLE;
      // JSON.parse reads 1e999 as Infinity, which JSON cannot say again.
      if (typeof item === 'number' && !Number.isFinite(item)) return 'contains a number that is too large';
      if (typeof item !== 'object' || item === null) continue;
      if (depth >= VALUE_DEPTH_MAX) return `is nested more than ${VALUE_DEPTH_MAX} deep`;
      if (isObject(item)) for (const key of Object.keys(item)) if (!isStorable(key)) return UNSTORABLE;
      for (const child of Object.values(item)) next.push(child);
    }
    level = next;
  }
  return null;
}

export const UNSTORABLE = 'contains U+0000 or half a surrogate pair, which cannot be stored';
