import { distance } from 'fastest-levenshtein';

/** Longer words are no slips of known ones; the bound keeps the work small whatever is asked. */
const CHARACTERS_MAX = 64;

/**
 * The known word that `word` was probably meant to be: at most two letters away, and one in short words, where two make another word.
 *
 * @returns null when none is near, or when the word is known
 */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > CHARACTERS_MAX) return null;
  let found: string | null = null;
  let away = word.length < 6 ? 2 : 3;
  for (const one of known) {
    if (one === word) return null;
    if (Math.abs(one.length - word.length) >= away) continue;
    const apart = distance(word, one);
    // Two letters that changed places are one slip.
    const letters = apart === 2 && isShuffled(word, one) ? 1 : apart;
    if (letters >= away) continue;
    away = letters;
    found = one;
  }
  return found;
}

const isShuffled = (word: string, other: string): boolean =>
  word.length === other.length && [...word].sort().join('') === [...other].sort().join('');
