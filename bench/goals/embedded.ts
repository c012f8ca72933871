import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, fine, goOn, type Result, THREE_STEPS, whole } from '../support/bench.ts';
import type { Lost } from '../support/outside.ts';
import { startNode, wait } from '../support/processes.ts';
import { MAIN, startRota } from '../support/rota.ts';
import { median } from '../support/statistics.ts';
import { type Load, stepsPerCore } from './load.ts';

/* Goal 10: the database inside the server. Its speed, its starts, and what is left when it is killed in the middle of its work. */

const KILLS = { full: 100, quick: 5 };
/** Before it is killed a server takes up to so many steps. */
const WORK_STEPS_MAX = 400;
const WORK_SECONDS_MAX = 3;
const REFUSAL_MS_MAX = 30_000;
const WARM_STARTS = 5;

/** @param onPostgres null when only the embedded database is measured */
export async function embeddedResults(bench: Bench, own: Load, onPostgres: Load | null): Promise<readonly Result[]> {
  const figure = median(own.busy.map(stepsPerCore));
  const postgres = onPostgres === null ? null : median(onPostgres.busy.map(stepsPerCore));
  const starts = await startTimes(bench);
  const kills = await killed(bench);
  return [
    {
      goal: 10,
      what: 'embedded: steps/s per core, 32 in flight',
      figure: `${whole(figure)}${postgres === null ? '' : `, × ${fine(figure / postgres)} of Postgres`}`,
      wanted: '≥ 0.75 ×',
      met: postgres === null ? null : figure / postgres >= 0.75,
      note: `${whole(median(own.busy.map(({ seen }) => seen.steps / seen.seconds)))} steps/s in all, ${whole(own.residentMb)} MB; one in flight: p50 ${fine(own.alone.seen.hopP50)} ms, p99 ${fine(own.alone.seen.hopP99)} ms`,
    },
    {
      goal: 10,
      what: `embedded: acknowledged commits lost in ${kills.kills} kill -9`,
      figure: `${kills.launches} launches, ${kills.proceeds} proceeds`,
      wanted: '0',
      met: kills.launches + kills.proceeds === 0,
      note: `${whole(kills.checked)} acknowledged requests looked up`,
    },
    {
      goal: 10,
      what: 'embedded: a second server on the folder',
      figure: starts.refusal,
      wanted: 'refused',
      met: starts.refused,
    },
    {
      goal: 10,
      what: 'embedded: warm and cold start',
      figure: `${fine(starts.warmMs / 1000)} s, ${fine(starts.coldMs / 1000)} s`,
      wanted: '≤ 1 s, ≤ 5 s',
      met: starts.warmMs <= 1_000 && starts.coldMs <= 5_000,
      note: `until it takes requests; median of ${WARM_STARTS} warm starts; after a kill ${fine(kills.recoveryMs / 1000)} s`,
    },
  ];
}

async function startTimes(bench: Bench) {
  const environment = { DATA_DIR: mkdtempSync(join(bench.folder, 'starts-')) };
  const cold = await startRota(environment);
  const second = startNode({ file: MAIN, args: ['serve'], environment: { ...environment, PORT: '0' } });
  const code = await Promise.race([second.exited, wait(REFUSAL_MS_MAX).then(() => 'still there' as const)]);
  await second.kill();
  const refused = code !== 'still there' && code !== 0 && second.complaints().includes('in use');
  await cold.child.stop();
  const warm: number[] = [];
  for (let i = 0; i < WARM_STARTS; i++) {
    const rota = await startRota(environment);
    warm.push(rota.startedInMs);
    await rota.child.stop();
  }
  rmSync(environment.DATA_DIR, { recursive: true, force: true });
  return {
    coldMs: cold.startedInMs,
    warmMs: median(warm),
    refused,
    refusal: refused ? 'refused, says who has it' : `ended with ${code}`,
  };
}

/** Again and again: some work, a kill in the middle, a new start, and a look at everything that had been acknowledged. */
async function killed(bench: Bench) {
  const { outside } = bench;
  const DATA_DIR = mkdtempSync(join(bench.folder, 'killed-'));
  const kills = bench.quick ? KILLS.quick : KILLS.full;
  const sum = { launches: 0, proceeds: 0, checked: 0 };
  const recoveries: number[] = [];
  let rota = await startRota({ DATA_DIR });
  for (let i = 0; i < kills; i++) {
    await outside.ask('meet', { servers: [rota.url] });
    await outside.ask('remember');
    await outside.ask('begin', { work: THREE_STEPS, inFlight: 8 });
    // The mark is passed in the middle of something, wherever that is.
    await goOn(bench, 20 + Math.random() * WORK_STEPS_MAX, WORK_SECONDS_MAX);
    await rota.child.kill();
    await outside.ask('end', { withinMs: 50 });
    rota = await startRota({ DATA_DIR });
    recoveries.push(rota.startedInMs);
    await outside.ask('turnTo', { servers: [rota.url] });
    const lost = await outside.ask<Lost>('verify', { inFlight: 8 });
    sum.launches += lost.launches;
    sum.proceeds += lost.proceeds;
    sum.checked += lost.checked;
  }
  await rota.child.stop();
  rmSync(DATA_DIR, { recursive: true, force: true });
  return { ...sum, kills, recoveryMs: median(recoveries) };
}
