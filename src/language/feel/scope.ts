import { ownValue } from '../../model/json.ts';
import type { Fuel } from './fuel.ts';
import type { Feel } from './tree.ts';
import { type FeelValue, isContext } from './values.ts';

/** What names mean, and what the world is like. */
export type FeelScope = {
  /** Undefined: there is no such variable. */
  readonly lookup: (name: string) => FeelValue | undefined;
  /** Business time of the step, milliseconds since 1970. */
  readonly now: number;
  readonly fuel: Fuel;
  /** Within a filter a comparison with what is not there is not true, and no error. */
  readonly filtering: boolean;
};

export type Evaluate = (tree: Feel, scope: FeelScope) => FeelValue;

/** Arguments in the order of the parameters; optional ones that were left out are undefined. */
export type FeelFunction = (
  given: readonly (FeelValue | undefined)[],
  scope: FeelScope,
  evaluate: Evaluate,
) => FeelValue;

/** Keys of strangers included: `__proto__` is an ordinary one. */
export const contextOf = (entries: Iterable<readonly [string, FeelValue]>): FeelValue => Object.fromEntries(entries);

export const ownFeel = (value: FeelValue, key: string): FeelValue | undefined =>
  isContext(value) ? ownValue(value as never, key) : undefined;
