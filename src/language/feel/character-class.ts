import { wrong } from './values.ts';

/*
 * Subtraction of one class of characters from another, `[A-Z-[OI]]`, which the engine of patterns does not know: what is left is written out.
 */

/** From and to, both included; in order, and apart from each other. */
type Ranges = readonly (readonly [number, number])[];
const LAST = 0x10ffff;

/** Whether the class that begins at `at` has another one taken from it. */
export function subtracts(source: string, at: number): boolean {
  for (let i = at + 1; i < source.length; i++) {
    const character = source[i];
    if (character === '\\') i++;
    else if (character === ']') return false;
    else if (character === '[') return source[i - 1] === '-';
  }
  return false;
}

/** The class that begins at `at`, as one without subtraction; `end`: of its last bracket. Throws a LanguageError. */
export function writtenOut(source: string, at: number): { readonly text: string; readonly end: number } {
  const { ranges, end } = classAt(source, at);
  if (ranges.length === 0) throw wrong('the pattern leaves no character in a class');
  const hex = (code: number): string => {
    const character = String.fromCodePoint(code);
    return /[A-Za-z0-9]/.test(character) ? character : `\\x{${code.toString(16).padStart(4, '0')}}`;
  };
  return { text: `[${ranges.map(([from, to]) => `${hex(from)}-${hex(to)}`).join('')}]`, end };
}

function classAt(source: string, at: number): { readonly ranges: Ranges; readonly end: number } {
  const found: (readonly [number, number])[] = [];
  let taken: Ranges = [];
  let i = at + 1;
  const isNegated = source[i] === '^';
  if (isNegated) i++;
  while (source[i] !== ']') {
    if (i >= source.length) throw wrong('a class of the pattern is never closed');
    if (source[i] === '-' && source[i + 1] === '[') {
      const inner = classAt(source, i + 1);
      taken = inner.ranges;
      i = inner.end + 1;
      if (source[i] !== ']') throw wrong('what is taken from a class of the pattern stands at its end');
      break;
    }
    const first = characterAt(source, i);
    i = first.end;
    if (first.of !== null) {
      found.push(...first.of);
      continue;
    }
    const isRange = source[i] === '-' && source[i + 1] !== '[' && source[i + 1] !== ']' && source[i + 1] !== undefined;
    const last = isRange ? characterAt(source, i + 1) : first;
    if (isRange) i = last.end;
    if (last.of !== null || last.code < first.code) throw wrong('a class of the pattern has a range that is none');
    found.push([first.code, last.code]);
  }
  const ranges = joined(found);
  return { ranges: without(isNegated ? without([[0, LAST]], ranges) : ranges, taken), end: i };
}

const SETS: { readonly [letter: string]: Ranges } = {
  d: [[0x30, 0x39]],
  w: joined([
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ]),
  s: joined([
    [0x09, 0x0a],
    [0x0d, 0x0d],
    [0x20, 0x20],
  ]),
};
const CONTROLS: { readonly [letter: string]: number } = { n: 0x0a, r: 0x0d, t: 0x09 };

/** One character, or the set an escape stands for. */
function characterAt(
  source: string,
  at: number,
): { readonly code: number; readonly of: Ranges | null; readonly end: number } {
  const code = source.codePointAt(at) ?? 0;
  if (source[at] !== '\\') return { code, of: null, end: at + (code > 0xffff ? 2 : 1) };
  const letter = source[at + 1] ?? '';
  const of = (Object.hasOwn(SETS, letter) ? SETS[letter] : undefined) ?? null;
  if (of === null && /[A-Za-z0-9]/.test(letter) && !Object.hasOwn(CONTROLS, letter))
    throw wrong(`the pattern takes a class from one with \\${letter}, which is not supported`);
  return { code: CONTROLS[letter] ?? letter.codePointAt(0) ?? 0, of, end: at + 2 };
}

function joined(ranges: readonly (readonly [number, number])[]): Ranges {
  const made: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = made.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else made.push([from, to]);
  }
  return made;
}

function without(ranges: Ranges, taken: Ranges): Ranges {
  let left = ranges;
  for (const [from, to] of taken)
    left = left.flatMap(([low, high]): Ranges => {
      if (to < low || from > high) return [[low, high]];
      return [...(low < from ? [[low, from - 1] as const] : []), ...(high > to ? [[to + 1, high] as const] : [])];
    });
  return left;
}
