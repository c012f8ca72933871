import type { RequestListener } from 'node:http';
import type { Log } from '../runtime/log.ts';
import { ownUrl } from './base-url.ts';
import { type Between, type Built, build } from './build.ts';
import type { Config } from './config.ts';
import { makeGate } from './gate.ts';

/** A server that listens nowhere: requests are brought to it. */
export type Inside = {
  readonly url: null;
  readonly listener: RequestListener;
  /** Whether an address is one of the server's. */
  readonly serves: Built['serves'];
  stop(): Promise<boolean>;
};

/** @throws when the store cannot be opened; nothing is left running then */
export async function startWithoutPort(config: Config, between: Between & { readonly log: Log }): Promise<Inside> {
  const { log } = between;
  const gate = makeGate();
  let isStopping = false;
  const own = ownUrl(config.host, config.port);
  const built: Built = await build(config, { log, ownUrl: own, isStopping: () => isStopping, between });
  gate.open(built.handle);
  log.info('rota is ready', { event: 'server.ready', url: null, role: config.role, store: built.profile });
  let stopped: Promise<boolean> | null = null;
  return { url: null, listener: gate.listener, serves: built.serves, stop: () => (stopped ??= stop()) };

  async function stop(): Promise<boolean> {
    isStopping = true;
    const deadline = new Promise<false>((resolve) => {
      setTimeout(() => resolve(false), config.stopSeconds * 1000).unref();
    });
    built.endStreams();
    const finished = Promise.all([gate.closeConnections(), built.stopTaking()])
      .then(() => built.finish())
      .then(() => true);
    const isClean = await Promise.race([finished, deadline]).catch((err: unknown) => {
      log.error('stopping failed', { event: 'server.stop_failed', err });
      return false;
    });
    await built.close();
    log.info('rota has stopped', { event: 'server.stopped', clean: isClean });
    return isClean;
  }
}
