import type { Context, Middleware, Next } from 'koa';
import { parseWorkitemId } from '../../model/ids.ts';
import type { Store } from '../../store/store.ts';
import { Problem } from '../problem.ts';
import { knownOf } from './state.ts';

/*
 * Tenants that live in another cell, or are on their way there (store/moving.ts). Who asks for one of them is sent on; who comes by the URL of a workflow or workitem
 * needs no credentials for that, for the id is all that is told of.
 */

/** So old may be what a node knows of tenants that move; whoever moves one waits longer. */
export const KNOWN_MS = 500;
/** Seconds after which somebody who was sent away asks again. */
const RETRY_SECONDS = 2;

export type Elsewhere = {
  /** Before it is known who asks: by the workflow that is asked for. */
  readonly byWorkflow: Middleware;
  /** Once it is known: by the tenant. */
  readonly byTenant: Middleware;
};

export function makeElsewhere(store: Pick<Store, 'moved'>): Elsewhere {
  let tenants: ReadonlyMap<string, string | null> = new Map();
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;

  const isFresh = (): boolean => performance.now() - readAt < KNOWN_MS;

  async function refresh(): Promise<void> {
    reading ??= (async () => {
      try {
        const asked = performance.now();
        tenants = new Map((await store.moved.tenants()).map(({ tenant, target }) => [tenant, target] as const));
        readAt = asked;
      } finally {
        reading = null;
      }
    })();
    await reading;
  }

  function sendOn(ctx: Context, tenant: string): boolean {
    const target = tenants.get(tenant);
    if (target === undefined) return false;
    if (target === null) {
      ctx.set('Retry-After', String(RETRY_SECONDS));
      throw new Problem('tenant_moving', `The tenant ${tenant} is being moved to another cell; it takes moments`);
    }
    const address = target.replace(/\/$/, '') + ctx.url;
    ctx.status = 308;
    ctx.set('Location', address);
    ctx.body = { code: 'tenant_moved', location: address };
    return true;
  }

  return {
    byWorkflow: (ctx, next) => {
      const { found } = knownOf(ctx);
      if (found === null || found.operation.probe === true) return next();
      // Mostly nobody moves: then a request passes by without a wait.
      return isFresh() && tenants.size === 0 ? next() : askedFor(ctx, next, found.params);
    },
    byTenant: (ctx, next) => {
      const { principal, found } = knownOf(ctx);
      if (tenants.size === 0 || principal === null || found === null) return next();
      return sendOn(ctx, principal.tenant) ? Promise.resolve() : next();
    },
  };

  async function askedFor(ctx: Context, next: Next, params: Readonly<Record<string, string>>): Promise<void> {
    if (!isFresh()) await refresh();
    if (tenants.size === 0) return next();
    const { workflow_id, workitem_id } = params;
    const workflow = workflow_id ?? parseWorkitemId(workitem_id ?? '')?.workflow;
    const tenant = workflow === undefined ? null : await store.moved.tenantOf(workflow);
    if (tenant === null || !sendOn(ctx, tenant)) await next();
  }
}
