/**
 * Whose a workflow is. A tenant sees and touches its own workflows and nothing else; there is no table of tenants: a tenant is what
 * credentials name.
 */
export type Tenant = string & { readonly is: 'Tenant' };

/** The tenant of everybody who does not say another. */
export const DEFAULT_TENANT = 'default' as Tenant;

const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** The tenant a text names: 1 to 63 lower-case letters, digits and dashes that do not begin with a dash. Null for every other text. */
export const readTenant = (text: string): Tenant | null => (TENANT.test(text) ? (text as Tenant) : null);
