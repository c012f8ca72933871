import { isObject, type Json, type JsonObject, ownValue } from '../model/json.ts';
import { shownJson } from '../model/text.ts';
import { SCHEDULES_OF_TENANT_MAX } from './schedule-spec.ts';

/* How much a tenant may have stored: asked when a version is about to become the active one, by a PUT or by going back to it. */

export const DEFINITIONS_MAX = 10_000;
export const DEFINITIONS_CHARACTERS_MAX = 64_000_000;
export const ROUTES_MAX = 1_000;
/** Definitions that events of one type may start. */
export const TRIGGERS_OF_TYPE_MAX = 100;

/** A version that is about to be the active one of its name. */
export type Wanted = {
  readonly name: string;
  readonly options: JsonObject;
  /** Of its keys. */
  readonly characters: number;
  readonly hasRoute: boolean;
};

/** What is active of a tenant now. */
export type Standing = {
  readonly names: number;
  /** Of all keys. */
  readonly characters: number;
  readonly routes: number;
  /** The active version of the name; null: it has none. */
  readonly before: { readonly characters: number; readonly hasRoute: boolean } | null;
  readonly definitions: Iterable<{ readonly name: string; readonly options: JsonObject }>;
};

/** Why there is no room, as a sentence; null: there is. */
export function roomComplaint(wanted: Wanted, standing: Standing): string | null {
  const { names, characters, routes, before } = standing;
  if (before === null && names >= DEFINITIONS_MAX)
    return `There are ${names} definitions, as many as there may be; delete some`;
  if (characters + wanted.characters - (before?.characters ?? 0) > DEFINITIONS_CHARACTERS_MAX)
    return `The keys of all definitions have at most ${DEFINITIONS_CHARACTERS_MAX} characters together`;
  if (wanted.hasRoute && routes >= ROUTES_MAX && before?.hasRoute !== true)
    return `There are ${ROUTES_MAX} routes, as many as there may be`;
  return startsComplaint(wanted, standing.definitions);
}

/** The same of what events and moments may start. */
function startsComplaint({ name, options }: Wanted, definitions: Standing['definitions']): string | null {
  const types = typesIn(options);
  const own = listIn(options, 'schedules').length;
  if (types.length + own === 0) return null;
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  let schedules = own;
  for (const other of definitions) {
    if (other.name === name) continue;
    if (own > 0) schedules += listIn(other.options, 'schedules').length;
    if (types.length > 0)
      for (const type of typesIn(other.options)) {
        const count = counts.get(type);
        if (count !== undefined) counts.set(type, count + 1);
      }
  }
  if (own > 0 && schedules > SCHEDULES_OF_TENANT_MAX)
    return `There are ${SCHEDULES_OF_TENANT_MAX} schedules, as many as there may be`;
  const full = [...counts].find(([, count]) => count > TRIGGERS_OF_TYPE_MAX);
  return full === undefined
    ? null
    : `Events of type ${shownJson(full[0], 100)} start ${TRIGGERS_OF_TYPE_MAX} definitions, as many as they may`;
}

const listIn = (options: JsonObject, key: string): readonly Json[] => {
  const list = ownValue(options, key);
  return Array.isArray(list) ? (list as readonly Json[]) : [];
};

/** Types of events that start it: by triggers, and of BPMN by its start events. */
const typesIn = (options: JsonObject): readonly string[] =>
  [...listIn(options, 'triggers'), ...listIn(options, 'starts')].flatMap((start) => {
    const type = isObject(start) ? (start['type'] ?? start['message'] ?? start['signal']) : undefined;
    return typeof type === 'string' ? [type] : [];
  });
