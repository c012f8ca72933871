import { DATE_FUNCTIONS } from './functions-dates.ts';
import { LIST_FUNCTIONS } from './functions-lists.ts';
import { NUMBER_FUNCTIONS } from './functions-numbers.ts';
import { RANGE_FUNCTIONS } from './functions-ranges.ts';
import { TEXT_FUNCTIONS } from './functions-texts.ts';
import { PARAMETERS } from './names.ts';
import type { Evaluate, FeelFunction, FeelScope } from './scope.ts';
import type { Feel } from './tree.ts';
import { type FeelValue, identical, shown, wrong } from './values.ts';

const OTHERS: { readonly [name: string]: FeelFunction } = {
  not: ([value]) => {
    if (typeof value !== 'boolean') throw wrong(`not(${shown(value ?? null)}): neither true nor false`);
    return !value;
  },
  is: ([a = null, b = null]) => identical(a, b),
  'is defined': ([value]) => value !== null,
  'get or else': ([value = null, otherwise = null]) => value ?? otherwise,
  assert: ([value = null, condition, cause]) => {
    if (condition !== true) throw wrong(typeof cause === 'string' ? cause : 'an assertion does not hold');
    return value;
  },
};
const FUNCTIONS: ReadonlyMap<string, FeelFunction> = new Map(
  Object.entries({
    ...TEXT_FUNCTIONS,
    ...NUMBER_FUNCTIONS,
    ...LIST_FUNCTIONS,
    ...DATE_FUNCTIONS,
    ...RANGE_FUNCTIONS,
    ...OTHERS,
  }),
);

type Call = Extract<Feel, { kind: 'call' }>;
type Parameters = readonly string[];

export function callFunction(tree: Call, scope: FeelScope, evaluate: Evaluate): FeelValue {
  const parameters = (Object.hasOwn(PARAMETERS, tree.name) ? PARAMETERS[tree.name] : undefined) ?? [];
  const ways = (
    typeof parameters[0] === 'string' || parameters.length === 0 ? [parameters] : parameters
  ) as readonly Parameters[];
  for (const way of ways) {
    const order = placesOf(tree, way);
    if (order === null) continue;
    const given = order.map((place) => (place < 0 ? undefined : evaluate(tree.given[place] as Feel, scope)));
    const run = FUNCTIONS.get(tree.name);
    if (run === undefined) break;
    try {
      return run(given, scope, evaluate);
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) throw wrong(`${tree.name} cannot be computed`);
      throw error;
    }
  }
  throw wrong(`${tree.name}() takes ${ways.map((way) => `(${way.join(', ').replaceAll('?', '')})`).join(' or ')}`);
}

/** For each parameter which of the given arguments it is, -1 where it is left out; null when these arguments do not fit. */
function placesOf({ given, names }: Call, way: Parameters): readonly number[] | null {
  const bare = way.map((parameter) => parameter.replace(/[?…]$/, ''));
  if (names !== null) {
    if (names.some((name) => !bare.includes(name))) return null;
    const places = bare.map((name) => names.indexOf(name));
    return way.every((parameter, i) => (places[i] as number) >= 0 || parameter.endsWith('?')) ? places : null;
  }
  const takesRest = way.at(-1)?.endsWith('…') === true;
  const least = way.filter((parameter) => !parameter.endsWith('?')).length;
  if (given.length < least || (given.length > way.length && !takesRest)) return null;
  return Array.from({ length: takesRest ? given.length : way.length }, (_, i) => (i < given.length ? i : -1));
}
