import { KEY_PREFIX } from '../../../identity/key-text.ts';
import { previousUntil, scopesOf, statusOfKey } from '../../../identity/keys.ts';
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
