import { signal } from '@preact/signals';

/*
 * Whose workflows are looked at, where whoever looks may look at those of several tenants. It is part of every address (`?tenant=`), so a link that
 * is passed on shows the same.
 */

/** Null: the tenant of the key, or that of everybody. */
export const tenant = signal<string | null>(null);

const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** The name of a tenant, or null for every other text. */
export const tenantIn = (text: string | null): string | null => (text !== null && TENANT.test(text) ? text : null);

/** A query taken apart: the tenant it names, and the rest of it as it stood. */
export function withoutTenant(query: string): { readonly tenant: string | null; readonly rest: string } {
  const named = new URLSearchParams(query).get('tenant');
  const rest = query
    .split('&')
    .filter((part) => !/^tenant(=|$)/.test(part))
    .join('&');
  return { tenant: tenantIn(named), rest };
}

/** An address with the tenant in it that is looked at; one that names a tenant already stays as it is. */
export function withTenant(to: string, one: string | null): string {
  if (one === null) return to;
  const [before = '', hash] = to.split('#', 2);
  const [path = '', query = ''] = before.split('?', 2);
  if (new URLSearchParams(query).has('tenant')) return to;
  return `${path}?${query === '' ? '' : `${query}&`}tenant=${one}${hash === undefined ? '' : `#${hash}`}`;
}

/** The header of a call that says so. */
export const tenantHeader = (): { readonly [name: string]: string } =>
  tenant.value === null ? {} : { 'Rota-Tenant': tenant.value };
