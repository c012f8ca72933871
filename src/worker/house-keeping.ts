import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Store } from '../store/store.ts';

/** Throws away what has been over for long enough, and lets the database tidy up. */
export type HouseKeeping = { stop(): Promise<void> };

const EVERY_MS = 60_000;
/** Workflows thrown away in one transaction: few enough not to be in anybody's way. */
const RETIRE_AT_ONCE = 200;
/** Rounds of that in a row; the rest waits for the next minute. */
const ROUNDS_MAX = 100;
/** Embedded databases do not tidy up by themselves; every so many rounds they are told to. */
const TIDY_EVERY = 5;
const DAY_MS = 86_400_000;

export function keepHouse(parts: {
  readonly store: Pick<Store, 'retire' | 'tidy'>;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly log: Log;
  readonly retainEndedDays: number;
}): HouseKeeping {
  const { store, clock, time, log } = parts;
  let rounds = 0;
  let isStopped = false;
  let underWay: Promise<void> = Promise.resolve();
  let cancel = schedule();
  return {
    stop: async () => {
      isStopped = true;
      cancel();
      await underWay;
    },
  };

  function schedule(): () => void {
    return time.after(EVERY_MS, () => {
      underWay = keep()
        .catch((err: unknown) =>
          log.warn('house-keeping failed and is tried again in a minute', { event: 'house_keeping.failed', err }),
        )
        .finally(() => {
          if (!isStopped) cancel = schedule();
        });
    });
  }

  async function keep(): Promise<void> {
    const endedBefore = clock.now() - parts.retainEndedDays * DAY_MS;
    let retired = 0;
    for (let round = 0; round < ROUNDS_MAX && !isStopped; round++) {
      const gone = await store.retire({ endedBefore, now: clock.now(), limit: RETIRE_AT_ONCE });
      retired += gone;
      if (gone < RETIRE_AT_ONCE) break;
    }
    if (retired > 0)
      log.info('workflows that were over for long enough are gone', { event: 'workflows.retired', workflows: retired });
    rounds += 1;
    if (rounds % TIDY_EVERY === 0 && !isStopped) await store.tidy();
  }
}
