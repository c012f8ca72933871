import { computed, signal } from '@preact/signals';
import { tenant, withoutTenant, withTenant } from './tenant.ts';

/*
 * Where the page is. The address is the state: reload, back and a link that is passed on give the same page. Everything lives below the base
 * the server wrote into the document, so a path prefix of a proxy works.
 */

export type Place = { readonly path: string; readonly query: string; readonly hash: string };

const base = new URL(document.baseURI);
/** The root of the interface: one above the console. */
export const apiRoot = new URL('..', base);

/** Whether the page was loaded from this machine. */
export const isLoopbackPage = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(base.hostname);

function placeOf({ pathname, search, hash }: Pick<URL, 'pathname' | 'search' | 'hash'>): Place {
  const below = pathname.startsWith(base.pathname) ? pathname.slice(base.pathname.length) : '';
  return { path: `/${below.replace(/\/+$/, '')}`, query: withoutTenant(search.slice(1)).rest, hash: hash.slice(1) };
}
const here = (): Place => placeOf(window.location);
const tenantHere = (): string | null => withoutTenant(window.location.search.slice(1)).tenant;
tenant.value = tenantHere();

export const place = signal(here());
export const path = computed(() => place.value.path);
export const query = computed(() => place.value.query);

window.addEventListener('popstate', () => {
  // It was of the page that was left.
  unwritten = null;
  // Nothing of one tenant stays in a page of another.
  if (tenantHere() === tenant.value) place.value = here();
  else window.location.reload();
});

/** The same page of another tenant, in a fresh document. */
export function goTenant(one: string | null): void {
  const { path: at, query: text } = place.value;
  const to = `${at}${text === '' ? '' : `?${text}`}`;
  window.location.assign(base.pathname + withTenant(to, one).replace(/^\//, ''));
}

/** A part of a path as it was meant; where it is no encoding, as it stands. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** An address below the console as a link: `/workflows?status=error`. */
export const link = (to: string): string => base.pathname + withTenant(to, tenant.value).replace(/^\//, '');
/** As `link`, whole: what is copied. */
export const wholeLink = (to: string): string => new URL(link(to), base).href;

/** Goes to a page below the console. `replace`: back does not come here. */
export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  const target = link(to);
  if (how === 'push') {
    writeLast();
    window.history.pushState(null, '', target);
  } else replaceSoon(target);
  place.value = placeOf(new URL(target, base));
}

/**
 * A browser lets a page write its address some 200 times in ten seconds and then no more, and each time takes it milliseconds; what is dragged wants to
 * do so with each frame.
 */
const WRITTEN_AT_ONCE = 2;
const WRITTEN_EVERY_MS = 500;
let written = 0;
let unwritten: string | null = null;
let isCounting = false;
function replaceSoon(target: string): void {
  if (written < WRITTEN_AT_ONCE) {
    written += 1;
    window.history.replaceState(null, '', target);
  } else unwritten = target;
  if (isCounting) return;
  isCounting = true;
  setTimeout(() => {
    isCounting = false;
    written = 0;
    writeLast();
  }, WRITTEN_EVERY_MS);
}
/** What was not written yet is, before one goes on or leaves. */
function writeLast(): void {
  if (unwritten !== null) window.history.replaceState(null, '', unwritten);
  unwritten = null;
}
window.addEventListener('pagehide', writeLast);

/** Where a link that came with an address may lead: a page below the console, else Home. */
export const pageOrHome = (next: string): string =>
  /^\/(?![\\/])/.test(next) && new URL(link(next), base).pathname.startsWith(base.pathname) ? next : '/';

/** The same page with another query. */
export function goQuery(text: string, how: 'push' | 'replace' = 'push'): void {
  go(`${place.value.path}${text === '' ? '' : `?${text}`}`, how);
}

/** Links of the console are followed without loading anything; all others as ever. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const anchor = (event.target as Element | null)?.closest?.('a[href]');
  if (!(anchor instanceof HTMLAnchorElement) || anchor.target !== '' || anchor.hasAttribute('download')) return;
  const url = new URL(anchor.href);
  if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return;
  event.preventDefault();
  go(`${url.pathname.slice(base.pathname.length - 1)}${url.search}${url.hash}`);
}
