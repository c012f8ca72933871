import type { Sealing } from '../identity/sealing.ts';
import { isObject, type Json, type JsonObject, ownValue } from '../model/json.ts';
import { EVENT_PATTERNS, type Subscriber } from '../model/lifecycle.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Log } from '../runtime/log.ts';
import type { Store, SubscriptionRow } from '../store/store.ts';
import type { Kept } from './memory.ts';
import { parted, type Secrets } from './participant-spec.ts';
import { keepRows } from './rows.ts';

/* Who is told of what happens to workflows: all of it in memory on every node (memory.ts). */

/** Subscriptions of one tenant. */
export const SUBSCRIPTIONS_MAX = 100;

/** Why the server has disabled one. */
export type DisabledReason = 'gone' | 'failing' | 'backlog';

/** A subscription, ready to be sent to. */
export type Subscription = Subscriber & {
  readonly tenant: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly secret: string | null;
  /** In the form that is kept; null: as the server has it. */
  readonly retry: Json;
  readonly enabled: boolean;
  readonly failingSince: number | null;
  /** As it is shown: no secrets in it. */
  readonly shown: SubscriptionRow & { readonly parsed: JsonObject };
};

export type Subscriptions = Kept & {
  /** Those of a tenant that are enabled. */
  readonly of: (tenant: string) => readonly Subscription[];
  /** Whether there are any. */
  any(): boolean;
  get(id: string): Subscription | null;
  /** Whether it was deleted, or never was; asks the database. */
  isGone(id: string): Promise<boolean>;
  /** Of one tenant, the newest first. */
  list(tenant: string): readonly Subscription[];
  add(tenant: Tenant, id: string, spec: JsonObject): Promise<'added' | 'full'>;
  /** Another spec. False: somebody else was faster. */
  change(id: string, ver: number, spec: JsonObject): Promise<boolean>;
  delete(id: string, ver: number): Promise<boolean>;
  /** Its last try has failed, or was taken after others had failed; `reason`: it is disabled for that. */
  note(id: string, told: { readonly failingSince: number | null; readonly reason?: DisabledReason }): Promise<boolean>;
};

export function makeSubscriptions(parts: {
  readonly store: Pick<Store, 'subscriptions'>;
  readonly sealing: Sealing;
  readonly log: Log;
}): Subscriptions {
  const { sealing, log } = parts;
  const rows = parts.store.subscriptions;
  const known = new Map<string, Subscription>();
  let enabled: ReadonlyMap<string, readonly Subscription[]> = new Map();

  const kept = keepRows<SubscriptionRow>({
    keyOf: ({ id }) => id,
    changedLast: rows.changedLast,
    isOver: ({ deletedAt }) => deletedAt !== null,
    learn: (before, now) => {
      if (before !== undefined) known.delete(before.id);
      if (now !== null) known.set(now.id, make(now));
      const byTenant = new Map<string, Subscription[]>();
      for (const one of known.values()) {
        if (!one.enabled) continue;
        const own = byTenant.get(one.tenant) ?? [];
        byTenant.set(one.tenant, own);
        own.push(one);
      }
      enabled = byTenant;
    },
  });

  const secretsIn = (row: SubscriptionRow): Secrets | null => {
    const text = row.sealed === null ? '{}' : sealing.open(row.id, row.sealed);
    return text === null ? null : (JSON.parse(text) as Secrets);
  };

  function make(row: SubscriptionRow): Subscription {
    const spec = JSON.parse(row.spec) as JsonObject;
    const secrets = secretsIn(row);
    if (secrets === null)
      log.error(
        'what is secret of a subscription is sealed with a key that SECRETS_KEY does not have; nothing is sent to it',
        {
          event: 'subscription.sealed',
          subscription_id: row.id,
        },
      );
    const filter = ownValue(spec, 'filter');
    return {
      id: row.id,
      tenant: row.tenant,
      events: (ownValue(spec, 'events') as readonly string[] | undefined) ?? EVENT_PATTERNS,
      filter: isObject(filter) ? (filter as Subscriber['filter']) : {},
      ordered: ownValue(spec, 'ordered') === true,
      fields: ownValue(spec, 'fields') === true,
      target: null,
      url: String(ownValue(spec, 'url') ?? ''),
      headers: secrets?.headers ?? {},
      secret: secrets?.secret ?? null,
      retry: ownValue(spec, 'retry') ?? null,
      // Without its secrets it would be told as by nobody.
      enabled: row.enabled && secrets !== null,
      failingSince: row.failingSince,
      shown: { ...row, parsed: spec },
    };
  }

  const list = (tenant: string): readonly Subscription[] =>
    [...known.values()]
      .filter((one) => one.tenant === tenant)
      .sort((a, b) => b.shown.createdAt - a.shown.createdAt || (a.id < b.id ? 1 : -1));

  const stored = (id: string, given: JsonObject, before: SubscriptionRow | null) => {
    const { spec, secrets } = parted(
      given,
      before === null ? null : { spec: JSON.parse(before.spec) as JsonObject, secrets: secretsIn(before) ?? {} },
    );
    const sealed = Object.keys(secrets).length === 0 ? null : sealing.seal(id, JSON.stringify(secrets));
    return { spec: JSON.stringify(spec), sealed };
  };

  return {
    refresh: kept.refresh,
    of: (tenant) => enabled.get(tenant) ?? NONE,
    any: () => known.size > 0,
    get: (id) => known.get(id) ?? null,
    isGone: async (id) => {
      const row = await rows.get(id);
      return row === null || row.deletedAt !== null;
    },
    list,
    add: async (tenant, id, spec) => {
      if (list(tenant).length >= SUBSCRIPTIONS_MAX) return 'full';
      await rows.add({ id, tenant, enabled: spec['enabled'] !== false, ...stored(id, spec, null) });
      return 'added';
    },
    change: async (id, ver, spec) => {
      const before = await rows.get(id);
      if (before === null || before.ver !== ver) return false;
      const isEnabled = spec['enabled'] !== false;
      // Enabled again by hand, it begins afresh.
      const again = isEnabled && !before.enabled ? { reason: null, failingSince: null } : {};
      return rows.change(id, ver, { ...stored(id, spec, before), enabled: isEnabled, ...again });
    },
    delete: (id, ver) => rows.delete(id, ver),
    note: async (id, { failingSince, reason }) => {
      const before = await rows.get(id);
      if (before === null || before.deletedAt !== null) return false;
      const off = reason === undefined || !before.enabled ? {} : { enabled: false, reason };
      return rows.change(id, before.ver, { failingSince, ...off });
    },
  };
}

const NONE: readonly Subscription[] = [];
