import { Fault } from '../model/fault.ts';
import type { Clock } from './clock.ts';
import { type ProcessTime, pause } from './process-time.ts';

/** Business time that can be moved forward (docs/api-v1.md, `POST /v1/test/clock`). */
export type TestClock = Clock & {
  /** Takes up the offset an earlier process left behind. Call it once, before anything asks for the time. */
  restore(): Promise<void>;
  /**
   * Waits for quiet, then walks `seconds` forward from due time to due time, waiting for quiet at each; 0 only waits for quiet.
   * Calls queue up behind each other.
   *
   * @throws Fault `conflict` beside another live node, or when quiet does not come (a workflow that never rests)
   */
  advance(seconds: number): Promise<void>;
};

/** The setting the offset is kept in. */
export const TEST_CLOCK_SETTING = 'test_clock_offset';
/** Waiting for quiet ends here: a loop without a wait inside never rests. */
export const QUIET_MS_MAX = 60_000;
/** How often we look whether something that another process had claimed has become free. */
const LOOK_AGAIN_MS = 50;
/** Stops on one walk; a cron of one second over a day has 86,400. */
export const STOPS_MAX = 1_000_000;

export function makeTestClock(parts: {
  readonly base: Clock;
  readonly time: ProcessTime;
  readonly readSetting: (name: string) => Promise<string | null>;
  readonly writeSetting: (name: string, value: string) => Promise<void>;
  /** Earliest due time of anything owed, or null. */
  readonly nextDueAt: () => Promise<number | null>;
  /** Does what is due now and resolves when nothing is queued or under way. */
  readonly quiet: () => Promise<void>;
  readonly hasOtherLiveNode: () => Promise<boolean>;
}): TestClock {
  let offset = 0;
  let last: Promise<unknown> = Promise.resolve();
  const now = (): number => parts.base.now() + offset;

  /** Resolves with the next due time (in the future, or null) once everything due has been done. */
  async function rest(): Promise<number | null> {
    const start = parts.time.now();
    for (;;) {
      const left = start + QUIET_MS_MAX - parts.time.now();
      const restless = left <= 0 || !(await within(parts.time, left, parts.quiet()));
      if (restless)
        throw new Fault(
          'conflict',
          `There was no quiet within ${QUIET_MS_MAX / 1000} s: some workflow never rests, or a participant does not answer`,
        );
      // What is due but not ours to do yet is claimed by a process that is gone: its lease ends.
      const next = await parts.nextDueAt();
      if (next === null || next > now()) return next;
      await pause(parts.time, LOOK_AGAIN_MS);
    }
  }

  async function moveTo(at: number): Promise<void> {
    const step = at - now();
    if (step <= 0) return;
    // Stored first: a crash in between must not let business time run backwards.
    await parts.writeSetting(TEST_CLOCK_SETTING, String(offset + step));
    offset += step;
  }

  async function walk(seconds: number): Promise<void> {
    if (await parts.hasOtherLiveNode())
      throw new Fault('conflict', 'The test clock cannot be moved while another node is alive');
    let next = await rest();
    if (seconds <= 0) return;
    const target = now() + Math.round(seconds * 1000);
    for (let stop = 0; next !== null && next <= target; stop++) {
      if (stop === STOPS_MAX) throw new Fault('conflict', `More than ${STOPS_MAX} stops on the way; advance by less`);
      await moveTo(next);
      next = await rest();
    }
    await moveTo(target);
    await rest();
  }

  return {
    now,
    restore: async () => {
      const stored = Number((await parts.readSetting(TEST_CLOCK_SETTING)) ?? 0);
      offset = Number.isFinite(stored) && stored > 0 ? stored : 0;
    },
    advance: (seconds) => {
      const walked = last.then(() => walk(seconds));
      // Whoever asked for this walk is told of its failure; the next one only waits for its end.
      last = walked.catch(() => {});
      return walked;
    },
  };
}

/** True when `promise` resolves in time; the promise is left alone otherwise. */
async function within(time: ProcessTime, ms: number, promise: Promise<void>): Promise<boolean> {
  let cancel = (): void => {};
  const late = new Promise<boolean>((resolve) => {
    cancel = time.after(ms, () => resolve(false));
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    cancel();
  }
}
