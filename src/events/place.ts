import { shardOf, type WorkflowId } from '../model/ids.ts';

/**
 * How far a reader of everything has come: it has seen all up to entry `n` of `workflow` at `position`, in the order (position, shard, workflow, n); where
 * `workflow` is null, all below `position`.
 */
export type Place = { readonly position: number; readonly workflow: WorkflowId | null; readonly n: number };

export const atPosition = (position: number): Place => ({ position, workflow: null, n: 0 });

/** Whether `other` comes after `place`. */
export function isBehind(place: Place, other: Place): boolean {
  if (place.position !== other.position) return place.position < other.position;
  if (place.workflow === null || other.workflow === null) return place.workflow === null && other.workflow !== null;
  if (place.workflow === other.workflow) return place.n < other.n;
  const [here, there] = [shardOf(place.workflow), shardOf(other.workflow)];
  return here === there ? place.workflow < other.workflow : here < there;
}

/** A place as readers get it. */
export const placeText = ({ position, workflow, n }: Place): string =>
  Buffer.from(workflow === null ? String(position) : `${position}/${workflow}/${n}`, 'utf8').toString('base64url');

/** Longest place that is looked at, in characters. */
const PLACE_LENGTH_MAX = 500;

/** The place a reader gives back; null when it is none of ours. `0` is the beginning of all that is kept. */
export function readPlace(text: string): Place | null {
  if (text === '0') return atPosition(0);
  if (text.length > PLACE_LENGTH_MAX || !/^[\w-]+$/.test(text)) return null;
  const found = /^(\d{1,15})(?:\/([\w-]{1,200})\/(\d{1,10}))?$/.exec(Buffer.from(text, 'base64url').toString('utf8'));
  if (found === null) return null;
  const [, position = '', workflow, n] = found;
  return { position: Number(position), workflow: (workflow ?? null) as WorkflowId | null, n: Number(n ?? 0) };
}
