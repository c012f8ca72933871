/*
 * Times on a line from 0 to 100. Long stretches in which nothing happens are cut to a few percent, so that a workflow that slept for a week still
 * shows its seconds.
 */

export type Quiet = { readonly from: number; readonly to: number };
export type TimeScale = {
  /** Where a time stands, 0 to 100. */
  x(at: number): number;
  /** Stretches that are cut, in order. */
  readonly cuts: readonly Quiet[];
};

/** A stretch is quiet from this part of the whole on, and then takes this part of the line. */
const QUIET_PART = 0.05;
const CUT_PERCENT = 7;
/** Stretches that are cut, the longest. */
const CUTS_MAX = 8;

/**
 * @param times when something happened, in milliseconds, in any order
 * @param stretched whether a stretch that begins then is shown at its length
 */
export function timeScale(
  begin: number,
  end: number,
  times: readonly number[],
  stretched: (from: number) => boolean = () => false,
): TimeScale {
  const span = Math.max(1, end - begin);
  const sorted = [begin, ...times.filter((at) => at > begin && at < end).sort((a, b) => a - b), end];
  const quiet: Quiet[] = [];
  for (let i = 1; i < sorted.length; i++) {
    const [from, to] = [sorted[i - 1] as number, sorted[i] as number];
    if (to - from > span * QUIET_PART && !stretched(from)) quiet.push({ from, to });
  }
  // With nothing but one stretch there is nothing to make room for.
  const longest = quiet.length === sorted.length - 1 ? [] : quiet.sort((a, b) => b.to - b.from - (a.to - a.from));
  const cuts = longest.slice(0, CUTS_MAX).sort((a, b) => a.from - b.from);
  const cut = cuts.reduce((sum, { from, to }) => sum + to - from, 0);
  const rest = 100 - CUT_PERCENT * cuts.length;
  const perMs = rest / Math.max(1, span - cut);
  return {
    cuts,
    x(at) {
      const t = Math.max(begin, Math.min(end, at));
      let x = 0;
      let from = begin;
      for (const one of cuts) {
        if (t <= one.from) break;
        x += (one.from - from) * perMs;
        if (t < one.to) return x + (CUT_PERCENT * (t - one.from)) / (one.to - one.from);
        x += CUT_PERCENT;
        from = one.to;
      }
      return Math.min(100, x + (t - from) * perMs);
    },
  };
}
