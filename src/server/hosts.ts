import { makeBoundedMap } from '../runtime/bounded.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Meter } from '../runtime/meter.ts';

/* What this node knows of the hosts it sends to: how their last tries went. */

/** Hosts that are remembered; those not sent to for longest are forgotten. */
export const HOSTS_MAX = 1_000;
/** Durations of the last tries that are kept of each. */
const LAST_MAX = 50;

export type HostFigures = {
  readonly host: string;
  /** Tries since it is known. */
  readonly tries: number;
  /** Since when no try was answered with 2xx; null: the last one was. */
  readonly failingSince: number | null;
  /** Tries in a minute, as the last of them came; null: there was only one. */
  readonly perMinute: number | null;
  /** Of its last tries. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
};

export type Hosts = {
  readonly meter: Pick<Meter, 'tried'>;
  /** The worst first: those that fail for longest, then the slowest. */
  worst(most: number): readonly HostFigures[];
};

type Known = {
  tries: number;
  failingSince: number | null;
  readonly last: { readonly at: number; readonly ms: number }[];
};

export function makeHosts(clock: Clock): Hosts {
  const known = makeBoundedMap<Known>(HOSTS_MAX);
  // The map does not tell what it holds; what it forgot is not there any more.
  const names = new Set<string>();
  return {
    meter: {
      tried: ({ host, outcome, seconds }) => {
        if (outcome === 'dropped' || outcome === 'blocked' || host === '') return;
        const seen = known.get(host);
        const one = seen ?? { tries: 0, failingSince: null, last: [] };
        one.tries += 1;
        one.failingSince = outcome === '2xx' ? null : (one.failingSince ?? clock.now());
        one.last.push({ at: clock.now(), ms: seconds * 1000 });
        if (one.last.length > LAST_MAX) one.last.shift();
        if (seen !== undefined) return;
        known.set(host, one);
        names.add(host);
        if (names.size > HOSTS_MAX * 2) for (const name of names) if (known.get(name) === undefined) names.delete(name);
      },
    },
    worst: (most) =>
      [...names]
        .flatMap((host) => {
          const one = known.get(host);
          return one === undefined ? [] : [shown(host, one, clock.now())];
        })
        .sort(
          (a, b) =>
            (a.failingSince ?? Number.POSITIVE_INFINITY) - (b.failingSince ?? Number.POSITIVE_INFINITY) ||
            (b.p95Ms ?? 0) - (a.p95Ms ?? 0),
        )
        .slice(0, most),
  };
}

const MINUTE_MS = 60_000;

function shown(host: string, { tries, failingSince, last }: Known, now: number): HostFigures {
  const sorted = last.map(({ ms }) => ms).sort((a, b) => a - b);
  const part = (share: number): number | null => {
    const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    return found === undefined ? null : tenth(found);
  };
  const minutes = (now - (last[0]?.at ?? now)) / MINUTE_MS;
  // Two that came at once tell nothing of how many come in a minute; over a longer time they do.
  const perMinute = last.length < 2 ? null : tenth(last.length / Math.max(1, minutes));
  return { host, tries, failingSince, perMinute, p50Ms: part(0.5), p95Ms: part(0.95) };
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
