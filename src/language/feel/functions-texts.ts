import { integer, isGiven, list, number as numberGiven, text } from './given.ts';
import { compilePattern } from './pattern.ts';
import type { FeelFunction } from './scope.ts';
import { type FeelValue, isList, shown, textOf, wrong } from './values.ts';

/** Counted in characters, not in UTF-16 units; position 1 is the first, -1 the last. */
const substring: FeelFunction = ([value, start, length], { fuel }) => {
  const characters = [...text(value)];
  fuel.characters(characters.length);
  const at = integer(start);
  if (at === 0) throw wrong('substring: positions count from 1, or from -1 at the end');
  const from = at > 0 ? at - 1 : Math.max(0, characters.length + at);
  const count = isGiven(length) ? numberGiven(length) : characters.length;
  if (count < 1) throw wrong('substring: the length must be at least 1');
  return characters.slice(from, from + Math.trunc(count)).join('');
};

const isTextIn =
  (look: (of: string, match: string) => boolean): FeelFunction =>
  ([of, match], { fuel }) => {
    fuel.characters(text(of).length);
    return look(text(of), text(match));
  };

const PIECES_MAX = 10_000;

const split: FeelFunction = ([value, delimiter], { fuel }) => {
  const of = text(value);
  const matcher = compilePattern(text(delimiter), '', of, fuel);
  if (matcher.test('')) throw wrong('split: the delimiter matches nothing at all');
  const pieces: string[] = [];
  let at = 0;
  for (const { start, end } of matcher.all(of, PIECES_MAX)) {
    pieces.push(of.slice(at, start));
    at = end;
  }
  pieces.push(of.slice(at));
  fuel.spend(pieces.length);
  return pieces;
};

const replace: FeelFunction = ([value, pattern, replacement, flags], { fuel }) => {
  const of = text(value);
  const by = text(replacement);
  const matcher = compilePattern(text(pattern), isGiven(flags) ? text(flags) : '', of, fuel);
  if (matcher.test('')) throw wrong('replace: the pattern matches nothing at all');
  let made = '';
  let at = 0;
  for (const { start, end, groups } of matcher.all(of, PIECES_MAX)) {
    const piece = by.replace(/\\([\\$])|\$(\d+)/g, (_, escaped?: string, digits?: string) => {
      if (escaped !== undefined) return escaped;
      const { index, rest } = groupIn(digits ?? '', groups.length);
      return `${groups[index] ?? ''}${rest}`;
    });
    fuel.characters(piece.length);
    made += of.slice(at, start) + piece;
    at = end;
  }
  return made + of.slice(at);
};

/** `$12` is group 12 where there are so many, else group 1 and a 2. */
function groupIn(digits: string, groups: number): { readonly index: number; readonly rest: string } {
  for (let length = digits.length; length > 1; length--)
    if (Number(digits.slice(0, length)) < groups)
      return { index: Number(digits.slice(0, length)), rest: digits.slice(length) };
  return { index: Number(digits[0]), rest: digits.slice(1) };
}

const join: FeelFunction = ([items, delimiter, prefix, suffix], { fuel }) => {
  const pieces = list(items).flatMap((item) => {
    if (item === null) return [];
    if (typeof item !== 'string') throw wrong(`${shown(item)} is no string`);
    return [item];
  });
  const between = isGiven(delimiter) ? text(delimiter) : '';
  fuel.spend(pieces.length);
  fuel.characters(pieces.reduce((sum, piece) => sum + piece.length + between.length, 0));
  return `${isGiven(prefix) ? text(prefix) : ''}${pieces.join(between)}${isGiven(suffix) ? text(suffix) : ''}`;
};

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

const number: FeelFunction = ([from, grouping, decimal]) => {
  if (typeof from === 'number' && !isGiven(grouping) && !isGiven(decimal)) return from;
  let written = text(from);
  const group = isGiven(grouping) ? text(grouping) : null;
  const point = isGiven(decimal) ? text(decimal) : null;
  if (group !== null && ![' ', ',', '.'].includes(group)) throw wrong(`${shown(group)} cannot group digits`);
  if (point !== null && ![',', '.'].includes(point)) throw wrong(`${shown(point)} is no decimal separator`);
  if (group !== null && group === point) throw wrong('grouping and decimal separator are the same');
  if (group !== null) written = written.replaceAll(group, '');
  if (point === ',' && written.includes('.')) throw wrong(`${shown(from ?? null)} is no number`);
  if (point !== null) written = written.replace(point, '.');
  if (!NUMBER.test(written) || !Number.isFinite(Number(written))) throw wrong(`${shown(from ?? null)} is no number`);
  return Number(written);
};

const string: FeelFunction = ([value = null], { fuel }) => {
  if (value === null) throw wrong('string(null): there is nothing to write');
  if (typeof value === 'string') return value;
  const made = writeWithin(value, fuel);
  fuel.characters(made.length);
  return made;
};

function writeWithin(value: FeelValue, fuel: { readonly spend: (units: number) => void }): string {
  const count = (of: FeelValue): void => {
    fuel.spend(1 + (typeof of === 'string' ? of.length / 100 : 0));
    if (isList(of)) for (const item of of) count(item);
    else if (typeof of === 'object' && of !== null && Object.getPrototypeOf(of) === Object.prototype)
      for (const item of Object.values(of)) count(item as FeelValue);
  };
  count(value);
  return textOf(value);
}

export const TEXT_FUNCTIONS: { readonly [name: string]: FeelFunction } = {
  number,
  string,
  substring,
  'string length': ([value], { fuel }) => {
    const of = text(value);
    fuel.characters(of.length);
    return [...of].length;
  },
  'upper case': ([value], { fuel }) => {
    fuel.characters(text(value).length);
    return text(value).toUpperCase();
  },
  'lower case': ([value], { fuel }) => {
    fuel.characters(text(value).length);
    return text(value).toLowerCase();
  },
  trim: ([value]) => text(value).trim(),
  'substring before': ([of, match], { fuel }) => {
    fuel.characters(text(of).length);
    const at = text(of).indexOf(text(match));
    return at < 0 ? '' : text(of).slice(0, at);
  },
  'substring after': ([of, match], { fuel }) => {
    fuel.characters(text(of).length);
    const at = text(of).indexOf(text(match));
    return at < 0 ? '' : text(of).slice(at + text(match).length);
  },
  replace,
  contains: isTextIn((of, match) => of.includes(match)),
  'starts with': isTextIn((of, match) => of.startsWith(match)),
  'ends with': isTextIn((of, match) => of.endsWith(match)),
  matches: ([value, pattern, flags], { fuel }) => {
    const of = text(value);
    return compilePattern(text(pattern), isGiven(flags) ? text(flags) : '', of, fuel).test(of);
  },
  split,
  'string join': join,
};
