import { compileRegex, literalRegex } from '../../language/regex.ts';
import { makeMeter, type Work } from '../../language/work.ts';
import { isObject, type Json, ownValue } from '../../model/json.ts';
import { isPattern, type Registered } from '../../model/participants.ts';
import type { Acting, World } from '../state/world.ts';

/*
 * Where the work of a participant goes (docs/api-v1.md, Participants): the launch's own URL for its name, the launch's URL for a pattern its
 * name fits, the launch's URL for all; then the registry.
 */

/** `url` null: nothing is sent; it waits in the worklist. */
export type Found = { readonly url: string | null; readonly entry: Registered | null };

/** Work of looking for a pattern that fits. */
const PATTERNS_WORK_MAX = 500_000;

/** Null: nobody knows this participant. */
export function whereTo(world: World, participant: string): Found | null {
  const url = launchedUrl(world, participant);
  if (url !== null) return { url, entry: null };
  const entry = world.context.participant?.(world.row.tenant, participant) ?? null;
  return entry === null ? null : { url: entry.url, entry };
}

/** What the launch has; a list has the launch's own before that of its definition. */
function launchedUrl(world: World, participant: string): string | null {
  const callbacks = JSON.parse(world.row.callbacks) as Json;
  if (!Array.isArray(callbacks)) return urlIn(callbacks, participant);
  for (const layer of callbacks as readonly Json[]) {
    const url = urlIn(layer, participant);
    if (url !== null) return url;
  }
  return null;
}

function urlIn(callbacks: Json, participant: string): string | null {
  if (typeof callbacks === 'string') return callbacks;
  if (!isObject(callbacks)) return null;
  const exact = ownValue(callbacks, participant);
  if (typeof exact === 'string') return exact;
  const patterns = Object.keys(callbacks).filter(isPattern);
  if (patterns.length === 0) return null;
  const work = makeMeter(PATTERNS_WORK_MAX, 'looking for a callback whose pattern fits a participant');
  const fitting = patterns
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
    .find((pattern) => fits(pattern, participant, work));
  const url = fitting === undefined ? undefined : ownValue(callbacks, fitting);
  return typeof url === 'string' ? url : null;
}

function fits(pattern: string, participant: string, work: Work): boolean {
  const literal = literalRegex(pattern);
  return literal !== null && compileRegex(literal.source, literal.flags).test(participant, work);
}

/** Whether an expression is one of Ruote's, whose attributes say more of its participant than its name. */
export const saysMore = ({ world, node }: Acting): boolean => world.registry.get(node.kind)?.family === undefined;
