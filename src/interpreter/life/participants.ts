import { urlFor } from '../../language/callbacks.ts';
import type { Json } from '../../model/json.ts';
import type { Registered } from '../../model/participants.ts';
import type { Acting, World } from '../state/world.ts';

/*
 * Where the work of a participant goes (docs/api-v1.md, Participants): the launch's own URL for its name, the launch's URL for a pattern its
 * name fits, the launch's URL for all; then the registry.
 */

/** `url` null: nothing is sent; it waits in the worklist. */
export type Found = { readonly url: string | null; readonly entry: Registered | null };

/** Null: nobody knows this participant. */
export function whereTo(world: World, participant: string): Found | null {
  const url = launchedUrl(world, participant);
  if (url !== null) return { url, entry: null };
  const entry = world.context.participant?.(world.row.tenant, participant) ?? null;
  return entry === null ? null : { url: entry.url, entry };
}

/** What the launch has; a list has the launch's own before that of its definition. */
const launchedUrl = (world: World, participant: string): string | null =>
  urlFor(JSON.parse(world.row.callbacks) as Json, participant);

/** Whether an expression is one of Ruote's, whose attributes say more of its participant than its name. */
export const saysMore = ({ world, node }: Acting): boolean => world.registry.get(node.kind)?.family === undefined;
