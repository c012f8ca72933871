import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Store } from '../store/store.ts';

/** Knows when something will be due next, and says so then: one timer for everything that waits, whatever its number. */
export type DueWatch = {
  /** Something was committed that is due at this business time. */
  expect(dueAt: number): void;
  /** Looks at once: the clock was moved, or something happened elsewhere. */
  wake(): void;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/**
 * Without any hint we look this often: hints of other nodes may get lost, and a node that dies takes its timers with it. One cheap
 * question each time. Where hints are heard, only those are lost whose sender died in the same moment, and it may be longer. What the node asks anyway
 * every ten seconds (Store, onGlance) is a look, too: while that comes, this one asks nothing by itself.
 */
export const POLL_MS = 3_000;
export const POLL_HEARING_MS = 11_000;
/** Each wait is up to a quarter longer than that. */
const JITTER = 0.25;
/** What is due later than this the next look sees in time. Longer than any wait between two looks. */
export const HORIZON_MS = 15_000;

export function makeDueWatch(parts: {
  readonly store: Pick<Store, 'nextDueAt' | 'onWake' | 'hearsWakes' | 'onGlance'>;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  /** Something is due: claim messages, look at the agenda. */
  readonly onDue: () => void;
}): DueWatch {
  const { store, clock, time, ids, onDue } = parts;
  let known: number | null = null;
  let cancelDue = (): void => {};
  let cancelPoll = (): void => {};
  let unsubscribe: (() => Promise<void>) | null = null;
  let stopHearing = (): void => {};
  let stopped = false;
  const loop = makeLoop({ name: 'due', work: look, time, ids, log: parts.log });

  function pollLater(): void {
    cancelPoll();
    const pollMs = store.hearsWakes() ? POLL_HEARING_MS : POLL_MS;
    cancelPoll = time.after(pollMs * (1 + ids.fraction() * JITTER), loop.wake);
  }

  async function look(): Promise<boolean> {
    if (stopped) return false;
    pollLater();
    const now = clock.now();
    let next = await store.nextDueAt(null);
    if (next !== null && next <= now) {
      onDue();
      next = await store.nextDueAt(now);
    }
    // What was told meanwhile may be sooner than what was found: the sooner of both stays.
    if (next !== null) expect(next);
    return false;
  }

  /** Somebody else of this node has asked what is due next. */
  function told(dueAt: number | null): void {
    if (stopped) return;
    pollLater();
    if (dueAt === null) return;
    if (dueAt <= clock.now()) loop.wake();
    else expect(dueAt);
  }

  function expect(dueAt: number): void {
    if (stopped || (known !== null && known <= dueAt)) return;
    // Further away than the next poll: that one will see it.
    const ms = dueAt - clock.now();
    if (ms > HORIZON_MS) return;
    known = dueAt;
    cancelDue();
    cancelDue = time.after(Math.max(0, ms), () => {
      known = null;
      if (clock.now() < dueAt) return expect(dueAt); // timers may fire a millisecond early
      onDue();
      loop.wake();
    });
  }

  return {
    expect,
    wake: () => {
      onDue();
      loop.wake();
    },
    start: async () => {
      stopHearing = store.onGlance(({ dueAt }) => {
        if (dueAt !== undefined) told(dueAt);
      });
      unsubscribe = await store.onWake(() => {
        onDue();
        // What another node has committed may be due later, and its timer is ours.
        loop.wake();
      });
      loop.wake();
    },
    stop: async () => {
      stopped = true;
      stopHearing();
      cancelDue();
      cancelPoll();
      await loop.stop();
      cancelPoll();
      await unsubscribe?.();
    },
  };
}
