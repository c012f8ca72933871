import { DEFAULT_TENANT, type Tenant } from '../model/tenant.ts';

/*
 * Who calls. The door makes a principal of each request before anything of a workflow is looked at; every decision about what a
 * caller may do is made from it.
 */

/** What a principal may do: `launch` and validate; `read` everything; `operate` on workflows and workitems; `admin`: keys and secrets. */
export type Scope = 'launch' | 'read' | 'operate' | 'admin';
export const SCOPES: readonly Scope[] = ['launch', 'read', 'operate', 'admin'];

export type Principal = {
  /** How it is known; `open`: nobody asked. */
  readonly kind: 'open' | 'key' | 'jwt' | 'session' | 'capability' | 'ticket';
  /** Stable among those of its kind and tenant; an idempotency key belongs to one of these. */
  readonly id: string;
  readonly tenant: Tenant;
  readonly scopes: ReadonlySet<Scope>;
  /** How history names it: `key:<id>`, `jwt:<issuer>:<subject>`; null where there is nobody to name. */
  readonly actor: string | null;
  /** It is of all tenants: each request says of which, and may make keys for any. */
  readonly everywhere?: true;
};

/** Everybody, where no credentials are asked for. */
export const OPEN: Principal = {
  kind: 'open',
  id: 'open',
  tenant: DEFAULT_TENANT,
  scopes: new Set(SCOPES),
  actor: null,
  everywhere: true,
};

/** Whether scopes allow what needs `wanted`: `admin` implies all, `operate` implies `read`, `launch` implies nothing. */
export const mayDo = ({ scopes }: Principal, wanted: Scope): boolean =>
  scopes.has(wanted) || scopes.has('admin') || (wanted === 'read' && scopes.has('operate'));
