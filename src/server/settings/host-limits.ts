import { isObject, type Json } from '../../model/json.ts';
import type { HostLimit } from '../../outbox/host-limits.ts';

/** Hosts that can have limits of their own. */
export const HOSTS_MAX = 1_000;
const MOST = 10_000;
const HOST = /^(\*\.)?[a-z0-9[][a-z0-9.:\][-]*$/i;

/** An entry of HOSTS; null: it is none. */
export function hostLimitOf(given: Json): HostLimit | null {
  if (!isObject(given)) return null;
  const { host, tries_max: tries = null, per_second: pace = null, ...others } = given;
  if (typeof host !== 'string' || host.length > 300 || !HOST.test(host) || Object.keys(others).length > 0) return null;
  const isPlaces = typeof tries === 'number' && Number.isInteger(tries) && tries >= 1 && tries <= MOST;
  const isPace = typeof pace === 'number' && pace > 0 && pace <= MOST;
  if ((tries !== null && !isPlaces) || (pace !== null && !isPace)) return null;
  return { host, triesMax: isPlaces ? tries : null, perSecond: isPace ? pace : null };
}
