import { isIP } from 'node:net';
import { Problem } from '../problem.ts';

/*
 * A server that asks nobody who they are must not be open to web pages: a browser on the same machine would do for a stranger's page what
 * it does for its user. Two things tell such requests: the name they were sent to, and the page they come from.
 */

export type PagePolicy = {
  /** Host names of this server beside loopback and plain addresses, in small letters. */
  readonly hosts: readonly string[];
  /** Origins of our own pages, and of others that may call. */
  readonly origins: readonly string[];
};

type Header = (name: string) => string | null;

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', 'ip6-localhost', 'ip6-loopback']);

/** The name in a Host header, without its port; null when there is none. */
function nameIn(host: string | null): string | null {
  if (host === null) return null;
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host)?.[1];
  return (bracketed ?? host.replace(/:\d*$/, '')).toLowerCase().replace(/\.$/, '');
}

/** @throws Problem for a name that is not ours: a stranger's name that leads here was made up for this (DNS rebinding) */
export function checkHost(header: Header, policy: PagePolicy): void {
  const name = nameIn(header('host'));
  if (name === null || LOOPBACK.has(name) || name.endsWith('.localhost') || isIP(name) !== 0) return;
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
  if (origin !== null) {
    if (policy.origins.includes('*') || policy.origins.includes(origin)) return;
    if (origin === `http://${header('host')}`) return;
    throw foreign(origin);
  }
  const site = header('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') throw foreign(site);
}

const foreign = (from: string): Problem =>
  new Problem(
    'origin_not_allowed',
    `A page of ${JSON.stringify(from.slice(0, 100))} may not do this here; add its origin to CORS_ORIGINS, or use a key`,
  );
