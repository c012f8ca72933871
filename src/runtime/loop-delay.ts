import { monitorEventLoopDelay } from 'node:perf_hooks';

/* How late the process comes to what it should do: a turn of its loop is expected every so often, and measured. */

/** Milliseconds between two turns that are measured: few enough to cost nothing. */
const EVERY_MS = 50;
const NS_PER_MS = 1_000_000;

export type LoopDelay = {
  /** How late 99 of 100 turns were at most since it was asked last, in milliseconds; null: none was measured. */
  readonly lately: () => number | null;
  readonly stop: () => void;
};

export function watchLoopDelay(): LoopDelay {
  const turns = monitorEventLoopDelay({ resolution: EVERY_MS });
  turns.enable();
  return {
    lately: () => {
      // A reset forgets the turn before, too: who asks more often than turns are measured would never hear of one.
      if (turns.count === 0) return null;
      // What is measured is the time from turn to turn.
      const found = Math.max(0, turns.percentile(99) / NS_PER_MS - EVERY_MS);
      turns.reset();
      return Math.round(found * 10) / 10;
    },
    stop: () => void turns.disable(),
  };
}
