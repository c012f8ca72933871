import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { Log } from '../runtime/log.ts';
import { StartError } from './open.ts';

/*
 * A second address for those who only look whether the server is well (METRICS_LISTEN). It asks nobody who they are, so it has nothing but
 * figures and probes: let only those reach it who may know them.
 */

export type MetricsListener = {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
};

/** A scraper has this long to send its request. */
const REQUEST_MS_MAX = 10_000;
/** Requests that are answered at once; others are told to come again. */
const AT_ONCE_MAX = 10;

/** @throws StartError when the address is taken */
export async function listenForMetrics(parts: {
  /** `host:port` */
  readonly address: string;
  readonly scrape: () => Promise<{ readonly type: string; readonly text: string }>;
  /** What the other address answers: asked for probes. */
  readonly handle: RequestListener;
  readonly log: Log;
}): Promise<MetricsListener> {
  const at = parts.address.lastIndexOf(':');
  const host = parts.address.slice(0, at).replace(/^\[(.*)\]$/, '$1');
  const port = Number(parts.address.slice(at + 1));
  let underWay = 0;

  const server = createServer(
    { headersTimeout: REQUEST_MS_MAX, requestTimeout: REQUEST_MS_MAX, keepAliveTimeout: REQUEST_MS_MAX },
    (request, response) => {
      const path = (request.url ?? '').split('?', 1)[0];
      request.resume();
      if (request.method !== 'GET' && request.method !== 'HEAD') return say(response, 405, 'Only GET is taken here\n');
      if (path === '/livez' || path === '/readyz') return parts.handle(request, response);
      if (path !== '/metrics') return say(response, 404, 'There are /metrics, /livez and /readyz here\n');
      if (underWay >= AT_ONCE_MAX) return say(response, 503, 'Too many look at once\n');
      underWay += 1;
      parts
        .scrape()
        .then(
          ({ type, text }) => response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(text),
          (err: unknown) => {
            parts.log.error('figures could not be had', { event: 'metrics.failed', err });
            say(response, 500, 'The figures could not be had; the log tells more\n');
          },
        )
        .finally(() => {
          underWay -= 1;
        });
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new StartError(`Cannot listen at METRICS_LISTEN=${parts.address}: ${error.message}; use another address`, {
          cause: error,
        }),
      ),
    );
    server.listen({ host, port }, resolve);
  });
  const bound = server.address();
  const listening = typeof bound === 'object' && bound !== null ? bound.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${listening}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
}
