import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Store } from '../store/store.ts';

/** This machine's clock, set by the database's: several nodes with clocks of their own still agree on when something is due. */
export type DatabaseClock = Clock & { stop(): void };

/** Clocks of machines drift by some milliseconds a minute at worst. */
const LOOK_EVERY_MS = 60_000;

/** @throws when the database cannot be asked the first time */
export async function makeDatabaseClock(parts: {
  readonly store: Pick<Store, 'databaseTime'>;
  readonly time: ProcessTime;
  readonly log: Log;
}): Promise<DatabaseClock> {
  const { store, time, log } = parts;
  let offset = 0;
  let cancel = (): void => {};
  let isStopped = false;

  async function look(): Promise<void> {
    const before = Date.now();
    const there = await store.databaseTime();
    // The answer was made somewhere between asking and hearing it.
    offset = Math.round(there - (before + Date.now()) / 2);
  }

  function again(): void {
    if (isStopped) return;
    cancel = time.after(LOOK_EVERY_MS, () => {
      look()
        .catch((err: unknown) =>
          log.debug('the time of the database could not be learnt; the last offset is kept', { err }),
        )
        .finally(again);
    });
  }

  await look();
  again();
  return {
    now: () => Date.now() + offset,
    stop: () => {
      isStopped = true;
      cancel();
    },
  };
}
