/**
 * # Cron lines
 *
 * `[second] minute hour day-of-month month day-of-week [zone]`.
 *
 * Fields: `*`, `n`, `a-b` (may wrap around, except days of the month), `/k` steps (`/k` alone is every k-th), lists of these. Hour 24 is 0.
 * Days of the month 1 to 31, from the end -1 (the last) to -30, `L` the last. Months 1 to 12. Days of the week 0 to 7 (0 and 7 are Sunday)
 * or `sun` to `sat`; `5L`, `fri#-1` the last Friday, `mon#2` the second Monday. Day of the month **and** day of the week must both match.
 * The zone is an IANA name; without one it is UTC.
 *
 * Daylight saving: a local time that is skipped fires at the first instant after the gap; one that is repeated fires once, the first time.
 * When every hour matches, the line means an interval, and it goes on through the repeated hour.
 */
import { IANAZone } from 'luxon';
import { cut } from '../model/text.ts';
import { FREE, type Work } from './work.ts';

export type Cron = {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** Days of the month, negative ones from the end; null for any. */
  readonly days: ReadonlySet<number> | null;
  readonly months: ReadonlySet<number>;
  /** Days of the week; null for any. */
  readonly weekdays: readonly Weekday[] | null;
  readonly zone: string;
};

/** `nth` 1 to 5, from the end -1 to -5, 0 for each. */
export type Weekday = { readonly day: number; readonly nth: number };

/** How far ahead a next time is looked for; a 29th of February on a given weekday may be 40 years away. */
const SEARCH_YEARS = 50;
/** Local times looked at that lie in the past already; an hour of seconds may be repeated. */
const MAX_LOCAL_TIMES = 8_000;
const MAX_LENGTH = 1_000;

/** What looking at one month, and at one local time, counts in the work of a search. */
const MONTH_WORK = 10;
const LOCAL_TIME_WORK = 20;

/** The weekday of the first of January 1970. */
const THURSDAY = 4;

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

/** What is known of a cron line, or the first part of it that cannot be read. */
export function readCron(text: string): Cron | { readonly error: string } {
  const parts = text
    .slice(0, MAX_LENGTH + 1)
    .trim()
    .split(/\s+/);
  if (text.length > MAX_LENGTH || parts.length < 5 || parts.length > 7) return { error: cut(text, 100) };
  const zone = zoneOf(parts);
  const fields = zone === null ? parts : parts.slice(0, -1);
  if (fields.length === 5) fields.unshift('0');
  if (fields.length !== 6) return { error: parts.at(-1) as string };
  const [second, minute, hour, day, month, weekday] = fields as [string, string, string, string, string, string];
  const seconds = readField(second, 0, 59);
  if (seconds === null) return { error: second };
  const minutes = readField(minute, 0, 59);
  if (minutes === null) return { error: minute };
  const hours = readField(hour, 0, 24);
  if (hours === null) return { error: hour };
  const days = readField(day, -30, 31);
  if (days === null) return { error: day };
  const months = readField(month, 1, 12);
  if (months === null) return { error: month };
  const weekdays = weekday === '*' ? null : readWeekdays(weekday);
  if (weekdays === 'bad') return { error: weekday };
  return {
    seconds,
    minutes,
    hours: [...new Set(hours.map((value) => value % 24))].sort((a, b) => a - b),
    days: day === '*' ? null : new Set(days),
    months: new Set(months),
    weekdays,
    zone: zone ?? 'UTC',
  };
}

/** The cron line in `text`, or null when it is none. */
export function parseCron(text: string): Cron | null {
  const cron = readCron(text);
  return 'error' in cron ? null : cron;
}

/** True when the text has the outer shape of a cron line: 5 or 6 parts, or more with a zone, and no year in it. */
export function looksLikeCron(text: string): boolean {
  if (text.length > MAX_LENGTH || /\d{4}/.test(text)) return false;
  const parts = text.trim().split(/\s+/);
  return parts.length === 5 || parts.length === 6 || (parts.length === 7 && zoneOf(parts) !== null);
}

/** The zone at the end of a line of more than five parts; null when the last part is a field. */
function zoneOf(parts: readonly string[]): string | null {
  const last = parts.at(-1) as string;
  if (parts.length < 6 || !/^[A-Z]/i.test(last) || readWeekdays(last) !== 'bad') return null;
  return IANAZone.isValidZone(last) ? last : null;
}

/** All values of a field in ascending order; null when it cannot be read. */
function readField(text: string, min: number, max: number): number[] | null {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    if (min === -30 && item === 'L') values.add(-1);
    else {
      const range = readRange(item, min, max);
      if (range === null) return null;
      for (const value of range) values.add(value);
    }
  }
  return [...values].sort((a, b) => a - b);
}

function readRange(item: string, min: number, max: number): number[] | null {
  const found = /^(?:\*|(-?\d{1,2})(?:-(-?\d{1,2}))?)?(?:\/(\d{1,2}))?$/.exec(item);
  if (found === null || item === '') return null;
  const isDay = min < 0;
  const lowest = isDay ? 1 : min;
  const highest = found[1] === undefined && max === 24 ? 23 : max;
  const from = found[1] === undefined ? lowest : Number(found[1]);
  const to = found[1] === undefined ? highest : Number(found[2] ?? found[1]);
  const by = Number(found[3] ?? 1);
  if (by === 0 || from < min || from > max || to < min || to > max) return null;
  if (isDay && (from > to || from === 0 || to === 0 || from < 0 !== to < 0)) return null;
  // Hour 24 and Sunday 7 are second names, so they do not count on the way around.
  const around = max === 24 ? 24 : max === 7 ? 7 : max - min + 1;
  const end = from <= to ? to : to + around;
  const values: number[] = [];
  for (let value = from; value <= end; value += by) values.push(value > max ? value - around : value);
  return values;
}

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

function readWeekdays(text: string): Weekday[] | 'bad' {
  const result: Weekday[] = [];
  for (const item of text.toLowerCase().split(',')) {
    const digits = item.replace(/sun|mon|tue|wed|thu|fri|sat/g, (name) => String(WEEKDAYS.indexOf(name)));
    const nth = /^([0-7])(?:#?(l)|#(-?[1-5]))$/.exec(digits);
    if (nth !== null) result.push({ day: Number(nth[1]) % 7, nth: nth[2] === undefined ? Number(nth[3]) : -1 });
    else {
      const range = readRange(digits, 0, 7);
      if (range === null) return 'bad';
      for (const day of range) result.push({ day: day % 7, nth: 0 });
    }
  }
  return result;
}

/**
 * The first time (milliseconds, whole seconds) after `afterMs` that matches; null when there is none within
 * SEARCH_YEARS, as for a 30th of February. `work` counts the months and local times that are looked at.
 */
export function nextCron(cron: Cron, afterMs: number, work: Work = FREE): number | null {
  const offset = offsetsOf(cron.zone);
  const after = Math.floor(afterMs / SECOND) * SECOND;
  const local = after + offset(after);
  let next: number | null = null;
  let from = local + SECOND;
  for (let i = 0; i < MAX_LOCAL_TIMES && next === null; i++) {
    work.spend(LOCAL_TIME_WORK);
    const candidate = nextLocal(cron, from, work);
    if (candidate === null) break;
    const instant = instantOf(candidate, offset);
    if (instant > after) next = instant;
    from = candidate + SECOND;
  }
  const again = cron.hours.length === 24 ? inRepeatedHour(cron, after, offset, work) : null;
  return again !== null && (next === null || again < next) ? again : next;
}

type Offset = (instant: number) => number;

/** How far local time is ahead of UTC at an instant, in milliseconds. */
function offsetsOf(zone: string): Offset {
  if (zone === 'UTC') return () => 0;
  const iana = IANAZone.create(zone);
  return (instant) => Math.round(iana.offset(instant) * 60) * SECOND;
}

/** The first instant that shows `local` on the clock, or the end of the gap that swallows it. */
function instantOf(local: number, offset: Offset): number {
  const before = offset(local - DAY);
  const behind = offset(local + DAY);
  const [early, late] = before > behind ? [before, behind] : [behind, before];
  if (offset(local - early) === early) return local - early;
  if (offset(local - late) === late) return local - late;
  return changeBetween(local - early, local - late, offset);
}

/** The first instant after `from`, up to `to`, whose offset is that of `to`. */
function changeBetween(from: number, to: number, offset: Offset): number {
  const target = offset(to);
  let low = from;
  let high = to;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offset(middle) === target) high = middle;
    else low = middle;
  }
  return high;
}

/** The next match in the second run of an hour that the clock repeats around `after`, if there is one. */
function inRepeatedHour(cron: Cron, after: number, offset: Offset, work: Work): number | null {
  const from = after - 3 * HOUR;
  const to = after + 3 * HOUR;
  const lost = offset(from) - offset(to);
  if (lost <= 0) return null;
  const change = changeBetween(from, to, offset);
  const start = Math.max(change, after + SECOND);
  const candidate = nextLocal(cron, start + offset(to), work);
  if (candidate === null) return null;
  const instant = candidate - offset(to);
  return instant < change + lost ? instant : null;
}

/** The first matching clock reading not before `local`, both written as if they were UTC. */
function nextLocal(cron: Cron, local: number, work: Work): number | null {
  const start = new Date(local);
  let [year, month, date] = [start.getUTCFullYear(), start.getUTCMonth() + 1, start.getUTCDate()];
  let time = local - Math.floor(local / DAY) * DAY;
  const lastYear = year + SEARCH_YEARS;
  while (year <= lastYear) {
    work.spend(MONTH_WORK);
    if (cron.months.has(month)) {
      const first = Date.UTC(year, month - 1, 1) / DAY;
      const length = Date.UTC(year, month, 1) / DAY - first;
      // Dates end in the year 275,760; beyond it nothing matches.
      if (Number.isNaN(length)) return null;
      for (; date <= length; date++) {
        const day = first + date - 1;
        const found = isDay(cron, date, length, (day + THURSDAY) % 7) ? nextTime(cron, time) : null;
        if (found !== null) return day * DAY + found;
        time = 0;
      }
    }
    [date, time] = [1, 0];
    month += 1;
    if (month > 12) [year, month] = [year + 1, 1];
  }
  return null;
}

/** `length`: days of the month; `weekday`: 0 is Sunday. */
function isDay(cron: Cron, day: number, length: number, weekday: number): boolean {
  if (cron.days !== null && !cron.days.has(day) && !cron.days.has(day - length - 1)) return false;
  if (cron.weekdays === null) return true;
  const fromStart = Math.ceil(day / 7);
  const fromEnd = -Math.ceil((length - day + 1) / 7);
  return cron.weekdays.some(
    (wanted) => wanted.day === weekday && (wanted.nth === 0 || wanted.nth === fromStart || wanted.nth === fromEnd),
  );
}

/** The first matching time of day (milliseconds) not before `time`. */
function nextTime(cron: Cron, time: number): number | null {
  const total = Math.ceil(time / SECOND);
  const [h, m, s] = [Math.floor(total / 3_600), Math.floor(total / 60) % 60, total % 60];
  const make = (hour: number, minute: number, second: number): number => (hour * 3_600 + minute * 60 + second) * SECOND;
  const first = (values: readonly number[], from: number): number | undefined => values.find((value) => value >= from);
  const [minute0, second0] = [cron.minutes[0] as number, cron.seconds[0] as number];
  if (cron.hours.includes(h)) {
    if (cron.minutes.includes(m)) {
      const second = first(cron.seconds, s);
      if (second !== undefined) return make(h, m, second);
    }
    const minute = first(cron.minutes, m + 1);
    if (minute !== undefined) return make(h, minute, second0);
  }
  const hour = first(cron.hours, h + 1);
  return hour === undefined ? null : make(hour, minute0, second0);
}

/** Whether it is the name of a zone that is known here. */
export const isZone = (name: string): boolean => name === 'UTC' || IANAZone.isValidZone(name);
