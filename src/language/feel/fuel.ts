import { LanguageError } from '../language-error.ts';

/** Units one evaluation may take: nodes walked, elements made or looked at, each hundred characters of text made. */
export const FEEL_FUEL = 10_000;

/** What an evaluation has left. */
export class Fuel {
  private left: number;
  constructor(units: number = FEEL_FUEL) {
    this.left = units;
  }
  /** Throws a LanguageError (LimitExceeded) when there is not so much left. */
  spend(units: number): void {
    this.left -= units;
    if (this.left < 0)
      throw new LanguageError('LimitExceeded', `the expression takes more than ${FEEL_FUEL} units of work`);
  }
  /** For a text of so many characters. */
  characters(count: number): void {
    this.spend(1 + count / 100);
  }
}
