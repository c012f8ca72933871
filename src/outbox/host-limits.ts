import { makeBoundedMap } from '../runtime/bounded.ts';
import type { ProcessTime } from '../runtime/process-time.ts';

/*
 * What an operator has promised to single hosts: no more than so many tries under way at once, no more than so many begun in a second. Each is
 * divided by the nodes that send, at least one try, so that it holds for all of them together while they are no more than that.
 */

/** `host`: a name, with a port where it is about that port alone, or `*.example.org` for all names below it. Null: no limit. */
export type HostLimit = {
  readonly host: string;
  readonly triesMax: number | null;
  readonly perSecond: number | null;
};

export type HostLimits = {
  /** The places a host has, of those that it would have otherwise; 0 while its pace lets no try begin. */
  placesOf(host: string, places: number): number;
  /** A try begins; true when the host has fewer places from now on. */
  begun(host: string): boolean;
  /** What is promised from now on; those that wait for their pace wait on. */
  promise(limits: readonly HostLimit[]): void;
  stop(): void;
};

/** Hosts whose limit was looked up, and those whose pace is kept. */
const HOSTS_MAX = 10_000;

/** @param onFree a host that had to wait may be asked again */
export function makeHostLimits(parts: {
  readonly limits: readonly HostLimit[];
  readonly nodes: () => number;
  readonly time: ProcessTime;
  readonly onFree: (host: string) => void;
}): HostLimits {
  const { time } = parts;
  let promised = lookUpIn(parts.limits);
  let found = makeBoundedMap<HostLimit | 'none'>(HOSTS_MAX);
  const waiting = new Map<string, () => void>();

  function limitOf(host: string): HostLimit | 'none' {
    const known = found.get(host);
    if (known !== undefined) return known;
    const name = host.replace(/:\d{1,5}$/, '');
    const { exact, below } = promised;
    const limit =
      exact.get(host) ?? exact.get(name) ?? below.find(({ end }) => name.endsWith(end))?.limit ?? ('none' as const);
    found.set(host, limit);
    return limit;
  }

  const nodes = (): number => Math.max(1, parts.nodes());
  return {
    placesOf: (host, places) => {
      if (waiting.has(host)) return 0;
      if (!promised.any) return places;
      const limit = limitOf(host);
      if (limit === 'none' || limit.triesMax === null) return places;
      return Math.min(places, Math.max(1, Math.floor(limit.triesMax / nodes())));
    },
    begun: (host) => {
      if (!promised.any) return false;
      const limit = limitOf(host);
      if (limit === 'none' || limit.perSecond === null) return false;
      // One after the other, evenly: whoever promises ten in a second does not mean ten at once.
      const ms = (1000 / limit.perSecond) * nodes();
      waiting.get(host)?.();
      const cancel = time.after(ms, () => {
        waiting.delete(host);
        parts.onFree(host);
      });
      waiting.set(host, cancel);
      return true;
    },
    promise: (limits) => {
      promised = lookUpIn(limits);
      found = makeBoundedMap(HOSTS_MAX);
    },
    stop: () => {
      for (const cancel of waiting.values()) cancel();
      waiting.clear();
    },
  };
}

/** Limits as they are looked up: those of one name, and those of all names below one, of which the longest counts. */
function lookUpIn(limits: readonly HostLimit[]) {
  const exact = new Map(limits.map((limit) => [limit.host.toLowerCase(), limit]));
  const below = limits.flatMap((limit) =>
    limit.host.startsWith('*.') ? [{ end: limit.host.slice(1).toLowerCase(), limit }] : [],
  );
  // Those that leave most of a name open come last.
  below.sort((a, b) => b.end.length - a.end.length);
  return { exact, below, any: limits.length > 0 };
}
