import { type FeelContext, type FeelValue, isContext, isList, shown, wrong } from './values.ts';

/*
 * Arguments as functions want them. A list of one element stands for the element where a list is not wanted, and a single value for a
 * list of it where one is.
 */

const single = (value: FeelValue | undefined): FeelValue =>
  value !== undefined && isList(value) && value.length === 1 ? (value[0] as FeelValue) : (value ?? null);

export function text(value: FeelValue | undefined): string {
  const one = single(value);
  if (typeof one !== 'string') throw wrong(`${shown(one)} is no string`);
  return one;
}

export function number(value: FeelValue | undefined): number {
  const one = single(value);
  if (typeof one !== 'number') throw wrong(`${shown(one)} is no number`);
  return one;
}

/** A number without what stands behind its point. */
export const integer = (value: FeelValue | undefined): number => Math.trunc(number(value));

export function list(value: FeelValue | undefined): readonly FeelValue[] {
  if (value === undefined || value === null) throw wrong('null is no list');
  return isList(value) ? value : [value];
}

export function context(value: FeelValue | undefined): FeelContext {
  const one = single(value);
  if (!isContext(one)) throw wrong(`${shown(one)} is no context`);
  return one;
}

/** `f(list)` or `f(a, b, …)`. */
export function listOrAll(given: readonly (FeelValue | undefined)[]): readonly FeelValue[] {
  const [first] = given;
  if (given.length === 1) return list(first);
  if (given.length === 0) throw wrong('there is no argument');
  return given.map((each) => each ?? null);
}

export const isGiven = (value: FeelValue | undefined): value is FeelValue => value !== undefined && value !== null;
