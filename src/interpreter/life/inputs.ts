import { INPUT_BYTES_MAX, validate } from '../../language/json-schema.ts';
import { LanguageError } from '../../language/language-error.ts';
import type { JsonObject } from '../../model/json.ts';
import type { StoredVersion } from '../../model/stimulus.ts';
import type { World } from '../state/world.ts';

/* Whether a stored definition takes what an expression starts it with, told where the expression can still be repaired. */

/** Complaints that an error quotes. */
const QUOTED_MAX = 3;

/** @throws LanguageError ArgumentError with what is wrong and where; LimitExceeded where telling takes too much */
export function checkInput(world: World, { name, version, inputSchema }: StoredVersion, fields: JsonObject): void {
  if (inputSchema === undefined) return;
  const characters = JSON.stringify(fields).length;
  world.spend(characters);
  if (characters > INPUT_BYTES_MAX)
    throw new LanguageError(
      'LimitExceeded',
      `the fields for ${name}@${version} are ${characters} bytes long, more than ${INPUT_BYTES_MAX}`,
    );
  const verdict = validate(inputSchema, fields);
  if (verdict.kind === 'exhausted')
    throw new LanguageError(
      'LimitExceeded',
      `to hold the fields against the input_schema of ${name}@${version} takes more work than is allowed`,
    );
  if (verdict.kind === 'invalid')
    throw new LanguageError(
      'ArgumentError',
      `the fields are not as ${name}@${version} wants them: ${verdict.complaints
        .slice(0, QUOTED_MAX)
        .map(({ pointer, detail }) => `${pointer} ${detail}`)
        .join('; ')}`,
    );
}
