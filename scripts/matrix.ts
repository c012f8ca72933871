import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findUser, startCluster } from '../test/support/cluster.ts';
import { startParticipant } from '../test/support/server.ts';

/*
 * `npm run matrix [-- 20 22 24]`: the package on the versions of Node and Postgres that are supported, as it is run where things are strict: by a user who is not
 * root and may write nothing but DATA_DIR, without HOME, in a far time zone and an unknown language, in a folder whose name has blanks and letters beyond ASCII. Node
 * comes from the registry's package `node`. In each: a server, a launch, a callback, an answer, an end; stopped and started again. It takes minutes; CI runs one Node.
 */

const majors = process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['20', '22', '24'];
/** A busy machine takes long to start an embedded database. */
const READY_MS_MAX = 180_000;

const place = mkdtempSync(join(tmpdir(), 'rota matrix ünï '));
chmodSync(place, 0o755);
const user = findUser();
const as = user === null || user === 'nobody at all' ? {} : { uid: user.uid, gid: user.gid };
const rows: string[] = [];
let failures = 0;

function npm(...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('npm', [...words, '--no-audit', '--no-fund'], {
    encoding: 'utf8',
    timeout: 600_000,
  });
  if (status !== 0) throw new Error(`npm ${words.join(' ')}: ${stderr}`);
  return stdout;
}

type Server = { readonly url: string; readonly stop: () => Promise<number | null> };

async function startServer(node: string, settings: Readonly<Record<string, string>>): Promise<Server> {
  const main = join(place, 'node_modules/rota/dist/cli/main.js');
  const child = spawn(node, [main, 'serve'], {
    ...as,
    cwd: place,
    // No HOME, no PATH: nothing of whoever runs this.
    env: {
      TZ: 'Pacific/Chatham',
      LANG: 'tlh_KX.UTF-8',
      LC_ALL: 'tlh_KX.UTF-8',
      PORT: '0',
      LOG_LEVEL: 'info',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS_MAX);
    const hear = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      const ready = /^\{.*"event":"server\.ready".*$/m.exec(output)?.[0];
      if (ready === undefined) return;
      clearTimeout(timer);
      resolve((JSON.parse(ready) as { readonly url: string }).url);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    void ended.then((code) => reject(new Error(`it ended with ${code}: ${output.slice(-2_000)}`)));
  });
  return {
    url,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** A workflow from its launch to its end, with the server stopped and started again in between. */
async function tried(node: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const participant = await startParticipant();
  try {
    const first = await startServer(node, settings);
    const launch = await fetch(`${first.url}/v1/workflows`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        workflow: "define größe\n  alpha task: 'día'\n  wait '1s'\n  beta",
        callback: participant.url,
      }),
    });
    const { id } = (await launch.json()) as { readonly id: string };
    if (launch.status !== 201) throw new Error(`a launch was answered ${launch.status}`);
    const alpha = await participant.next();
    const code = await first.stop();
    if (code !== 0) throw new Error(`it stopped with exit code ${code}`);
    const second = await startServer(node, settings);
    const proceed = ({ body }: typeof alpha, url: string): Promise<Response> =>
      fetch(`${url}/v1/workflows/${id}/workitems/${body.workitem_id}/proceed`, { method: 'POST' });
    if ((await proceed(alpha, second.url)).status !== 201) throw new Error('an answer was refused after the start');
    await proceed(await participant.next(), second.url);
    const shown = (await (await fetch(`${second.url}/v1/workflows/${id}`)).json()) as { readonly status: string };
    if (shown.status !== 'completed') throw new Error(`the workflow is ${shown.status}`);
    for (const page of ['/console/', '/docs', '/docs/manual/index.html', '/openapi.json', '/metrics'])
      if (!(await fetch(second.url + page)).ok) throw new Error(`${page} is not there`);
    await second.stop();
  } finally {
    await participant.stop();
  }
}

async function entry(
  node: string,
  version: string,
  database: string,
  settings: () => Promise<readonly [Record<string, string>, () => Promise<void>]>,
): Promise<void> {
  let outcome = 'good';
  try {
    const [values, end] = await settings();
    try {
      await tried(node, values);
    } finally {
      await end();
    }
  } catch (error) {
    outcome = `WRONG: ${error instanceof Error ? error.message : String(error)}`;
    failures += 1;
  }
  rows.push(`| ${version} | ${database} | ${outcome} |`);
  console.log(rows.at(-1));
}

try {
  const packed = npm('pack', '--json', '--pack-destination', place);
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('['))) as [{ readonly filename: string }];
  npm('install', '--prefix', place, '--prefer-offline', join(place, filename));
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  for (const major of majors) {
    const home = join(place, `node ${major}`);
    mkdirSync(home);
    npm('install', '--prefix', home, '--prefer-offline', `node@${major}`);
    const node = join(home, 'node_modules/node/bin/node');
    const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
    await entry(node, version, 'embedded', async () => {
      const data = join(place, `data ${major} é`);
      mkdirSync(data);
      if (as.uid !== undefined) chownSync(data, as.uid, as.gid);
      return [{ DATA_DIR: data }, async () => {}];
    });
    if (versions.length === 0) rows.push(`| ${version} | Postgres | not here |`);
    else
      await entry(node, version, `Postgres ${versions.sort().at(-1)}`, async () => {
        const cluster = await startCluster();
        if (typeof cluster === 'string') throw new Error(cluster);
        return [{ DATABASE_URL: cluster.url }, cluster.stop];
      });
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
console.log(`\n| Node | Database | |\n|---|---|---|\n${rows.join('\n')}`);
if (as.uid === undefined)
  console.log('As this user: there is no other here, so that what may be written is not bounded.');
process.exitCode = failures === 0 ? 0 : 1;
