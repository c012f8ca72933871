/** Durations of the language: `1h30m`, `2d`, `0.5s`, `-10m`. */

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
const UNITS: ReadonlyMap<string, number> = new Map([
  ['y', 365 * DAY],
  ['M', 30 * DAY],
  ['w', 7 * DAY],
  ['d', DAY],
  ['h', 3_600 * SECOND],
  ['m', 60 * SECOND],
  ['s', SECOND],
]);

/** No duration is longer than this (1,000 years), so that every point in time stays a date. */
export const MAX_DURATION_MS = 1_000 * 365 * DAY;

/** Characters of one duration. */
const MAX_DURATION_LENGTH = 1_000;

/** One part: a number, and its unit or none. Each choice is settled by the next character, so nothing is read twice. */
const PART = /(\d+(?:\.\d*)?|\.\d+)([yMwdhms]?)/y;

/**
 * Milliseconds of a duration; null when `text` is none or it is longer than MAX_DURATION_MS.
 *
 * Numbers with units in any order, repeated at will: `y` is 365 days, `M` 30 days, then `w d h m s`; no unit means
 * seconds (`1h30` is an hour and 30 seconds). No blanks inside; the empty text is 0. A minus sign negates the whole.
 */
export function parseDuration(text: string): number | null {
  if (text === '') return 0;
  if (text.length > MAX_DURATION_LENGTH) return null;
  const isNegative = text.startsWith('-');
  let at = isNegative ? 1 : 0;
  if (at === text.length) return null;
  let total = 0;
  while (at < text.length) {
    PART.lastIndex = at;
    const part = PART.exec(text);
    if (part === null) return null;
    total += Number(part[1]) * (UNITS.get(part[2] as string) ?? SECOND);
    at = PART.lastIndex;
  }
  if (total > MAX_DURATION_MS) return null;
  const rounded = Math.round(total);
  return isNegative && rounded !== 0 ? -rounded : rounded;
}
