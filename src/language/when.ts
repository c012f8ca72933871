/**
 * # Times
 *
 * `timeout`, `timers`, `wait`, retry lists and schedules understand
 *
 * | written | meaning |
 * |---|---|
 * | `10s`, `1h30m`, `2d12h`, `1.5` | a duration: numbers with `y` (365 days), `M` (30 days), `w`, `d`, `h`, `m`, `s`; without a unit seconds; no blanks |
 * | `2030-12-31`, `2030-12-31 23:59`, `2030/12/31 23:59:00 UTC`, `2030-12-31T23:59:00+01:00` | a date; without a zone it is UTC |
 * | `0 9 * * mon-fri Europe/Paris` | a cron line: its next time |
 *
 * Text with the shape of a cron line is one; else text that looks like a date, or has a blank or a colon in it, is a date; all other text
 * is a duration. What is past is due at once. Nothing is earlier than it says, but may be a little later.
 *
 * A pause of the workflow holds durations: they go on where they stood. Dates and cron lines are times of the clock on the wall: a date that
 * passed during the pause is due when the workflow is resumed, a cron line at its next time after that.
 */
import type { Json } from '../model/json.ts';
import { shownJson } from '../model/text.ts';
import { looksLikeCron, nextCron, readCron } from './cron.ts';
import { MAX_DURATION_MS, parseDuration } from './duration.ts';
import type { Work } from './work.ts';
import { FREE } from './work.ts';

/** Characters of one time, whatever its form. */
const MAX_TIME_LENGTH = 1_000;

/** When something is due, and what that was counted from: a duration from now, or the clock on the wall. */
export type When = { readonly at: number; readonly by: 'duration' | 'date' | 'cron' } | { readonly error: string };

/**
 * When `value` is due, in milliseconds, seen from `nowMs`; a cron line is due at its next time. Dates may be past.
 * `work`: counts the days that are looked at for a cron line; throws what its budget throws.
 */
export function parseWhen(value: Json, nowMs: number, work: Work = FREE): When {
  if (typeof value === 'number') return inFrom(value * 1_000, nowMs, value);
  if (typeof value !== 'string')
    return {
      error: `cannot read a time from ${shownJson(value, 100)}: give a duration, a date or a cron line`,
    };
  const text = value.trim();
  if (text.length > MAX_TIME_LENGTH)
    return { error: `a time has at most ${MAX_TIME_LENGTH} characters; this has ${text.length}: ${quote(text)}` };
  if (looksLikeCron(text)) {
    const cron = readCron(text);
    if ('error' in cron) return { error: `cannot parse ${JSON.stringify(cron.error)} in the cron line ${quote(text)}` };
    const at = nextCron(cron, nowMs, work);
    return at === null ? { error: `the cron line ${quote(text)} never comes` } : { at, by: 'cron' };
  }
  if (/[\s:]/.test(text) || DATE_ONLY.test(text)) {
    const at = parseDate(text);
    return at === null
      ? { error: `cannot parse the date ${quote(text)}: write it as 2030-12-31 23:59:00 or 2030-12-31T23:59:00+01:00` }
      : { at, by: 'date' };
  }
  const duration = parseDuration(text);
  return duration === null
    ? { error: `invalid time duration ${quote(text)}: write it as 1d12h, 30m or 10s` }
    : { at: nowMs + duration, by: 'duration' };
}

/** True when the text is a cron line that can be read. */
export function isCron(text: string): boolean {
  return looksLikeCron(text) && !('error' in readCron(text));
}

/** What cron, every and the frequency of once take: a cron line, or an interval in milliseconds, above zero. */
export type Schedule =
  | { readonly kind: 'cron'; readonly next: (afterMs: number) => number | null }
  | { readonly kind: 'interval'; readonly everyMs: number };

/** The schedule in `value`: a number of seconds, a duration or a cron line. */
export function parseSchedule(value: Json): Schedule | { readonly error: string } {
  if (typeof value === 'string' && (looksLikeCron(value) || /\s/.test(value.trim()))) {
    const cron = readCron(value);
    if (!('error' in cron)) return { kind: 'cron', next: (afterMs) => nextCron(cron, afterMs) };
    return { error: `cannot parse ${JSON.stringify(cron.error)} in the cron line ${quote(value)}` };
  }
  const everyMs =
    typeof value === 'number'
      ? value * 1_000
      : typeof value === 'string' && value.trim() !== ''
        ? parseDuration(value.trim())
        : null;
  if (everyMs !== null && everyMs >= 1 && everyMs <= MAX_DURATION_MS) return { kind: 'interval', everyMs };
  return { error: `cannot use ${quote(value)} as a schedule: write an interval above zero, as 10s, or a cron line` };
}

/** When a schedule is due next after `afterMs`; null when it cannot be read or never comes. */
export function nextOccurrence(schedule: string, afterMs: number): number | null {
  const parsed = parseSchedule(schedule);
  if ('error' in parsed) return null;
  return parsed.kind === 'cron' ? parsed.next(afterMs) : afterMs + parsed.everyMs;
}

/** `YYYY-MM-DD HH:MM:SS.uuuuuu UTC`, the way the language writes times into fields. */
export function utcStamp(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}000 UTC`;
}

function inFrom(durationMs: number, nowMs: number, value: number): When {
  if (!(Math.abs(durationMs) <= MAX_DURATION_MS)) return { error: `${value} seconds are too many` };
  return { at: nowMs + Math.round(durationMs), by: 'duration' };
}

const quote = (value: Json): string => shownJson(value);

const DATE_ONLY = /^\d{4}([-/])\d{2}\1\d{2}$/;
const DATE =
  /^(\d{4})([-/])(\d{2})\2(\d{2})(?:(?:[Tt]|\s+)(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(?:(Z|z|UTC|GMT)|([+-])(\d{2}):?(\d{2}))?$/;

/** A date of ISO 8601, or with a blank for the T or slashes for the dashes; without a zone it is UTC. */
function parseDate(text: string): number | null {
  const found = DATE.exec(text);
  if (found === null) return null;
  const [, year, , month, day, hour = '0', minute = '0', second = '0', fraction = '', , sign, zoneHour, zoneMinute] =
    found;
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (h > 24 || mi > 59 || s > 60 || (h === 24 && mi + s > 0)) return null;
  const date = new Date(0);
  date.setUTCFullYear(y, mo - 1, d);
  if (date.getUTCMonth() !== mo - 1 || date.getUTCDate() !== d) return null;
  const time = date.getTime() + ((h * 60 + mi) * 60 + s) * 1_000 + Math.floor(Number(`0.${fraction || 0}`) * 1_000);
  if (sign === undefined) return time;
  const [zh, zm] = [Number(zoneHour), Number(zoneMinute)];
  if (zh > 15 || zm > 59) return null;
  return time - (sign === '-' ? -1 : 1) * (zh * 60 + zm) * 60_000;
}
