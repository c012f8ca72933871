import { randomBytes } from 'node:crypto';
import { Fault } from '../model/fault.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Log } from '../runtime/log.ts';
import type { Page, SecretRow, Store } from '../store/store.ts';
import type { Ring, RingKey } from './capabilities.ts';
import { randomDigits } from './key-text.ts';
import type { Mirror } from './mirror.ts';
import { nameOfKey, type Sealing } from './sealing.ts';
import type { Secret, SecretKind, SecretType } from './secret.ts';
import { USED_EVERY_MS } from './used.ts';
import { makePrivateSecret, makeSharedSecret, makeSigners, type WebhookSigner } from './webhook-secrets.ts';

/* What the server signs with, opened and ready in memory. */

export type { Secret, SecretKind, SecretType } from './secret.ts';

/** Secrets that are not revoked: every node holds all of them. */
export const SECRETS_MAX = 10_000;
/** Values of one secret from before that may still hold. */
const PREVIOUS_MAX = 16;
/** Times a rotation is tried against others of the same secret. */
const ROTATIONS_MAX = 5;

/** The tenant of what belongs to all. */
export const EVERY_TENANT = '*';

export type Secrets = {
  /** Those that are not revoked, newest first. */
  readonly living: (kind: SecretKind) => readonly Secret[];
  /** Keys of capabilities and sessions. */
  readonly ring: Ring;
  /** Makes the first key of capabilities where there is none. */
  ensureRing(): Promise<void>;
  /** What a callback of a tenant is signed with; nothing: it is not. */
  readonly signersOf: (tenant: Tenant, url: string) => readonly WebhookSigner[];
  /** Whether one secret has signed callbacks of a tenant to several hosts: each of them could sign as we do, for the others. */
  readonly isForMany: (tenant: Tenant) => boolean;
  /** Makes the first secret that all callbacks of a tenant are signed with, where there is none. */
  ensureDefault(tenant: Tenant): Promise<void>;
  /** `taken`: there is one for these URLs already; `full`: there are as many as there may be. */
  create(wanted: {
    readonly tenant: Tenant;
    readonly type: 'v1' | 'v1a';
    readonly match: string;
    /** Null: a fresh one. */
    readonly value: string | null;
    readonly createdBy: string;
  }): Promise<Secret | 'taken' | 'full'>;
  get(id: string): Promise<Secret | null>;
  /** `tenant` null: those of all tenants. */
  list(query: {
    readonly tenant: Tenant | null;
    readonly limit: number;
    readonly after: string | null;
  }): Promise<Page<Secret>>;
  /** Another value; the one before holds for `overlapSeconds`. Null: it is revoked. */
  rotate(id: string, overlapSeconds: number): Promise<Secret | null>;
  /** False: it is revoked already. */
  revoke(id: string): Promise<boolean>;
  /** Writes which were signed with, at most once in five minutes for each. */
  tellUsed(): Promise<void>;
  /** Opens what has changed. @throws SealedShut for one that no key opens, unless told to go on without it */
  reopen(strict: boolean): void;
};

/** A secret in the database is sealed with a key that is not there. */
export class SealedShut extends Error {}

export function makeSecrets(parts: {
  readonly store: Pick<Store, 'secrets' | 'tellKeys'>;
  readonly mirror: Mirror<SecretRow>;
  readonly sealing: Sealing;
  readonly log: Log;
  /** The machine's clock, in milliseconds since 1970. */
  readonly wall: () => number;
}): Secrets {
  const signers = makeSigners(parts);
  const { store, mirror, sealing, log } = parts;
  /** By id; opened again when the row is another. */
  const opened = new Map<string, { readonly row: SecretRow; readonly secret: Secret | null }>();
  let living: { readonly [Kind in SecretKind]: readonly Secret[] } = { capability: [], webhook: [] };
  let ring: readonly RingKey[] = [];
  /** When it was last written that one was used. */
  const writtenAt = new Map<string, number>();

  function open(row: SecretRow): Secret | null {
    const value = sealing.open(row.id, row.value);
    const before = row.previous === null ? '[]' : sealing.open(row.id, row.previous);
    if (value === null || before === null) return null;
    const { id, tenant, match, generation, createdAt, createdBy, revokedAt, lastUsedAt } = row;
    return {
      ...{ id, tenant, match, generation, createdAt, createdBy, revokedAt, lastUsedAt, value },
      kind: row.kind as SecretKind,
      type: row.type as SecretType,
      previous: JSON.parse(before) as Secret['previous'],
    };
  }

  function reopen(strict: boolean): void {
    for (const row of mirror.all()) {
      if (opened.get(row.id)?.row === row) continue;
      const secret = open(row);
      if (secret === null) {
        const complaint = `The secret ${row.id} is sealed with a key that SECRETS_KEY does not have`;
        if (strict) throw new SealedShut(complaint);
        log.error(complaint, { event: 'secret.sealed', secret_id: row.id });
      }
      opened.set(row.id, { row, secret });
    }
    for (const id of opened.keys()) if (mirror.get(id) === undefined) opened.delete(id);
    const all = [...opened.values()]
      .flatMap(({ secret }) => (secret === null || secret.revokedAt !== null ? [] : [secret]))
      .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
    living = {
      capability: all.filter(({ kind }) => kind === 'capability'),
      webhook: all.filter(({ kind }) => kind === 'webhook'),
    };
    const keyOf = (value: string, until: number | null): RingKey => {
      const key = Buffer.from(value, 'base64url');
      return { name: nameOfKey(key), key, until };
    };
    signers.set(living.webhook);
    ring = [
      ...living.capability.map(({ value }) => keyOf(value, null)),
      ...living.capability.flatMap(({ previous }) => previous.map(({ value, until }) => keyOf(value, until))),
    ];
  }

  /** As it is in the database now, which this node then works with as well. */
  async function take(id: string): Promise<Secret | null> {
    const row = await store.secrets.get(id);
    if (row === null) return null;
    mirror.put(row);
    reopen(false);
    return open(row);
  }

  async function add(
    secret: Pick<Secret, 'tenant' | 'kind' | 'type' | 'match' | 'value' | 'createdBy'>,
  ): Promise<Secret> {
    const id = randomDigits(12);
    await store.secrets.add({ ...secret, id, value: sealing.seal(id, secret.value), previous: null });
    const added = await take(id);
    if (added === null) throw new Error('A secret that was just added is gone');
    store.tellKeys();
    return added;
  }

  /** One is made after the other, as many as there are requests: each looks first whether there is one already. */
  let making: Promise<unknown> = Promise.resolve();
  function inTurn<Made>(make: () => Promise<Made>): Promise<Made> {
    const made = making.then(make);
    making = made.catch(() => {});
    return made;
  }

  const isThere = (tenant: Tenant, type: SecretType, match: string): boolean =>
    living.webhook.some((one) => one.tenant === tenant && one.type === type && one.match === match);

  return {
    living: (kind) => living[kind],
    ring: () => ring,
    ensureRing: async () => {
      if (living.capability.length > 0) return;
      const value = freshValue('mac');
      await add({ tenant: EVERY_TENANT, kind: 'capability', type: 'mac', match: '', value, createdBy: 'server' });
    },
    signersOf: signers.of,
    isForMany: signers.isForMany,
    ensureDefault: async (tenant) => {
      if (isThere(tenant, 'v1', '')) return;
      await inTurn(async () => {
        if (isThere(tenant, 'v1', '')) return;
        const value = freshValue('v1');
        await add({ tenant, kind: 'webhook', type: 'v1', match: '', value, createdBy: 'server' });
      });
    },
    create: ({ tenant, type, match, value, createdBy }) =>
      inTurn(async () => {
        if (isThere(tenant, type, match)) return 'taken';
        if (living.webhook.length + living.capability.length >= SECRETS_MAX) return 'full';
        return add({ tenant, kind: 'webhook', type, match, value: value ?? freshValue(type), createdBy });
      }),
    get: async (id) => {
      const row = await store.secrets.get(id);
      return row === null ? null : open(row);
    },
    list: async (query) => {
      const { items, next } = await store.secrets.newest(query);
      return { items: items.flatMap((row) => open(row) ?? []), next };
    },
    rotate: async (id, overlapSeconds) => {
      for (let i = 0; i < ROTATIONS_MAX; i++) {
        const row = await store.secrets.get(id);
        const secret = row === null ? null : open(row);
        if (row === null || secret === null || secret.revokedAt !== null) return null;
        const now = parts.wall();
        const held = secret.previous.filter(({ until }) => until > now);
        const before = { value: secret.value, until: now + overlapSeconds * 1000 };
        const previous = overlapSeconds === 0 ? [] : [before, ...held].slice(0, PREVIOUS_MAX);
        const set = {
          value: sealing.seal(id, freshValue(secret.type)),
          previous: previous.length === 0 ? null : sealing.seal(id, JSON.stringify(previous)),
        };
        if (!(await store.secrets.rotate(row, set))) continue;
        store.tellKeys();
        return take(id);
      }
      throw new Fault('overloaded', `Others rotate the secret ${id} again and again; try again in a moment`);
    },
    revoke: async (id) => {
      const isRevoked = await store.secrets.revoke(id);
      await take(id);
      store.tellKeys();
      return isRevoked;
    },
    tellUsed: async () => {
      const now = parts.wall();
      for (const id of signers.takeUsed()) {
        const last = Math.max(writtenAt.get(id) ?? 0, mirror.get(id)?.lastUsedAt ?? 0);
        if (now - last < USED_EVERY_MS) continue;
        writtenAt.set(id, now);
        await store.secrets.used(id);
      }
      for (const id of writtenAt.keys()) if (mirror.get(id) === undefined) writtenAt.delete(id);
    },
    reopen,
  };
}

function freshValue(type: SecretType): string {
  switch (type) {
    case 'mac':
      return randomBytes(32).toString('base64url');
    case 'v1':
      return makeSharedSecret();
    case 'v1a':
      return makePrivateSecret();
  }
}
