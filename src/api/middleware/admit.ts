import type { Middleware } from 'koa';
import { mayDo, type Principal } from '../../identity/principal.ts';
import type { Log } from '../../runtime/log.ts';
import { type Meter, NO_METER } from '../../runtime/meter.ts';
import { type Auditing, badScope } from '../audit.ts';
import type { Operation } from '../operation.ts';
import { Problem } from '../problem.ts';
import { headerIn } from '../reading/headers.ts';
import { inTime } from './in-time.ts';
import { isUncounted, type Rates } from './rate.ts';
import { knownOf, queryIn } from './state.ts';

/** Requests under way at once; more are sent away. What their bodies may hold together is bounded in body.ts. */
export const REQUESTS_MAX = 2_000;

/** What of a request says who calls. */
export type Asked = {
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
  /** `token` of the query. */
  readonly token: string | null;
  /** `ticket` of the query. */
  readonly ticket: string | null;
  /** Puts a header on the answer. */
  readonly answer: (name: string, value: string) => void;
  /** Where it comes from. */
  readonly address: string | null;
};

/** Tells who calls. @throws Problem when it cannot be told */
export type Identify = (header: (name: string) => string | null, asked: Asked) => Principal | Promise<Principal>;

export type Admit = { readonly middleware: Middleware; readonly underWay: () => number };

/** Lets a request in, or not: is there room, who is it, may they. Probes are let in when the house is full. */
export function admit(
  identify: Identify,
  rates: Pick<Rates, 'principal'>,
  audit: Pick<Auditing, 'gather'>,
  log: Log,
  meter: Meter = NO_METER,
): Admit {
  let underWay = 0;
  const middleware: Middleware = async (ctx, next) => {
    const known = knownOf(ctx);
    if (known.found === null) return next();
    const { operation, params } = known.found;
    if (operation.probe === true) return next();
    if (underWay >= REQUESTS_MAX)
      throw new Problem('overloaded', `More than ${REQUESTS_MAX} requests are under way; try again in a moment`);
    underWay += 1;
    try {
      const { querystring } = ctx;
      const inQuery = (name: string): string | null =>
        querystring.includes(`${name}=`) ? queryIn(ctx).get(name) : null;
      try {
        const identified = identify((name) => headerIn(ctx, name) || null, {
          operation,
          params,
          token: inQuery('token'),
          ticket: inQuery('ticket'),
          answer: (name, value) => ctx.append(name, value),
          address: known.address,
        });
        const isAsking = identified instanceof Promise;
        const principal = isAsking ? await inTime(identified, known, log) : identified;
        known.principal = principal;
        if (!isUncounted(operation)) rates.principal(ctx, principal);
        if (!isAllowed(principal, operation)) {
          audit.gather(badScope(principal, known.address, operation), `it needs the scope ${operation.access}`);
          throw scopeMissing(operation);
        }
        meter.authenticated(principal.kind === 'open' ? 'none' : principal.kind, 'ok');
      } catch (error) {
        countRefusal(meter, known.principal, (name) => ctx.get(name) || null, error);
        throw error;
      }
      await next();
    } finally {
      // What goes on behind an answer keeps its place.
      if (known.behind === null) underWay -= 1;
      else
        void known.behind.finally(() => {
          underWay -= 1;
        });
    }
  };
  return { middleware, underWay: () => underWay };
}

/** Counts who was not let in, by what they came with; faults of other kinds are none of this. */
function countRefusal(
  meter: Meter,
  principal: Principal | null,
  header: (name: string) => string | null,
  error: unknown,
): void {
  const outcome = error instanceof Problem ? REFUSALS[error.code] : undefined;
  if (outcome === undefined) return;
  const named = principal === null ? methodOf(header) : principal.kind === 'open' ? 'none' : principal.kind;
  const [why = outcome] = (error instanceof Problem ? error.why : null)?.match(/expired|revoked/) ?? [];
  meter.authenticated(error instanceof Problem && error.code === 'capability_invalid' ? 'capability' : named, why);
}

const REFUSALS: { readonly [code: string]: string } = {
  unauthenticated: 'invalid',
  credentials_invalid: 'invalid',
  credentials_ambiguous: 'invalid',
  capability_invalid: 'invalid',
  scope_missing: 'scope',
};

/** What kind of credential a request came with. */
function methodOf(header: (name: string) => string | null): string {
  const authorization = header('authorization');
  if (authorization !== null) return /^bearer +(?!rota_)\S*\./i.test(authorization) ? 'jwt' : 'key';
  if (header('x-api-key') !== null) return 'key';
  return header('cookie') === null ? 'none' : 'session';
}

/** Whether the principal may do this; that a capability is for this very workitem was seen when it was read. */
function isAllowed(principal: Principal, { access, capability }: Operation): boolean {
  if (access === 'open' || access === 'any') return true;
  return (principal.kind === 'capability' && capability !== undefined) || mayDo(principal, access);
}

const scopeMissing = ({ access }: Operation): Problem =>
  new Problem('scope_missing', `This needs the scope ${access}`, {
    headers: { 'WWW-Authenticate': `Bearer realm="rota", error="insufficient_scope", scope="${access}"` },
  });
