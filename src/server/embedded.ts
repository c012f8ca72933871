import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import type { Identify } from '../api/middleware/admit.ts';
import { Rota } from '../client/index.ts';
import { OPEN } from '../identity/principal.ts';
import { DEFAULT_TENANT, readTenant } from '../model/tenant.ts';
import { type Log, makeLog } from '../runtime/log.ts';
import { ownUrl } from './base-url.ts';
import type { Between } from './build.ts';
import { readConfig } from './config.ts';
import { fetchInside } from './fetch-inside.ts';
import type { StartHooks } from './hook-types.ts';
import { withHooks } from './hooks.ts';
import { makeWorkers, type Work } from './in-process.ts';
import { start } from './start.ts';
import { startWithoutPort } from './without-port.ts';

/* `rota/server`: the server as a part of somebody's own application. */

export type { HookLaunch, HookRequest } from '../api/hooks.ts';
export type { HookCallback, StartHooks } from './hook-types.ts';
export type { Work } from './in-process.ts';

type Setting = string | number | boolean | readonly (string | number)[];

export type StartOptions = {
  /** `memory:` keeps nothing; a folder; or `postgres://…`. Absent: what the environment says. */
  readonly database?: string | undefined;
  /** The public address put into `proceed_url`. */
  readonly baseUrl?: string | undefined;
  /** Absent: nothing listens, requests come by `handler`. 0: any free one. */
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  /** Any other setting by its name (`RETRY_DELAYS` or `retry_delays`); it wins over the environment. */
  readonly settings?: Readonly<Record<string, Setting>> | undefined;
  readonly participants?: Readonly<Record<string, Work>> | undefined;
  readonly hooks?: StartHooks | undefined;
};

export type Next = (error?: unknown) => unknown;
type KoaContext = { readonly req: IncomingMessage; readonly res: ServerResponse; respond?: boolean | undefined };

export type Embedded = {
  /** Where it listens, or what `baseUrl` says; null: nowhere. */
  readonly url: string | null;
  /** A client in this process, which may do everything. */
  readonly client: Rota;
  /** For node:http and express `(req, res, next?)`, for koa `(ctx, next)`. With `next`, what is not ours is passed on. */
  readonly handler: {
    (request: IncomingMessage, response: ServerResponse, next?: Next): void;
    (context: KoaContext, next: () => Promise<unknown>): Promise<unknown>;
  };
  /** A participant in this process: claimed, leased, called again after a crash. */
  readonly participant: (name: string, work: Work) => Promise<void>;
  /** Ends it in order; nothing of ours keeps the process then. @returns false when something had to be cut off */
  readonly stop: () => Promise<boolean>;
};

const BASE_INSIDE = 'http://localhost';

/** @throws ConfigError when a setting is wrong, StartError when the port is taken or the database cannot be opened */
export async function startRota(options: StartOptions = {}): Promise<Embedded> {
  const config = readConfig(process.env, { flags: new Map(Object.entries(settingsOf(options))) });
  const log = makeLog({ level: config.given.includes('LOG_LEVEL') ? config.logLevel : 'warn' });
  const token = randomBytes(32);
  const { hooks = {} } = options;
  const between: Between & { readonly log: Log } = {
    ...withHooks(hooks, log),
    log,
    identify: (identify) => identifyInside(token, identify),
  };
  const isHeard = options.port !== undefined;
  const running = isHeard ? await start(config, between) : await startWithoutPort(config, between);
  const url = running.url ?? config.baseUrl;
  const client = new Rota({
    url: BASE_INSIDE,
    key: '',
    // What a proceed_url says comes back here, too, whether anybody listens there or not.
    fetch: fetchInside(
      running.listener,
      [BASE_INSIDE, config.baseUrl ?? running.url ?? ownUrl(config.host, config.port)],
      {
        [INSIDE]: token.toString('hex'),
      },
    ),
  });
  const workers = makeWorkers({
    rota: client,
    assignee: `${hostname().slice(0, 80)}:${process.pid}:${randomUUID().slice(0, 8)}`,
    log: log.with({ component: 'participants' }),
  });
  const stop = async (): Promise<boolean> => {
    await workers.stop();
    return running.stop();
  };
  try {
    for (const [name, work] of Object.entries(options.participants ?? {})) await workers.add(name, work);
  } catch (error) {
    await stop();
    throw error;
  }
  let stopped: Promise<boolean> | null = null;

  const isOwn = (request: IncomingMessage): boolean => {
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    // At the root the application has forms of its own, and we read nothing but events.
    return running.serves(request.method ?? 'GET', path) && (path !== '/' || isEvent(request));
  };
  function handler(
    first: IncomingMessage | KoaContext,
    second: ServerResponse | (() => Promise<unknown>),
    third?: Next,
  ): unknown {
    if ('req' in first && typeof second === 'function') {
      if (!isOwn(first.req)) return second();
      // Koa leaves the answer to us, and to whoever waits for this promise it says when that is done.
      first.respond = false;
      return new Promise<void>((resolve) => {
        first.res.once('close', () => resolve());
        running.listener(first.req, withoutStatus(first.res));
      });
    }
    const [request, response] = [first as IncomingMessage, second as ServerResponse];
    if (third !== undefined && !isOwn(request)) return third();
    running.listener(request, response as Parameters<typeof running.listener>[1]);
    return undefined;
  }

  return {
    url,
    client,
    handler: handler as Embedded['handler'],
    participant: (name, work) => workers.add(name, work),
    stop: () => (stopped ??= stop()),
  };
}

/** Whether a request carries CloudEvents. */
const isEvent = ({ headers }: IncomingMessage): boolean =>
  headers['ce-specversion'] !== undefined || /^application\/cloudevents/i.test(headers['content-type'] ?? '');

/** Koa says 404 until somebody answers. */
function withoutStatus(response: ServerResponse): ServerResponse & { req: IncomingMessage } {
  response.statusCode = 200;
  return response as ServerResponse & { req: IncomingMessage };
}

/** The header that says: from this process. Its value is made anew at each start and leaves the process nowhere. */
const INSIDE = 'rota-in-process';

function identifyInside(token: Buffer, identify: Identify): Identify {
  return (header, asked) => {
    const given = header(INSIDE);
    if (given === null) return identify(header, asked);
    const bytes = Buffer.from(given, 'hex');
    if (bytes.length !== token.length || !timingSafeEqual(bytes, token)) return identify(header, asked);
    const named = header('rota-tenant');
    return { ...OPEN, tenant: (named === null ? null : readTenant(named)) ?? DEFAULT_TENANT };
  };
}

function settingsOf({ database, baseUrl, port, host, settings = {} }: StartOptions): Record<string, string> {
  const named = Object.entries(settings).map(([name, value]) => [name.toUpperCase(), textOf(value)] as const);
  return {
    ...Object.fromEntries(named),
    ...(database === undefined
      ? {}
      : /^postgres(?:ql)?:\/\//.test(database)
        ? { DATABASE_URL: database }
        : { DATA_DIR: database }),
    ...(baseUrl === undefined ? {} : { BASE_URL: baseUrl }),
    ...(port === undefined ? {} : { PORT: String(port) }),
    ...(host === undefined ? {} : { HOST: host }),
  };
}

function textOf(value: Setting): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return Array.isArray(value) ? value.join(',') : String(value);
}
