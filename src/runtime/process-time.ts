/**
 * Time as this process feels it: leases, polls and back-offs. It never meets business time (clock.ts), so moving the test clock
 * moves no lease.
 */
export type ProcessTime = {
  /** Milliseconds, monotonic; comparable only within this process. */
  readonly now: () => number;
  /** Runs `run` once, after `ms` milliseconds at the earliest. Returns how to call it off. Never keeps the process alive by itself. */
  readonly after: (ms: number, run: () => void) => () => void;
};

/** Longest wait a Node timer can take; anything longer would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const realTime: ProcessTime = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(Math.max(0, ms), TIMER_MS_MAX));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Process time that stands still until it is told to pass, for tests and the simulation. Due timers run in order of their time. */
export function manualTime(start = 0): ProcessTime & {
  /** Lets `ms` pass; everything due within runs, each at its own time. */
  readonly pass: (ms: number) => void;
  /** When the next timer is due, or null. */
  readonly next: () => number | null;
} {
  let now = start;
  let made = 0;
  const timers = new Map<number, { readonly at: number; readonly run: () => void }>();
  const earliest = (): [number, { readonly at: number; readonly run: () => void }] | null => {
    let found: [number, { readonly at: number; readonly run: () => void }] | null = null;
    for (const entry of timers) if (found === null || entry[1].at < found[1].at) found = entry;
    return found;
  };
  return {
    now: () => now,
    after: (ms, run) => {
      const id = ++made;
      timers.set(id, { at: now + Math.max(0, ms), run });
      return () => void timers.delete(id);
    },
    pass: (ms) => {
      const until = now + ms;
      for (let found = earliest(); found !== null && found[1].at <= until; found = earliest()) {
        timers.delete(found[0]);
        now = Math.max(now, found[1].at);
        found[1].run();
      }
      now = until;
    },
    next: () => earliest()?.[1].at ?? null,
  };
}

/** Waits; ends early, without error, when `signal` says so. */
export const pause = (time: ProcessTime, ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = time.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });

/** Milliseconds to wait before the next attempt: doubling from `firstMs` to `mostMs`, each up to a quarter shorter or longer by `fraction` (0 ≤ f < 1). */
export const backoffMs = (options: {
  readonly failures: number;
  readonly firstMs: number;
  readonly mostMs: number;
  readonly fraction: number;
}): number =>
  Math.min(options.mostMs, options.firstMs * 2 ** Math.min(options.failures - 1, 30)) * (0.75 + options.fraction / 2);
