import type { Page } from '../page.ts';
import { NEVER_SECONDS, type PageQuery } from './api-key.ts';
import { fromNow, type OpenTable, table } from './table.ts';

/** What the server signs with. */
export type SecretRows = {
  /** False when there is a secret of this id already. */
  add(
    secret: Pick<SecretRow, 'id' | 'tenant' | 'kind' | 'type' | 'match' | 'value' | 'previous' | 'createdBy'>,
  ): Promise<boolean>;
  get(id: string): Promise<SecretRow | null>;
  /** Newest first; `tenant` null: those of all tenants. */
  newest(query: PageQuery & { readonly tenant: string | null }): Promise<Page<SecretRow>>;
  /** Those that end last come first, so that all that are not over are in front. */
  endingLast(query: PageQuery): Promise<Page<SecretRow>>;
  /** What changed last comes first. */
  changedLast(query: PageQuery): Promise<Page<SecretRow>>;
  /** Gives it another value; false when it is revoked, or not of this generation any more. */
  rotate(
    secret: Pick<SecretRow, 'id' | 'generation'>,
    set: { readonly value: string; readonly previous: string | null },
  ): Promise<boolean>;
  /** False when it is revoked already, or not there. */
  revoke(id: string): Promise<boolean>;
};

export type SecretRow = {
  readonly id: string;
  /** `*`: of all tenants. */
  readonly tenant: string;
  /** `capability`: URLs of workitems, sessions; `webhook`: callbacks. */
  readonly kind: string;
  /** How it signs. */
  readonly type: string;
  /** The beginning of the URLs it is for; empty: all. */
  readonly match: string;
  /** Sealed, where SECRETS_KEY was set when it was written. */
  readonly value: string;
  /** JSON: values before, and until when they hold. */
  readonly previous: string | null;
  /** Counts rotations. */
  readonly generation: number;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly changedAt: number;
  readonly revokedAt: number | null;
  /** When it was revoked; far away for one that was not. */
  readonly endsAt: number;
};

const DAY_MS = 86_400_000;

export const SECRET = table<SecretRow>()({
  name: 'secret',
  key: ['id'],
  columns: {
    id: 'text',
    tenant: 'text',
    kind: 'text',
    type: 'text',
    match: 'text',
    value: 'text',
    previous: 'text',
    generation: 'integer',
    createdAt: 'instant',
    createdBy: 'text',
    changedAt: 'instant',
    revokedAt: 'instant',
    endsAt: 'instant',
  },
  lists: {
    ofTenant: { by: ['tenant'], order: ['createdAt', 'id'], newestFirst: true },
    all: { by: [], order: ['createdAt', 'id'], newestFirst: true },
    ending: { by: [], order: ['endsAt', 'id'], newestFirst: true },
    changed: { by: [], order: ['changedAt', 'id'], newestFirst: true },
  },
  sweep: { by: 'endsAt', keepMs: 400 * DAY_MS },
});

export function openSecrets(open: OpenTable): SecretRows {
  const rows = open(SECRET);
  const now = fromNow(0);
  return {
    add: (secret) =>
      rows.insert({
        ...secret,
        generation: 1,
        createdAt: now,
        changedAt: now,
        revokedAt: null,
        endsAt: fromNow(NEVER_SECONDS),
      }),
    get: (id) => rows.get({ id }),
    newest: ({ tenant, ...page }) =>
      tenant === null ? rows.list('all', { by: {}, ...page }) : rows.list('ofTenant', { by: { tenant }, ...page }),
    endingLast: (page) => rows.list('ending', { by: {}, ...page }),
    changedLast: (page) => rows.list('changed', { by: {}, ...page }),
    rotate: ({ id, generation }, set) =>
      rows.update({ id }, { ...set, generation: generation + 1, changedAt: now }, { generation, revokedAt: null }),
    revoke: (id) => rows.update({ id }, { revokedAt: now, endsAt: now, changedAt: now }, { revokedAt: null }),
  };
}
