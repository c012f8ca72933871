import { MAX_DURATION_MS, parseDuration } from '../language/duration.ts';
import type { Json } from '../model/json.ts';

/** Durations as callers write them: `90s`, `1h30m`, or a number of seconds. Null: it is none. */
export function durationMs(value: Json | undefined): number | null {
  const ms =
    typeof value === 'number'
      ? value * 1_000
      : typeof value === 'string' && /^\S+$/.test(value)
        ? parseDuration(value)
        : null;
  return ms !== null && ms > 0 && ms <= MAX_DURATION_MS ? ms : null;
}

/** What is wrong with a duration, in words that fit behind its name, or null. */
export const durationComplaint = (value: Json | undefined): string | null =>
  durationMs(value) === null ? 'must be a duration above zero, such as 90s or 1h30m, or a number of seconds' : null;
