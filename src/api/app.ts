import type { RequestListener } from 'node:http';
import Koa, { type Middleware } from 'koa';
import { OPEN } from '../identity/principal.ts';
import { type Hooks, runHook } from './hooks.ts';
import { type AddressOf, makeAddressOf } from './middleware/address.ts';
import { admit, type Identify } from './middleware/admit.ts';
import { type BrowserPolicy, browserHeaders, corsFor } from './middleware/browsers.ts';
import { makeElsewhere } from './middleware/elsewhere.ts';
import { findOperation } from './middleware/find.ts';
import { isUncounted, limitAddresses } from './middleware/rate.ts';
import { report } from './middleware/report.ts';
import { run } from './middleware/run.ts';
import { knownOf } from './middleware/state.ts';
import { openapi } from './openapi.ts';
import type { Operation } from './operation.ts';
import { operationsOf } from './operations.ts';
import type { Parts } from './parts.ts';
import { routeOperations } from './resources/definitions/routes.ts';
import { docsOperations } from './resources/docs/operations.ts';
import { makeStreams, type Streams } from './streams.ts';

export type App = {
  readonly handle: RequestListener;
  /** Whether an address is one of ours: something is there, or below its first part. Of `/` the method decides. */
  serves(method: string, path: string): boolean;
  /** Ends every answer that goes on by itself: the first thing to do when the server stops. */
  endStreams(): void;
  readonly figures: () => AppFigures;
};

/** Requests under way, and streams that ended before they were done, by why. */
export type AppFigures = {
  readonly requests: number;
  readonly closed: ReturnType<Streams['figures']>;
};

/**
 * Builds the app from its parts; it does not listen.
 *
 * The operation is found before anything else is decided, for limits, log and error words depend on it.
 */
export function makeApp(
  parts: Parts,
  identify: Identify = () => OPEN,
  browsers: BrowserPolicy = { corsOrigins: () => [], isSecure: false, version: '' },
  addressOf: AddressOf = makeAddressOf(() => false),
): App {
  const app = new Koa();
  const streams = makeStreams((err) => parts.log.warn('a stream broke off', { event: 'stream.failed', err }), {
    most: parts.streamsMax,
  });
  const operations = withDescription(parts, operationsOf(parts));
  const meter = parts.figures?.meter;
  const admitting = admit(identify, parts.rates, parts.audit, parts.log, meter);
  app.use(report(parts.log, browserHeaders(browsers), addressOf, meter, parts.tracing));
  app.use(corsFor(browsers, [...new Set(operations.map(({ method }) => method.toUpperCase()))]));
  const uncounted = new Set(operations.flatMap((one) => (isUncounted(one) ? [one.path] : [])));
  app.use(limitAddresses(parts.rates, uncounted));
  const routes = parts.role === 'worker' ? null : routeOperations(parts);
  app.use(findOperation(operations, parts.role, routes, parts.identity.isOpen));
  const elsewhere = makeElsewhere(parts.store);
  app.use(elsewhere.byWorkflow);
  app.use(admitting.middleware);
  app.use(elsewhere.byTenant);
  const onRequest = parts.hooks?.onRequest;
  if (onRequest !== undefined) app.use(askHook(onRequest));
  app.use(run(parts, streams));
  // What reaches Koa's own handler has been answered already, or the client has gone.
  app.on('error', (error: Error) => parts.log.debug('a connection failed', { event: 'connection.failed', err: error }));
  const atRoot = new Set(operations.flatMap(({ method, path }) => (path === '/' ? [method.toUpperCase()] : [])));
  const firsts = new Set(['v1', ...operations.map(({ path }) => firstPartOf(path)).filter((part) => part !== '')]);
  return {
    handle: app.callback(),
    serves: (method, path) =>
      path === '/' ? atRoot.has(method) : firsts.has(firstPartOf(path)) || routes?.isRoute(path) === true,
    endStreams: streams.end,
    figures: () => ({ requests: admitting.underWay(), closed: streams.figures() }),
  };
}

const firstPartOf = (path: string): string => path.split('/', 2)[1] ?? '';

/** Asks the application, once it is known what is asked for and by whom. */
const askHook =
  (onRequest: NonNullable<Hooks['onRequest']>): Middleware =>
  async (ctx, next) => {
    const { found, principal, address, requestId } = knownOf(ctx);
    if (found !== null)
      await runHook(onRequest, {
        ...{ method: ctx.method, path: ctx.path, operation: found.operation.id, address, requestId },
        header: (name) => ctx.get(name) || null,
        tenant: principal?.tenant ?? OPEN.tenant,
        actor: principal?.actor ?? null,
      });
    await next();
  };

function withDescription(parts: Parts, operations: readonly Operation[]): readonly Operation[] {
  const all: readonly Operation[] = [
    ...operations,
    ...docsOperations(parts, () => openapi(all, { version: parts.about.version, url: parts.basePath() || '/' })),
  ];
  return all;
}
