import { type Bench, fine, onFreshServer, type Result, whole } from '../support/bench.ts';
import type { Calibrator } from '../support/calibration.ts';
import { builtOf } from '../support/checkout.ts';
import { median } from '../support/statistics.ts';
import { costOf, inTurns, middleOf, ratios, roundsOf, sideAt } from '../support/turns.ts';

const CALIBRATION_SECONDS = { quick: 0.8, full: 2 };

/**
 * `--against FOLDER|COMMIT`: what a step costs here, in turns with the built server of another state of the code, on one cluster; and what that is against
 * the least step and a POST of the same run.
 */
export async function againstResults(
  bench: Bench,
  against: string,
  calibrator: Calibrator,
): Promise<readonly Result[]> {
  const main = builtOf(against, bench.folder);
  const calibrate = (): Promise<void> =>
    calibrator.round(bench.quick ? CALIBRATION_SECONDS.quick : CALIBRATION_SECONDS.full);
  return onFreshServer(
    bench,
    (there) =>
      onFreshServer(bench, async (here) => {
        const sides = [sideAt(there), sideAt(here)] as const;
        await calibrate();
        await inTurns(bench, sides);
        await calibrate();
        const { step, post } = calibrator.result();
        const least = step.us + step.databaseUs + post.us;
        const cost = (side: (typeof sides)[number]): number =>
          middleOf(side, ({ serverUs, databaseUs }) => serverUs + databaseUs);
        const speed = (side: (typeof sides)[number]): string =>
          `${whole(1_000_000 / cost(side))} steps/s per core, ${fine(cost(side) / least, 2)} ×`;
        const [other, own] = sides;
        const of = (part: 'serverUs' | 'databaseUs' | 'walBytes'): string =>
          fine((middleOf(own, (cost) => cost[part]) / middleOf(other, (cost) => cost[part]) - 1) * 100, 1);
        return [
          {
            goal: 0,
            what: `CPU of a step, against ${against}`,
            figure: `${fine((median(ratios(other, own)) - 1) * 100, 1)} %: ${costOf(other)} → ${costOf(own)}`,
            wanted: '≤ 1 %',
            met: null,
            note: `server ${of('serverUs')} %, Postgres ${of('databaseUs')} %, WAL ${of('walBytes')} %; rounds: ${roundsOf(other, own)}`,
          },
          {
            goal: 0,
            what: `a step in least steps + POSTs of this run (${whole(least)} µs)`,
            figure: `here ${speed(own)} (${against}: ${speed(other)})`,
            wanted: '≥ 2,500 steps/s per core on a quiet pair of cores',
            met: null,
          },
          {
            goal: 0,
            what: 'proceed sent → next callback here, one in flight',
            figure: `p50 ${fine(own.hopP50)} ms (there: ${fine(other.hopP50)} ms)`,
            wanted: 'as there',
            met: null,
          },
        ];
      }),
    {},
    main,
  );
}
