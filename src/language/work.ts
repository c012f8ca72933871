import type { Json } from '../model/json.ts';
import { LanguageError } from './language-error.ts';

/**
 * Counts what a function reads, copies and writes, so that work which grows with what strangers send has an end.
 *
 * One unit is about one character of a text, or one element of a list or object. The count does not depend on the
 * machine, so that a definition that works on one works on all of them.
 */
export type Work = {
  /** Takes `units` (zero or more) off the budget. Throws a LanguageError (LimitExceeded) when it is used up. */
  readonly spend: (units: number) => void;
};

/** A meter that also tells what has been spent until now. */
export type Meter = Work & { readonly spent: () => number };

/** A meter with a budget. `what` begins the message of the error: "the filter", "one step of the workflow". */
export function makeMeter(limit: number, what: string): Meter {
  let spent = 0;
  return {
    spend: (units) => {
      spent += units;
      if (spent > limit)
        throw new LanguageError(
          'LimitExceeded',
          `${what} takes more work than is allowed (more than ${limit} characters and elements read or written)`,
        );
    },
    spent: () => spent,
  };
}

/** Looking at one element of a list or object, or copying it, takes about as long as copying this many characters. */
export const ELEMENT_WORK = 8;

/** For callers that bound the work by other means, such as the length of the text. */
export const FREE: Work = { spend: () => undefined };

/** Both meters count; the tighter one ends the work. */
export const bothOf = (one: Work, other: Work): Work => ({
  spend: (units) => {
    one.spend(units);
    other.spend(units);
  },
});

/**
 * Spends the size of `value`: its characters (keys included) and its elements. Stops in the middle when the budget is
 * used up, so that it never takes longer than what it counts.
 */
export function spendValue(work: Work, value: Json): void {
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'string') work.spend(next.length + 1);
    else if (typeof next !== 'object' || next === null) work.spend(1);
    else if (Array.isArray(next)) {
      work.spend(next.length + 1);
      for (const item of next as readonly Json[])
        if (typeof item === 'string') work.spend(item.length + 1);
        else open.push(item);
    } else {
      work.spend(1);
      for (const [key, item] of Object.entries(next)) {
        work.spend(key.length + 1);
        open.push(item as Json);
      }
    }
  }
}
