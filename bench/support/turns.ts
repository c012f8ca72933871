import { type Bench, type Cost, fine, goOn, measured, type Place, THREE_STEPS, whole } from './bench.ts';
import { median } from './statistics.ts';

/*
 * Two servers on one cluster, measured in turns: what changes with the hour changes for both. Whoever compares two states of the code, or
 * of the settings, does it here.
 */

const IN_FLIGHT = 32;
const ROUNDS = { quick: 10, full: 24 };

export type Side = {
  readonly place: Place;
  readonly authorization: string | null;
  readonly costs: Cost[];
  hopP50: number;
};

export const sideAt = (place: Place, authorization: string | null = null): Side => ({
  place,
  authorization,
  costs: [],
  hopP50: 0,
});

/** Fills `costs` and `hopP50` (milliseconds from a proceed to the next callback, one workflow under way) of both. */
export async function inTurns(bench: Bench, sides: readonly [Side, Side]): Promise<void> {
  // The compiler takes some ten thousand steps until it leaves the code as it is.
  for (const side of sides) await load(bench, side, bench.quick ? 10_000 : 25_000, bench.quick ? 12 : 45);
  for (let round = 0; round < (bench.quick ? ROUNDS.quick : ROUNDS.full); round++)
    // There and back, so that what changes with time is the same for both.
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      await load(bench, side, 300, 1);
      side.costs.push(await under(bench, side));
    }
  for (const side of sides) side.hopP50 = await alone(bench, side);
}

const sum = ({ serverUs, databaseUs }: Cost): number => serverUs + databaseUs;

/** What a step of the second costs in each round, against one of the first. */
export const ratios = (first: Side, second: Side): readonly number[] =>
  second.costs.map((cost, round) => sum(cost) / sum(first.costs[round] as Cost));

export const middleOf = ({ costs }: Side, of: (cost: Cost) => number): number => median(costs.map(of));

export const roundsOf = (first: Side, second: Side): string =>
  `${ratios(first, second)
    .map((ratio) => fine((ratio - 1) * 100, 1))
    .join(', ')} %`;

export const costOf = (side: Side): string =>
  `${whole(middleOf(side, sum))} µs (server ${whole(middleOf(side, ({ serverUs }) => serverUs))} + Postgres ${whole(middleOf(side, ({ databaseUs }) => databaseUs))})`;

const meet = (bench: Bench, { place, authorization }: Side): Promise<unknown> =>
  bench.outside.ask('meet', { servers: [place.rota.url], ...(authorization === null ? {} : { authorization }) });

/** Runs a load so that the compiler and the caches are where they stay. */
async function load(bench: Bench, side: Side, steps: number, secondsMax: number): Promise<void> {
  await meet(bench, side);
  await bench.outside.ask('begin', { work: THREE_STEPS, inFlight: IN_FLIGHT });
  await goOn(bench, steps, secondsMax);
  await bench.outside.ask('end');
}

async function under(bench: Bench, side: Side): Promise<Cost> {
  await bench.outside.ask('begin', { work: THREE_STEPS, inFlight: IN_FLIGHT });
  await goOn(bench, 300, 1);
  const extent = bench.quick ? { steps: 1_500, secondsMax: 2 } : { steps: 3_000, secondsMax: 4 };
  const cost = await measured(bench, [side.place.rota], side.place.database, extent);
  await bench.outside.ask('end');
  return cost;
}

async function alone(bench: Bench, side: Side): Promise<number> {
  await meet(bench, side);
  await bench.outside.ask('begin', { work: THREE_STEPS, inFlight: 1 });
  await goOn(bench, 150, 1);
  const seen = await goOn(bench, bench.quick ? 600 : 3_000, bench.quick ? 3 : 10);
  await bench.outside.ask('end');
  return seen.hopP50;
}
