import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stepsPerCore } from '../goals/load.ts';
import { type Bench, type Cost, fine, goOn, measured, THREE_STEPS, whole } from '../support/bench.ts';
import { cpuOf, freePort, residentMb, startNode, wait } from '../support/processes.ts';
import type { Rota } from '../support/rota.ts';
import { median } from '../support/statistics.ts';

/* The same three steps on DBOS. It is installed into a folder of this run and is no part of this package. */

const PACKAGE = '@dbos-inc/dbos-sdk@5.3.0';
const INSTALL_MS_MAX = 120_000;
const READY_MS_MAX = 60_000;
const IN_FLIGHT = 32;

/** Measures DBOS, or says in one line why not. */
export async function dbos(bench: Bench): Promise<string> {
  if (bench.postgres === null) return 'DBOS was not measured: there is no Postgres';
  const folder = mkdtempSync(join(bench.folder, 'dbos-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', PACKAGE];
    execFileSync('npm', args, { cwd: folder, stdio: 'pipe', timeout: INSTALL_MS_MAX });
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
    return `DBOS was not measured: it could not be installed (${line})`;
  }
  const database = await bench.postgres.make();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = startNode({
    file: fileURLToPath(new URL('dbos-app.mjs', import.meta.url)),
    environment: { PORT: String(port), DATABASE_URL: database.url },
    folder,
  });
  try {
    await ready(url, () => child.complaints());
    const there: Pick<Rota, 'cpu'> = { cpu: () => cpuOf(child.pid) };
    await bench.outside.ask('meet', { servers: [url] });
    const round = async (inFlight: number, steps: number, secondsMax: number): Promise<Cost> => {
      await bench.outside.ask('begin', { work: THREE_STEPS, inFlight });
      await goOn(bench, steps, secondsMax);
      const cost = await measured(bench, [there], database, { steps, secondsMax });
      await bench.outside.ask('end');
      return cost;
    };
    const busy: Cost[] = [];
    for (let i = 0; i < (bench.quick ? 1 : 3); i++)
      busy.push(await round(IN_FLIGHT, bench.quick ? 800 : 2_000, bench.quick ? 4 : 15));
    const memory = residentMb(child.pid);
    const alone = await round(1, bench.quick ? 100 : 500, bench.quick ? 3 : 15);
    const mid = (of: (cost: Cost) => number): number => median(busy.map(of));
    return (
      `DBOS 5.3.0, the same work: ${whole(mid(stepsPerCore))} steps/s per core (its process ${whole(mid(({ serverUs }) => serverUs))} + Postgres ` +
      `${whole(mid(({ databaseUs }) => databaseUs))} µs), ${fine(alone.numbered)} and ${fine(mid(({ numbered }) => numbered))} write commits and ` +
      `${whole(mid(({ walBytes }) => walBytes))} bytes of WAL per step; proceed → callback p50 ${fine(alone.seen.hopP50)} ms, p99 ${fine(alone.seen.hopP99)} ms; ` +
      `three steps p95 ${whole(mid(({ seen }) => seen.wholeP95))} ms; ${whole(mid(({ seen }) => seen.steps / seen.seconds))} steps/s in all; ${whole(memory)} MB`
    );
  } catch (error) {
    return `DBOS was not measured: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await child.stop();
    await database.drop();
  }
}

async function ready(url: string, complaints: () => string): Promise<void> {
  for (const begun = performance.now(); performance.now() - begun < READY_MS_MAX; await wait(50)) {
    const response = await fetch(`${url}/readyz`).catch(() => null);
    await response?.text();
    if (response?.status === 200) return;
  }
  throw new Error(`it did not start: ${complaints()}`);
}
