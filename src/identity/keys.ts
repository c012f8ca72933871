import { Fault } from '../model/fault.ts';
import { readTenant, type Tenant } from '../model/tenant.ts';
import { readRate } from '../runtime/windows.ts';
import type { ApiKeyRow, Page, Store } from '../store/store.ts';
import { hashOfKey, idOfKey, isSame, makeKey } from './key-text.ts';
import type { Mirror } from './mirror.ts';
import type { Principal, Scope } from './principal.ts';
import { SCOPES } from './principal.ts';
import { EVERY_TENANT } from './secrets.ts';
import { USED_EVERY_MS } from './used.ts';

/* API keys: made, looked up, exchanged, ended. */

/** Keys that are not over: of all tenants, of one. Every node holds all of them. */
export const KEYS_MAX = 10_000;
export const KEYS_OF_TENANT_MAX = 1_000;
/** Secrets of one key from before that may still hold, each to its own end. */
const PREVIOUS_MAX = 2;
/** Times a rotation is tried against others of the same key. */
const ROTATIONS_MAX = 5;

/** What came of looking at a key. `why` is for the log: callers are told the same words whatever it was. */
export type KeyFound =
  | { readonly kind: 'good'; readonly principal: Principal; readonly row: ApiKeyRow }
  | { readonly kind: 'bad'; readonly why: string; readonly id: string | null };

export type NewKey = {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly tenant: Tenant | typeof EVERY_TENANT;
  /** Null: never. */
  readonly expiresInSeconds: number | null;
  readonly rateLimit: string | null;
  readonly createdBy: string;
};

export type Shown = { readonly row: ApiKeyRow; readonly text: string };

export type Keys = {
  /** Looks a key up; only one whose id is not known costs a question to the database. */
  find(text: string): KeyFound | Promise<KeyFound>;
  /** The key of this id as it is held here; for a session, which has no more than the id. */
  held(id: string): ApiKeyRow | null;
  /** The principal of a key that is not over, which counts as used. */
  principalOf(row: ApiKeyRow): Principal;
  /** The key is shown this once. Null: there are as many as there may be. */
  create(key: NewKey): Promise<Shown | null>;
  /** Registers a key made elsewhere as the administrator's; those registered before end. `known`: it is there; `ended`: it was, and is over. */
  register(text: string): Promise<'new' | 'known' | 'ended'>;
  /** `tenant` null: those of all tenants. */
  list(query: {
    readonly tenant: Tenant | null;
    readonly limit: number;
    readonly after: string | null;
  }): Promise<Page<ApiKeyRow>>;
  get(id: string): Promise<ApiKeyRow | null>;
  /** A new secret under the same id; the old one holds for `overlapSeconds`. Null: the key is over. */
  rotate(id: string, overlapSeconds: number): Promise<Shown | null>;
  /** False: it is over already. */
  revoke(id: string): Promise<boolean>;
  /** Writes which keys were used, at most once in five minutes for each. */
  tellUsed(): Promise<void>;
};

export type KeyStatus = 'active' | 'expired' | 'revoked';
export const statusOfKey = (row: ApiKeyRow, now: number): KeyStatus =>
  row.revokedAt !== null ? 'revoked' : row.endsAt <= now ? 'expired' : 'active';

type Previous = readonly { readonly hash: string; readonly until: number }[];
const previousOf = (row: ApiKeyRow): Previous => (row.previous === null ? [] : (JSON.parse(row.previous) as Previous));

/** Until when secrets from before hold; null: there are none. */
export function previousUntil(row: ApiKeyRow, now: number): number | null {
  const ends = previousOf(row)
    .map(({ until }) => until)
    .filter((until) => until > now);
  return ends.length === 0 ? null : Math.max(...ends);
}

export const scopesOf = (row: ApiKeyRow): readonly Scope[] => {
  const named = new Set(row.scopes.split(' '));
  return SCOPES.filter((scope) => named.has(scope));
};

export function makeKeys(parts: {
  readonly store: Pick<Store, 'apiKeys' | 'tellKeys'>;
  readonly mirror: Mirror<ApiKeyRow>;
  /** Reads what has changed; false: it was asked too often just now. */
  readonly lookAgain: () => Promise<boolean>;
  readonly wall: () => number;
}): Keys {
  const { store, mirror, wall } = parts;
  const prepared = new WeakMap<ApiKeyRow, { readonly principal: Principal; readonly previous: Previous }>();
  /** Keys used since that was last written, and when it was. */
  const used = new Set<string>();
  const writtenAt = new Map<string, number>();

  function prepare(row: ApiKeyRow) {
    const known = prepared.get(row);
    if (known !== undefined) return known;
    const everywhere = row.tenant === EVERY_TENANT;
    const rate = row.rateLimit === null ? null : readRate(row.rateLimit);
    const principal: Principal = {
      kind: 'key',
      id: `key:${row.id}`,
      // A key of all tenants is given its tenant by each request.
      tenant: readTenant(everywhere ? 'default' : row.tenant) as Tenant,
      scopes: new Set(scopesOf(row)),
      actor: `key:${row.id}`,
      ...(everywhere ? { everywhere: true } : {}),
      ...(rate === null ? {} : { rate }),
    };
    const made = { principal, previous: previousOf(row) };
    prepared.set(row, made);
    return made;
  }

  function judge(id: string, row: ApiKeyRow | undefined, text: string): KeyFound {
    const bad = (why: string): KeyFound => ({ kind: 'bad', why, id });
    if (row === undefined) return bad('there is no such key');
    const now = wall();
    if (statusOfKey(row, now) !== 'active') return bad(`the key is ${statusOfKey(row, now)}`);
    const { principal, previous } = prepare(row);
    const hash = hashOfKey(text);
    if (!isSame(hash, row.hash) && !previous.some((one) => one.until > now && isSame(hash, one.hash)))
      return bad('the secret is not that of the key, or not any more');
    used.add(id);
    return { kind: 'good', principal, row };
  }

  async function lookUp(id: string, text: string): Promise<KeyFound> {
    await parts.lookAgain();
    return judge(id, mirror.get(id), text);
  }

  /** As it is in the database now, which this node then knows as well. */
  async function take(id: string): Promise<ApiKeyRow | null> {
    const row = await store.apiKeys.get(id);
    if (row !== null) mirror.put(row);
    return row;
  }

  async function add(
    key: Omit<NewKey, 'scopes'> & { readonly scopes: readonly Scope[] },
    text: string,
    registered: boolean,
  ): Promise<ApiKeyRow | null> {
    const id = idOfKey(text);
    if (id === null) throw new Error('A key that was just made is none');
    const { name, tenant, expiresInSeconds, rateLimit, createdBy } = key;
    const scopes = SCOPES.filter((scope) => key.scopes.includes(scope)).join(' ');
    const hash = hashOfKey(text);
    const row = { id, tenant, name, scopes, hash, rateLimit, registered, createdBy, expiresInSeconds };
    return (await store.apiKeys.add(row)) ? take(id) : null;
  }

  return {
    find: (text) => {
      const id = idOfKey(text);
      if (id === null) return { kind: 'bad', why: 'it is no key: a character is wrong or missing', id: null };
      const row = mirror.get(id);
      return row === undefined ? lookUp(id, text) : judge(id, row, text);
    },
    held: (id) => mirror.get(id) ?? null,
    principalOf: (row) => {
      used.add(row.id);
      return prepare(row).principal;
    },
    create: async (key) => {
      const now = wall();
      let all = 0;
      let ofTenant = 0;
      for (const row of mirror.all()) {
        if (statusOfKey(row, now) !== 'active') continue;
        all += 1;
        if (row.tenant === key.tenant) ofTenant += 1;
      }
      if (all >= KEYS_MAX || ofTenant >= KEYS_OF_TENANT_MAX) return null;
      const { text } = makeKey();
      const row = await add(key, text, false);
      if (row === null) throw new Error('A fresh id of a key is there already');
      store.tellKeys();
      return { row, text };
    },
    register: async (text) => {
      const id = idOfKey(text);
      if (id === null) throw new Error('ADMIN_KEY was not checked');
      const there = await take(id);
      if (there !== null) {
        const found = judge(id, there, text);
        return found.kind === 'good' ? 'known' : 'ended';
      }
      const key = {
        name: 'ADMIN_KEY',
        scopes: ['admin'] as const,
        tenant: EVERY_TENANT,
        expiresInSeconds: null,
        rateLimit: null,
        createdBy: 'server',
      } as const;
      await add(key, text, true);
      for (const row of [...mirror.all()])
        if (row.registered && row.id !== id && row.revokedAt === null) {
          await store.apiKeys.revoke(row.id);
          await take(row.id);
        }
      store.tellKeys();
      return 'new';
    },
    list: (query) => store.apiKeys.newest(query),
    get: (id) => store.apiKeys.get(id),
    rotate: async (id, overlapSeconds) => {
      for (let i = 0; i < ROTATIONS_MAX; i++) {
        const row = await store.apiKeys.get(id);
        const now = wall();
        if (row === null || statusOfKey(row, now) !== 'active') return null;
        const { text } = makeKey(id);
        const held = previousOf(row).filter(({ until }) => until > now);
        const previous =
          overlapSeconds === 0
            ? []
            : [{ hash: row.hash, until: now + overlapSeconds * 1000 }, ...held].slice(0, PREVIOUS_MAX);
        const set = { hash: hashOfKey(text), previous: previous.length === 0 ? null : JSON.stringify(previous) };
        if (!(await store.apiKeys.rotate(row, set))) continue;
        const rotated = await take(id);
        store.tellKeys();
        if (rotated === null) return null;
        return { row: rotated, text };
      }
      throw new Fault('overloaded', `Others rotate the key ${id} again and again; try again in a moment`);
    },
    revoke: async (id) => {
      const isRevoked = await store.apiKeys.revoke(id);
      await take(id);
      store.tellKeys();
      return isRevoked;
    },
    tellUsed: async () => {
      const now = wall();
      for (const id of [...used]) {
        used.delete(id);
        const last = Math.max(writtenAt.get(id) ?? 0, mirror.get(id)?.lastUsedAt ?? 0);
        if (now - last < USED_EVERY_MS) continue;
        writtenAt.set(id, now);
        await store.apiKeys.used(id);
      }
      for (const id of writtenAt.keys()) if (mirror.get(id) === undefined) writtenAt.delete(id);
    },
  };
}
