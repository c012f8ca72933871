import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CONSOLE_PARTS, consoleTable } from './console.ts';
import { againstResults } from './goals/against.ts';
import { embeddedResults } from './goals/embedded.ts';
import { type Load, loadResults, runLoad } from './goals/load.ts';
import { nodeResults } from './goals/nodes.ts';
import { secureResults } from './goals/secure.ts';
import { tableResults } from './goals/tables.ts';
import { waitingResults } from './goals/waiting.ts';
import { wideResults } from './goals/wide.ts';
import { dbos } from './peers/dbos.ts';
import { restate } from './peers/restate.ts';
import { breakdown, functions, loops, machine, table } from './report.ts';
import { type Bench, makeFolder, type Result } from './support/bench.ts';
import { type Calibrator, makeCalibrator } from './support/calibration.ts';
import { openPostgres, type Postgres } from './support/database.ts';
import { hire, tryTo } from './support/processes.ts';
import { build } from './support/rota.ts';
import { median } from './support/statistics.ts';

/*
 * `npm run bench`: the whole server against its goals, in one table. Everything listens on the loopback only, and everything that was
 * started is ended again, however this ends.
 */

const PEERS: { readonly [name: string]: (bench: Bench) => Promise<string> } = { dbos, restate };

const USAGE = `npm run bench -- [options]

  --quick        some two minutes instead of half an hour: fewer rounds, smaller crowds
  --secure       only what keys, signatures, rates and figures cost, in turns with a server that has none of them
  --against WHAT only what a step costs, in turns with the built server of another checkout (its folder), or a commit, which is built first
  --slices N     with --secure or --against: N short slices of each instead of rounds, on servers started anew after each twelve
  --embedded     the server with its database inside, instead of Postgres
  --goal N       only this goal (1 to 12); may be given several times
  --peer NAME    also the same work on another engine (${Object.keys(PEERS).join(' or ')}), installed from npm into a folder of its own
  --console      the pages of the console instead, against their budgets
  --part NAME    of the console only this: ${CONSOLE_PARTS.join(', ')}; may be given several times
  --profile      also the functions that take most of the server's CPU

  DATABASE_URL   a Postgres to use, whose role may create databases; else one is started from the programs of an installation`;

/** Where `--profile` leaves the profile. */
const PROFILES = 'coverage';
/** A run that takes longer is stuck; each peer, most of which is its installation, may take this much more. */
const RUN_MS_MAX = { quick: 10 * 60_000, full: 120 * 60_000, peer: 10 * 60_000 };
/** A slice of both servers takes some four seconds, and each twelve some twenty of warming up: so many are less than an hour. */
const SLICES_MAX = 500;
/** These are asked of Postgres itself, or need two servers on one. */
const ONLY_ON_POSTGRES = [3, 4, 7, 8, 11, 12];

const options = optionsOf(process.argv.slice(2));
if (options === null) {
  console.error(USAGE);
  process.exit(2);
}
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
const goals = new Set(options.goals);

let postgres: Postgres | string = 'Postgres was not started';
const folder = makeFolder();
let isOver = false;

async function finish(code: number): Promise<never> {
  if (!isOver) {
    isOver = true;
    if (typeof postgres !== 'string') await postgres.stop().catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  }
  process.exit(code);
}
// A terminal that is gone, for one.
process.once('uncaughtException', (error) => {
  console.error(error);
  void finish(1);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void finish(1));
setTimeout(
  () => {
    console.error('The bench did not come to an end in time.');
    void finish(1);
  },
  (options.quick && options.slices === null ? RUN_MS_MAX.quick : RUN_MS_MAX.full) +
    options.peers.length * RUN_MS_MAX.peer,
).unref();

try {
  await run(options);
  await finish(0);
} catch (error) {
  console.error(error);
  await finish(1);
}

async function run(options: Options): Promise<void> {
  const begun = performance.now();
  if (options.console) {
    console.log(`${machine(null)}\n\n${await consoleTable(options)}`);
    return;
  }
  build();
  postgres = await openPostgres();
  if (typeof postgres === 'string')
    console.log(`Without Postgres: ${postgres}. Only the embedded database is measured.`);
  const there = typeof postgres === 'string' ? null : postgres;
  const outside = hire(new URL('support/outside.ts', import.meta.url));
  const bench: Bench = {
    postgres: there,
    embedded: options.embedded || there === null,
    quick: options.quick,
    slices: options.slices,
    outside,
    callbackUrl: await outside.ask<string>('listen'),
    folder,
  };
  console.log(machine(there?.version ?? null));
  if (there?.isHere === false) console.log('Postgres runs elsewhere: its CPU cannot be seen and is left out.');

  const calibrator = await makeCalibrator(bench);
  const { results, load } = await measureGoals(bench, calibrator, options);
  const peers: string[] = [];
  for (const name of options.peers) peers.push((await PEERS[name]?.(bench)) ?? '');
  const calibration = calibrator.result();
  await calibrator.stop();
  console.log(`\n${loops(calibration)}\n\n${table(results)}`);
  for (const peer of peers) console.log(`\n${peer}`);
  if (load !== null) {
    const serverUs = median(load.busy.map((cost) => cost.serverUs));
    console.log(`\n${breakdown(load.breakdown, serverUs)}`);
    if (options.profile) {
      mkdirSync(PROFILES, { recursive: true });
      copyFileSync(load.profile, join(PROFILES, 'server.cpuprofile'));
      console.log(`\n${functions(load.breakdown, serverUs)}`);
    }
  }
  await outside.stop();
  console.log(`\nAll this took ${Math.round((performance.now() - begun) / 1000)} s.`);
}

async function measureGoals(
  bench: Bench,
  calibrator: Calibrator,
  options: Options,
): Promise<{ results: Result[]; load: Load | null }> {
  const wants = (...those: readonly number[]): boolean => goals.size === 0 || those.some((goal) => goals.has(goal));
  const results: Result[] = [];
  const add = async (name: string, measure: () => Promise<readonly Result[]>): Promise<void> => {
    const begun = performance.now();
    const found = (await measure()).filter(({ goal }) => goal === 0 || wants(goal));
    results.push(...found);
    for (const { goal, what, figure } of found) console.log(`${goal}. ${what}: ${figure}`);
    console.log(`   (${name}: ${Math.round((performance.now() - begun) / 1000)} s)`);
  };
  let load: Load | null = null;
  const needsLoad = wants(1, 2, 3, 4, 5, 6, 10) || options.profile;
  const left = bench.embedded ? ONLY_ON_POSTGRES.filter((goal) => goals.has(goal)) : [];
  if (left.length > 0) console.log(`Measured on Postgres only, and left out: ${left.join(', ')}.`);
  await add('calibration', async () => {
    await calibrator.round(bench.quick ? 0.8 : 2);
    return [];
  });
  if (options.secure) {
    await add('secure', () => secureResults(bench));
    return { results, load };
  }
  const { against } = options;
  if (against !== undefined) {
    await add('against', () => againstResults(bench, against, calibrator));
    return { results, load };
  }
  if (needsLoad)
    await add('load', async () => {
      load = await runLoad(bench, calibrator);
      return loadResults(load, calibrator.result(), bench.embedded);
    });
  const measured = load as Load | null;
  if (wants(7, 8) && !bench.embedded) await add('waiting', () => waitingResults(bench));
  if (wants(9)) await add('wide', () => wideResults(bench));
  if (wants(10))
    await add('embedded', async () => {
      const own = bench.embedded ? measured : await runLoad({ ...bench, embedded: true }, null);
      return own === null ? [] : embeddedResults(bench, own, bench.embedded ? null : measured);
    });
  if (wants(11) && !bench.embedded) await add('tables', () => tableResults(bench));
  if (wants(12) && !bench.embedded) await add('nodes', () => nodeResults(bench));
  return { results, load: measured };
}

type Options = {
  readonly quick: boolean;
  readonly embedded: boolean;
  readonly profile: boolean;
  readonly console: boolean;
  readonly secure: boolean;
  /** The folder of another checkout, or a commit. */
  readonly against?: string;
  /** Null: rounds. */
  readonly slices: number | null;
  readonly help: boolean;
  /** None: all of them. */
  readonly goals: readonly number[];
  readonly peers: readonly string[];
  /** Of the console; none: all of them. */
  readonly parts: readonly string[];
};

/** Null when something is wrong with them. */
function optionsOf(args: readonly string[]): Options | null {
  const values = tryTo(
    () =>
      parseArgs({
        args: [...args],
        options: {
          quick: { type: 'boolean', default: false },
          embedded: { type: 'boolean', default: false },
          goal: { type: 'string', multiple: true, default: [] },
          peer: { type: 'string', multiple: true, default: [] },
          profile: { type: 'boolean', default: false },
          console: { type: 'boolean', default: false },
          part: { type: 'string', multiple: true, default: [] },
          secure: { type: 'boolean', default: false },
          against: { type: 'string' },
          slices: { type: 'string' },
          help: { type: 'boolean', short: 'h', default: false },
        },
      }).values,
  );
  if (values === null) return null;
  const { goal, peer, part, slices, ...flags } = values;
  const numbers = goal.map(Number);
  if (numbers.some((number) => !Number.isInteger(number) || number < 1 || number > 12)) return null;
  if (peer.some((name) => !Object.hasOwn(PEERS, name))) return null;
  if (part.some((name) => !CONSOLE_PARTS.includes(name))) return null;
  const many = slices === undefined ? null : Number(slices);
  if (many !== null && !(Number.isInteger(many) && many >= 1 && many <= SLICES_MAX)) return null;
  return { ...flags, slices: many, goals: numbers, peers: [...new Set(peer)], parts: part };
}
