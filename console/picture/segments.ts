import { type PlaceState, type Seen, worst } from './states.ts';

/**
 * The strip of a loop or an iterator: of each of its segments the worst of the turns it stands for.
 *
 * @param at the turn it is at, from 0
 * @param steps how many turns there are
 */
export function segmentsOf(
  { rounds, roundStates, inside }: Pick<Seen, 'rounds' | 'roundStates' | 'inside'>,
  at: number,
  steps: number,
  segments: number,
): readonly PlaceState[] {
  // A turn that was leapt over, or a history that is not whole, leaves no way to tell which round was of which.
  const isKnown = rounds.length === at + 1;
  return Array.from({ length: segments }, (_, i) => {
    const from = Math.floor((i * steps) / segments);
    const to = Math.max(from + 1, Math.floor(((i + 1) * steps) / segments));
    if (from > at) return 'to come';
    const before = isKnown ? roundStates.slice(from, Math.min(to, at)) : ['done' as const];
    return at < to ? worst([inside.failed > 0 ? 'failed' : 'live', ...before]) : worst(before);
  });
}
