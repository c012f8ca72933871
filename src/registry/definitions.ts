import type { Named } from '../engine/turn.ts';
import { type JsonObject, ownValue } from '../model/json.ts';
import type { StoredVersion } from '../model/stimulus.ts';
import type { Tenant } from '../model/tenant.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import type { Store } from '../store/store.ts';
import type { DefinitionName, DefinitionVersion } from '../store/tables/definition-name.ts';
import type { Kept } from './memory.ts';
import { readReference } from './names.ts';
import { keepRows } from './rows.ts';

/*
 * Stored definitions as every node has them in memory: of each name the version that is active, with its keys. Other versions are read when
 * they are asked for, and kept for a while, for they never change.
 */

/** One version of a stored definition. */
export type Definition = {
  readonly tenant: Tenant;
  readonly name: string;
  readonly version: number;
  /** Of its tree (store.definitions). */
  readonly hash: string;
  /** Of its text (store.stored.text). */
  readonly source: string;
  /** Over text and keys. */
  readonly sha256: string;
  readonly format: string;
  /** Its keys, checked when they were stored (api/resources/definitions/options.ts). */
  readonly options: JsonObject;
  readonly changedAt: number;
};

export type Definitions = Kept & {
  /** The active version of a name; null: there is no such name. */
  active(tenant: string, name: string): Definition | null;
  /** Active versions of a tenant, in no order. */
  of(tenant: string): Iterable<Definition>;
  /** How many names a tenant has, and the characters of their keys. */
  size(tenant: string): { readonly names: number; readonly characters: number };
  /** The version asked for, or the active one (null); null: there is none. A name that was deleted has no versions. */
  find(tenant: string, name: string, version: number | null): Promise<Definition | null>;
  /** The same of what is at hand; undefined: `find` has to be asked. */
  atHand(tenant: string, name: string, version: number | null): Definition | null | undefined;
  /** A version, whether its name was deleted or not; undefined: `load` has to be asked. */
  kept(tenant: string, name: string, version: number): Definition | undefined;
  load(tenant: string, name: string, version: number): Promise<Definition | null>;
  /** `see` is told of each active version that came or went (`now` null), after it did; and of all there are, at once. */
  watch(see: (before: Definition | null, now: Definition | null) => void): void;
};

/** Versions that are not active are kept up to this many characters of their keys. */
const VERSIONS_CHARACTERS_MAX = 2_000_000;

type Active = Definition & { readonly ver: number; readonly isOver: boolean; readonly characters: number };

const keyText = (tenant: string, name: string): string => `${tenant} ${name}`;

export function makeDefinitionRegistry(store: Pick<Store, 'stored'>): Definitions {
  const tenants = new Map<string, { readonly names: Map<string, Active>; characters: number }>();
  const versions = makeBoundedMap<Definition>(VERSIONS_CHARACTERS_MAX);
  const watchers: ((before: Definition | null, now: Definition | null) => void)[] = [];

  function learn(before: Active | undefined, now: Active | null): void {
    const one = now ?? before;
    if (one === undefined) return;
    const { tenant, name } = one;
    const all = tenants.get(tenant) ?? { names: new Map<string, Active>(), characters: 0 };
    tenants.set(tenant, all);
    all.characters += (now?.characters ?? 0) - (before?.characters ?? 0);
    if (now !== null) all.names.set(name, now);
    else {
      all.names.delete(name);
      if (all.names.size === 0) tenants.delete(tenant);
    }
    for (const see of watchers) see(before ?? null, now);
  }

  const rows = keepRows<Active>({
    keyOf: ({ tenant, name }) => keyText(tenant, name),
    changedLast: async (query) => {
      const { items, next } = await store.stored.changedLast(query);
      return { items: items.map(activeOf), next };
    },
    isOver: ({ isOver }) => isOver,
    learn,
  });

  const active = (tenant: string, name: string): Active | null => rows.get(keyText(tenant, name)) ?? null;
  const atHand: Definitions['atHand'] = (tenant, name, version) => {
    const now = active(tenant, name);
    if (now === null || version === null || now.version === version) return now;
    return versions.get(`${keyText(tenant, name)}@${version}`);
  };

  const kept: Definitions['kept'] = (tenant, name, version) => {
    const now = active(tenant, name);
    return now?.version === version ? now : versions.get(`${keyText(tenant, name)}@${version}`);
  };
  const load: Definitions['load'] = async (tenant, name, version) => {
    const known = kept(tenant, name, version);
    if (known !== undefined) return known;
    const row = await store.stored.version(tenant, name, version);
    if (row === null) return null;
    const found = definitionOf(row);
    versions.set(`${keyText(tenant, name)}@${version}`, found, row.options.length + 500);
    return found;
  };

  return {
    refresh: rows.refresh,
    active,
    atHand,
    kept,
    load,
    of: (tenant) => tenants.get(tenant)?.names.values() ?? [],
    size: (tenant) => {
      const all = tenants.get(tenant);
      return { names: all?.names.size ?? 0, characters: all?.characters ?? 0 };
    },
    find: async (tenant, name, version) => {
      const known = atHand(tenant, name, version);
      return known !== undefined || version === null ? (known ?? null) : load(tenant, name, version);
    },
    watch: (see) => {
      watchers.push(see);
      for (const one of rows.all()) see(null, one);
    },
  };
}

/** How the engine knows stored definitions. */
export const namedIn = (definitions: Pick<Definitions, 'atHand' | 'find'>): Named => ({
  atHand: (tenant, text) => {
    const reference = readReference(text);
    if (reference === null) return null;
    const found = definitions.atHand(tenant, reference.name, reference.version);
    return found == null ? found : versionIn(found);
  },
  load: async (tenant, text) => {
    const reference = readReference(text);
    if (reference !== null) await definitions.find(tenant, reference.name, reference.version);
  },
});

function versionIn({ hash, name, version, source, options }: Definition): StoredVersion {
  const inputSchema = ownValue(options, 'input_schema');
  return { hash, name, version, source, ...(inputSchema !== undefined && { inputSchema }) };
}

export const definitionOf = (row: DefinitionVersion): Definition => ({
  tenant: row.tenant as Tenant,
  name: row.name,
  version: row.version,
  hash: row.hash,
  source: row.source,
  sha256: row.sha256,
  format: row.format,
  options: JSON.parse(row.options) as JsonObject,
  changedAt: row.createdAt,
});

const activeOf = (row: DefinitionName): Active => ({
  tenant: row.tenant as Tenant,
  name: row.name,
  version: row.active ?? row.last,
  hash: row.hash,
  source: row.source,
  sha256: row.sha256,
  format: row.format,
  options: row.active === null ? {} : (JSON.parse(row.options) as JsonObject),
  changedAt: row.changedAt,
  ver: row.ver,
  isOver: row.active === null,
  characters: row.options.length,
});
