import { type Bench, fine, onFreshServer, type Result } from '../support/bench.ts';
import { mainOf } from '../support/rota.ts';
import { median } from '../support/statistics.ts';
import { costOf, inTurns, middleOf, ratios, roundsOf, sideAt } from '../support/turns.ts';

/** `--against FOLDER`: what a step costs here, in turns with the built server of another checkout, on one cluster. */
export async function againstResults(bench: Bench, folder: string): Promise<readonly Result[]> {
  return onFreshServer(
    bench,
    (there) =>
      onFreshServer(bench, async (here) => {
        const sides = [sideAt(there), sideAt(here)] as const;
        await inTurns(bench, sides);
        const [other, own] = sides;
        const of = (part: 'serverUs' | 'databaseUs' | 'walBytes'): string =>
          fine((middleOf(own, (cost) => cost[part]) / middleOf(other, (cost) => cost[part]) - 1) * 100, 1);
        return [
          {
            goal: 0,
            what: `CPU of a step, against ${folder}`,
            figure: `${fine((median(ratios(other, own)) - 1) * 100, 1)} %: ${costOf(other)} → ${costOf(own)}`,
            wanted: '≤ 1 %',
            met: null,
            note: `server ${of('serverUs')} %, Postgres ${of('databaseUs')} %, WAL ${of('walBytes')} %; rounds: ${roundsOf(other, own)}`,
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
    mainOf(folder),
  );
}
