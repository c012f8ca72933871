import type { Sealing } from '../identity/sealing.ts';
import { isObject, type Json, type JsonObject, ownValue, withoutKeys } from '../model/json.ts';
import { isPattern, type Registered, type StoredReference } from '../model/participants.ts';
import { type BoundedMap, makeBoundedMap } from '../runtime/bounded.ts';
import type { Log } from '../runtime/log.ts';
import type { Definition, Definitions } from './definitions.ts';
import { fits, parted, registered, type Secrets } from './participant-spec.ts';

/*
 * Participants that a stored definition brings along: entries as those of the registry, for the workflows of that version alone. They stand before the
 * registry's. What is secret of them is sealed into one text beside the other keys of the version, which is never shown.
 */

/** The key of a version that holds what is secret. */
export const SEALED_KEY = 'participants_sealed';

export type OwnParticipants = {
  /** Null: the version brings none of that name; undefined: it has to be loaded first. */
  find(tenant: string, of: StoredReference, participant: string): Registered | null | undefined;
  load(tenant: string, of: StoredReference): Promise<void>;
  /** The same in the background; what goes wrong is in the log, and asked for again it is begun anew. */
  begin(tenant: string, of: StoredReference): void;
  /** The same of a version that is at hand. */
  of(definition: Definition, participant: string): Registered | null;
  /** The keys of a version as they are stored; `***` stands for what is there before. */
  stored(tenant: string, name: string, options: JsonObject, before: JsonObject): JsonObject;
};

type Entries = {
  readonly exact: ReadonlyMap<string, Registered>;
  /** The longest first. */
  readonly patterns: readonly Registered[];
};
const NONE: Entries = { exact: new Map(), patterns: [] };
/** Versions that are loaded in the background at once; what finds no room is asked for again by the next try. */
export const LOADING_MAX = 20;
/** Versions that were asked for and are not there. */
const GONE_MAX = 1_000;

export function makeOwnParticipants(parts: {
  readonly definitions: Pick<Definitions, 'kept' | 'load'>;
  readonly sealing: Sealing;
  readonly log: Log;
}): OwnParticipants {
  const { definitions, sealing, log } = parts;
  const made = new WeakMap<Definition, Entries>();
  const gone: BoundedMap<true> = makeBoundedMap<true>(GONE_MAX);

  const sealId = (tenant: string, name: string): string => `${tenant} ${name} participants`;
  const secretsIn = (tenant: string, name: string, options: JsonObject): Readonly<Record<string, Secrets>> | null => {
    const sealed = ownValue(options, SEALED_KEY);
    if (typeof sealed !== 'string') return {};
    const text = sealing.open(sealId(tenant, name), sealed);
    return text === null ? null : (JSON.parse(text) as Readonly<Record<string, Secrets>>);
  };

  function entriesOf(definition: Definition): Entries {
    const known = made.get(definition);
    if (known !== undefined) return known;
    const written = ownValue(definition.options, 'participants');
    const entries = isObject(written) ? entriesIn(definition, written) : NONE;
    made.set(definition, entries);
    return entries;
  }

  function entriesIn({ tenant, name, version, options }: Definition, written: JsonObject): Entries {
    const secrets = secretsIn(tenant, name, options);
    if (secrets === null)
      log.error(
        'what is secret of the participants of a definition is sealed with a key that SECRETS_KEY does not have; nothing is sent to them',
        { event: 'participant.sealed', definition: `${name}@${version}` },
      );
    const all = Object.entries(written).map(([participant, spec]) => {
      const own = secrets !== null && Object.hasOwn(secrets, participant) ? (secrets[participant] ?? {}) : {};
      const entry = registered(participant, isObject(spec) ? spec : {}, own);
      // Without its secrets it would be asked as nobody.
      return secrets === null ? { ...entry, enabled: false } : entry;
    });
    return {
      exact: new Map(all.filter(({ entry }) => !isPattern(entry)).map((one) => [one.entry, one] as const)),
      patterns: all
        .filter(({ entry }) => isPattern(entry))
        .sort((a, b) => b.entry.length - a.entry.length || (a.entry < b.entry ? -1 : 1)),
    };
  }

  function of(definition: Definition, participant: string): Registered | null {
    const { exact, patterns } = entriesOf(definition);
    return exact.get(participant) ?? patterns.find(({ entry }) => fits(entry, participant)) ?? null;
  }

  const load: OwnParticipants['load'] = async (tenant, { name, version }) => {
    if ((await definitions.load(tenant, name, version)) === null) gone.set(`${tenant} ${name}@${version}`, true);
  };
  const loading = new Set<string>();

  return {
    of,
    find: (tenant, { name, version }, participant) => {
      const definition = definitions.kept(tenant, name, version);
      if (definition !== undefined) return of(definition, participant);
      return gone.get(`${tenant} ${name}@${version}`) === true ? null : undefined;
    },
    load,
    begin: (tenant, reference) => {
      const key = `${tenant} ${reference.name}@${reference.version}`;
      if (loading.has(key) || loading.size >= LOADING_MAX) return;
      loading.add(key);
      void load(tenant, reference)
        .catch((err: unknown) =>
          log.warn('the participants that a definition brings along could not be loaded; its messages wait', {
            event: 'participant.not_loaded',
            definition: `${reference.name}@${reference.version}`,
            err,
          }),
        )
        .finally(() => loading.delete(key));
    },
    stored: (tenant, name, options, before) => {
      const written = ownValue(options, 'participants');
      const others = withoutKeys(options, SEALED_KEY);
      if (!isObject(written)) return others;
      const old = ownValue(before, 'participants');
      const oldSecrets = secretsIn(tenant, name, before) ?? {};
      const secrets: (readonly [string, Secrets])[] = [];
      const specs = Object.entries(written).map(([participant, given]): readonly [string, Json] => {
        const spec = isObject(old) ? ownValue(old, participant) : undefined;
        const known = Object.hasOwn(oldSecrets, participant) ? (oldSecrets[participant] ?? {}) : {};
        const one = parted(given as JsonObject, isObject(spec) ? { spec, secrets: known } : null);
        if (Object.keys(one.secrets).length > 0) secrets.push([participant, one.secrets]);
        return [participant, one.spec];
      });
      const shown = { ...others, participants: Object.fromEntries(specs) };
      if (secrets.length === 0) return shown;
      const text = JSON.stringify(Object.fromEntries(secrets));
      const sealed = ownValue(before, SEALED_KEY);
      // Sealed anew it would look like another version.
      const isSame = sealed !== undefined && text === JSON.stringify(oldSecrets);
      return {
        ...shown,
        [SEALED_KEY]: isSame ? sealed : sealing.seal(sealId(tenant, name), text),
      };
    },
  };
}
