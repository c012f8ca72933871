import { looksLikeCron, nextCron, readCron } from './cron.ts';
import {
  addMonths,
  dateOfDay,
  dayNumber,
  FeelDateTime,
  instantOf,
  midnight,
  parseDate,
  parseDateTime,
} from './feel/temporal.ts';

/*
 * The times of BPMN: ISO 8601 durations (years and months by the calendar, in UTC), dates, and repetitions (`R5/PT10S`,
 * `R/2026-01-05T12:00:00Z/P1D`, or a cron line).
 */

const DAY = 86_400_000;
/** No time is further away than this: 1,000 years. */
const FAR_MAX = 1_000 * 366 * DAY;
/** Milliseconds between two rounds of a cycle at least, and its rounds at most. */
const PERIOD_MIN = 1_000;
const ROUNDS_MAX = 1_000_000;

const DURATION =
  /^(-)?P(?=.)(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})W)?(?:(\d{1,9}(?:\.\d{1,9})?)D)?(?:T(?=.)(?:(\d{1,12}(?:\.\d{1,9})?)H)?(?:(\d{1,12}(?:\.\d{1,9})?)M)?(?:(\d{1,12}(?:\.\d{1,9})?)S)?)?$/;

/** `from` and a duration later, milliseconds since 1970; null when the text is no duration or leads too far. */
export function durationAfter(text: string, from: number): number | null {
  const found = DURATION.exec(text.trim());
  if (found === null) return null;
  const [, minus, years = '0', months = '0', weeks = '0', days = '0', hours = '0', minutes = '0', seconds = '0'] =
    found;
  const sign = minus === undefined ? 1 : -1;
  const total = Number(years) * 12 + Number(months);
  const rest =
    ((Number(weeks) * 7 + Number(days)) * 24 + Number(hours)) * 3_600_000 +
    Number(minutes) * 60_000 +
    Number(seconds) * 1_000;
  if (total > 12_000 || rest > FAR_MAX) return null;
  const day = Math.floor(from / DAY);
  const moved = total === 0 ? day : dayNumber(addMonths(dateOfDay(day), sign * total));
  return moved * DAY + (from - day * DAY) + sign * Math.round(rest);
}

/** A date, or a date and time; without a zone in UTC. Null when the text is none. */
export function dateAt(text: string): number | null {
  const trimmed = text.trim();
  const date = parseDate(trimmed);
  const value = date === null ? parseDateTime(trimmed) : midnight(date);
  if (!(value instanceof FeelDateTime)) return null;
  const at = Number(instantOf(value) / 1_000_000n);
  return Math.abs(at) <= 8.64e15 ? at : null;
}

export type Cycle = {
  /** How often; null: without end. */
  readonly rounds: number | null;
  /** When it begins; null: now, and the first round is one period later. */
  readonly start: number | null;
  /** A duration or a cron line. */
  readonly every: string;
};

export function readCycle(text: string): Cycle | null {
  const trimmed = text.trim();
  if (looksLikeCron(trimmed)) {
    const cron = readCron(trimmed);
    return 'error' in cron ? null : { rounds: null, start: null, every: trimmed };
  }
  const [head = '', ...parts] = trimmed.split('/');
  const repeat = /^R(\d{0,9}|-1)$/.exec(head);
  if (repeat === null || parts.length < 1 || parts.length > 2) return null;
  const count = repeat[1] ?? '';
  const rounds = count === '' || count === '-1' ? null : Number(count);
  const every = parts.at(-1) ?? '';
  const period = durationAfter(every, 0);
  if (period === null || period < PERIOD_MIN || (rounds !== null && rounds > ROUNDS_MAX)) return null;
  const start = parts.length === 2 ? dateAt(parts[0] ?? '') : null;
  return parts.length === 2 && start === null ? null : { rounds, start, every };
}

/** When the round after `from` is; null when it never comes. */
export function roundAfter({ every }: Cycle, from: number): number | null {
  if (!looksLikeCron(every)) return durationAfter(every, from);
  const cron = readCron(every);
  return 'error' in cron ? null : nextCron(cron, from);
}

/** Whether a timer's text can be read, be it `duration`, `date` or `cycle`. */
export function isReadableTimer(form: string, text: string): boolean {
  if (form === 'date') return dateAt(text) !== null;
  if (form !== 'cycle') return durationAfter(text, 0) !== null;
  const cycle = readCycle(text);
  return cycle !== null && roundAfter(cycle, 0) !== null;
}
