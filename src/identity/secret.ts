import type { SecretRow } from '../store/store.ts';

/* One secret, opened. */

export type SecretKind = 'capability' | 'webhook';
/** `v1`: HMAC-SHA256, `v1a`: ed25519, as Standard Webhooks has them; `mac`: our own tokens. */
export type SecretType = 'v1' | 'v1a' | 'mac';

export type Secret = Pick<
  SecretRow,
  'id' | 'tenant' | 'match' | 'generation' | 'createdAt' | 'createdBy' | 'lastUsedAt'
> & {
  readonly kind: SecretKind;
  readonly type: SecretType;
  readonly value: string;
  /** Values before, newest first; `until`: when they end, in milliseconds since 1970. */
  readonly previous: readonly { readonly value: string; readonly until: number }[];
  readonly revokedAt: number | null;
};
