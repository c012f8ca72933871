import type { Middleware } from 'koa';
import { mayDo, type Principal } from '../../identity/principal.ts';
import { Problem } from '../problem.ts';
import { knownOf } from './state.ts';

/** Requests under way at once; more are sent away. What their bodies may hold together is bounded in body.ts. */
export const REQUESTS_MAX = 2_000;

/** Tells who calls, from the headers of a request. @throws Problem when it cannot be told */
export type Identify = (header: (name: string) => string | null) => Principal | Promise<Principal>;

/** Lets a request in, or not: is there room, who is it, may they. Probes are let in when the house is full. */
export function admit(identify: Identify): Middleware {
  let underWay = 0;
  return async (ctx, next) => {
    const known = knownOf(ctx);
    const operation = known.found?.operation;
    if (operation === undefined) return next();
    if (operation.probe === true) return next();
    if (underWay >= REQUESTS_MAX)
      throw new Problem('overloaded', `More than ${REQUESTS_MAX} requests are under way; try again in a moment`);
    underWay += 1;
    try {
      const principal = await identify((name) => ctx.get(name) || null);
      known.principal = principal;
      const { access } = operation;
      if (access !== 'open' && !mayDo(principal, access))
        throw new Problem('scope_missing', `This needs the scope ${access}`);
      await next();
    } finally {
      underWay -= 1;
    }
  };
}
