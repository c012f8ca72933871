import type { Json } from '../../model/json.ts';
import { withKey } from '../../model/json.ts';
import { cut, shorten } from '../../model/text.ts';
import { LanguageError } from '../language-error.ts';
import {
  FeelDate,
  FeelDateTime,
  FeelDays,
  FeelMonths,
  FeelThing,
  FeelTime,
  instantOf,
  sameZone,
  temporalText,
  timeInstant,
} from './temporal.ts';

/*
 * What FEEL computes with, how it compares, and what becomes of it when it is stored.
 */

export type FeelValue =
  | null
  | boolean
  | number
  | string
  | FeelThing
  | readonly FeelValue[]
  | { readonly [key: string]: FeelValue };
export type FeelContext = { readonly [key: string]: FeelValue };

/** Instead of an end of a range that has none on this side (`< 10`). */
class NoEnd extends FeelThing {}
export const NO_END: FeelThing = new NoEnd();

export class FeelRange extends FeelThing {
  readonly from: FeelValue;
  readonly to: FeelValue;
  readonly left: boolean;
  readonly right: boolean;
  constructor(from: FeelValue, to: FeelValue, left: boolean, right: boolean) {
    super();
    this.from = from;
    this.to = to;
    this.left = left;
    this.right = right;
  }
}

export const wrong = (message: string): LanguageError => new LanguageError('ExpressionError', message);

export const isList = (value: FeelValue): value is readonly FeelValue[] => Array.isArray(value);
export const isContext = (value: FeelValue): value is FeelContext =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof FeelThing);

/** The kind of a value, in FEEL's words. */
export function kindOf(value: FeelValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'string';
  if (typeof value !== 'object') return typeof value;
  if (isList(value)) return 'list';
  if (value instanceof FeelDate) return 'date';
  if (value instanceof FeelTime) return 'time';
  if (value instanceof FeelDateTime) return 'date and time';
  if (value instanceof FeelDays) return 'days and time duration';
  if (value instanceof FeelMonths) return 'years and months duration';
  return value instanceof FeelRange ? 'range' : 'context';
}

/** A value in a message: at most a hundred characters. */
export function shown(value: FeelValue): string {
  const text = typeof value === 'string' ? JSON.stringify(cut(value, 110)) : textOf(value, 0);
  return shorten(text, 99);
}

/** As `string()` writes it. `depth` bounds what a message shows. */
export function textOf(value: FeelValue, depth = Number.POSITIVE_INFINITY): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof FeelRange) {
    const end = (of: FeelValue): string =>
      of === NO_END ? '' : of instanceof FeelThing ? `@"${textOf(of)}"` : textOf(of);
    return `${value.left ? '[' : '('}${end(value.from)}..${end(value.to)}${value.right ? ']' : ')'}`;
  }
  if (value instanceof FeelThing) return temporalText(value as FeelDate);
  if (isList(value))
    return depth === 0 ? `a list of ${value.length}` : `[${value.map((item) => textOf(item, depth - 1)).join(', ')}]`;
  if (depth === 0) return 'a context';
  return `{${Object.entries(value)
    .map(([key, item]) => `${/^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key)}: ${textOf(item, depth - 1)}`)
    .join(', ')}}`;
}

const MILLION = 1_000_000;
const sameClock = (a: FeelTime, b: FeelTime): boolean =>
  Math.floor(timeInstant(a) / MILLION) === Math.floor(timeInstant(b) / MILLION);

/** Equality of values of the same kind; undefined when their kinds differ. Times are equal to the millisecond. */
export function equal(a: FeelValue, b: FeelValue): boolean | undefined {
  if (a === null || b === null || a === NO_END || b === NO_END) return a === b;
  if (kindOf(a) !== kindOf(b)) return undefined;
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (isList(a) && isList(b))
    return a.length === b.length && a.every((item, i) => equal(item, b[i] as FeelValue) === true);
  if (a instanceof FeelDate && b instanceof FeelDate)
    return a.year === b.year && a.month === b.month && a.day === b.day;
  if (a instanceof FeelTime && b instanceof FeelTime) return (a.zone === null) === (b.zone === null) && sameClock(a, b);
  if (a instanceof FeelDateTime && b instanceof FeelDateTime)
    return (a.time.zone === null) === (b.time.zone === null) && instantOf(a) / 1_000_000n === instantOf(b) / 1_000_000n;
  if (a instanceof FeelDays && b instanceof FeelDays) return a.nanos === b.nanos;
  if (a instanceof FeelMonths && b instanceof FeelMonths) return a.months === b.months;
  if (a instanceof FeelRange && b instanceof FeelRange)
    return a.left === b.left && a.right === b.right && equal(a.from, b.from) === true && equal(a.to, b.to) === true;
  if (!isContext(a) || !isContext(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(a[key] as FeelValue, b[key] as FeelValue) === true)
  );
}

/** As `is()`: also the zone must be the same. */
export function identical(a: FeelValue, b: FeelValue): boolean {
  if (a instanceof FeelTime && b instanceof FeelTime) return a.nanos === b.nanos && sameZone(a.zone, b.zone);
  if (a instanceof FeelDateTime && b instanceof FeelDateTime)
    return equal(a.date, b.date) === true && identical(a.time, b.time);
  return equal(a, b) === true;
}

/** Negative, 0 or positive; null when the two have no order. */
export function order(a: FeelValue, b: FeelValue): number | null {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (a instanceof FeelDate && b instanceof FeelDate) return a.year - b.year || a.month - b.month || a.day - b.day;
  const zoned = (value: FeelTime | FeelDateTime): boolean =>
    (value instanceof FeelTime ? value : value.time).zone !== null;
  if (a instanceof FeelTime && b instanceof FeelTime)
    return zoned(a) === zoned(b) ? timeInstant(a) - timeInstant(b) : null;
  if (a instanceof FeelDateTime && b instanceof FeelDateTime)
    return zoned(a) === zoned(b) ? Number(instantOf(a) - instantOf(b)) : null;
  if (a instanceof FeelDays && b instanceof FeelDays) return Number(a.nanos - b.nanos);
  if (a instanceof FeelMonths && b instanceof FeelMonths) return a.months - b.months;
  return null;
}

export function ordered(a: FeelValue, b: FeelValue): number {
  const found = order(a, b);
  if (found === null) throw wrong(`${shown(a)} and ${shown(b)} have no order`);
  return found;
}

export function within(value: FeelValue, range: FeelRange): boolean {
  if (range.from !== NO_END) {
    const low = ordered(value, range.from);
    if (low < 0 || (low === 0 && !range.left)) return false;
  }
  if (range.to === NO_END) return true;
  const high = ordered(value, range.to);
  return high < 0 || (high === 0 && range.right);
}

/** A value as JSON: dates, times, durations and ranges become texts. */
export function feelToJson(value: FeelValue): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(feelToJson);
  if (value instanceof FeelRange) return textOf(value);
  if (value instanceof FeelThing) return temporalText(value as FeelDate);
  let json: { readonly [key: string]: Json } = {};
  if (Object.hasOwn(value, '__proto__')) {
    for (const [key, item] of Object.entries(value)) json = withKey(json, key, feelToJson(item));
    return json;
  }
  json = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, feelToJson(item)]));
  return json;
}
