import type { Context } from 'koa';
import type { Principal } from '../../identity/principal.ts';
import type { TraceContext } from '../../runtime/trace-context.ts';
import type { Operation } from '../operation.ts';

/** What is known of a request so far; each layer fills in its part. */
export type Known = {
  readonly requestId: string;
  /** Where it comes from, as far as proxies that are trusted tell; null: the connection is gone. */
  readonly address: string | null;
  /** What was asked for, and the parts of its path; null: nothing we have. */
  found: { readonly operation: Operation; readonly params: Readonly<Record<string, string>> } | null;
  principal: Principal | null;
  /** Time it has waited for its work so far, in milliseconds; reading its body is not counted. */
  waitedMs: number;
  /** It was answered, and its work goes on: resolves when that has ended. Null: nothing is left behind. */
  behind: Promise<void> | null;
  /** Its query; null: nobody has looked at it. */
  query: URLSearchParams | null;
  /** Its span, where somebody records traces. */
  span: TraceContext | null;
};

/** Stands on the context itself: a map of contexts would be asked by every layer. */
const KNOWN = Symbol('known');
type Holding = { [KNOWN]?: Known };

export const begin = (ctx: Context, requestId: string, address: string | null): Known => {
  const fresh: Known = {
    requestId,
    address,
    found: null,
    principal: null,
    waitedMs: 0,
    behind: null,
    query: null,
    span: null,
  };
  (ctx as Holding)[KNOWN] = fresh;
  return fresh;
};

/** The query of a request, read once; nobody changes it. */
export function queryIn(ctx: Context): URLSearchParams {
  const known = knownOf(ctx);
  known.query ??= ctx.querystring === '' ? NO_QUERY : new URLSearchParams(ctx.querystring);
  return known.query;
}
const NO_QUERY = new URLSearchParams();

export function knownOf(ctx: Context): Known {
  const found = (ctx as Holding)[KNOWN];
  if (found === undefined) throw new Error('The outermost layer has not seen this request');
  return found;
}
