import { isObject, type Json, type JsonObject, ownValue } from '../model/json.ts';
import { isPattern } from '../model/participants.ts';
import { compileRegex, literalRegex } from './regex.ts';
import { makeMeter } from './work.ts';

/*
 * Where the work of a participant goes, as a launch and its definition say it: one URL for all, or URLs by name and by patterns of names
 * (`/^fax_/`), or several of these, of which the first that knows the name counts.
 */

/** Work of looking for a pattern that fits a name. */
const PATTERNS_WORK_MAX = 500_000;

/** The URL for a participant; null: there is none. @throws LanguageError when the patterns take too much work */
export function urlFor(callbacks: Json, participant: string): string | null {
  if (typeof callbacks === 'string') return callbacks;
  if (isObject(callbacks)) return ownUrl(callbacks, participant);
  if (!Array.isArray(callbacks)) return null;
  for (const layer of callbacks as readonly Json[]) {
    const url = urlFor(layer, participant);
    if (url !== null) return url;
  }
  return null;
}

function ownUrl(callbacks: JsonObject, participant: string): string | null {
  const exact = ownValue(callbacks, participant);
  if (typeof exact === 'string') return exact;
  const patterns = Object.keys(callbacks).filter(isPattern);
  if (patterns.length === 0) return null;
  const work = makeMeter(PATTERNS_WORK_MAX, 'looking for a callback whose pattern fits the name of a participant');
  const fitting = patterns
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
    .find((pattern) => {
      const literal = literalRegex(pattern);
      return literal !== null && compileRegex(literal.source, literal.flags).test(participant, work);
    });
  const url = fitting === undefined ? undefined : ownValue(callbacks, fitting);
  return typeof url === 'string' ? url : null;
}
