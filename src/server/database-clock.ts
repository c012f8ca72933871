import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Store } from '../store/store.ts';

/**
 * Business time: the database's clock, so that several nodes agree on when something is due. Between two looks at it time is counted by
 * this process's monotonic clock, so setting the clock of the machine moves nothing.
 */
export type DatabaseClock = Clock & { stop(): void };

/** Monotonic clocks of machines drift apart by some milliseconds a minute at worst. */
const LOOK_EVERY_MS = 60_000;
/** Up to here a difference is drift, or the time an answer took. Time then stands still until it is caught up with, and never runs back. */
export const DRIFT_MS_MAX = 1_000;

/** @throws when the database cannot be asked the first time */
export async function makeDatabaseClock(parts: {
  readonly store: Pick<Store, 'databaseTime'>;
  readonly time: ProcessTime;
  readonly log: Log;
}): Promise<DatabaseClock> {
  const { store, time, log } = parts;
  let offset = 0;
  let latest = Number.NEGATIVE_INFINITY;
  let cancel = (): void => {};
  let isStopped = false;

  const counted = (): number => Math.floor(time.now() + offset);

  async function measured(): Promise<number> {
    const before = time.now();
    const there = await store.databaseTime();
    // The answer was made somewhere between asking and hearing it.
    return there - (before + time.now()) / 2;
  }

  async function look(): Promise<void> {
    const moved = (await measured()) - offset;
    offset += moved;
    if (Math.abs(moved) <= DRIFT_MS_MAX) return;
    // The clock of the database was set, or this machine slept: from here on its time is what counts.
    latest = counted();
    log.warn('the clock of the database was set; business time follows it', {
      event: 'clock.set',
      milliseconds: Math.round(moved),
    });
  }

  function again(): void {
    if (isStopped) return;
    cancel = time.after(LOOK_EVERY_MS, () => {
      look()
        .catch((err: unknown) =>
          log.debug('the time of the database could not be read; the last offset is kept', {
            event: 'clock.unknown',
            err,
          }),
        )
        .finally(again);
    });
  }

  offset = await measured();
  again();
  return {
    now: () => {
      latest = Math.max(latest, counted());
      return latest;
    },
    stop: () => {
      isStopped = true;
      cancel();
    },
  };
}
