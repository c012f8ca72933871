import type { Origin } from '../../src/engine/engine.ts';
import { DEFAULT_TENANT, type Tenant } from '../../src/model/tenant.ts';

/** What the server wants by itself. */
export const SERVER: Origin = { by: 'server' };

/** What a caller of a tenant wants. */
export const callerOf = (tenant: Tenant = DEFAULT_TENANT, actor: string | null = null): Origin => ({
  by: 'caller',
  tenant,
  actor,
  reason: null,
});
