import Router from '@koa/router';
import type { Middleware } from 'koa';
import { isStorable, UNSTORABLE } from '../../model/storable.ts';
import { cut, shownJson } from '../../model/text.ts';
import { urlOf } from '../../model/url.ts';
import { METHODS } from '../../registry/routes.ts';
import type { Operation } from '../operation.ts';
import type { Parts } from '../parts.ts';
import { Problem } from '../problem.ts';
import type { RouteOperations } from '../resources/definitions/routes.ts';
import { withWholeName } from './names.ts';
import { knownOf } from './state.ts';

/** Whoever asks a worker for workflows has taken the wrong node. */
const ON_WORKER = ' on this node, which only works (ROLE=worker); ask a node with ROLE=api or ROLE=all';

/** Ids that are read before anybody is asked for them: one that is none is not found. */
const READ_HERE: ReadonlySet<string> = new Set(['workflow_id', 'workitem_id']);

/** What routes of stored definitions may take. */
const ROUTED = [...METHODS, 'OPTIONS'].sort().join(', ');

/** Longest address that is looked at, in characters; Node refuses heads of more than 256 kB before (server/start.ts). */
export const URL_LENGTH_MAX = 200_000;

/**
 * Finds what is asked for, and decides nothing else.
 *
 * @throws Problem for addresses and methods we do not have, once everything in front of the rest has let the request in
 */
export function findOperation(
  operations: readonly Operation[],
  role: Parts['role'],
  routes: RouteOperations | null = null,
  isOpen: () => boolean = () => true,
): Middleware {
  const byRoute = new Map(
    operations.map((operation) => [`${operation.method.toUpperCase()} ${operation.path}`, operation]),
  );
  const routerFor = routersOf(operations);

  return async (ctx, next) => {
    if (ctx.url.length > URL_LENGTH_MAX)
      throw new Problem('uri_too_long', `The address has more than ${URL_LENGTH_MAX} characters`);
    // Clients of a proxy send whole addresses; Koa takes them apart and must not meet half of one.
    if (!ctx.url.startsWith('/') && ctx.url !== '*' && urlOf(ctx.url) === null)
      throw new Problem('request_malformed', `${shownJson(ctx.url)} is no address`);
    const asked = withWholeName(ctx.path);
    const { path, pathAndMethod } = routerFor(asked).match(asked, ctx.method);
    const [layer] = pathAndMethod;
    const method = ctx.method === 'HEAD' ? 'GET' : ctx.method;
    const operation = layer === undefined ? undefined : byRoute.get(`${method} ${String(layer.path)}`);
    if (layer !== undefined && operation !== undefined) {
      const params = layer.params(asked, layer.captures(asked)) as Readonly<Record<string, string>>;
      for (const [name, value] of Object.entries(params))
        if (!READ_HERE.has(name) && !isStorable(value))
          throw new Problem('request_malformed', `The address (${name}) ${UNSTORABLE}`);
      knownOf(ctx).found = { operation, params };
      return next();
    }
    if (path.length === 0 && routes?.isRoute(ctx.path) === true) {
      const isBare = !isOpen() && !['Authorization', 'X-API-Key', 'Cookie'].some((name) => ctx.get(name) !== '');
      const route = routes.of(ctx.method, isBare);
      if (route !== null) {
        knownOf(ctx).found = { operation: route, params: { route_path: ctx.path } };
        return next();
      }
      ctx.set('Allow', ROUTED);
      if (ctx.method === 'OPTIONS') ctx.status = 204;
      else
        throw new Problem('method_not_allowed', `Routes take ${ROUTED}, not ${ctx.method}`, {
          headers: { Allow: ROUTED },
        });
      return undefined;
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

/**
 * Routers that each know the operations of one kind of address. One router for all of them would try every pattern for each request, which was
 * most of what finding cost. They only tell what matches; nothing runs in them.
 */
export function routersOf(operations: readonly Operation[]): (path: string) => Router {
  const routers = new Map<string, Router>();
  for (const kind of new Set(operations.map(({ path }) => kindOf(path)))) {
    const router = new Router();
    for (const { method, path } of operations)
      if (kindOf(path) === kind || kindOf(path) === withAnySecond(kind)) router[method](path, () => {});
    routers.set(kind, router);
  }
  const none = new Router();
  return (path) => {
    const kind = kindOf(path);
    return routers.get(kind) ?? routers.get(withAnySecond(kind)) ?? none;
  };
}

/** Its first two parts and the number of all: paths of different kinds never match each other. A slash at the end counts for nothing. */
function kindOf(path: string): string {
  const parts = path.split('/', KIND_PARTS_MAX);
  if (parts.length > 2 && parts.at(-1) === '') parts.pop();
  const [, first = '', second = ''] = parts;
  return `${parts.length}/${first.toLowerCase()}/${second.startsWith(':') ? ANY : second.toLowerCase()}`;
}

const ANY = ':';
const withAnySecond = (kind: string): string => `${kind.slice(0, kind.lastIndexOf('/'))}/${ANY}`;
/** No operation has as many parts. */
const KIND_PARTS_MAX = 20;
