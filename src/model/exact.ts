/*
 * Numbers that JSON can say and a double cannot hold: they are refused where they stand, for reading them would change them without a
 * word. What counts is what is printed back: 0.1 prints as 0.1, so it is kept, although no double is a tenth.
 */

/** A text without such a literal needs no closer look: sixteen digits (and points) in a row, or an exponent. */
const SUSPICIOUS = /\d[\d.]{15}|\d[eE][-+\d]/;

/** Where a number stands in a JSON text: the keys and indices that lead to it, and the number as it was written. */
export type Inexact = { readonly path: readonly (string | number)[]; readonly literal: string };

/**
 * The first number of a JSON text that a double would change, or null. `text` must be well-formed. Linear in its length.
 *
 * @param counts left out: all count
 */
export function inexactNumber(text: string, counts: (path: Inexact['path']) => boolean = () => true): Inexact | null {
  if (!SUSPICIOUS.test(text)) return null;
  const path: (string | number)[] = [];
  let key = '';
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === QUOTE) {
      const end = endOfString(text, i);
      if (typeof path.at(-1) === 'string') key = text.slice(i, end + 1);
      i = end;
    } else if (character === COLON) path[path.length - 1] = JSON.parse(key) as string;
    else if (character === OPEN_OBJECT) path.push('');
    else if (character === OPEN_LIST) path.push(0);
    else if (character === CLOSE_OBJECT || character === CLOSE_LIST) path.pop();
    else if (character === COMMA) {
      const last = path.at(-1);
      if (typeof last === 'number') path[path.length - 1] = last + 1;
    } else if (character === MINUS || (character >= ZERO && character <= ZERO + 9)) {
      // Numbers begin so, and nothing else does: the e of true is none.
      let end = i + 1;
      while (end < text.length && isNumeric(text.charCodeAt(end))) end += 1;
      const literal = text.slice(i, end);
      if (!isExact(literal) && counts(path)) return { path: [...path], literal };
      i = end - 1;
    }
  }
  return null;
}

/** Whether a number as JSON writes it is printed back with the same value. */
export function isExact(literal: string): boolean {
  if (literal.length < 16 && !/[eE]/.test(literal)) return true;
  const value = Number(literal);
  if (!Number.isFinite(value)) return false;
  const printed = String(value);
  return printed === literal || decimal(printed) === decimal(literal);
}

const decimal = (literal: string): string => {
  const { isNegative, digits, power } = decimalOf(literal);
  return `${isNegative ? '-' : ''}${digits}e${power}`;
};

/** The significant digits of a number and the power of ten behind them: equal for equal values. Zero has no digits. */
export type Decimal = { readonly isNegative: boolean; readonly digits: string; readonly power: number };

/** A number as JSON writes it, or as it is printed. */
export function decimalOf(literal: string): Decimal {
  const isNegative = literal.startsWith('-');
  const [mantissa = '', power = '0'] = literal
    .slice(isNegative ? 1 : 0)
    .toLowerCase()
    .split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = whole + fraction;
  let first = 0;
  while (first < digits.length && digits.charCodeAt(first) === ZERO) first += 1;
  let last = digits.length;
  while (last > first && digits.charCodeAt(last - 1) === ZERO) last -= 1;
  if (first === last) return { isNegative: false, digits: '', power: 0 };
  return {
    isNegative,
    digits: digits.slice(first, last),
    power: Number(power) - fraction.length + (digits.length - last),
  };
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; ; i++) {
    i = text.indexOf('"', i);
    if (i < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(i - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return i;
  }
}

const code = (character: string): number => character.charCodeAt(0);
const [QUOTE, COLON, COMMA, BACKSLASH, ZERO] = [code('"'), code(':'), code(','), code('\\'), code('0')];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [code('{'), code('}'), code('['), code(']')];
const [PLUS, MINUS, POINT, SMALL_E, LARGE_E] = [code('+'), code('-'), code('.'), code('e'), code('E')];
const isNumeric = (character: number): boolean =>
  (character >= ZERO && character <= ZERO + 9) ||
  character === POINT ||
  character === MINUS ||
  character === PLUS ||
  character === SMALL_E ||
  character === LARGE_E;
