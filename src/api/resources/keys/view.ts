import type { Identity } from '../../../identity/identity.ts';
import { KEY_PREFIX } from '../../../identity/key-text.ts';
import { previousUntil, scopesOf, statusOfKey } from '../../../identity/keys.ts';
import { mayDo, type Principal, SCOPES } from '../../../identity/principal.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { ApiKeyRow } from '../../../store/store.ts';
import { timeOrNull, timeView } from '../../time.ts';

/** A key as it is shown again and again: without the key. */
export const keyView = (row: ApiKeyRow, now: number): JsonObject => ({
  id: row.id,
  name: row.name,
  scopes: scopesOf(row),
  tenant: row.tenant,
  prefix: `${KEY_PREFIX}${row.id}`,
  status: statusOfKey(row, now),
  created_at: timeView(row.createdAt),
  created_by: row.createdBy,
  expires_at: timeOrNull(row.expiresAt),
  revoked_at: timeOrNull(row.revokedAt),
  previous_until: timeOrNull(previousUntil(row, now)),
  last_used_at: timeOrNull(row.lastUsedAt),
  rate_limit: row.rateLimit,
});

/** Who one is. Of a session the end is the sooner one: its own, or that of its key. */
export function meView(principal: Principal, identity: Pick<Identity, 'keys' | 'isOpen'>): JsonObject {
  const { kind, id, tenant, until } = principal;
  const row = kind === 'key' || kind === 'session' ? identity.keys.held(id.slice(id.indexOf(':') + 1)) : null;
  const ends = [row?.expiresAt ?? null, until ?? null].filter((end) => end !== null);
  return {
    kind,
    id: row?.id ?? null,
    name: row?.name ?? null,
    tenant,
    ...(principal.everywhere === true && { everywhere: true }),
    scopes: SCOPES.filter((scope) => mayDo(principal, scope)),
    expires_at: timeOrNull(ends.length === 0 ? null : Math.min(...ends)),
    auth: identity.isOpen() ? 'open' : 'required',
  };
}
