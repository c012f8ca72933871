import {
  type Bench,
  type Cost,
  costBetween,
  fine,
  goOn,
  measured,
  type Place,
  type Reading,
  THREE_STEPS,
  whole,
} from './bench.ts';
import type { Seen } from './outside.ts';
import { hire, wait } from './processes.ts';
import { median, medianBetween } from './statistics.ts';

/*
 * Two servers on one cluster, measured in turns: what changes with the hour changes for both. Whoever compares two states of the code, or
 * of the settings, does it here.
 */

const IN_FLIGHT = 32;
/** Steps of a round, or of a slice, that are measured, but for no longer than so many seconds. */
type Extent = { readonly steps: number; readonly secondsMax: number };
const ROUNDS = {
  quick: { count: 10, extent: { steps: 1_500, secondsMax: 2 } },
  full: { count: 24, extent: { steps: 3_000, secondsMax: 4 } },
};
const WARM = {
  quick: { steps: 10_000, secondsMax: 12 },
  full: { steps: 25_000, secondsMax: 45 },
};
const SLICE = { settleMs: 300, ms: 1_500, hopMs: 500 };
/** The compiler takes other decisions with each start of a process, so that one start tells less than many slices seem to. */
const SLICES_PER_START = 12;

/** What one of two servers costs; over all its starts. */
export type Side = {
  readonly costs: Cost[];
  /** Milliseconds from a proceed to the next callback, one workflow under way: the median of each look. */
  readonly hops: number[];
};
/** A server of a side that is running. */
export type Running = { readonly side: Side; readonly place: Place; readonly authorization: string | null };
export type Sides = readonly [Side, Side];

/**
 * Measures both in turns.
 *
 * @param both starts them on empty databases, and stops them when the work is done
 */
export async function inTurns(
  bench: Bench,
  both: (sides: Sides, work: (running: readonly [Running, Running]) => Promise<void>) => Promise<void>,
): Promise<Sides> {
  const sides = [emptySide(), emptySide()] as const;
  let left = bench.slices ?? 0;
  do {
    const slices = Math.min(left, SLICES_PER_START);
    await both(sides, (running) => (slices > 0 ? inSlices(bench, running, slices) : inRounds(bench, running)));
    left -= slices;
  } while (left > 0);
  return sides;
}

const emptySide = (): Side => ({ costs: [], hops: [] });

async function inRounds(bench: Bench, running: readonly Running[]): Promise<void> {
  await warm(bench, running);
  const { count, extent } = bench.quick ? ROUNDS.quick : ROUNDS.full;
  for (let round = 0; round < count; round++)
    for (const one of thereAndBack(running, round)) one.side.costs.push(await under(bench, one, extent));
  const alone = bench.quick ? { steps: 600, secondsMax: 3 } : { steps: 3_000, secondsMax: 10 };
  for (const one of running) one.side.hops.push(await hopOf(bench, one, alone));
}

/** Both at the same moments, each with a world of its own: whatever else the machine does meets both. */
async function inSlices(bench: Bench, running: readonly [Running, Running], slices: number): Promise<void> {
  const second = hire(new URL('outside.ts', import.meta.url));
  const worlds = [bench, { ...bench, outside: second, callbackUrl: await second.ask<string>('listen') }] as const;
  const each = <T>(work: (world: Bench, one: Running) => Promise<T>): Promise<readonly T[]> =>
    Promise.all(worlds.map((world, i) => work(world, running[i] as Running)));
  try {
    await each((world, one) => warm(world, [one]));
    for (let slice = 0; slice < slices; slice++) {
      await each((world, one) => begin(world, one, IN_FLIGHT / 2));
      await wait(SLICE.settleMs);
      const before = await each(readingOf);
      await wait(SLICE.ms);
      const after = await each(readingOf);
      await each((world) => world.outside.ask('end'));
      running.forEach(({ side }, i) => {
        const [a, b] = [before[i] as SliceReading, after[i] as SliceReading];
        side.costs.push({ seen: b.seen, ...costBetween(a, b, Math.max(1, b.seen.steps)) });
      });
      await each((world, one) => begin(world, one, 1));
      await wait(SLICE.settleMs);
      await each((world) => world.outside.ask('mark'));
      await wait(SLICE.hopMs);
      const alone = await each((world) => world.outside.ask<Seen>('mark'));
      await each((world) => world.outside.ask('end'));
      running.forEach(({ side }, i) => {
        side.hops.push((alone[i] as Seen).hopP50);
      });
    }
  } finally {
    await second.stop();
  }
}

type SliceReading = Reading & { readonly seen: Seen };

/** Postgres counts for whose connections worked; its WAL is that of both, and tells nothing. */
async function readingOf(world: Bench, { place: { rota, database } }: Running): Promise<SliceReading> {
  const own = (await database?.cpu()) ?? 0;
  const seen = await world.outside.ask<Seen>('mark');
  return { server: rota.cpu(), database: own, counters: null, seen };
}

/** So that what changes with time is the same for both. */
const thereAndBack = (running: readonly Running[], turn: number): readonly Running[] =>
  turn % 2 === 0 ? running : running.toReversed();

const sum = ({ serverUs, databaseUs }: Cost): number => serverUs + databaseUs;

/** What a step of the second costs in each round, against one of the first. */
export const ratios = ([first, second]: Sides, of: (cost: Cost) => number = sum): readonly number[] =>
  second.costs.map((cost, round) => of(cost) / of(first.costs[round] as Cost));

/** The same of their hops. */
export const hopRatios = ([first, second]: Sides): readonly number[] =>
  second.hops.map((hop, round) => hop / (first.hops[round] as number));

/** In percent, for each start, of all its slices together: a collection of garbage falls into one slice and is due to all. */
export function startsOf([first, second]: Sides): string {
  const starts = Math.ceil(first.costs.length / SLICES_PER_START);
  const cost = ({ costs }: Side, start: number): number => {
    const own = costs.slice(start * SLICES_PER_START, (start + 1) * SLICES_PER_START);
    const steps = own.reduce((all, { seen }) => all + seen.steps, 0);
    return own.reduce((all, one) => all + sum(one) * one.seen.steps, 0) / steps;
  };
  return Array.from({ length: starts }, (_, start) =>
    fine((cost(second, start) / cost(first, start) - 1) * 100, 1),
  ).join(', ');
}

export const middleOf = ({ costs }: Side, of: (cost: Cost) => number): number => median(costs.map(of));
export const hopP50 = ({ hops }: Side): number => median(hops);

/** Percent more, and where the true median lies in 19 of 20 cases. */
export function moreOf(ratios: readonly number[]): string {
  const percent = (ratio: number): string => `${ratio < 1 ? '−' : '+'}${fine(Math.abs(ratio - 1) * 100, 1)}`;
  const [low, high] = medianBetween(ratios);
  return `${percent(median(ratios))} % (${percent(low)} to ${percent(high)})`;
}

/** In percent, by starts of the servers. */
export const roundsOf = (sides: Sides): string =>
  `${ratios(sides)
    .map((ratio) => fine((ratio - 1) * 100, 1))
    .join(', ')} %`;

export const costOf = (side: Side): string =>
  `${whole(middleOf(side, sum))} µs (server ${whole(middleOf(side, ({ serverUs }) => serverUs))} + Postgres ${whole(middleOf(side, ({ databaseUs }) => databaseUs))})`;

async function begin(bench: Bench, { place, authorization }: Running, inFlight: number): Promise<void> {
  await bench.outside.ask('meet', {
    servers: [place.rota.url],
    ...(authorization === null ? {} : { authorization }),
  });
  await bench.outside.ask('begin', { work: THREE_STEPS, inFlight });
}

/** Runs a load until the compiler and the caches are where they stay: it takes some ten thousand steps until it leaves the code as it is. */
async function warm(bench: Bench, running: readonly Running[]): Promise<void> {
  const { steps, secondsMax } = bench.quick && bench.slices === null ? WARM.quick : WARM.full;
  for (const one of running) {
    await begin(bench, one, IN_FLIGHT);
    await goOn(bench, steps, secondsMax);
    await bench.outside.ask('end');
  }
}

async function under(bench: Bench, one: Running, extent: Extent): Promise<Cost> {
  await begin(bench, one, IN_FLIGHT);
  // What the caches of the machine held of the other one.
  await goOn(bench, 300, 1);
  const cost = await measured(bench, [one.place.rota], one.place.database, extent);
  await bench.outside.ask('end');
  return cost;
}

async function hopOf(bench: Bench, one: Running, { steps, secondsMax }: Extent): Promise<number> {
  await begin(bench, one, 1);
  await goOn(bench, 150, 1);
  const seen = await goOn(bench, steps, secondsMax);
  await bench.outside.ask('end');
  return seen.hopP50;
}
