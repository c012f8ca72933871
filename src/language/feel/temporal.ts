import { IANAZone } from 'luxon';

/*
 * Dates, times and durations of FEEL. Dates reach ± 999,999,999 years, so the calendar is counted here and not by a library; luxon knows
 * the offsets of named zones.
 */

export type Zone =
  | { readonly kind: 'offset'; readonly seconds: number }
  | { readonly kind: 'name'; readonly name: string };

/** What FEEL has beyond JSON. */
export abstract class FeelThing {}

export class FeelDate extends FeelThing {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  constructor(year: number, month: number, day: number) {
    super();
    this.year = year;
    this.month = month;
    this.day = day;
  }
}

export class FeelTime extends FeelThing {
  /** Nanoseconds since midnight. */
  readonly nanos: number;
  readonly zone: Zone | null;
  constructor(nanos: number, zone: Zone | null) {
    super();
    this.nanos = nanos;
    this.zone = zone;
  }
}

export class FeelDateTime extends FeelThing {
  readonly date: FeelDate;
  readonly time: FeelTime;
  constructor(date: FeelDate, time: FeelTime) {
    super();
    this.date = date;
    this.time = time;
  }
}

/** Days and time. */
export class FeelDays extends FeelThing {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    super();
    this.nanos = nanos;
  }
}

/** Years and months. */
export class FeelMonths extends FeelThing {
  readonly months: number;
  constructor(months: number) {
    super();
    this.months = months;
  }
}

export type Temporal = FeelDate | FeelTime | FeelDateTime | FeelDays | FeelMonths;

export const NANOS_OF_SECOND = 1_000_000_000;
export const NANOS_OF_DAY = 86_400 * NANOS_OF_SECOND;
const YEARS_MAX = 999_999_999;
/** Offsets of zones go no further (ISO 8601 as Java has it). */
const OFFSET_MAX = 18 * 3_600;

// The calendar.

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
export const daysOfMonth = (year: number, month: number): number =>
  month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;

/** Days since 1970-01-01. */
export function dayNumber({ year, month, day }: FeelDate): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

export function dateOfDay(days: number): FeelDate {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const m = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * m + 2) / 5) + 1;
  const month = m < 10 ? m + 3 : m - 9;
  return new FeelDate(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day);
}

/** Monday is 1. */
export const weekday = (date: FeelDate): number => ((((dayNumber(date) + 3) % 7) + 7) % 7) + 1;

export function addMonths(date: FeelDate, months: number): FeelDate {
  const index = date.year * 12 + (date.month - 1) + months;
  const year = Math.floor(index / 12);
  const month = index - year * 12 + 1;
  return new FeelDate(year, month, Math.min(date.day, daysOfMonth(year, month)));
}

export const isDate = (year: number, month: number, day: number): boolean =>
  [year, month, day].every(Number.isInteger) &&
  Math.abs(year) <= YEARS_MAX &&
  month >= 1 &&
  month <= 12 &&
  day >= 1 &&
  day <= daysOfMonth(year, month);

// Instants.

const zones = new Map<string, IANAZone>();
const ZONES_MAX = 1_000;
/** Milliseconds within which the platform knows zones. */
const ZONED_MAX = 8.64e15;

function zoneNamed(name: string): IANAZone | null {
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = IANAZone.create(name);
    if (!zone.isValid) return null;
    if (zones.size >= ZONES_MAX) zones.clear();
    zones.set(name, zone);
  }
  return zone;
}

/** Seconds a zone is ahead of UTC at a local time (seconds since 1970 by the clock on the wall). */
function offsetAt(zone: Zone, localSeconds: number): number {
  if (zone.kind === 'offset') return zone.seconds;
  const named = zoneNamed(zone.name);
  if (named === null) return 0;
  const at = (seconds: number): number => {
    const ms = Math.min(Math.max(seconds * 1_000, -ZONED_MAX), ZONED_MAX);
    return Math.round(named.offset(ms) * 60);
  };
  const first = at(localSeconds - at(localSeconds));
  return at(localSeconds - first);
}

const localNanos = (value: FeelDateTime): bigint =>
  BigInt(dayNumber(value.date)) * BigInt(NANOS_OF_DAY) + BigInt(value.time.nanos);

/** Nanoseconds since 1970 in UTC; of what has no zone, as if it stood in UTC. */
export function instantOf(value: FeelDateTime): bigint {
  const local = localNanos(value);
  const { zone } = value.time;
  if (zone === null) return local;
  return local - BigInt(offsetAt(zone, Number(local / BigInt(NANOS_OF_SECOND)))) * BigInt(NANOS_OF_SECOND);
}

/** Nanoseconds of a time as if its zone were UTC's. A named zone has the offset it has on the first day of 1970. */
export const timeInstant = (time: FeelTime): number =>
  time.nanos - (time.zone === null ? 0 : offsetAt(time.zone, time.nanos / NANOS_OF_SECOND) * NANOS_OF_SECOND);

export const offsetOf = (value: FeelTime | FeelDateTime): number | null => {
  const time = value instanceof FeelTime ? value : value.time;
  if (time.zone === null) return null;
  const seconds =
    value instanceof FeelTime ? value.nanos / NANOS_OF_SECOND : Number(localNanos(value) / BigInt(NANOS_OF_SECOND));
  return offsetAt(time.zone, seconds);
};

export const midnight = (date: FeelDate): FeelDateTime => new FeelDateTime(date, new FeelTime(0, null));

/** The date and time so much later on the clock on the wall. */
export function addNanos(value: FeelDateTime, nanos: bigint): FeelDateTime {
  const local = localNanos(value) + nanos;
  const day = BigInt(NANOS_OF_DAY);
  let days = local / day;
  let rest = local % day;
  if (rest < 0n) {
    rest += day;
    days -= 1n;
  }
  return new FeelDateTime(dateOfDay(Number(days)), new FeelTime(Number(rest), value.time.zone));
}

// ISO 8601.

const DATE = /^(-?(?:\d{4}|[1-9]\d{4,8}))-(\d{2})-(\d{2})$/;
const TIME = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9})\d*)?)?(Z|z|[+-]\d{2}:\d{2}(?::\d{2})?|@[A-Za-z0-9_+\-/]+)?$/;
const DAYS = /^(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d*))?S)?)?$/;
const MONTHS = /^(-)?P(?:(\d+)Y)?(?:(\d+)M)?$/;
/** Digits of one number of a duration. */
const DIGITS_MAX = 15;

export function parseDate(text: string): FeelDate | null {
  const found = DATE.exec(text);
  if (found === null) return null;
  const [, year, month, day] = found;
  return isDate(Number(year), Number(month), Number(day))
    ? new FeelDate(Number(year), Number(month), Number(day))
    : null;
}

/** `24:00:00` is midnight at the end of a day, which only a date and time can say. */
function parseClock(text: string, atMost: number): FeelTime | null {
  const found = TIME.exec(text);
  if (found === null) return null;
  const [, hour, minute, second = '0', fraction = '', zoneText = ''] = found;
  const zone = zoneText === '' ? null : zoneOf(zoneText);
  if (zoneText !== '' && zone === null) return null;
  const [h, m, s] = [Number(hour), Number(minute), Number(second)];
  const nanos = ((h * 60 + m) * 60 + s) * NANOS_OF_SECOND + Number(fraction.padEnd(9, '0'));
  if (h > 24 || m > 59 || s > 59 || nanos > atMost) return null;
  return new FeelTime(nanos, zone);
}

export const parseTime = (text: string): FeelTime | null => parseClock(text, NANOS_OF_DAY - 1);

export function parseDateTime(text: string): FeelDateTime | null {
  const mark = text.indexOf('T');
  if (mark < 0) return null;
  const date = parseDate(text.slice(0, mark));
  const time = parseClock(text.slice(mark + 1), NANOS_OF_DAY);
  if (date === null || time === null) return null;
  if (time.nanos < NANOS_OF_DAY) return new FeelDateTime(date, time);
  return new FeelDateTime(dateOfDay(dayNumber(date) + 1), new FeelTime(0, time.zone));
}

function zoneOf(text: string): Zone | null {
  if (text === 'Z' || text === 'z') return { kind: 'offset', seconds: 0 };
  if (text.startsWith('@')) return zoneNamed(text.slice(1)) === null ? null : { kind: 'name', name: text.slice(1) };
  const [hours = 0, minutes = 0, seconds = 0] = text.slice(1).split(':').map(Number);
  const total = (hours * 60 + minutes) * 60 + seconds;
  if (total > OFFSET_MAX || minutes > 59 || seconds > 59) return null;
  return { kind: 'offset', seconds: text.startsWith('-') ? -total : total };
}

export const offsetZone = (seconds: number): Zone | null =>
  Math.abs(seconds) <= OFFSET_MAX ? { kind: 'offset', seconds } : null;

export function parseDuration(text: string): FeelDays | FeelMonths | null {
  const months = MONTHS.exec(text);
  if (months !== null && text.length > (months[1] === undefined ? 1 : 2)) {
    const [, minus, y = '0', m = '0'] = months;
    if (y.length > DIGITS_MAX || m.length > DIGITS_MAX) return null;
    const total = Number(y) * 12 + Number(m);
    return new FeelMonths(minus === undefined || total === 0 ? total : -total);
  }
  const days = DAYS.exec(text);
  if (days === null || /[PT]$/.test(text)) return null;
  const [, minus, d = '0', h = '0', m = '0', s = '0', fraction = ''] = days;
  if ([d, h, m, s].some((part) => part.length > DIGITS_MAX)) return null;
  const seconds = ((BigInt(d) * 24n + BigInt(h)) * 60n + BigInt(m)) * 60n + BigInt(s);
  const nanos = seconds * BigInt(NANOS_OF_SECOND) + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return new FeelDays(minus === undefined ? nanos : -nanos);
}

export const parseTemporal = (text: string): Temporal | null =>
  parseDate(text) ?? parseDateTime(text) ?? parseTime(text) ?? parseDuration(text);

const two = (value: number): string => String(value).padStart(2, '0');
const fractionText = (nanos: number): string =>
  nanos === 0
    ? ''
    : `.${String(nanos)
        .padStart(9, '0')
        .replace(/0{1,9}$/, '')}`;

/** ISO 8601; named zones behind an `@`. */
export function temporalText(value: Temporal): string {
  if (value instanceof FeelDate) {
    const year = Math.abs(value.year);
    return `${value.year < 0 ? '-' : ''}${String(year).padStart(4, '0')}-${two(value.month)}-${two(value.day)}`;
  }
  if (value instanceof FeelTime) return clockText(value);
  if (value instanceof FeelDateTime) return `${temporalText(value.date)}T${clockText(value.time)}`;
  if (value instanceof FeelMonths) {
    const months = Math.abs(value.months);
    const [y, m] = [Math.floor(months / 12), months % 12];
    const text = `${y === 0 ? '' : `${y}Y`}${m === 0 ? '' : `${m}M`}`;
    return `${value.months < 0 ? '-' : ''}P${text === '' ? '0M' : text}`;
  }
  const nanos = value.nanos < 0n ? -value.nanos : value.nanos;
  const seconds = nanos / BigInt(NANOS_OF_SECOND);
  const [d, h, m, s] = [seconds / 86_400n, (seconds / 3_600n) % 24n, (seconds / 60n) % 60n, seconds % 60n];
  const fraction = fractionText(Number(nanos % BigInt(NANOS_OF_SECOND)));
  const clock = `${h === 0n ? '' : `${h}H`}${m === 0n ? '' : `${m}M`}${s === 0n && fraction === '' ? '' : `${s}${fraction}S`}`;
  const text = `${d === 0n ? '' : `${d}D`}${clock === '' ? '' : `T${clock}`}`;
  return text === '' ? 'PT0S' : `${value.nanos < 0n ? '-' : ''}P${text}`;
}

function clockText({ nanos, zone }: FeelTime): string {
  const seconds = Math.floor(nanos / NANOS_OF_SECOND);
  const clock = `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const text = `${clock}${fractionText(nanos % NANOS_OF_SECOND)}`;
  if (zone === null) return text;
  if (zone.kind === 'name') return `${text}@${zone.name}`;
  if (zone.seconds === 0) return `${text}Z`;
  const offset = Math.abs(zone.seconds);
  const rest = offset % 60;
  return `${text}${zone.seconds < 0 ? '-' : '+'}${two(Math.floor(offset / 3_600))}:${two(Math.floor(offset / 60) % 60)}${rest === 0 ? '' : `:${two(rest)}`}`;
}

export const sameZone = (a: Zone | null, b: Zone | null): boolean =>
  a === b ||
  (a !== null &&
    b !== null &&
    (a.kind === 'offset' ? b.kind === 'offset' && a.seconds === b.seconds : b.kind === 'name' && a.name === b.name));
