import type { Sealing } from '../identity/sealing.ts';
import type { JsonObject } from '../model/json.ts';
import { type FindParticipant, isPattern, type Registered } from '../model/participants.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Log } from '../runtime/log.ts';
import type { ParticipantRow, Store } from '../store/store.ts';
import type { Kept } from './memory.ts';
import { fits, parted, registered, type Secrets } from './participant-spec.ts';
import { keepRows } from './rows.ts';

/* The registry of participants: all of it in memory on every node (memory.ts). */

/** Entries one tenant may have. */
export const PARTICIPANTS_MAX = 10_000;

/** An entry as it is shown: no secrets in it. */
export type ParticipantEntry = {
  readonly tenant: string;
  readonly name: string;
  readonly spec: JsonObject;
  readonly revision: number;
  readonly createdAt: number;
  readonly changedAt: number;
};

export type Participants = Kept & {
  /** Which entry is for a participant; services are none. */
  readonly find: FindParticipant;
  /** An entry by its own name. */
  entry(tenant: string, name: string): Registered | null;
  /** Whether a tenant has any. */
  has(tenant: string): boolean;
  /** Whether a name fits a pattern. */
  fits(pattern: string, name: string): boolean;
  get(tenant: string, name: string): ParticipantEntry | null;
  /** Of one tenant, the newest first. */
  list(tenant: string): readonly ParticipantEntry[];
  /**
   * Writes an entry whose spec was checked; this node and all others learn of it by `Memory.spread`.
   *
   * @param revision the one it must have now; null: any
   * @returns whether it is new; `full`; `changed`: somebody else was faster
   */
  put(
    tenant: Tenant,
    name: string,
    spec: JsonObject,
    revision: number | null,
  ): Promise<{ readonly isNew: boolean; readonly entry: ParticipantEntry } | 'full' | 'changed'>;
  /** False: somebody else was faster. */
  delete(tenant: Tenant, name: string, revision: number): Promise<boolean>;
};

type Known = { readonly shown: ParticipantEntry; readonly ready: Registered };
type OfTenant = {
  readonly exact: Map<string, Known>;
  /** The longest first. */
  patterns: readonly Known[];
};

export function makeParticipants(parts: {
  readonly store: Pick<Store, 'participants'>;
  readonly sealing: Sealing;
  readonly log: Log;
}): Participants {
  const { sealing, log } = parts;
  const rows = parts.store.participants;
  const byTenant = new Map<string, OfTenant>();
  const kept = keepRows<ParticipantRow>({
    keyOf: idOf,
    changedLast: rows.changedLast,
    isOver: ({ deletedAt }) => deletedAt !== null,
    learn: (before, now) => {
      if (before !== undefined) forget(before);
      if (now !== null) learn(make(now));
    },
  });

  const secretsIn = (row: ParticipantRow): Secrets | null => {
    const text = row.sealed === null ? '{}' : sealing.open(idOf(row), row.sealed);
    return text === null ? null : (JSON.parse(text) as Secrets);
  };

  function make(row: ParticipantRow): Known {
    const { tenant, name, ver, createdAt, changedAt } = row;
    const spec = JSON.parse(row.spec) as JsonObject;
    const secrets = secretsIn(row);
    if (secrets === null)
      log.error(
        'what is secret of a participant is sealed with a key that SECRETS_KEY does not have; nothing is sent to it',
        { event: 'participant.sealed', participant: name },
      );
    const ready = registered(name, spec, secrets ?? {});
    return {
      shown: { tenant, name, spec, revision: ver, createdAt, changedAt },
      // Without its secrets it would be asked as nobody.
      ready: secrets === null ? { ...ready, enabled: false } : ready,
    };
  }

  function forget({ tenant, name }: ParticipantRow): void {
    const own = byTenant.get(tenant);
    if (own === undefined) return;
    own.exact.delete(name);
    own.patterns = own.patterns.filter(({ shown }) => shown.name !== name);
    if (own.exact.size + own.patterns.length === 0) byTenant.delete(tenant);
  }

  function learn(one: Known): void {
    const { tenant, name } = one.shown;
    const own = byTenant.get(tenant) ?? { exact: new Map<string, Known>(), patterns: [] };
    byTenant.set(tenant, own);
    if (!isPattern(name)) own.exact.set(name, one);
    else
      own.patterns = [...own.patterns, one].sort(
        (a, b) => b.shown.name.length - a.shown.name.length || (a.shown.name < b.shown.name ? -1 : 1),
      );
  }

  const of = (tenant: string, name: string): Known | undefined => {
    const own = byTenant.get(tenant);
    return own?.exact.get(name) ?? own?.patterns.find(({ shown }) => shown.name === name);
  };

  return {
    refresh: kept.refresh,
    find: (tenant, name) => {
      const own = byTenant.get(tenant);
      if (own === undefined) return null;
      const isMeant = ({ ready }: Known): boolean => ready.kind !== 'service';
      const exact = own.exact.get(name);
      if (exact !== undefined && isMeant(exact)) return exact.ready;
      return own.patterns.find((one) => isMeant(one) && fits(one.shown.name, name))?.ready ?? null;
    },
    has: (tenant) => byTenant.has(tenant),
    fits,
    entry: (tenant, name) => of(tenant, name)?.ready ?? null,
    get: (tenant, name) => of(tenant, name)?.shown ?? null,
    list: (tenant) => {
      const own = byTenant.get(tenant);
      if (own === undefined) return [];
      return [...own.exact.values(), ...own.patterns]
        .map(({ shown }) => shown)
        .sort((a, b) => b.createdAt - a.createdAt || (a.name < b.name ? -1 : 1));
    },
    put: async (tenant, name, given, revision) => {
      const stored = await rows.get(tenant, name);
      const before = stored?.deletedAt === null ? stored : null;
      if (revision !== null && before?.ver !== revision) return 'changed';
      const own = byTenant.get(tenant);
      if (before === null && (own?.exact.size ?? 0) + (own?.patterns.length ?? 0) >= PARTICIPANTS_MAX) return 'full';
      const { spec, secrets } = parted(
        given,
        before === null ? null : { spec: JSON.parse(before.spec) as JsonObject, secrets: secretsIn(before) ?? {} },
      );
      const sealed =
        Object.keys(secrets).length === 0 ? null : sealing.seal(idOf({ tenant, name }), JSON.stringify(secrets));
      const row = { tenant, name, spec: JSON.stringify(spec), sealed };
      if (!(await rows.put(row, before?.ver ?? null))) return 'changed';
      const written = await rows.get(tenant, name);
      if (written === null) throw new Error('A participant that was just written is gone');
      return { isNew: before === null, entry: make(written).shown };
    },
    delete: (tenant, name, revision) => rows.delete(tenant, name, revision),
  };
}

export const idOf = ({ tenant, name }: Pick<ParticipantRow, 'tenant' | 'name'>): string => `${tenant} ${name}`;
