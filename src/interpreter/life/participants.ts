import { urlFor } from '../../language/callbacks.ts';
import { isObject, type Json, ownValue } from '../../model/json.ts';
import { type Registered, referenceText } from '../../model/participants.ts';
import { storedKey } from '../../model/stimulus.ts';
import { type Acting, Wanting, type World } from '../state/world.ts';

/*
 * Where the work of a participant goes (docs/api-v1.md, Participants): the launch's own URL for its name, the launch's URL for a pattern its
 * name fits, the launch's URL for all; then a function in the process of a server; then what its stored definition brings along; then the registry.
 */

/** `url` null: nothing is sent; it waits in the worklist. `of`: the version of a definition that brings the entry along. */
export type Found = { readonly url: string | null; readonly entry: Registered | null; readonly of?: string };

/** Null: nobody knows this participant. */
export function whereTo(world: World, participant: string): Found | null {
  const url = launchedUrl(world, participant);
  if (url !== null) return { url, entry: null };
  const entry = world.context.participant?.(world.row.tenant, participant) ?? null;
  const own = entry?.inProcess === true ? null : ownEntry(world, participant);
  if (own !== null) return { url: own.entry.url, ...own };
  return entry === null ? null : { url: entry.url, entry };
}

/**
 * The first of several names for the same work that somebody is known by: a URL for exactly that name comes before one for a pattern, whichever name it
 * is, and what the launch has before the definition's entries, and those before the registry's. With one URL for all it is the first name.
 */
export function firstKnown(world: World, names: readonly string[]): string | null {
  const callbacks = JSON.parse(world.row.callbacks) as Json;
  for (const layer of Array.isArray(callbacks) ? (callbacks as readonly Json[]) : [callbacks]) {
    const exact = isObject(layer) ? names.find((name) => typeof ownValue(layer, name) === 'string') : undefined;
    const known = exact ?? names.find((name) => urlFor(layer, name) !== null);
    if (known !== undefined) return known;
  }
  const registered = (name: string): Registered | null => world.context.participant?.(world.row.tenant, name) ?? null;
  for (const entryOf of [(name: string) => ownEntry(world, name)?.entry ?? null, registered]) {
    const entries = names.map(entryOf);
    const exact = names.find((name, i) => entries[i]?.entry === name);
    const known = exact ?? names.find((_, i) => entries[i] !== null);
    if (known !== undefined) return known;
  }
  return null;
}

/** What the stored definition of this workflow brings along. */
export function ownEntry(
  { row, context }: World,
  participant: string,
): { readonly entry: Registered; readonly of: string } | null {
  const { definitionName: name, definitionVersion: version } = row;
  if (context.ownParticipant === undefined || name == null || version == null) return null;
  const reference = { name, version };
  const entry = context.ownParticipant(row.tenant, reference, participant);
  const of = referenceText(reference);
  if (entry === undefined) throw new Wanting([{ kind: 'definition', hash: storedKey(row.tenant, of) }]);
  return entry === null ? null : { entry, of };
}

/** What the launch has; a list has the launch's own before that of its definition. */
const launchedUrl = (world: World, participant: string): string | null =>
  urlFor(JSON.parse(world.row.callbacks) as Json, participant);

/** Whether an expression is one of Ruote's, whose attributes say more of its participant than its name. */
export const saysMore = ({ world, node }: Acting): boolean => world.registry.get(node.kind)?.family === undefined;
