import { type Decimal, decimalOf, isExact } from '../model/exact.ts';

/* Numbers of conditions. What a double cannot hold is kept as it was written, so that long numbers stay different, alone and in lists. */

export class ExactNumber {
  readonly literal: string;
  readonly decimal: Decimal;
  constructor(literal: string) {
    this.literal = literal;
    this.decimal = decimalOf(literal);
  }
  toString(): string {
    return this.literal;
  }
  toJSON(): string {
    return this.literal;
  }
}

export type AnyNumber = number | ExactNumber;

/** Digits and exponents of a number; a longer one is text. */
const NUMBER_CHARACTERS_MAX = 1_000;
const DECIMAL = /^-?\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?$/;
const HEXADECIMAL = /^(-?)(0[xX][0-9a-fA-F]+)$/;

/** The number that is written as `text`; undefined when that is none. */
export function readNumber(text: string): AnyNumber | undefined {
  if (text.length > NUMBER_CHARACTERS_MAX) return undefined;
  const [, sign = '', digits] = HEXADECIMAL.exec(text) ?? [];
  if (digits !== undefined) return read(`${sign}${BigInt(digits)}`);
  return DECIMAL.test(text) ? read(text.replaceAll('_', '')) : undefined;
}

function read(literal: string): AnyNumber | undefined {
  if (isExact(literal)) return Number(literal);
  const exact = new ExactNumber(literal);
  return Number.isSafeInteger(exact.decimal.power) ? exact : undefined;
}

/** Negative, zero or positive. */
export function compareNumbers(a: AnyNumber, b: AnyNumber): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0;
  const [left, right] = [decimalIn(a), decimalIn(b)];
  const [one, other] = [signOf(left), signOf(right)];
  return one === other ? one * compareMagnitudes(left, right) : one - other;
}

const decimalIn = (value: AnyNumber): Decimal => (typeof value === 'number' ? decimalOf(String(value)) : value.decimal);
const signOf = ({ isNegative, digits }: Decimal): number => (digits === '' ? 0 : isNegative ? -1 : 1);

function compareMagnitudes(a: Decimal, b: Decimal): number {
  const longer = a.digits.length + a.power - (b.digits.length + b.power);
  if (longer !== 0) return longer;
  return a.digits < b.digits ? -1 : a.digits > b.digits ? 1 : 0;
}
