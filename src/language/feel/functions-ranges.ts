import { text } from './given.ts';
import { parseFeel } from './parse.ts';
import type { FeelFunction, FeelScope } from './scope.ts';
import type { Feel } from './tree.ts';
import { equal, FeelRange, type FeelValue, NO_END, ordered, shown, within, wrong } from './values.ts';

/*
 * How points and ranges lie to each other (DMN, 10.3.2.7), and ranges made of texts.
 */

const asRange = (value: FeelValue | undefined): FeelRange => {
  if (!(value instanceof FeelRange)) throw wrong(`${shown(value ?? null)} is no range`);
  return value;
};
const low = (range: FeelRange): FeelValue => end(range.from);
const high = (range: FeelRange): FeelValue => end(range.to);
function end(value: FeelValue): FeelValue {
  if (value === null || value === NO_END) throw wrong('the range has no end on this side');
  return value;
}
const isRange = (value: FeelValue | undefined): value is FeelRange => value instanceof FeelRange;
const same = (a: FeelValue, b: FeelValue): boolean => equal(a, b) === true;

const before: FeelFunction = ([a = null, b = null]) => {
  if (!isRange(a) && !isRange(b)) return ordered(a, b) < 0;
  if (!isRange(a)) {
    const order = ordered(a, low(asRange(b)));
    return order < 0 || (order === 0 && !asRange(b).left);
  }
  if (!isRange(b)) {
    const order = ordered(high(a), b);
    return order < 0 || (order === 0 && !a.right);
  }
  const order = ordered(high(a), low(b));
  return order < 0 || (order === 0 && (!a.right || !b.left));
};

const swapped =
  (run: FeelFunction): FeelFunction =>
  ([a = null, b = null], scope, evaluate) =>
    run([b, a], scope, evaluate);

const meets: FeelFunction = ([a, b]) => {
  const [first, second] = [asRange(a), asRange(b)];
  return first.right && second.left && same(high(first), low(second));
};

const overlapsBefore: FeelFunction = ([a, b]) => {
  const [first, second] = [asRange(a), asRange(b)];
  const starts = ordered(low(first), low(second));
  const into = ordered(high(first), low(second));
  const ends = ordered(high(first), high(second));
  return (
    (starts < 0 || (starts === 0 && first.left && !second.left)) &&
    (into > 0 || (into === 0 && first.right && second.left)) &&
    (ends < 0 || (ends === 0 && (!first.right || second.right)))
  );
};

const overlaps: FeelFunction = ([a, b]) => {
  const [first, second] = [asRange(a), asRange(b)];
  const one = ordered(high(first), low(second));
  const other = ordered(low(first), high(second));
  return (
    (one > 0 || (one === 0 && first.right && second.left)) && (other < 0 || (other === 0 && first.left && second.right))
  );
};

const finishes: FeelFunction = ([a = null, b]) => {
  const range = asRange(b);
  if (!isRange(a)) return range.right && same(a, high(range));
  const starts = ordered(low(a), low(range));
  return (
    a.right === range.right && same(high(a), high(range)) && (starts > 0 || (starts === 0 && (!a.left || range.left)))
  );
};

const startsWith: FeelFunction = ([a = null, b]) => {
  const range = asRange(b);
  if (!isRange(a)) return range.left && same(a, low(range));
  const ends = ordered(high(a), high(range));
  return a.left === range.left && same(low(a), low(range)) && (ends < 0 || (ends === 0 && (!a.right || range.right)));
};

const includes: FeelFunction = ([a, b = null]) => {
  const range = asRange(a);
  if (!isRange(b)) return within(b, range);
  const starts = ordered(low(range), low(b));
  const ends = ordered(high(range), high(b));
  return (
    (starts < 0 || (starts === 0 && (range.left || !b.left))) && (ends > 0 || (ends === 0 && (range.right || !b.right)))
  );
};

const coincides: FeelFunction = ([a = null, b = null]) => {
  if (!isRange(a) || !isRange(b)) {
    if (isRange(a) || isRange(b)) throw wrong('a point and a range never coincide');
    return same(a, b);
  }
  return same(a, b);
};

/** `range("[1..3]")`: both ends written out, from low to high. */
const range: FeelFunction = ([from], scope, evaluate) => {
  const parsed = parseFeel(text(from).trim());
  if (
    !parsed.ok ||
    parsed.tree.kind !== 'range' ||
    parsed.tree.from === null ||
    parsed.tree.to === null ||
    !isPlain(parsed.tree.from) ||
    !isPlain(parsed.tree.to)
  )
    throw wrong(`${shown(from ?? null)} is no range`);
  const made = evaluate(parsed.tree, { ...scope, lookup: () => undefined } satisfies FeelScope) as FeelRange;
  if (ordered(low(made), high(made)) > 0)
    throw wrong(`${shown(from ?? null)} is no range: its ends are the wrong way round`);
  return made;
};

/** Literals, and the functions that make a date, time or duration of a literal. */
function isPlain(tree: Feel): boolean {
  if (tree.kind === 'literal') return tree.value !== null;
  if (tree.kind === 'temporal') return true;
  if (tree.kind === 'negate') return isPlain(tree.of);
  return (
    tree.kind === 'call' &&
    ['date', 'time', 'date and time', 'duration'].includes(tree.name) &&
    tree.given.every((given) => given.kind === 'literal')
  );
}

export const RANGE_FUNCTIONS: { readonly [name: string]: FeelFunction } = {
  range,
  before,
  after: swapped(before),
  meets,
  'met by': swapped(meets),
  overlaps,
  'overlaps before': overlapsBefore,
  'overlaps after': swapped(overlapsBefore),
  finishes,
  'finished by': swapped(finishes),
  includes,
  during: swapped(includes),
  starts: startsWith,
  'started by': swapped(startsWith),
  coincides,
};
