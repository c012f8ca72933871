import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import { type Store, TookTooLong } from '../store/store.ts';

/** Throws away what has been over for long enough, and lets the database tidy up. */
export type HouseKeeping = { stop(): Promise<void> };

const EVERY_MS = 60_000;
/** Workflows thrown away in one transaction: few enough not to be in anybody's way. */
const RETIRE_AT_ONCE = 200;
/** Rows of each kind thrown away at once of a workflow that takes the database too long alone. */
const PORTION_ROWS = 20_000;
/** Rounds of that in a row; the rest waits for the next minute. */
const ROUNDS_MAX = 100;
/** Embedded databases do not tidy up by themselves; every so many rounds they are told to. */
const TIDY_EVERY = 5;
/** The eldest node keeps house for all; each of the others looks every so many rounds, should that one not get to it. */
const OTHERS_EVERY = 10;
const DAY_MS = 86_400_000;
/** A batch takes no longer; its items are as old as its beginning. */
const BATCH_DAYS_MAX = 30;

export function keepHouse(parts: {
  readonly store: Pick<Store, 'retire' | 'retirePortion' | 'tidy'>;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly log: Log;
  readonly retainEndedDays: number;
  readonly retainAuditDays: number;
  /** Whether it is this node that keeps house. */
  readonly isOurs?: () => boolean;
  readonly retainBatchesDays: number;
  /** How long those who come for a tenant that was moved are led on. */
  readonly retainMovedDays: number;
  /** What else is done once in a while by the node that keeps house. */
  readonly also?: () => Promise<void>;
}): HouseKeeping {
  const { store, clock, time, log } = parts;
  let rounds = 0;
  let atOnce = RETIRE_AT_ONCE;
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

  /** How many went; null: they took the database too long, and fewer are tried next. Twice as many once it goes well. */
  async function retireSome(endedBefore: number, limit: number): Promise<number | null> {
    try {
      const gone = await store.retire({
        ...{ endedBefore, now: clock.now(), limit },
        keepMs: {
          audit: parts.retainAuditDays * DAY_MS,
          batch: parts.retainBatchesDays * DAY_MS,
          batch_item: (parts.retainBatchesDays + BATCH_DAYS_MAX) * DAY_MS,
          moved: parts.retainMovedDays * DAY_MS,
        },
      });
      atOnce = Math.min(RETIRE_AT_ONCE, limit * 2);
      return gone;
    } catch (error) {
      if (!(error instanceof TookTooLong)) throw error;
      // One that takes too long alone stands first in line, and nothing would be retired behind it.
      if (limit === 1) await inPortions(endedBefore);
      else atOnce = Math.ceil(limit / 2);
      return null;
    }
  }

  async function inPortions(endedBefore: number): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX && !isStopped; round++)
      if ((await store.retirePortion({ endedBefore, now: clock.now(), rows: PORTION_ROWS })) === 0) return;
  }

  async function keep(): Promise<void> {
    rounds += 1;
    if (parts.isOurs?.() === false && rounds % OTHERS_EVERY !== 0) return;
    const endedBefore = clock.now() - parts.retainEndedDays * DAY_MS;
    let retired = 0;
    for (let round = 0; round < ROUNDS_MAX && !isStopped; round++) {
      const limit = atOnce;
      const gone = await retireSome(endedBefore, limit);
      retired += gone ?? 0;
      if (gone !== null && gone < limit) break;
    }
    if (retired > 0)
      log.info('workflows that were over for long enough are gone', { event: 'workflows.retired', workflows: retired });
    if (!isStopped) await parts.also?.();
    if (rounds % TIDY_EVERY === 0 && !isStopped) await store.tidy();
  }
}
