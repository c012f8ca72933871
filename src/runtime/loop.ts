import type { Ids } from './ids.ts';
import type { Log } from './log.ts';
import { backoffMs, type ProcessTime } from './process-time.ts';

/** Repeats a piece of work until it is stopped; sleeps while there is nothing to do, wakes early when told. */
export type Loop = {
  /** There may be work now. Cheap; any number of calls before the next pass make one pass. */
  wake(): void;
  /** Resolves when no pass is under way, none is asked for, and the last one did not fail. */
  settled(): Promise<void>;
  /** Starts no further pass; resolves when the one under way has ended. */
  stop(): Promise<void>;
};

/** After a pass that failed: the first and the longest wait before the next. */
const FAILURE_MS_FIRST = 100;
const FAILURE_MS_MAX = 5_000;

/**
 * Makes a loop, asleep until its first `wake`.
 *
 * @param work one pass; `true` asks for another one at once. When it throws, the next pass comes after a growing wait: a store
 *   that cannot be reached is everyday bad luck, and the loop goes on by itself once it is back.
 */
export function makeLoop(parts: {
  readonly name: string;
  readonly work: () => Promise<boolean>;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
}): Loop {
  let running = false;
  let wanted = false;
  let stopped = false;
  let failures = 0;
  let cancelRetry: (() => void) | null = null;
  let waiting: (() => void)[] = [];

  const isSettled = (): boolean => !running && (stopped || (!wanted && cancelRetry === null));
  const tell = (): void => {
    if (!isSettled()) return;
    const told = waiting;
    waiting = [];
    for (const resolve of told) resolve();
  };

  async function run(): Promise<void> {
    running = true;
    while (wanted && !stopped && cancelRetry === null) {
      wanted = false;
      try {
        if (await parts.work()) wanted = true;
        failures = 0;
      } catch (err) {
        failures += 1;
        const ms = backoffMs({
          failures,
          firstMs: FAILURE_MS_FIRST,
          mostMs: FAILURE_MS_MAX,
          fraction: parts.ids.fraction(),
        });
        parts.log.warn('a pass failed and is tried again', {
          event: 'loop.failed',
          loop: parts.name,
          failures,
          again_in_ms: ms,
          err,
        });
        if (!stopped)
          cancelRetry = parts.time.after(ms, () => {
            cancelRetry = null;
            wake();
          });
      }
    }
    running = false;
    tell();
  }

  function wake(): void {
    wanted = true;
    if (!running && !stopped && cancelRetry === null) void run();
  }

  return {
    wake,
    settled: () => (isSettled() ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    stop: async () => {
      stopped = true;
      cancelRetry?.();
      cancelRetry = null;
      if (running) await new Promise<void>((resolve) => waiting.push(resolve));
      tell();
    },
  };
}
