import type { Context, Middleware } from 'koa';
import type { Principal } from '../../identity/principal.ts';
import { networkOf } from '../../runtime/addresses.ts';
import { makeBoundedMap } from '../../runtime/bounded.ts';
import type { ProcessTime } from '../../runtime/process-time.ts';
import { makeWindows, type Rate, type Taken, type Windows } from '../../runtime/windows.ts';
import type { Operation } from '../operation.ts';
import { Problem } from '../problem.ts';
import { knownOf } from './state.ts';

/*
 * How often somebody may ask. Each address is counted before anything else is looked at, each key or subject of a token once it is known, and
 * each address that shows credentials which are not good. A node counts what it sees itself, against its share of the whole.
 */

/** Addresses, or callers, that have a count of their own at once; those beyond share one. */
export const COUNTED_MAX = 50_000;
/** Different rates that keys may have. */
const RATES_MAX = 1_000;
/** Keys that are not good at a sign-in, of one address. */
export const SIGN_INS: Rate = { count: 10, seconds: 60 };

export type Rates = {
  /** Whether addresses are counted at all. */
  countsAddresses(): boolean;
  /** Counts a request of this address before it is looked at. @throws Problem */
  address(ctx: Context): void;
  /** Counts a request of somebody who is known by now. @throws Problem */
  principal(ctx: Context, principal: Principal): void;
  /** Counts credentials that were not good. @throws Problem when there were too many from there */
  failed(address: string | null): void;
  /** The same for a sign-in. @throws Problem */
  failedSignIn(address: string | null): void;
  /** Counts a request of somebody who shows no credentials and needs none. @throws Problem */
  open(address: string | null): void;
  /** Whether there were so many from there that nothing that costs much is looked at any more. */
  isSuspect(address: string | null): boolean;
};

export type RateSettings = {
  /** Null: no limit. */
  readonly key: Rate | null;
  readonly address: Rate | null;
  readonly failures: Rate;
  /** Of one address, where nobody is asked who they are; left out: OPEN_RATE. */
  readonly open?: Rate;
};

const OPEN_RATE: Rate = { count: 60, seconds: 60 };

/** @param nodes how many nodes answer requests, this one among them */
export function makeRates(
  settings: RateSettings,
  { nodes, time }: { readonly nodes: () => number; readonly time: Pick<ProcessTime, 'now'> },
): Rates {
  const counted = (whole: Rate): Windows =>
    makeWindows({
      rate: () => ({ count: Math.ceil(whole.count / Math.max(1, nodes())), seconds: whole.seconds }),
      most: COUNTED_MAX,
      time,
    });
  const ofAddress = settings.address === null ? null : { rate: settings.address, windows: counted(settings.address) };
  const failures = counted(settings.failures);
  const signIns = counted(SIGN_INS);
  const openly = counted(settings.open ?? OPEN_RATE);
  const ofRate = makeBoundedMap<{ readonly rate: Rate; readonly windows: Windows }>(RATES_MAX);

  function windowsFor(rate: Rate): { readonly rate: Rate; readonly windows: Windows } {
    const name = `${rate.count}/${rate.seconds}`;
    const known = ofRate.get(name) ?? { rate, windows: counted(rate) };
    ofRate.set(name, known);
    return known;
  }

  function tell({ res }: Context, name: string, { count, seconds }: Rate, taken: Taken): void {
    const policy = `"${name}";q=${count};w=${seconds}`;
    const left = `"${name}";r=${taken.left};t=${taken.seconds}`;
    // Somebody may be counted twice; lists of these headers are joined by commas.
    const before = res.getHeader('RateLimit');
    if (before === undefined) {
      res.setHeader('RateLimit-Policy', policy);
      res.setHeader('RateLimit', left);
    } else {
      res.setHeader('RateLimit-Policy', `${String(res.getHeader('RateLimit-Policy'))}, ${policy}`);
      res.setHeader('RateLimit', `${String(before)}, ${left}`);
    }
    if (taken.isAllowed) return;
    throw tooMuch(`More than ${count} requests in ${seconds} seconds; ask again in ${taken.seconds} seconds`, taken);
  }

  return {
    countsAddresses: () => ofAddress !== null,
    address: (ctx) => {
      if (ofAddress === null) return;
      const { address } = knownOf(ctx);
      tell(ctx, 'address', ofAddress.rate, ofAddress.windows.take(networkOf(address ?? '')));
    },
    principal: (ctx, principal) => {
      if (principal.kind !== 'key' && principal.kind !== 'session' && principal.kind !== 'jwt') return;
      const rate = principal.rate ?? settings.key;
      if (rate === null) return;
      const { windows } = windowsFor(rate);
      // Whoever is of all tenants names another with each request, and has one count all the same.
      tell(ctx, 'key', rate, windows.take(principal.id));
    },
    failed: (address) => {
      const taken = failures.take(networkOf(address ?? ''));
      if (!taken.isAllowed)
        throw tooMuch('Too many credentials from this address were not good; wait, or use good ones', taken);
    },
    failedSignIn: (address) => {
      const taken = signIns.take(networkOf(address ?? ''));
      if (!taken.isAllowed) throw tooMuch('Too many keys from this address were not good', taken);
    },
    open: (address) => {
      const taken = openly.take(networkOf(address ?? ''));
      if (!taken.isAllowed) throw tooMuch('Too many requests to public routes came from this address', taken);
    },
    isSuspect: (address) => failures.isSpent(networkOf(address ?? '')),
  };
}

const tooMuch = (detail: string, { seconds }: Taken): Problem =>
  new Problem('rate_limited', detail, { headers: { 'Retry-After': String(seconds) } });

/** Whether requests for it are not counted: machines ask all the time, and whoever looks must see most when there is much. */
export const isUncounted = ({ probe, routine }: Operation): boolean => probe === true || routine === true;

/** Counts by address. @param uncounted paths of what is not counted */
export function limitAddresses(rates: Rates, uncounted: ReadonlySet<string>): Middleware {
  const longest = Math.max(0, ...[...uncounted].map((path) => path.length));
  return (ctx, next) => {
    if (!rates.countsAddresses()) return next();
    // As it was sent: Koa's own path cannot be read from half an address, which is refused behind this.
    const { url } = ctx;
    const end = url.indexOf('?');
    const length = end < 0 ? url.length : end;
    // Most addresses are longer than each of these.
    if (length > longest || !uncounted.has(url.slice(0, length))) rates.address(ctx);
    return next();
  };
}
