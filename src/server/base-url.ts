import { networkInterfaces } from 'node:os';
import { urlOf } from '../model/url.ts';
import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { NodeBeat, NodeRow } from '../store/store.ts';
import { isAnyAddress, isLoopback } from './config.ts';

/*
 * The address that participants answer to. It has to be one at which requests are answered: never `0.0.0.0`, and never that of a node
 * that only works.
 */

/** @returns where a node that listens at `host` can be called from outside */
export function ownUrl(
  host: string,
  port: number,
  addresses: readonly string[] = machineAddresses(),
  scheme: 'http' | 'https' = 'http',
): string {
  const callable = isAnyAddress(host) ? (addresses[0] ?? '127.0.0.1') : host;
  return `${scheme}://${callable.includes(':') ? `[${callable}]` : callable}:${port}`;
}

/** Addresses of this machine that others may reach, IPv4 first. */
function machineAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  return all.sort((a, b) => a.family.localeCompare(b.family)).map(({ address }) => address);
}

/** The base URL as this node knows it. */
export type BaseUrl = {
  /** Without a slash at the end. Of a worker that knows no other node yet: its own, which nobody should be handed. */
  current(): string;
  /** Hands in what a look at the nodes has found. */
  learn(nodes: readonly NodeRow[]): void;
  /** Resolves once the address is one that answers requests; at once for all nodes but workers without BASE_URL. */
  known(look: () => Promise<unknown>): Promise<void>;
  stop(): void;
};

/** The path of the base URL, without a slash at its end; read once for each URL. */
export function makeBasePath(current: BaseUrl['current']): () => string {
  let read = { url: '', path: '' };
  return () => {
    const url = current();
    if (read.url !== url) read = { url, path: new URL(url).pathname.replace(/\/+$/, '') };
    return read.path;
  };
}

/** A worker that knows no node that answers requests looks for one this often. */
const LOOK_EVERY_MS = 1_000;

/**
 * @param given BASE_URL; null: a worker uses the address of a node that answers requests, others their own
 * @param own where this node can be called
 */
export function makeBaseUrl(parts: {
  readonly given: string | null;
  readonly own: string;
  readonly role: NodeBeat['role'];
  readonly time: ProcessTime;
  readonly log: Log;
}): BaseUrl {
  const { given, own, role, time, log } = parts;
  let found: string | null = given ?? (role === 'worker' ? null : own);
  const isFixed = found !== null;
  let cancel = (): void => {};
  return {
    current: () => found ?? own,
    learn: (nodes) => {
      if (!isFixed) found = addressAmong(nodes) ?? found;
    },
    known: (look) =>
      new Promise((resolve) => {
        if (found !== null) return resolve();
        log.warn('no node that answers requests is known, and BASE_URL is not set: callbacks wait until there is one', {
          event: 'base_url.unknown',
        });
        const again = (): void => {
          cancel = time.after(LOOK_EVERY_MS, () => {
            look()
              .catch((err: unknown) => log.debug('the nodes could not be read', { event: 'base_url.unknown', err }))
              .finally(() => {
                if (found === null) return again();
                log.info('participants answer to another node', { event: 'base_url.found', base_url: found });
                resolve();
              });
          });
        };
        again();
      }),
    stop: () => cancel(),
  };
}

/** The address of a live node that answers requests; one that others may reach before one that only this machine can. */
function addressAmong(nodes: readonly NodeRow[]): string | null {
  const urls = nodes.filter((node) => node.alive && node.role !== 'worker').map((node) => node.url);
  const isFar = (url: string): boolean => {
    const host = urlOf(url)?.hostname;
    return host !== undefined && !isLoopback(host);
  };
  return urls.find(isFar) ?? urls[0] ?? null;
}
