import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, Server as NetServer } from 'node:net';
import { type Log, makeLog } from '../runtime/log.ts';
import { realTime } from '../runtime/process-time.ts';
import { ownUrl } from './base-url.ts';
import { type Between, type Built, build } from './build.ts';
import { changedSettings } from './changes.ts';
import { type Config, isAnyAddress } from './config.ts';
import type { FirstLook } from './first-look.ts';
import { answerConnect, answerExpectation, answerUnreadable, makeGate } from './gate.ts';
import { listenForMetrics, type MetricsListener } from './metrics-listener.ts';
import { StartError } from './open.ts';
import { reloadTls, tlsAtStart, tlsFilesOf } from './tls.ts';

/** Bytes of a request's head. Generous, so that an id of 100 kB is told that it is no id, rather than cut off. */
const HEAD_BYTES_MAX = 256 * 1024;
/** A client has this long to send the head of its request, and all of it. */
const HEAD_MS_MAX = 10_000;
const REQUEST_MS_MAX = 60_000;
/** Idle connections are kept longer than load balancers keep theirs (60 s is common), so that it is they who close. */
const KEEP_ALIVE_MS = 72_000;

/** When the server stops: idle connections are kept so long for a request that is on its way. */
const IDLE_MS = 300;

/** A server that runs. */
export type Running = {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Where figures can be had besides (METRICS_LISTEN); null: nowhere. */
  readonly metricsUrl: string | null;
  /** What answers requests, for those who bring them some other way. */
  readonly listener: RequestListener;
  /** Whether an address is one of the server's. */
  readonly serves: Built['serves'];
  /** Reads certificate and key anew, where it speaks https, and takes up what of these settings may change while it runs. */
  reload(next?: Config): void;
  /** Stops it in order; a second call waits for the first. Resolves to false when something had to be cut off. */
  stop(): Promise<boolean>;
};

/**
 * Starts the server: listens, then opens the store, then takes requests. Until then /readyz and everything else say 503.
 *
 * @throws when the address is taken or the store cannot be opened; nothing is left running then
 */
export async function start(
  config: Config,
  between: Between & { readonly log?: Log; readonly looked?: Pick<FirstLook, 'named'> } = {},
): Promise<Running> {
  const log = between.log ?? makeLog({ level: config.logLevel });
  const gate = makeGate();
  const options = {
    maxHeaderSize: HEAD_BYTES_MAX,
    headersTimeout: HEAD_MS_MAX,
    requestTimeout: REQUEST_MS_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The gate says what is missing; Node would answer with nothing in it.
    requireHostHeader: false,
  };
  const files = tlsFilesOf(config);
  const scheme = files === null ? 'http' : 'https';
  const read = files === null ? null : tlsAtStart(files);
  const secure =
    files === null
      ? null
      : createSecureServer(
          {
            ...options,
            ...read?.options,
            requestCert: files.clientAuth !== 'off',
            rejectUnauthorized: files.clientAuth === 'required',
            handshakeTimeout: HEAD_MS_MAX,
          },
          gate.listener,
        );
  secure?.on('tlsClientError', (err) => log.debug('a handshake failed', { event: 'connection.failed', err }));
  const server: Server = secure ?? createServer(options, gate.listener);
  server.on('clientError', answerUnreadable);
  server.on('checkContinue', gate.expectingListener);
  server.on('checkExpectation', answerExpectation);
  server.on('connect', answerConnect);
  const port = await listen(server, config);
  const tls =
    secure === null || files === null
      ? null
      : reloadTls(secure, files, { time: realTime, log, endsAt: read?.endsAt ?? 0 });
  const url = `${scheme}://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;

  let isStopping = false;
  /** The settings as they were read last. */
  let live = config;
  let built: Built;
  let metrics: MetricsListener | null = null;
  try {
    built = await build(config, {
      log,
      ownUrl: ownUrl(config.host, port, undefined, scheme),
      isStopping: () => isStopping,
      tls: () => tls?.figures() ?? null,
      between,
      ...(between.looked === undefined ? {} : { looked: between.looked }),
    });
    const { metricsListen: address } = config;
    if (address !== null)
      metrics = await listenForMetrics({ address, scrape: built.scrape, handle: built.handle, log }).catch(
        async (error: unknown) => {
          await built.stopTaking();
          await built.finish();
          await built.close();
          throw error;
        },
      );
  } catch (error) {
    tls?.stop();
    server.close();
    server.closeAllConnections();
    throw error;
  }
  gate.open(built.handle);
  if (config.baseUrl === null && isAnyAddress(config.host) && config.role !== 'worker')
    log.warn('BASE_URL is not set: participants are given an address of this machine to answer to', {
      event: 'base_url.guessed',
      base_url: ownUrl(config.host, port, undefined, scheme),
    });
  log.info('rota is ready', { event: 'server.ready', url, role: config.role, store: built.profile, pid: process.pid });

  let stopped: Promise<boolean> | null = null;
  return {
    url,
    port,
    metricsUrl: metrics?.url ?? null,
    listener: gate.listener,
    serves: built.serves,
    reload: (next) => {
      tls?.reload();
      if (next !== undefined) take(next);
    },
    stop: () => (stopped ??= stop()),
  };

  function take(next: Config): void {
    const { taken } = changedSettings(live, next);
    const { restart } = changedSettings(config, next);
    live = next;
    built.change(next);
    log.info('the settings were read anew', { event: 'settings.reloaded', changed: taken });
    if (restart.length > 0)
      log.warn(`${restart.join(', ')}: changed, which needs a restart`, {
        event: 'settings.restart',
        settings: restart,
      });
  }

  async function stop(): Promise<boolean> {
    log.info('rota is stopping', {
      event: 'server.stopping',
      drain_seconds: config.drainSeconds,
      stop_seconds: config.stopSeconds,
    });
    // /readyz says 503 from here on; whoever balances load over several nodes has time to look elsewhere.
    isStopping = true;
    tls?.stop();
    gate.askToClose();
    await delay(config.drainSeconds * 1000);
    const deadline = delay(config.stopSeconds * 1000).then(() => false);
    built.endStreams();
    await stopListening(server);
    const answered = gate.closeConnections();
    // Requests under way need the engine, so they end first; tries under way end beside them.
    const finished = Promise.all([answered, built.stopTaking()])
      .then(() => built.finish())
      .then(() => true);
    const isClean = await Promise.race([finished.catch(failed), deadline]);
    server.closeAllConnections();
    await metrics?.stop();
    await built.close().catch(failed);
    log.info(isClean ? 'rota has stopped' : 'rota has stopped; not everything could be finished in time', {
      event: 'server.stopped',
      clean: isClean,
    });
    return isClean;
  }

  function failed(err: unknown): false {
    log.error('stopping failed', { event: 'server.stop_failed', err });
    return false;
  }
}

function listen(server: Server, config: Config): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'another program listens there; stop it or set PORT'
          : `${error.message}; check HOST and PORT`;
      reject(new StartError(`Cannot listen at ${config.host}, port ${config.port}: ${why}`, { cause: error }));
    });
    server.listen({ host: config.host, port: config.port }, () => resolve((server.address() as AddressInfo).port));
  });
}

/**
 * Takes no new connections. Those there are have a moment in which a request that is on its way is still answered (each answer asks to
 * close its connection); then idle ones are closed.
 */
async function stopListening(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  // Node's own `close` of an HTTP server cuts idle connections at once, and with them what their clients have just sent.
  NetServer.prototype.close.call(server);
  await Promise.race([closed, delay(IDLE_MS)]);
  server.close();
}

/** Does not keep the process alive by itself. */
const delay = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
