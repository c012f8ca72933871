import { randomUUID } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import type { Principal } from '../../identity/principal.ts';
import { Fault } from '../../model/fault.ts';
import type { Json } from '../../model/json.ts';
import { DEFAULT_TENANT } from '../../model/tenant.ts';
import type { Log, LogDetails } from '../../runtime/log.ts';
import { type Meter, NO_METER } from '../../runtime/meter.ts';
import { readTraceContext } from '../../runtime/trace-context.ts';
import type { Running, Tracing } from '../../runtime/tracing.ts';
import { Problem, problemFor, Refusal } from '../problem.ts';
import { drained } from '../reading/body.ts';
import { headerIn } from '../reading/headers.ts';
import type { AddressOf } from './address.ts';
import { begin } from './state.ts';

/** A caller's own id is kept when it is harmless, so that one request can be followed through several services. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/**
 * The outermost layer: gives the request an id, turns whatever is thrown into a problem, writes one line about it.
 *
 * The headers of `headersFor` stand on every answer. Neither query strings nor bodies nor header values are logged: they may hold secrets.
 */
export function report(
  log: Log,
  headersFor: (host: string | null) => Readonly<Record<string, string>>,
  addressOf: AddressOf,
  meter: Meter = NO_METER,
  tracing: Tracing | null = null,
): Middleware {
  return async (ctx, next) => {
    const startedAt = performance.now();
    const given = headerIn(ctx, 'x-request-id');
    const requestId = REQUEST_ID.test(given) ? given : randomUUID();
    const known = begin(ctx, requestId, addressOf(ctx.req));
    ctx.res.setHeader('X-Request-Id', requestId);
    for (const [name, value] of Object.entries(headersFor(headerIn(ctx, 'host') || null)))
      ctx.res.setHeader(name, value);
    const span = tracing === null ? null : beginRequest(tracing, ctx);
    if (span !== null) known.span = span.context;
    let err: unknown;
    let code: Json | undefined;
    try {
      await next();
    } catch (thrown) {
      if (!isExpected(thrown)) err = thrown;
      // What is still coming of a refused body is read away, or the connection ends: the next request on it may be a stranger's.
      if (!(await drained(ctx.req))) ctx.set('Connection', 'close');
      const problem = problemFor(thrown, requestId, known.found?.operation.fixed === true);
      ctx.status = problem.status;
      ctx.set(problem.headers);
      ctx.set('Cache-Control', 'no-store');
      ctx.type = 'application/problem+json';
      ctx.body = JSON.stringify(problem.body);
      code = problem.body['code'];
    }
    const operation = known.found?.operation;
    const milliseconds = performance.now() - startedAt;
    meter.request(operation?.id ?? null, ctx.status, milliseconds / 1000, typeof code === 'string' ? code : null);
    if (span !== null) endRequest(span, ctx, operation?.path ?? null);
    const line = {
      event: 'request',
      request_id: requestId,
      method: ctx.method,
      route: operation?.path ?? null,
      status: ctx.status,
      milliseconds: Math.round(milliseconds * 10) / 10,
      bytes_in: Number(ctx.req.headers['content-length'] ?? 0),
      bytes_out: ctx.response.length ?? 0,
      ...(code === undefined ? {} : { code }),
      ...whoOf(known.principal),
      ...workflowIn(known.found?.params),
      ...(known.span === null ? traceOf(headerIn(ctx, 'traceparent')) : { trace_id: known.span.traceId }),
    };
    if (err !== undefined) log.error('request failed', { ...line, err });
    // Who gives a probe an id of its own wants to follow it.
    else if (operation?.routine === true || (operation?.probe === true && given === '')) log.debug('request', line);
    else log.info('request', line);
  };
}

const beginRequest = (tracing: Tracing, ctx: Context): Running =>
  tracing.begin({
    name: ctx.method,
    kind: 'server',
    parent: readTraceContext(headerIn(ctx, 'traceparent') || null, headerIn(ctx, 'tracestate') || null),
    attributes: { 'http.request.method': ctx.method },
  });

function endRequest(span: Running, ctx: Context, route: string | null): void {
  span.end({
    ...(route === null ? {} : { name: `${ctx.method} ${route}` }),
    attributes: { ...(route === null ? {} : { 'http.route': route }), 'http.response.status_code': ctx.status },
    failed: ctx.status >= 500,
  });
}

/** Who called, as far as there is somebody to name. */
function whoOf(principal: Principal | null): LogDetails {
  if (principal === null) return {};
  const { actor, tenant } = principal;
  return { ...(actor === null ? {} : { principal: actor }), ...(tenant === DEFAULT_TENANT ? {} : { tenant }) };
}

/** The workflow a path names, cut as nobody's id is so long. */
function workflowIn(params: Readonly<Record<string, string>> | undefined): LogDetails {
  const workflow = params?.['workflow_id'];
  return workflow === undefined ? {} : { workflow_id: workflow.slice(0, WORKFLOW_ID_LENGTH_MAX) };
}
/** Characters of an id that are logged. */
const WORKFLOW_ID_LENGTH_MAX = 200;

function traceOf(parent: string): LogDetails {
  const context = parent === '' ? null : readTraceContext(parent, null);
  return context === null ? {} : { trace_id: context.traceId };
}

const isExpected = (thrown: unknown): boolean =>
  thrown instanceof Refusal || ((thrown instanceof Fault || thrown instanceof Problem) && thrown.code !== 'internal');
