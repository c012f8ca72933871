import type { Json } from '../model/json.ts';

/**
 * A definition asked for something that cannot be done: a bad regex, a condition nobody can read, a failed filter.
 *
 * It becomes an error of the workflow (which on_error may handle), never a fault of the server. `errorClass` is what
 * definitions match on; `deviations` are those of a filter.
 */
export class LanguageError extends Error {
  readonly errorClass: string;
  readonly deviations: Json | undefined;

  constructor(errorClass: string, message: string, details: { readonly deviations?: Json } = {}) {
    super(message);
    this.name = 'LanguageError';
    this.errorClass = errorClass;
    this.deviations = details.deviations;
  }
}
