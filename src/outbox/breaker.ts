import { makeBoundedMap } from '../runtime/bounded.ts';
import type { ProcessTime } from '../runtime/process-time.ts';

/*
 * A host that fails again and again is left alone for a while, and then asked with a single try. Messages for it stay due meanwhile and count no
 * tries. Off unless BREAKER_FAILURES is set: exact times of tries are worth more than a quiet host, unless somebody asks.
 */

/** `closed`: it is called; `open`: it is not; `half-open`: one try decides. */
export type BreakerState = 'closed' | 'open' | 'half-open';
/** How a try went: the host does its work, it does not, or nobody can say. */
export type BreakerSign = 'works' | 'fails' | 'nothing';

export type Breakers = {
  of(host: string): BreakerState;
  /** @returns true when it has just opened */
  heard(host: string, sign: BreakerSign): boolean;
  /** Hosts for which nothing is to be claimed. */
  shut(): readonly string[];
  /** Those that are not closed, and until when they are open (process time). */
  all(): readonly { readonly host: string; readonly state: BreakerState; readonly until: number }[];
  /** Since the start: how often a host came to each state. */
  readonly transitions: () => Readonly<Record<BreakerState, number>>;
  stop(): void;
};

/** Longest time a host is left alone, and by which part such times differ at random. */
export const OPEN_SECONDS_MAX = 300;
const SPREAD = 0.2;
/** Hosts that are remembered, and of those the ones that may be open: the list goes into each claim. */
const HOSTS_MAX = 10_000;
export const OPEN_MAX = 1_000;

/**
 * @param failures so many in a row open it; 0: never
 * @param onHalfOpen a host may be asked again
 */
export function makeBreakers(parts: {
  readonly failures: number;
  readonly seconds: number;
  readonly time: ProcessTime;
  readonly fraction: () => number;
  readonly onHalfOpen: () => void;
}): Breakers {
  const { failures, seconds, time, fraction, onHalfOpen } = parts;
  type Known = { inRow: number };
  type Open = {
    state: 'open' | 'half-open';
    readonly times: number;
    readonly until: number;
    readonly cancel: () => void;
  };
  const counted = makeBoundedMap<Known>(HOSTS_MAX);
  const open = new Map<string, Open>();
  const transitions = { open: 0, 'half-open': 0, closed: 0 };

  function shutOff(host: string, times: number): void {
    const long = Math.min(OPEN_SECONDS_MAX, seconds * 2 ** Math.min(times, 20));
    const ms = Math.round(long * 1000 * (1 - SPREAD + 2 * SPREAD * fraction()));
    const cancel = time.after(ms, () => {
      const one = open.get(host);
      if (one === undefined) return;
      one.state = 'half-open';
      transitions['half-open'] += 1;
      onHalfOpen();
    });
    open.set(host, { state: 'open', times, until: time.now() + ms, cancel });
    counted.delete(host);
    transitions.open += 1;
  }

  return {
    of: (host) => open.get(host)?.state ?? 'closed',
    heard: (host, sign) => {
      if (failures === 0 || sign === 'nothing') return false;
      const one = open.get(host);
      if (sign === 'works') {
        one?.cancel();
        if (open.delete(host)) transitions.closed += 1;
        counted.delete(host);
        return false;
      }
      if (one !== undefined) {
        // A try that began before it opened says nothing new.
        if (one.state === 'open') return false;
        shutOff(host, one.times + 1);
        return true;
      }
      const known = counted.get(host) ?? { inRow: 0 };
      known.inRow += 1;
      counted.set(host, known);
      if (known.inRow < failures || open.size >= OPEN_MAX) return false;
      shutOff(host, 0);
      return true;
    },
    shut: () => [...open].flatMap(([host, { state }]) => (state === 'open' ? [host] : [])),
    all: () => [...open].map(([host, { state, until }]) => ({ host, state, until })),
    transitions: () => transitions,
    stop: () => {
      for (const { cancel } of open.values()) cancel();
      open.clear();
    },
  };
}
