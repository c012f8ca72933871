/** Finding the word that was probably meant. */

/** Words longer than this are not compared: no word of the language is as long. */
const MAX_WORD_LENGTH = 24;

/** How many mistakes a word of this length may have and still be taken for a known one; short words mean themselves. */
function mistakesAllowed(length: number): number {
  if (length < 5) return 0;
  return length < 8 ? 1 : 2;
}

/**
 * The known word that `word` is nearest to, or null when none is near enough. Words of fewer than five letters are near
 * to nothing, and so are those that begin with another letter (unless the first two are the wrong way round).
 */
export function nearestName(word: string, known: Iterable<string>): string | null {
  if (word.length > MAX_WORD_LENGTH) return null;
  let found: string | null = null;
  let least = mistakesAllowed(word.length) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= least || candidate.length < 5) continue;
    if (candidate[0] !== word[0] && (candidate[0] !== word[1] || candidate[1] !== word[0])) continue;
    const distance = mistakes(word, candidate, least);
    if (distance > 0 && distance < least) [found, least] = [candidate, distance];
  }
  return found;
}

/** More mistakes than any two words can have. */
const FAR = 1_000;

/**
 * The number of letters that are missing, too many, wrong, or the wrong way round with their neighbour.
 * Right below `limit`; at least `limit` for all others, since only what is near the diagonal is looked at.
 */
function mistakes(a: string, b: string, limit: number): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row: number[] = new Array<number>(b.length + 1).fill(FAR);
    row[0] = i;
    for (let j = Math.max(1, i - limit); j <= Math.min(b.length, i + limit); j++) {
      const isSame = a[i - 1] === b[j - 1];
      let best = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + (isSame ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] as number) + 1);
      row[j] = best;
    }
    [before, last] = [last, row];
  }
  return last[b.length] as number;
}
