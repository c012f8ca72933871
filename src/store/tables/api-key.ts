import type { Page } from '../page.ts';
import { fromNow, type OpenTable, table } from './table.ts';

/** API keys: who may call, and what they may do. */
export type ApiKeys = {
  /** False when there is a key of this id already. */
  add(key: NewApiKey): Promise<boolean>;
  get(id: string): Promise<ApiKeyRow | null>;
  /** Newest first; `tenant` null: those of all tenants. */
  newest(query: PageQuery & { readonly tenant: string | null }): Promise<Page<ApiKeyRow>>;
  /** Those that end last come first, so that all that are not over are in front. */
  endingLast(query: PageQuery): Promise<Page<ApiKeyRow>>;
  /** What changed last comes first; being used is no change. */
  changedLast(query: PageQuery): Promise<Page<ApiKeyRow>>;
  /** Gives it another hash; false when it is revoked, or not of this generation any more. */
  rotate(
    key: Pick<ApiKeyRow, 'id' | 'generation'>,
    set: { readonly hash: string; readonly previous: string | null },
  ): Promise<boolean>;
  /** False when it is revoked already, or not there. */
  revoke(id: string): Promise<boolean>;
  used(id: string): Promise<void>;
};

export type PageQuery = { readonly limit: number; readonly after: string | null };

export type ApiKeyRow = {
  readonly id: string;
  /** `*`: of all tenants. */
  readonly tenant: string;
  readonly name: string;
  /** Separated by blanks. */
  readonly scopes: string;
  readonly hash: string;
  /** Counts rotations. */
  readonly generation: number;
  /** JSON: hashes before, and until when they hold. */
  readonly previous: string | null;
  readonly rateLimit: string | null;
  /** It is the value of ADMIN_KEY. */
  readonly registered: boolean;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly changedAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** When it expires or was revoked; far away for one that does neither. */
  readonly endsAt: number;
  readonly lastUsedAt: number | null;
};

export type NewApiKey = Pick<
  ApiKeyRow,
  'id' | 'tenant' | 'name' | 'scopes' | 'hash' | 'rateLimit' | 'registered' | 'createdBy'
> & {
  /** Null: never. */
  readonly expiresInSeconds: number | null;
};

const DAY_MS = 86_400_000;
/** When something ends that does not. */
export const NEVER_SECONDS = 200 * 366 * 86_400;

export const API_KEY = table<ApiKeyRow>()({
  name: 'api_key',
  key: ['id'],
  columns: {
    id: 'text',
    tenant: 'text',
    name: 'text',
    scopes: 'text',
    hash: 'text',
    generation: 'integer',
    previous: 'text',
    rateLimit: 'text',
    registered: 'boolean',
    createdAt: 'instant',
    createdBy: 'text',
    changedAt: 'instant',
    expiresAt: 'instant',
    revokedAt: 'instant',
    endsAt: 'instant',
    lastUsedAt: 'instant',
  },
  lists: {
    ofTenant: { by: ['tenant'], order: ['createdAt', 'id'], newestFirst: true },
    all: { by: [], order: ['createdAt', 'id'], newestFirst: true },
    ending: { by: [], order: ['endsAt', 'id'], newestFirst: true },
    changed: { by: [], order: ['changedAt', 'id'], newestFirst: true },
  },
  sweep: { by: 'endsAt', keepMs: 400 * DAY_MS },
});

export function openApiKeys(open: OpenTable): ApiKeys {
  const rows = open(API_KEY);
  const now = fromNow(0);
  return {
    add: ({ expiresInSeconds, ...key }) =>
      rows.insert({
        ...key,
        generation: 1,
        previous: null,
        createdAt: now,
        changedAt: now,
        expiresAt: expiresInSeconds === null ? null : fromNow(expiresInSeconds),
        revokedAt: null,
        endsAt: fromNow(expiresInSeconds ?? NEVER_SECONDS),
        lastUsedAt: null,
      }),
    get: (id) => rows.get({ id }),
    newest: ({ tenant, ...page }) =>
      tenant === null ? rows.list('all', { by: {}, ...page }) : rows.list('ofTenant', { by: { tenant }, ...page }),
    endingLast: (page) => rows.list('ending', { by: {}, ...page }),
    changedLast: (page) => rows.list('changed', { by: {}, ...page }),
    rotate: ({ id, generation }, set) =>
      rows.update({ id }, { ...set, generation: generation + 1, changedAt: now }, { generation, revokedAt: null }),
    revoke: (id) => rows.update({ id }, { revokedAt: now, endsAt: now, changedAt: now }, { revokedAt: null }),
    used: async (id) => void (await rows.update({ id }, { lastUsedAt: now })),
  };
}
