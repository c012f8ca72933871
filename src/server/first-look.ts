import { connect } from 'node:net';
import type { Log } from '../runtime/log.ts';
import { type ProcessTime, realTime } from '../runtime/process-time.ts';
import { readHosts } from '../store/hosts.ts';
import type { Config } from './config.ts';
import { sayWaiting } from './waiting.ts';

/*
 * Whether anybody listens where DATABASE_URL leads, asked before the rest of the server is loaded: on a busy machine loading takes seconds, and
 * whoever starts a server without its database should not wait for that to be told.
 */

/** A host that has not answered by then is told of. */
export const LOOKED_MS_MAX = 1_000;

export type FirstLook = {
  /** Whether it was told that the database does not answer. */
  readonly named: () => boolean;
  stop(): void;
};

const NOTHING_TO_LOOK_FOR: FirstLook = { named: () => false, stop: () => {} };

/** Looks once, and tells it when none of the hosts takes a connection. */
export function lookForDatabase(config: Config, log: Log, time: Pick<ProcessTime, 'after'> = realTime): FirstLook {
  const { databaseUrl } = config;
  const urls = databaseUrl === null ? [] : (readHosts(databaseUrl)?.urls ?? []);
  if (urls.length === 0) return NOTHING_TO_LOOK_FOR;
  let named = false;
  let isOver = false;
  let refusals = 0;
  const sockets = urls.map((url) => connect(placeOf(url)));
  const stop = (): void => {
    if (isOver) return;
    isOver = true;
    cancel();
    for (const socket of sockets) socket.destroy();
  };
  const tell = (trouble: Error | null): void => {
    if (isOver) return;
    stop();
    named = true;
    sayWaiting(config, log, trouble);
  };
  // While a process loads it stands still for long: an answer that is here already is heard first, in a whole round of the event loop.
  const cancel = time.after(LOOKED_MS_MAX, () => setImmediate(() => setImmediate(() => tell(null))));
  for (const socket of sockets) {
    socket.on('connect', stop);
    socket.on('error', (error) => {
      refusals += 1;
      if (refusals === sockets.length) tell(error);
    });
  }
  return { named: () => named, stop };
}

/** Where a host is, as the driver has it: a name that is a folder holds its socket. */
function placeOf(text: string): { readonly path: string } | { readonly host: string; readonly port: number } {
  const url = new URL(text);
  const host = decodeURIComponent(url.hostname) || (url.searchParams.get('host') ?? 'localhost');
  const port = Number(url.port || '5432');
  return host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host: host.replace(/^\[(.*)\]$/, '$1'), port };
}
