import { isIP } from 'node:net';
import { Problem } from '../problem.ts';

/*
 * A server that asks nobody who they are must not be open to web pages: a browser on the same machine would do for a stranger's page what
 * it does for its user. Two things tell such requests: the name they were sent to, and the page they come from.
 */

export type PagePolicy = {
  /** Host names of this server beside loopback and plain addresses, in small letters. */
  readonly hosts: readonly string[];
  /** Origins of pages of others that may call; `*`: all. */
  readonly origins: readonly string[];
  /** The origin that BASE_URL gives our own pages; null: it is not set. */
  readonly own: string | null;
  /** How this process is spoken to. */
  readonly scheme: 'http' | 'https';
};

type Header = (name: string) => string | null;

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', 'ip6-localhost', 'ip6-loopback']);

/** The name in a Host header, without its port; null when there is none. */
export function nameIn(host: string | null): string | null {
  if (host === null) return null;
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host)?.[1];
  return (bracketed ?? host.replace(/:\d*$/, '')).toLowerCase().replace(/\.$/, '');
}

/** @throws Problem for a name that is not ours: a stranger's name that leads here was made up for this (DNS rebinding) */
export function checkHost(header: Header, policy: PagePolicy): void {
  const name = nameIn(header('host'));
  if (name === null || isLoopbackName(name) || isIP(name) !== 0) return;
  if (policy.hosts.includes(name)) return;
  throw new Problem(
    'host_not_allowed',
    `This server does not go by the name ${JSON.stringify(name.slice(0, 100))}; add it to ALLOWED_HOSTS, or set BASE_URL`,
  );
}

/** @throws Problem for a request that changes something and comes from a page which is not ours */
export function checkOrigin(header: Header, policy: PagePolicy): void {
  // Who sends one of these is asked first by the browser, and then has no answer from us.
  if (header('authorization') !== null || header('x-api-key') !== null) return;
  const origin = header('origin');
  if (origin !== null && (policy.origins.includes('*') || policy.origins.includes(origin))) return;
  checkOwnPage(header, policy);
}

/** @throws Problem for a request of a page that is not our own; whoever is no page at all may pass */
export function checkOwnPage(header: Header, policy: PagePolicy): void {
  const origin = header('origin');
  if (origin !== null) {
    if (!isOwn(origin, header, policy)) throw foreign(origin);
    return;
  }
  const site = header('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') throw foreign(site);
}

/**
 * What a browser sends by itself, a cookie, must not be enough to change anything: our pages say in two more ways that it is they who ask.
 *
 * @throws Problem for a request that was not made by our own pages
 */
export function checkOwnRequest(header: Header, policy: PagePolicy): void {
  const origin = header('origin');
  if (origin === null || !isOwn(origin, header, policy)) throw foreign(origin ?? 'no origin');
  if (header('rota-console') !== '1')
    throw new Problem(
      'origin_not_allowed',
      'With a cookie, whatever changes something needs the header Rota-Console: 1',
    );
}

const isOwn = (origin: string, header: Header, { own, scheme }: PagePolicy): boolean =>
  origin === own || origin === `${scheme}://${header('host')}`;

export const isLoopbackName = (name: string): boolean =>
  LOOPBACK.has(name) || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);

/** Under which name a browser keeps a session; null: it would not, for it is spoken to over plain http. */
export function cookieName(header: Header, { own, scheme }: PagePolicy): '__Host-rota' | 'rota' | null {
  if (scheme === 'https' || own?.startsWith('https:') === true) return '__Host-rota';
  return isLoopbackName(nameIn(header('host')) ?? '') ? 'rota' : null;
}

const foreign = (from: string): Problem =>
  new Problem(
    'origin_not_allowed',
    `A page of ${JSON.stringify(from.slice(0, 100))} may not do this here; add its origin to CORS_ORIGINS, or use a key`,
  );
