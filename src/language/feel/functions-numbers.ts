import { finite } from './arithmetic.ts';
import { integer, isGiven, number } from './given.ts';
import type { FeelFunction } from './scope.ts';
import { FeelDays, FeelMonths } from './temporal.ts';
import { wrong } from './values.ts';

/** A number with its point moved: exact in decimal, as a product of doubles is not. */
function shifted(value: number, places: number): number {
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  return Number(`${mantissa}e${Number(exponent) + places}`);
}
const SCALE_MIN = -6_111;
const SCALE_MAX = 6_176;

type Rounding = (value: number) => number;

const rounded =
  (round: Rounding, scaleNeeded: boolean): FeelFunction =>
  ([n, scale]) => {
    const value = number(n);
    if (scale === null || (scaleNeeded && scale === undefined)) throw wrong('the scale is missing');
    const places = isGiven(scale) ? integer(scale) : 0;
    if (places > SCALE_MAX || places < SCALE_MIN)
      throw wrong(`the scale ${places} is not from ${SCALE_MIN} to ${SCALE_MAX}`);
    const large = shifted(value, places);
    if (!Number.isFinite(large)) return value;
    return finite(shifted(round(large), -places));
  };

const away: Rounding = (value) => (value < 0 ? Math.floor(value) : Math.ceil(value));
const halfUp: Rounding = (value) => Math.sign(value) * Math.round(Math.abs(value));
const halfDown: Rounding = (value) => Math.sign(value) * Math.ceil(Math.abs(value) - 0.5);
const halfEven: Rounding = (value) => {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
};

export const NUMBER_FUNCTIONS: { readonly [name: string]: FeelFunction } = {
  decimal: rounded(halfEven, true),
  floor: rounded(Math.floor, false),
  ceiling: rounded(Math.ceil, false),
  'round up': rounded(away, false),
  'round down': rounded(Math.trunc, false),
  'round half up': rounded(halfUp, false),
  'round half down': rounded(halfDown, false),
  abs: ([n]) => {
    if (n instanceof FeelDays) return new FeelDays(n.nanos < 0n ? -n.nanos : n.nanos);
    if (n instanceof FeelMonths) return new FeelMonths(Math.abs(n.months));
    return Math.abs(number(n));
  },
  modulo: ([dividend, divisor]) => {
    const [a, b] = [number(dividend), number(divisor)];
    if (b === 0) throw wrong(`modulo(${a}, 0) is a division by zero`);
    return finite(a - b * Math.floor(a / b));
  },
  sqrt: ([n]) => {
    if (number(n) < 0) throw wrong(`sqrt(${number(n)}) is no real number`);
    return Math.sqrt(number(n));
  },
  log: ([n]) => {
    if (number(n) <= 0) throw wrong(`log(${number(n)}) is no real number`);
    return Math.log(number(n));
  },
  exp: ([n]) => finite(Math.exp(number(n))),
  odd: ([n]) => isWhole(number(n)) && Math.abs(number(n)) % 2 === 1,
  even: ([n]) => isWhole(number(n)) && number(n) % 2 === 0,
};

function isWhole(value: number): boolean {
  if (!Number.isInteger(value)) throw wrong(`${value} is no whole number`);
  return true;
}
