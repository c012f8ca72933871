import { DEFAULT_TENANT, type Tenant } from '../model/tenant.ts';
import type { Rate } from '../runtime/windows.ts';

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
  /** When it ends by itself, in milliseconds since 1970; left out: it has no end, or its key knows. */
  readonly until?: number;
  /** How often it may ask; left out: as often as the settings say. */
  readonly rate?: Rate;
  /** Of a session: how often its key had been rotated when it began. */
  readonly generation?: number;
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
