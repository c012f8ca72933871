import { join } from 'node:path';
import {
  type Bench,
  type Calibration,
  type Cost,
  fine,
  goOn,
  measured,
  onFreshServer,
  type Result,
  THREE_STEPS,
  whole,
} from '../support/bench.ts';
import type { Calibrator } from '../support/calibration.ts';
import type { Ended } from '../support/outside.ts';
import { type Breakdown, readProfile } from '../support/profile.ts';
import { median } from '../support/statistics.ts';

/* Goals 1 to 6: three steps, one participant after the other, with much and with little to do. */

const IN_FLIGHT = 32;

export type Load = {
  readonly busy: readonly Cost[];
  readonly alone: Cost;
  readonly ended: Ended;
  readonly breakdown: Breakdown;
  /** The file it was made of. */
  readonly profile: string;
  readonly residentMb: number;
};

export const stepsPerCore = ({ serverUs, databaseUs }: Cost): number => 1e6 / (serverUs + databaseUs);

/** Rounds of load with the calibration loops between them, one profiled round, and one with a single workflow under way. */
export async function runLoad(bench: Bench, calibrator: Calibrator | null): Promise<Load> {
  return onFreshServer(bench, async ({ rota, database }) => {
    const { outside } = bench;
    const round = bench.quick ? { steps: 4_000, secondsMax: 4 } : { steps: 10_000, secondsMax: 15 };
    await outside.ask('begin', { work: THREE_STEPS, inFlight: IN_FLIGHT });
    // The compiler takes some ten thousand steps until it leaves the code as it is.
    await goOn(bench, bench.quick ? 6_000 : 25_000, bench.quick ? 7 : 45);
    await database?.client.query('checkpoint').catch(() => {});
    await goOn(bench, 1_500, 3);
    const busy: Cost[] = [];
    for (let i = 0; i < (bench.quick ? 1 : 3); i++) {
      busy.push(await measured(bench, [rota], database, round));
      if (calibrator !== null) {
        await outside.ask('end');
        await calibrator.round(bench.quick ? 0.8 : 2);
        await outside.ask('begin', { work: THREE_STEPS, inFlight: IN_FLIGHT });
        await goOn(bench, 600, 2);
      }
    }
    const file = join(bench.folder, `server-${rota.child.pid}.cpuprofile`);
    await rota.ask('profile');
    await goOn(bench, bench.quick ? 2_000 : 6_000, bench.quick ? 3 : 8);
    await rota.ask('profiled', { file });
    const residentMb = rota.residentMb();
    await outside.ask('end');

    await outside.ask('begin', { work: THREE_STEPS, inFlight: 1 });
    await goOn(bench, 150, 1);
    const alone = await measured(
      bench,
      [rota],
      database,
      bench.quick ? { steps: 800, secondsMax: 3 } : { steps: 4_000, secondsMax: 12 },
    );
    const ended = await outside.ask<Ended>('end');
    return { busy, alone, ended, breakdown: readProfile(file), profile: file, residentMb };
  });
}

const middle = (costs: readonly Cost[], of: (cost: Cost) => number): number => median(costs.map(of));

export function loadResults(load: Load, calibration: Calibration | null, embedded: boolean): readonly Result[] {
  const { busy, alone } = load;
  const perCore = middle(busy, stepsPerCore);
  const serverUs = middle(busy, (cost) => cost.serverUs);
  const databaseUs = middle(busy, (cost) => cost.databaseUs);
  const ownUs = serverUs * load.breakdown.own;
  const least =
    calibration === null ? Number.NaN : calibration.step.us + calibration.step.databaseUs + calibration.post.us;
  const { hopP50, hopP99 } = alone.seen;
  const wholeP95 = middle(busy, (cost) => cost.seen.wholeP95);
  const results: Result[] = [
    {
      goal: 1,
      what: 'steps/s per core, 32 in flight',
      figure: `${whole(perCore)} (server ${whole(serverUs)} + Postgres ${whole(databaseUs)} µs)`,
      wanted: '≥ 1,200, then 1,600',
      met: perCore >= 1_200,
      ratio: `${fine((serverUs + databaseUs) / least)} × (step + POST)`,
      note: `${whole(middle(busy, ({ seen }) => seen.steps / seen.seconds))} steps/s in all, callbacks of ${whole(alone.seen.callbackBytes)} bytes, ${whole(load.residentMb)} MB`,
    },
    {
      goal: 2,
      what: "the engine's own CPU per step",
      figure: `${whole(ownUs)} µs`,
      wanted: '≤ 150 µs',
      met: ownUs <= 150,
      ratio: `${fine(ownUs / (calibration?.json.us ?? Number.NaN), 1)} × JSON`,
      note: `${whole(load.breakdown.own * 100)} % of the server's CPU, by profile`,
    },
  ];
  const commits = [alone.numbered, middle(busy, (cost) => cost.numbered)] as const;
  const wal = middle(busy, (cost) => cost.walBytes);
  if (!embedded)
    results.push(
      {
        goal: 3,
        what: 'write commits per step, 1 and 32 in flight',
        figure: `${fine(commits[0])} and ${fine(commits[1])}`,
        wanted: '≤ 1.34 and ≤ 0.2',
        met: commits[0] <= 1.34 && commits[1] <= 0.2,
      },
      {
        goal: 4,
        what: 'WAL per step, 32 in flight',
        figure: `${whole(wal)} bytes`,
        wanted: '≤ 3,072 bytes',
        met: wal <= 3_072,
        ratio: `${fine(wal / (calibration?.step.walBytes ?? Number.NaN))} × step`,
        note: `${fine(
          middle(busy, (cost) => cost.wholePages),
          3,
        )} whole pages per step among it; one in flight: ${whole(alone.walBytes)} bytes`,
      },
    );
  results.push(
    {
      goal: 5,
      what: 'proceed sent → next callback here, one in flight',
      figure: `p50 ${fine(hopP50)} ms, p99 ${fine(hopP99)} ms`,
      wanted: '≤ 1.5 ms, ≤ 8 ms',
      met: hopP50 <= 1.5 && hopP99 <= 8,
      note: `${whole(alone.seen.steps)} hops, HTTP both ways included; a workflow takes ${fine(alone.seen.wholeP50, 1)} ms`,
    },
    {
      goal: 6,
      what: 'three steps, 32 in flight',
      figure: `p95 ${whole(wholeP95)} ms`,
      wanted: '≤ 80 ms',
      met: wholeP95 <= 80,
      note: `p50 ${whole(middle(busy, (cost) => cost.seen.wholeP50))} ms; ${load.ended.unfinished} unfinished, ${load.ended.doubled} doubled, ${load.ended.repeated} tried again`,
    },
  );
  return results;
}
