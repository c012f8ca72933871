import type { Fields, Json } from '../model/json.ts';
import type { World } from './state/world.ts';

/** What somebody gave, as the history keeps it (HISTORY_FIELDS): nothing when nothing is kept or was given; of much, how many characters it has. */
export function givenPart(world: World, fields: Fields): { readonly given?: Json } | { readonly given_size?: number } {
  const most = world.context.limits.givenCharacters;
  if (most === 0) return {};
  for (const _ in fields) {
    const { characters } = world.extentOf(fields);
    return characters > most ? { given_size: characters } : { given: fields };
  }
  return {};
}
