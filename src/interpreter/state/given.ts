import { canonicalJson, equalJson, type Fields, type Json, ownValue } from '../../model/json.ts';
import { NOT_DELIVERED, OURS } from './fields.ts';
import type { World } from './world.ts';

/** What the history keeps of what somebody gave. */
export type Given = { readonly given?: Json } | { readonly given_size: number; readonly given_hash: string };

/** What somebody gave, as the history keeps it (HISTORY_FIELDS): nothing when nothing is kept or was given; of much, how many characters it has and a hash. */
export function givenPart(world: World, fields: Fields): Given {
  const most = world.context.limits.givenCharacters;
  if (most === 0) return {};
  for (const _ in fields) {
    const { characters } = world.extentOf(fields);
    return characters > most ? { given_size: characters, given_hash: hashOf(fields) } : { given: fields };
  }
  return {};
}

const HASH_SEEDS = [0x811c9dc5, 0x9747b28c] as const;
/** The same for equal fields, whatever the order of their names, and hardly for others: FNV-1a, twice. It proves nothing against somebody who wants it equal. */
function hashOf(fields: Fields): string {
  const text = canonicalJson(fields);
  return HASH_SEEDS.map((seed) => {
    let hash: number = seed;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    return (hash >>> 0).toString(16).padStart(8, '0');
  }).join('');
}

/** From now on this step tells which fields are other ones than these: those of a launch, or of whoever had the workitem before. */
export function setOutWith(world: World, fields: Fields): void {
  if (world.context.limits.givenCharacters > 0) world.setOutWith = fields;
}

/**
 * The names of the fields that a participant has and the step did not set out with, or has no more, or with another value. Nothing when there are
 * none, or nothing is kept; of very many, how many there are.
 */
export function changedPart(
  world: World,
  fields: Fields,
): { readonly changed?: Json } | { readonly changed_count?: number } {
  const before = world.setOutWith;
  if (before === null || before === fields) return {};
  const names = [...new Set([...Object.keys(fields), ...Object.keys(before)])];
  world.spend(names.length);
  const changed = names.filter((name) => !UNTOLD.has(name) && !isSame(ownValue(before, name), ownValue(fields, name)));
  if (changed.length === 0) return {};
  const characters = changed.reduce((sum, name) => sum + name.length, 0);
  return characters > world.context.limits.givenCharacters ? { changed_count: changed.length } : { changed };
}

/** Fields that nobody gave: they change with each participant. */
const UNTOLD: ReadonlySet<string> = new Set([...NOT_DELIVERED, ...OURS]);

const isSame = (a: Json | undefined, b: Json | undefined): boolean =>
  a === undefined || b === undefined ? a === b : equalJson(a, b);
