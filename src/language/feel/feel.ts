import type { Json } from '../../model/json.ts';
import { evaluate } from './evaluate.ts';
import { Fuel } from './fuel.ts';
import { parseFeel } from './parse.ts';
import { type FeelValue, feelToJson, wrong } from './values.ts';

export { parseFeel } from './parse.ts';

/** What an expression can see. */
export type FeelWorld = {
  /** Undefined: there is no such variable. */
  readonly lookup: (name: string) => FeelValue | undefined;
  /** Business time, milliseconds since 1970. */
  readonly now: number;
};

/**
 * Evaluates an expression.
 *
 * @throws LanguageError: ExpressionError (it does not parse, or asks for what cannot be done), LimitExceeded
 */
export function evaluateFeel(text: string, { lookup, now }: FeelWorld): FeelValue {
  const parsed = parseFeel(text);
  if (!parsed.ok) throw wrong(`${parsed.message} (at character ${parsed.at + 1})`);
  return evaluate(parsed.tree, { lookup, now, fuel: new Fuel(), filtering: false });
}

/** As `evaluateFeel`, as JSON: dates, times, durations and ranges become texts. */
export const feelJson = (text: string, world: FeelWorld): Json => feelToJson(evaluateFeel(text, world));
