import cors from '@koa/cors';
import type { Middleware } from 'koa';
import { isLoopbackName, nameIn } from './pages.ts';

/*
 * What is said to browsers. Answers are data: no page may frame them, guess at their type, or keep them. Pages of other origins are let at
 * them only where CORS_ORIGINS names them; without it there is no such header at all.
 */

export type BrowserPolicy = {
  /** Origins whose pages may read answers; `*`: all. */
  readonly corsOrigins: () => readonly string[];
  /** Whether this server is reached over https: by itself, or as BASE_URL says. */
  readonly isSecure: boolean;
  readonly version: string;
};

/** How long a browser may remember what it was told, in seconds. */
const CORS_SECONDS = 600;
const YEAR_SECONDS = 31_536_000;
/** Headers of our answers that a page may read. */
const EXPOSED = [
  'Location',
  'ETag',
  'Link',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'Idempotent-Replayed',
  'X-Request-Id',
  'WWW-Authenticate',
  'Rota-Version',
  'Rota-Warning',
];

/** Headers that stand on every answer. @param host as the request names it (`Host`) */
export function browserHeaders({
  corsOrigins,
  isSecure,
  version,
}: BrowserPolicy): (host: string | null) => Readonly<Record<string, string>> {
  const always = {
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
    'Rota-Version': version,
  };
  const own = { ...always, 'Cross-Origin-Resource-Policy': 'same-origin' };
  const safe = { 'Strict-Transport-Security': `max-age=${YEAR_SECONDS}` };
  // Made once: they stand on every answer.
  const plainly = { always, own };
  const safely = { always: { ...always, ...safe }, own: { ...own, ...safe } };
  return (host) => {
    // A browser would keep to https for a year, for whatever else is spoken to by the name of its own machine.
    const these = isSecure && !isLoopbackName(nameIn(host) ?? '') ? safely : plainly;
    return corsOrigins().length === 0 ? these.own : these.always;
  };
}

/** Lets pages of these origins at our answers; never with cookies. Where there are none it says nothing at all. */
export function corsFor({ corsOrigins }: BrowserPolicy, methods: readonly string[]): Middleware {
  const say = cors({
    // The library takes an empty text for "say nothing".
    origin: (ctx) => {
      const origin = ctx.get('Origin');
      const origins = corsOrigins();
      if (origins.includes('*')) return '*';
      return origins.includes(origin) ? origin : '';
    },
    allowMethods: [...methods],
    exposeHeaders: EXPOSED,
    maxAge: CORS_SECONDS,
    credentials: false,
    keepHeadersOnError: true,
  });
  return (ctx, next) => (corsOrigins().length === 0 ? next() : say(ctx, next));
}
