import Router from '@koa/router';
import type { Middleware } from 'koa';
import { cut, shownJson } from '../../model/text.ts';
import type { Operation } from '../operation.ts';
import type { Parts } from '../parts.ts';
import { Problem } from '../problem.ts';
import { knownOf } from './state.ts';

/** Whoever asks a worker for workflows has taken the wrong node. */
const ON_WORKER = ' on this node, which only works (ROLE=worker); ask a node with ROLE=api or ROLE=all';

/** Longest address that is looked at, in characters; Node refuses heads of more than 256 kB before (server/start.ts). */
export const URL_LENGTH_MAX = 200_000;

/**
 * Finds what is asked for, and decides nothing else.
 *
 * @throws Problem for addresses and methods we do not have, once everything in front of the rest has let the request in
 */
export function findOperation(operations: readonly Operation[], role: Parts['role']): Middleware {
  const router = new Router();
  const byRoute = new Map<string, Operation>();
  for (const operation of operations) {
    byRoute.set(`${operation.method.toUpperCase()} ${operation.path}`, operation);
    // The router only tells what matches; nothing runs in it.
    router[operation.method](operation.path, () => {});
  }

  return async (ctx, next) => {
    if (ctx.url.length > URL_LENGTH_MAX)
      throw new Problem('uri_too_long', `The address has more than ${URL_LENGTH_MAX} characters`);
    // Clients of a proxy send whole addresses; Koa takes them apart and must not meet half of one.
    if (!ctx.url.startsWith('/') && ctx.url !== '*' && !URL.canParse(ctx.url))
      throw new Problem('request_malformed', `${shownJson(ctx.url)} is no address`);
    const { path, pathAndMethod } = router.match(ctx.path, ctx.method);
    const [layer] = pathAndMethod;
    const method = ctx.method === 'HEAD' ? 'GET' : ctx.method;
    const operation = layer === undefined ? undefined : byRoute.get(`${method} ${String(layer.path)}`);
    if (layer !== undefined && operation !== undefined) {
      const params = layer.params(ctx.path, layer.captures(ctx.path)) as Readonly<Record<string, string>>;
      knownOf(ctx).found = { operation, params };
      return next();
    }
    if (path.length === 0)
      throw new Problem(
        'route_not_found',
        `There is nothing at ${cut(ctx.path, 200)}${role === 'worker' ? ON_WORKER : ''}; see /openapi.json`,
      );
    const allowed = [...new Set([...path.flatMap(({ methods }) => methods), 'OPTIONS'])].sort().join(', ');
    ctx.set('Allow', allowed);
    if (ctx.method === 'OPTIONS') ctx.status = 204;
    else
      throw new Problem('method_not_allowed', `This address takes ${allowed}, not ${ctx.method}`, {
        headers: { Allow: allowed },
      });
  };
}
