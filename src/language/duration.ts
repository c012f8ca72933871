/** Durations of the language: `1h30m`, `2d`, `0.5s`, `-10m`. */

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
const UNITS: Readonly<Record<string, number>> = {
  y: 365 * DAY,
  M: 30 * DAY,
  w: 7 * DAY,
  d: DAY,
  h: 3_600 * SECOND,
  m: 60 * SECOND,
  s: SECOND,
};

/** No duration is longer than this (1,000 years), so that every point in time stays a date. */
export const MAX_DURATION_MS = 1_000 * 365 * DAY;

const DURATION = /^-?(?:(?:\d+\.?\d*|\.\d+)[yMwdhms]?)+$/;
const PART = /(\d+\.?\d*|\.\d+)([yMwdhms]?)/g;

/**
 * Milliseconds of a duration; null when `text` is none or it is longer than MAX_DURATION_MS.
 *
 * Numbers with units in any order, repeated as one likes: `y` is 365 days, `M` 30 days, then `w d h m s`; no unit means
 * seconds (`1h30` is an hour and 30 seconds). No blanks inside; the empty text is 0. A minus sign turns it all around.
 */
export function parseDuration(text: string): number | null {
  if (text === '') return 0;
  if (text.length > 1_000 || !DURATION.test(text)) return null;
  let total = 0;
  for (const [, number, unit] of text.matchAll(PART)) total += Number(number) * (UNITS[unit as string] ?? SECOND);
  if (total > MAX_DURATION_MS) return null;
  const rounded = Math.round(total);
  return text.startsWith('-') && rounded !== 0 ? -rounded : rounded;
}
