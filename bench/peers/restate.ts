import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stepsPerCore } from '../goals/load.ts';
import { type Bench, type Cost, fine, goOn, measured, THREE_STEPS, whole } from '../support/bench.ts';
import { cpuOf, freePort, residentMb, startNode, startProgram, tryTo, wait } from '../support/processes.ts';
import { median } from '../support/statistics.ts';

/*
 * The same three steps on Restate: its server, which keeps everything in files of its own, and a service in Node. Both are installed into
 * a folder of this run and are no part of this package. What is launched and proceeded goes straight to Restate's server.
 */

const VERSIONS = { server: '1.7.12', sdk: '1.17.2' };
/** The SDK wants a newer Node than this package does. */
const NODE_MAJOR = 22;
const INSTALL_MS_MAX = 300_000;
const READY_MS_MAX = 60_000;
const IN_FLIGHT = 32;

/** Measures Restate, or says in one line why not. */
export async function restate(bench: Bench): Promise<string> {
  const folder = mkdtempSync(join(bench.folder, 'restate-'));
  let program: string;
  let node: string;
  try {
    ({ program, node } = install(folder));
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
    return `Restate was not measured: it could not be installed (${line})`;
  }
  const [ingress, admin, internal, port] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const url = `http://127.0.0.1:${ingress}`;
  const service = startNode({
    program: node,
    file: fileURLToPath(new URL('restate-app.mjs', import.meta.url)),
    environment: { PORT: String(port), INGRESS_URL: url },
    folder,
  });
  const server = startProgram({
    program,
    args: ['--no-logo', '--node-name', 'bench', '--base-dir', join(folder, 'data')],
    environment: {
      DO_NOT_TRACK: '1',
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_LISTEN_MODE: 'tcp',
      RESTATE_BIND_IP: '127.0.0.1',
      RESTATE_BIND_PORT: String(internal),
      RESTATE_ADVERTISED_HOST: '127.0.0.1',
      RESTATE_INGRESS__BIND_PORT: String(ingress),
      RESTATE_ADMIN__BIND_PORT: String(admin),
      RESTATE_ADMIN__DISABLE_WEB_UI: 'true',
      RESTATE_LOG_FILTER: 'error',
    },
    folder,
  });
  const both = { cpu: (): number => cpuOf(server.pid) + cpuOf(service.pid) };
  // Postgres has nothing to do with it: what it does meanwhile is not counted.
  const alone: Bench = { ...bench, postgres: null };
  try {
    await ready(`http://127.0.0.1:${admin}`, url, port, () => server.complaints() + service.complaints());
    await bench.outside.ask('meet', { servers: [url], launchPath: '/work/run/send' });
    const round = async (inFlight: number, steps: number, secondsMax: number): Promise<Round> => {
      await bench.outside.ask('begin', { work: THREE_STEPS, inFlight });
      await goOn(bench, steps, secondsMax);
      const before = { service: cpuOf(service.pid), written: writtenBytes(server.pid) };
      const cost = await measured(alone, [both], null, { steps, secondsMax });
      const stepsDone = Math.max(1, cost.seen.steps);
      const serviceUs = (cpuOf(service.pid) - before.service) / stepsDone;
      const written = (writtenBytes(server.pid) - before.written) / stepsDone;
      await bench.outside.ask('end');
      return { cost, serviceUs, written };
    };
    const busy: Round[] = [];
    for (let i = 0; i < (bench.quick ? 1 : 3); i++)
      busy.push(await round(IN_FLIGHT, bench.quick ? 800 : 6_000, bench.quick ? 4 : 15));
    const memory = [residentMb(server.pid), residentMb(service.pid)];
    const { cost: single } = await round(1, bench.quick ? 100 : 500, bench.quick ? 3 : 15);
    const mid = (of: (round: Round) => number): number => median(busy.map(of));
    return (
      `Restate ${VERSIONS.server}, the same work: ${whole(mid(({ cost }) => stepsPerCore(cost)))} steps/s per core (its server ` +
      `${whole(mid(({ cost, serviceUs }) => cost.serverUs - serviceUs))} + the service ${whole(mid(({ serviceUs }) => serviceUs))} µs), ` +
      `${whole(mid(({ written }) => written))} bytes written to disk per step; proceed → callback p50 ${fine(single.seen.hopP50)} ms, p99 ` +
      `${fine(single.seen.hopP99)} ms; three steps p95 ${whole(mid(({ cost }) => cost.seen.wholeP95))} ms; ` +
      `${whole(mid(({ cost }) => cost.seen.steps / cost.seen.seconds))} steps/s in all; ${memory.map(whole).join(' + ')} MB`
    );
  } catch (error) {
    return `Restate was not measured: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await Promise.all([server.stop(), service.stop()]);
  }
}

type Round = { readonly cost: Cost; readonly serviceUs: number; readonly written: number };

/** Installs server and SDK, and a Node of their own where ours is too old. No scripts of theirs are run: one of them reports home. */
function install(folder: string): { readonly program: string; readonly node: string } {
  const { platform, arch } = process;
  const needsNode = Number(process.versions.node.split('.')[0]) < NODE_MAJOR;
  const nodePackage = `node-${platform === 'darwin' && arch === 'arm64' ? 'bin-' : ''}${platform}-${arch}`;
  const packages = [
    `@restatedev/restate-server@${VERSIONS.server}`,
    `@restatedev/restate-sdk@${VERSIONS.sdk}`,
    ...(needsNode ? [`${nodePackage}@${NODE_MAJOR}`] : []),
  ];
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', ...packages];
  execFileSync('npm', args, { cwd: folder, stdio: 'pipe', timeout: INSTALL_MS_MAX });
  const modules = join(folder, 'node_modules');
  return {
    program: join(modules, '@restatedev', `restate-server-${platform}-${arch}`, 'bin/restate-server'),
    node: needsNode ? join(modules, nodePackage, 'bin/node') : process.execPath,
  };
}

/** Waits for the server and tells it of the service. */
async function ready(adminUrl: string, url: string, port: number, complaints: () => string): Promise<void> {
  const isGood = async (address: string, order?: object): Promise<boolean> => {
    const post = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(order) };
    // No answer: it is not up yet. Whoever waits in vain is told what the processes said.
    const response = await fetch(address, order === undefined ? {} : post).catch(() => null);
    await response?.text();
    return response?.ok === true;
  };
  let told = false;
  for (const begun = performance.now(); performance.now() - begun < READY_MS_MAX; await wait(100)) {
    told ||=
      (await isGood(`${adminUrl}/health`)) &&
      (await isGood(`${adminUrl}/deployments`, { uri: `http://127.0.0.1:${port}` }));
    if (told && (await isGood(`${url}/restate/health`))) return;
  }
  throw new Error(`it did not start: ${complaints()}`);
}

/** Bytes a process has sent to the disk so far; 0 where the system does not say. */
function writtenBytes(pid: number): number {
  const text = tryTo(() => readFileSync(`/proc/${pid}/io`, 'utf8')) ?? '';
  return Number(/^write_bytes: (\d+)/m.exec(text)?.[1] ?? 0);
}
