import {
  addMonths,
  addNanos,
  dayNumber,
  FeelDate,
  FeelDateTime,
  FeelDays,
  FeelMonths,
  FeelTime,
  instantOf,
  isDate,
  midnight,
  NANOS_OF_DAY,
  timeInstant,
} from './temporal.ts';
import { type FeelValue, shown, wrong } from './values.ts';

type Sign = '+' | '-' | '*' | '/' | '**';

export function arithmetic(sign: Sign, a: FeelValue, b: FeelValue): FeelValue {
  const value = typeof a === 'number' && typeof b === 'number' ? ofNumbers(sign, a, b) : other(sign, a, b);
  if (value === undefined) throw wrong(`${shown(a)} ${sign} ${shown(b)} cannot be computed`);
  return value;
}

function ofNumbers(sign: Sign, a: number, b: number): number {
  if (sign === '/' && b === 0) throw wrong(`${a} / 0 is a division by zero`);
  const value = sign === '+' ? a + b : sign === '-' ? a - b : sign === '*' ? a * b : sign === '/' ? a / b : a ** b;
  return finite(value);
}

export function finite(value: number): number {
  if (!Number.isFinite(value)) throw wrong('the result is no finite number');
  return value === 0 ? 0 : value;
}

function other(sign: Sign, a: FeelValue, b: FeelValue): FeelValue | undefined {
  if (sign === '+') {
    if (typeof a === 'string' && typeof b === 'string') return a + b;
    return plus(a, b) ?? plus(b, a);
  }
  if (sign === '-') return minus(a, b);
  if (sign === '*') return typeof a === 'number' ? times(b, a) : typeof b === 'number' ? times(a, b) : undefined;
  if (sign !== '/') return undefined;
  if (a instanceof FeelDays && b instanceof FeelDays)
    return b.nanos === 0n ? undefined : Number(a.nanos) / Number(b.nanos);
  if (a instanceof FeelMonths && b instanceof FeelMonths) return b.months === 0 ? undefined : a.months / b.months;
  return typeof b === 'number' && b !== 0 ? times(a, 1 / b, b) : undefined;
}

/** `divisor`: exact where 1 / n is not. */
function times(a: FeelValue, by: number, divisor?: number): FeelValue | undefined {
  if (a instanceof FeelMonths)
    return new FeelMonths(Math.trunc(finite(divisor === undefined ? a.months * by : a.months / divisor)) + 0);
  if (!(a instanceof FeelDays)) return undefined;
  if (divisor === undefined && Number.isSafeInteger(by)) return new FeelDays(a.nanos * BigInt(by));
  const nanos = divisor === undefined ? Number(a.nanos) * by : Number(a.nanos) / divisor;
  return new FeelDays(BigInt(Math.round(finite(nanos))));
}

function plus(a: FeelValue, b: FeelValue): FeelValue | undefined {
  if (b instanceof FeelDays) {
    if (a instanceof FeelDays) return new FeelDays(a.nanos + b.nanos);
    if (a instanceof FeelTime) {
      const day = BigInt(NANOS_OF_DAY);
      return new FeelTime(Number((((BigInt(a.nanos) + b.nanos) % day) + day) % day), a.zone);
    }
    if (a instanceof FeelDate) return checked(addNanos(midnight(a), b.nanos)).date;
    if (a instanceof FeelDateTime) return checked(addNanos(a, b.nanos));
  }
  if (b instanceof FeelMonths) {
    if (a instanceof FeelMonths) return new FeelMonths(a.months + b.months);
    if (a instanceof FeelDate) return checked(midnight(addMonths(a, b.months))).date;
    if (a instanceof FeelDateTime) return checked(new FeelDateTime(addMonths(a.date, b.months), a.time));
  }
  return undefined;
}

function checked(value: FeelDateTime): FeelDateTime {
  const { year, month, day } = value.date;
  if (!isDate(year, month, day)) throw wrong('the date is beyond 999,999,999 years');
  return value;
}

export function negated(value: FeelValue): FeelValue {
  if (typeof value === 'number') return -value + 0;
  if (value instanceof FeelDays) return new FeelDays(-value.nanos);
  if (value instanceof FeelMonths) return new FeelMonths(-value.months + 0);
  throw wrong(`-${shown(value)} cannot be computed`);
}

function minus(a: FeelValue, b: FeelValue): FeelValue | undefined {
  if (b instanceof FeelDays || b instanceof FeelMonths) {
    const opposite = b instanceof FeelDays ? new FeelDays(-b.nanos) : new FeelMonths(-b.months + 0);
    return plus(a, opposite);
  }
  if (a instanceof FeelTime && b instanceof FeelTime)
    return (a.zone === null) === (b.zone === null) ? new FeelDays(BigInt(timeInstant(a) - timeInstant(b))) : undefined;
  if (a instanceof FeelDate && b instanceof FeelDate)
    return new FeelDays(BigInt(dayNumber(a) - dayNumber(b)) * BigInt(NANOS_OF_DAY));
  const [from, to] = [asDateTime(b), asDateTime(a)];
  if (from === null || to === null) return undefined;
  // A date alone stands for its midnight in UTC beside what has a zone; a date and time without a zone has no such place.
  const isLocal = (value: FeelValue): boolean => value instanceof FeelDateTime && value.time.zone === null;
  if (isLocal(a) !== isLocal(b)) return undefined;
  return new FeelDays(instantOf(to) - instantOf(from));
}

const asDateTime = (value: FeelValue): FeelDateTime | null =>
  value instanceof FeelDateTime ? value : value instanceof FeelDate ? midnight(value) : null;
