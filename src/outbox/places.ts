import type { FairQueue } from './fair-queue.ts';
import type { Standings } from './standing.ts';
import { type Held, WAITING_CHARACTERS_MAX, WAITING_MESSAGES_MAX, type Waiting } from './waiting.ts';

/* Places that are kept for messages which are being committed, and which hosts have enough waiting. */

/** With every place taken a host may still have so many here: a stranger's first message need not wait until somebody claims it. */
export const CROWDED_PER_HOST = 4;

export type Places = {
  reserve(host: string): boolean;
  unreserve(host: string): void;
  /** Places kept at this moment. */
  readonly reserved: number;
  /** Whether so much waits for a host that no more of it is claimed. */
  hasEnough(host: string): boolean;
  hostsWithEnough(): ReadonlySet<string>;
};

export function makePlaces(parts: {
  readonly queue: FairQueue<Held>;
  readonly standings: Standings;
  readonly waiting: Waiting;
  readonly triesMax: number;
  /** Tries under way. */
  readonly running: () => number;
}): Places {
  const { queue, standings, waiting } = parts;
  const reserved = new Map<string, number>();
  let inAll = 0;
  // With fewer than a host could start at once it is asked for more, so that none of its places stays empty for the length of a claim.
  const hasEnough = (host: string): boolean => queue.waitingOf(host) >= standings.placesOf(host);
  return {
    reserve: (host) => {
      const count = reserved.get(host) ?? 0;
      const here = queue.countOf(host) + count;
      const isCrowded = parts.running() + queue.size + inAll >= parts.triesMax;
      if (here >= (isCrowded ? CROWDED_PER_HOST : standings.placesOf(host) * 2)) return false;
      if (queue.size + inAll >= WAITING_MESSAGES_MAX || waiting.characters >= WAITING_CHARACTERS_MAX) return false;
      reserved.set(host, count + 1);
      inAll += 1;
      return true;
    },
    unreserve: (host) => {
      const count = (reserved.get(host) ?? 0) - 1;
      if (count > 0) reserved.set(host, count);
      else reserved.delete(host);
      inAll -= 1;
    },
    get reserved() {
      return inAll;
    },
    hasEnough,
    hostsWithEnough: () => {
      const hosts = new Set<string>();
      for (const host of queue.hosts()) if (hasEnough(host)) hosts.add(host);
      return hosts;
    },
  };
}
