import Router from '@koa/router';
import Koa from 'koa';
import { Fault } from '../model/fault.ts';
import { type BodyReader, makeBodyReader } from './middleware/body.ts';
import { withIdempotency } from './middleware/idempotency.ts';
import { report } from './middleware/report.ts';
import { makeBodyCheck, queryOf } from './middleware/validate.ts';
import { openapi } from './openapi.ts';
import { type Call, jsonReply, type Operation, type Reply } from './operation.ts';
import type { Parts } from './parts.ts';
import { HttpProblem } from './problem.ts';
import { operationsOf } from './routes/operations.ts';

/** Requests under way at once; more are sent away, for each may hold a body of 4 MB. */
export const REQUESTS_MAX = 2_000;
/** Longest address that is looked at, in characters; Node refuses heads of more than 256 kB before (server/start.ts). */
export const URL_LENGTH_MAX = 200_000;

/** Builds the Koa app from its parts; it does not listen. */
export function makeApp(parts: Parts): Koa {
  const app = new Koa();
  let underWay = 0;

  app.use(report(parts.log));
  app.use(async (ctx, next) => {
    if (ctx.url.length > URL_LENGTH_MAX)
      throw new HttpProblem('uri_too_long', `The address has more than ${URL_LENGTH_MAX} characters`);
    if (underWay >= REQUESTS_MAX && ctx.state['quiet'] !== true)
      throw new Fault('overloaded', `More than ${REQUESTS_MAX} requests are under way; try again in a moment`);
    underWay += 1;
    try {
      await next();
    } finally {
      underWay -= 1;
    }
  });

  const router = new Router();
  const readBody = makeBodyReader();
  for (const operation of withOpenapi(operationsOf(parts))) route(router, operation, readBody, parts);
  app.use(router.routes());
  app.use((ctx) => {
    const allowed = allowedMethods(router, ctx.path);
    if (allowed.length === 0)
      throw new HttpProblem('route_not_found', `There is nothing at ${ctx.path.slice(0, 200)}; see /openapi.json`);
    ctx.set('Allow', allowed.join(', '));
    if (ctx.method === 'OPTIONS') ctx.status = 204;
    else
      throw new HttpProblem('method_not_allowed', `This address takes ${allowed.join(', ')}, not ${ctx.method}`, {
        headers: { Allow: allowed.join(', ') },
      });
  });
  // What reaches Koa's own handler has been answered already, or the client has gone.
  app.on('error', (error: Error) => parts.log.debug('a connection failed', { event: 'connection.failed', err: error }));
  return app;
}

function withOpenapi(operations: readonly Operation[]): readonly Operation[] {
  const own: Operation = {
    id: 'openapi',
    method: 'get',
    path: '/openapi.json',
    summary: 'This description',
    answers: { 200: { description: 'An OpenAPI 3.1 document' } },
    // Written when somebody first wants to read it.
    handle: () => (reply ??= jsonReply(200, openapi(all))),
  };
  const all = [...operations, own];
  let reply: Reply | null = null;
  return all;
}

function route(router: Router, operation: Operation, readBody: BodyReader, parts: Parts): void {
  const hasBody = operation.method === 'post' || operation.method === 'patch';
  const checkBody = operation.body?.checked === 'here' ? makeBodyCheck(operation.body.schema) : null;
  const handle = operation.method === 'post' ? withIdempotency(operation, parts) : null;

  router[operation.method](operation.path, async (ctx) => {
    ctx.state['route'] = operation.path;
    ctx.state['fixed'] = operation.fixed === true;
    ctx.state['quiet'] = operation.quiet === true;
    const query = queryOf(ctx.querystring, operation);
    const read = hasBody ? await readBody(ctx) : { body: {}, raw: '', isForm: false };
    const call: Call = {
      params: ctx['params'] as Readonly<Record<string, string>>,
      query,
      header: (name) => ctx.get(name) || null,
      body: checkBody === null ? read.body : checkBody(read.body, read.isForm),
      isForm: read.isForm,
      requestId: String(ctx.state['requestId']),
      launchId: null,
    };
    const reply = handle === null ? await operation.handle(call) : await handle(call, ctx.path, read.raw);
    ctx.status = reply.status;
    ctx.set(reply.headers);
    ctx.set('Cache-Control', 'no-store');
    if (reply.contentType === null) ctx.body = null;
    else {
      ctx.type = reply.contentType;
      ctx.body = reply.text;
    }
  });
}

function allowedMethods(router: Router, path: string): readonly string[] {
  const methods = new Set(router.match(path, 'GET').path.flatMap((layer) => layer.methods));
  return methods.size === 0 ? [] : [...methods, 'OPTIONS'].sort();
}
