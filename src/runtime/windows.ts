import { makeQueue } from './bounded.ts';
import type { ProcessTime } from './process-time.ts';

/** So many in so many seconds. */
export type Rate = { readonly count: number; readonly seconds: number };

const RATE = /^([1-9]\d{0,6})\/([1-9]\d{0,5})$/;

/** `600/60`: 600 in 60 seconds. Null: it is none. */
export function readRate(text: string): Rate | null {
  const [, count, seconds] = RATE.exec(text) ?? [];
  return count === undefined ? null : { count: Number(count), seconds: Number(seconds) };
}

export type Taken = {
  readonly isAllowed: boolean;
  /** How many more are allowed here until the window ends. */
  readonly left: number;
  /** Until the window ends. */
  readonly seconds: number;
};

/** Counts what each of many does, in a window of time that begins with the first thing it does. */
export type Windows = {
  /** Counts one more of `name`. */
  take(name: string): Taken;
  /** Whether `name` has done all it may until its window ends. Counts nothing. */
  isSpent(name: string): boolean;
  readonly size: number;
};

/**
 * @param rate what one of them may do; read each time, for it may be a share of something
 * @param most windows that are kept; whoever comes when so many are open shares one with all others like it
 */
export function makeWindows(parts: {
  readonly rate: () => Rate;
  readonly most: number;
  readonly time: Pick<ProcessTime, 'now'>;
}): Windows {
  const { rate, most, time } = parts;
  type Window = { readonly name: string; readonly endsAt: number; count: number };
  const open = new Map<string, Window>();
  /** In the order in which they end: all are of one length. */
  const ending = makeQueue<Window>();
  let others: Window | null = null;

  function windowOf(name: string, now: number, seconds: number): Window {
    const known = open.get(name);
    if (known !== undefined) return known;
    const fresh = { name, endsAt: now + seconds * 1000, count: 0 };
    if (open.size < most) {
      open.set(name, fresh);
      ending.push(fresh);
      return fresh;
    }
    if (others === null || others.endsAt <= now) others = fresh;
    return others;
  }

  function forget(now: number): void {
    for (let first = ending.first(); first !== undefined && first.endsAt <= now; first = ending.first()) {
      ending.shift();
      open.delete(first.name);
    }
  }

  return {
    isSpent: (name) => {
      forget(time.now());
      return (open.get(name)?.count ?? 0) >= rate().count;
    },
    take: (name) => {
      const now = time.now();
      forget(now);
      const { count, seconds } = rate();
      const window = windowOf(name, now, seconds);
      window.count += 1;
      return {
        isAllowed: window.count <= count,
        left: Math.max(0, count - window.count),
        seconds: Math.max(1, Math.ceil((window.endsAt - now) / 1000)),
      };
    },
    get size() {
      return open.size;
    },
  };
}
