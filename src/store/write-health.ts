import { UNWRITTEN_MS_MAX } from './patience.ts';

/*
 * Whether the database can be written to. It may answer every question and yet take no write: its standby is away and every commit waits, its
 * disk is full, it was made read-only. Only writes that are made anyway tell.
 */

export type WriteHealth = {
  /** Watches a write; `isWritten` says of what it resolved to whether it was one. What was refused for a reason of its own tells nothing. */
  watch<T>(write: () => Promise<T>, isWritten?: (answer: T) => boolean): Promise<T>;
  /** False once none has succeeded for ten seconds, though one was tried. */
  isGood(): boolean;
};

export function makeWriteHealth(now: () => number = () => performance.now()): WriteHealth {
  /** When each write began that is under way. */
  const pending = new Set<{ readonly began: number }>();
  let succeededAt = Number.NEGATIVE_INFINITY;
  /** When the first began that has failed since then. */
  let failing: number | null = null;
  return {
    watch: async (write, isWritten = () => true) => {
      const one = { began: now() };
      pending.add(one);
      try {
        const answer = await write();
        if (isWritten(answer)) {
          succeededAt = now();
          failing = null;
        }
        return answer;
      } catch (error) {
        if (one.began > succeededAt) failing = Math.min(failing ?? one.began, one.began);
        throw error;
      } finally {
        pending.delete(one);
      }
    },
    isGood: () => {
      const at = now();
      const isLate = (since: number): boolean => at - Math.max(since, succeededAt) >= UNWRITTEN_MS_MAX;
      if (failing !== null && isLate(failing)) return false;
      for (const { began } of pending) if (isLate(began)) return false;
      return true;
    },
  };
}
