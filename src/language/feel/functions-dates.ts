import { integer, isGiven, number, text } from './given.ts';
import type { FeelFunction } from './scope.ts';
import {
  dateOfDay,
  dayNumber,
  daysOfMonth,
  FeelDate,
  FeelDateTime,
  FeelDays,
  FeelMonths,
  FeelTime,
  isDate,
  midnight,
  NANOS_OF_DAY,
  NANOS_OF_SECOND,
  offsetZone,
  parseDate,
  parseDateTime,
  parseDuration,
  parseTime,
  weekday,
} from './temporal.ts';
import { type FeelValue, shown, wrong } from './values.ts';

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

function dateIn(value: FeelValue | undefined): FeelDate {
  if (value instanceof FeelDate) return value;
  if (value instanceof FeelDateTime) return value.date;
  throw wrong(`${shown(value ?? null)} is no date`);
}

function read<Made>(what: string, parsed: Made | null, value: FeelValue | undefined): Made {
  if (parsed === null) throw wrong(`${shown(value ?? null)} is no ${what}`);
  return parsed;
}

const date: FeelFunction = ([from, month, day]) => {
  if (!isGiven(month) && !isGiven(day)) {
    if (from instanceof FeelDate || from instanceof FeelDateTime) return dateIn(from);
    return read('date', parseDate(text(from)), from);
  }
  const [y, m, d] = [number(from), number(month), number(day)];
  if (!isDate(y, m, d)) throw wrong(`date(${y}, ${m}, ${d}) is no date`);
  return new FeelDate(y, m, d);
};

const time: FeelFunction = ([from, minute, second, offset]) => {
  if (!isGiven(minute) && !isGiven(second)) {
    if (from instanceof FeelTime) return from;
    if (from instanceof FeelDateTime) return from.time;
    if (from instanceof FeelDate) return new FeelTime(0, { kind: 'offset', seconds: 0 });
    return read('time', parseTime(text(from)) ?? parseDateTime(text(from))?.time ?? null, from);
  }
  const [h, m, s] = [number(from), number(minute), number(second)];
  if (!Number.isInteger(h) || !Number.isInteger(m) || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s >= 60)
    throw wrong(`time(${h}, ${m}, ${s}) is no time`);
  const nanos = (h * 60 + m) * 60 * NANOS_OF_SECOND + Math.round(s * NANOS_OF_SECOND);
  if (!isGiven(offset)) return new FeelTime(nanos, null);
  if (!(offset instanceof FeelDays)) throw wrong(`${shown(offset)} is no days and time duration`);
  const zone = offsetZone(Number(offset.nanos / BigInt(NANOS_OF_SECOND)));
  return new FeelTime(nanos, read('offset of a time', zone, offset));
};

const dateAndTime: FeelFunction = (all) => {
  const [from, given] = all;
  if (all.length > 1) {
    if (!(given instanceof FeelTime)) throw wrong(`${shown(given ?? null)} is no time`);
    return new FeelDateTime(dateIn(from), given);
  }
  if (from instanceof FeelDateTime) return from;
  if (from instanceof FeelDate) return midnight(from);
  const day = parseDate(text(from));
  return day === null ? read('date and time', parseDateTime(text(from)), from) : midnight(day);
};

const yearsAndMonths: FeelFunction = ([from, to]) => {
  const [a, b] = [dateIn(from), dateIn(to)];
  let months = (b.year - a.year) * 12 + (b.month - a.month);
  if (months > 0 && b.day < a.day) months--;
  else if (months < 0 && b.day > a.day) months++;
  return new FeelMonths(months);
};

/** ISO 8601: the week a Thursday stands in belongs to the Thursday's year. */
const weekOfYear: FeelFunction = ([value]) => {
  const day = dayNumber(dateIn(value));
  const thursday = day - weekday(dateOfDay(day)) + 4;
  const { year } = dateOfDay(thursday);
  return Math.floor((thursday - dayNumber(new FeelDate(year, 1, 1))) / 7) + 1;
};

const nowAt = (milliseconds: number): FeelDateTime => {
  const days = Math.floor(milliseconds / 86_400_000);
  const nanos = (milliseconds - days * 86_400_000) * 1_000_000;
  return new FeelDateTime(dateOfDay(days), new FeelTime(nanos % NANOS_OF_DAY, { kind: 'offset', seconds: 0 }));
};

export const DATE_FUNCTIONS: { readonly [name: string]: FeelFunction } = {
  date,
  time,
  'date and time': dateAndTime,
  duration: ([from]) => {
    if (from instanceof FeelDays || from instanceof FeelMonths) return from;
    // The kit lets a point end the seconds.
    return read('duration', parseDuration(text(from)), from);
  },
  'years and months duration': yearsAndMonths,
  'day of year': ([value]) => dayNumber(dateIn(value)) - dayNumber(new FeelDate(dateIn(value).year, 1, 1)) + 1,
  'day of week': ([value]) => DAYS[weekday(dateIn(value)) - 1] as string,
  'month of year': ([value]) => MONTHS[dateIn(value).month - 1] as string,
  'week of year': weekOfYear,
  'last day of month': ([value]) => daysOfMonth(dateIn(value).year, integer(dateIn(value).month)),
  now: (_, { now }) => nowAt(now),
  today: (_, { now }) => nowAt(now).date,
};
