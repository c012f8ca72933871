import { type Bench, fine, goOn, measured, onFreshServer, type Result, THREE_STEPS, whole } from '../support/bench.ts';
import type { Ended } from '../support/outside.ts';
import { startRota } from '../support/rota.ts';
import { median } from '../support/statistics.ts';

/* Goal 12: two servers on one Postgres, launches and answers going to either of them. */

const IN_FLIGHT = 32;

export async function nodeResults(bench: Bench): Promise<readonly Result[]> {
  return onFreshServer(bench, async ({ rota, database, environment }) => {
    const { outside } = bench;
    const extent = bench.quick ? { steps: 2_000, secondsMax: 3 } : { steps: 6_000, secondsMax: 10 };
    const rounds = async (servers: readonly (typeof rota)[]) => {
      await outside.ask('meet', { servers: servers.map(({ url }) => url) });
      await outside.ask('begin', { work: THREE_STEPS, inFlight: IN_FLIGHT });
      await goOn(bench, bench.quick ? 3_000 : 25_000, bench.quick ? 3 : 45);
      const costs = [];
      for (let i = 0; i < (bench.quick ? 1 : 3); i++) costs.push(await measured(bench, servers, database, extent));
      const ended = await outside.ask<Ended>('end');
      return {
        ended,
        us: median(costs.map(({ serverUs, databaseUs }) => serverUs + databaseUs)),
        perSecond: median(costs.map(({ seen }) => seen.steps / seen.seconds)),
        steps: costs.reduce((sum, { seen }) => sum + seen.steps, 0),
      };
    };
    const one = await rounds([rota]);
    const other = await startRota(environment);
    try {
      const two = await rounds([rota, other]);
      const { unfinished, doubled, repeated } = two.ended;
      return [
        {
          goal: 12,
          what: 'two nodes on one Postgres',
          figure: `${unfinished} lost, ${doubled} doubled; CPU per step × ${fine(two.us / one.us)} of one node`,
          wanted: '0, 0; throughput ≥ 0.9 × the sum where cores allow',
          met: unfinished + doubled > 0 ? false : null,
          note:
            `${whole(one.perSecond)} → ${whole(two.perSecond)} steps/s with everything on the same cores; ` +
            `${whole(two.steps)} steps looked at, ${repeated} tried again`,
        },
      ];
    } finally {
      await other.child.stop();
    }
  });
}
