/** Business time: history, timers and retries are told by one injected clock. Leases never are. */
export type Clock = {
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

export const systemClock: Clock = { now: () => Date.now() };

/** A clock that stands still until it is told to move. */
export function stoppedClock(at: number): Clock & { advanceTo: (at: number) => void } {
  let now = at;
  return {
    now: () => now,
    advanceTo: (to) => {
      now = Math.max(now, to);
    },
  };
}
