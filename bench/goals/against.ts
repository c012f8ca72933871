import { type Bench, fine, onFreshServer, type Result, whole } from '../support/bench.ts';
import type { Calibrator } from '../support/calibration.ts';
import { builtOf } from '../support/checkout.ts';
import {
  costOf,
  hopP50,
  hopRatios,
  inTurns,
  middleOf,
  moreOf,
  ratios,
  roundsOf,
  type Side,
  startsOf,
} from '../support/turns.ts';

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
  await calibrate();
  const sides = await inTurns(bench, ([other, own], work) =>
    onFreshServer(
      bench,
      (there) =>
        onFreshServer(bench, (here) =>
          work([
            { side: other, place: there, authorization: null },
            { side: own, place: here, authorization: null },
          ]),
        ),
      {},
      main,
    ),
  );
  await calibrate();
  const { step, post } = calibrator.result();
  const least = step.us + step.databaseUs + post.us;
  const cost = (side: Side): number => middleOf(side, ({ serverUs, databaseUs }) => serverUs + databaseUs);
  const speed = (side: Side): string =>
    `${whole(1_000_000 / cost(side))} steps/s per core, ${fine(cost(side) / least, 2)} ×`;
  const [other, own] = sides;
  const of = (part: 'serverUs' | 'databaseUs' | 'walBytes'): string => moreOf(ratios(sides, (cost) => cost[part]));
  // In slices the WAL of both is written at the same moments.
  const more = bench.slices === null ? `WAL ${of('walBytes')}` : `starts: ${startsOf(sides)} %`;
  return [
    {
      goal: 0,
      what: `CPU of a step, against ${against}`,
      figure: `${moreOf(ratios(sides))}: ${costOf(other)} → ${costOf(own)}`,
      wanted: '≤ 3 %',
      met: null,
      note: `server ${of('serverUs')}, Postgres ${of('databaseUs')}, ${more}; rounds: ${roundsOf(sides)}`,
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
      figure: `p50 ${fine(hopP50(own))} ms (there: ${fine(hopP50(other))} ms), ${moreOf(hopRatios(sides))}`,
      wanted: 'as there',
      met: null,
    },
  ];
}
