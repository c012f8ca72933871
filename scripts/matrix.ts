import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findUser, startCluster } from '../test/support/cluster.ts';
import { startParticipant } from '../test/support/server.ts';

/*
 * `npm run matrix [-- 20 22 24]`: the package on the versions of Node and Postgres that are supported, as it is run where things are strict: by a user who is not
 * root, on a file system that can only be read but for DATA_DIR (it is mounted so for the server alone), without HOME, in a far time zone and an unknown language, in
 * a folder whose name has blanks and letters beyond ASCII. Node comes from the registry's package `node`. In each: a server, a launch, a callback, an answer, an end;
 * stopped and started again; what the database holds is checked. It takes minutes; CI runs one Node. `--package <file.tgz>` takes one that was packed already.
 */

const { values, positionals } = parseArgs({ options: { package: { type: 'string' } }, allowPositionals: true });
const majors = positionals.length > 0 ? positionals : ['20', '22', '24'];
/** A busy machine takes long to start an embedded database. */
const READY_MS_MAX = 180_000;
const STOP_MS_MAX = 60_000;
const COMMAND_MS_MAX = 120_000;
const OUTPUT_MAX = 100_000;
const NPM_MS_MAX = 600_000;
/** How a script says that something could be written which must not. */
const WRITABLE = 97;

const place = mkdtempSync(join(tmpdir(), 'rota matrix ünï '));
chmodSync(place, 0o755);
const other = findUser();
const as = other === null || other === 'nobody at all' ? {} : { uid: other.uid, gid: other.gid };
const rows: string[] = [];
let failures = 0;
const alive = new Set<ChildProcess>();

/*
 * Mounts all there is for reading only, in a namespace of its own, and DATA_DIR over it for writing; then becomes the user of the server. What the kernel keeps
 * (/proc, /sys, /dev) stays as it is. Before it goes on it looks whether that holds: `touch` as root must fail in the folder of the package and in /tmp.
 */
const UNSHARE = '/usr/bin/unshare';
const SETPRIV = '/usr/bin/setpriv';
const READ_ONLY = `
data=$1 uid=$2 gid=$3; shift 3
mount --make-rprivate / || exit ${WRITABLE}
test -z "$data" || mount --bind "$data" "$data" || exit ${WRITABLE}
while read -r _ at _; do
  # The kernel writes a blank as \\040.
  at=$(printf '%s' "$at" | sed 's/\\\\040/ /g')
  case "$at" in /proc*|/sys*|/dev*|"$data") continue ;; esac
  mount -o remount,bind,ro "$at" || exit ${WRITABLE}
done < /proc/mounts
for folder in . /tmp; do if touch "$folder/written" 2>/dev/null; then echo "$folder can be written" >&2; exit ${WRITABLE}; fi; done
cd . && exec ${SETPRIV} --reuid "$uid" --regid "$gid" --clear-groups --no-new-privs -- "$@"
`;
const mounts = as.uid !== undefined && existsSync(UNSHARE) && existsSync(SETPRIV);

/** The program and its words, and how it is run: with nothing to write but `data`, where that can be done here. */
function strictly(data: string, ...words: readonly string[]): readonly [string, readonly string[], object] {
  if (as.uid === undefined || !mounts) return [words[0] ?? '', words.slice(1), as];
  const script = ['-m', '/bin/sh', '-c', READ_ONLY, 'sh', data, String(as.uid), String(as.gid)];
  return [UNSHARE, [...script, ...words], {}];
}

/** No HOME, no PATH: nothing of whoever runs this. */
const AROUND = { TZ: 'Pacific/Chatham', LANG: 'tlh_KX.UTF-8', LC_ALL: 'tlh_KX.UTF-8' };
const MAIN = join(place, 'node_modules/rota/dist/cli/main.js');

function npm(...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('npm', [...words, '--no-audit', '--no-fund'], {
    encoding: 'utf8',
    timeout: NPM_MS_MAX,
  });
  if (status !== 0) throw new Error(`npm ${words.join(' ')}: ${stderr}`);
  return stdout;
}

type Server = { readonly url: string; readonly stop: () => Promise<number | null> };

async function startServer(node: string, settings: Readonly<Record<string, string>>): Promise<Server> {
  const [program, words, options] = strictly(settings['DATA_DIR'] ?? '', node, MAIN, 'serve');
  const child = spawn(program, words, {
    ...options,
    cwd: place,
    env: { ...AROUND, PORT: '0', LOG_LEVEL: 'info', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  alive.add(child);
  let output = '';
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      alive.delete(child);
      resolve(code);
    });
  });
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`it was not ready in ${READY_MS_MAX} ms: ${output.slice(-2_000)}`));
    }, READY_MS_MAX);
    const hear = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_MAX);
      const ready = /^\{.*"event":"server\.ready".*$/m.exec(output)?.[0];
      if (ready === undefined) return;
      clearTimeout(timer);
      resolve((JSON.parse(ready) as { readonly url: string }).url);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    ended
      .then((code) => reject(new Error(`it ended with ${code}: ${output.slice(-2_000)}`)), reject)
      .finally(() => clearTimeout(timer));
  });
  return {
    url,
    stop: async () => {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      child.kill('SIGTERM');
      return ended.finally(() => clearTimeout(timer));
    },
  };
}

/** A command of the package to its end. */
function command(node: string, settings: Readonly<Record<string, string>>, ...words: readonly string[]): string {
  const [program, given, options] = strictly(settings['DATA_DIR'] ?? '', node, MAIN, ...words);
  const { status, stdout, stderr } = spawnSync(program, given, {
    ...options,
    cwd: place,
    env: { ...AROUND, ...settings },
    encoding: 'utf8',
    timeout: COMMAND_MS_MAX,
  });
  if (status !== 0) throw new Error(`rota ${words.join(' ')} ended with ${status}: ${stdout}${stderr}`);
  return stdout.trim();
}

/** A workflow from its launch to its end, with the server stopped and started again in between. Whatever happens, no server is left. */
async function tried(node: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const participant = await startParticipant();
  const servers: Server[] = [];
  const started = async (): Promise<string> => {
    const server = await startServer(node, settings);
    servers.push(server);
    return server.url;
  };
  const stopped = async (): Promise<void> => {
    const code = await servers.pop()?.stop();
    if (code !== 0) throw new Error(`it stopped with exit code ${code}`);
  };
  try {
    const first = await started();
    const launch = await fetch(`${first}/v1/workflows`, {
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
    await stopped();
    const second = await started();
    const proceed = ({ body }: typeof alpha): Promise<Response> =>
      fetch(`${second}/v1/workflows/${id}/workitems/${body.workitem_id}/proceed`, { method: 'POST' });
    if ((await proceed(alpha)).status !== 201) throw new Error('an answer was refused after the start');
    if ((await proceed(await participant.next())).status !== 201) throw new Error('the second answer was refused');
    const shown = (await (await fetch(`${second}/v1/workflows/${id}`)).json()) as { readonly status: string };
    if (shown.status !== 'completed') throw new Error(`the workflow is ${shown.status}`);
    for (const page of ['/console/', '/docs', '/docs/manual/index.html', '/openapi.json', '/metrics']) {
      const answer = await fetch(second + page);
      if (!answer.ok) throw new Error(`${page} is answered ${answer.status}`);
    }
    await stopped();
    command(node, settings, 'check-database');
  } finally {
    for (const server of servers) await server.stop();
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

process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
  rmSync(place, { recursive: true, force: true });
});
// So that the end above comes about.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

function pack(): string {
  const packed = npm('pack', '--json', '--pack-destination', place);
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('['))) as [{ readonly filename: string }];
  return join(place, filename);
}
npm('install', '--prefix', place, '--prefer-offline', values.package === undefined ? pack() : resolve(values.package));
const POSTGRES = '/usr/lib/postgresql';
const postgres = existsSync(POSTGRES) ? readdirSync(POSTGRES).sort((a, b) => Number(a) - Number(b)) : [];
const paths = process.env['PATH'] ?? '';
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
  if (postgres.length === 0) rows.push(`| ${version} | Postgres | not here |`);
  for (const number of postgres)
    await entry(node, version, `Postgres ${number}`, async () => {
      // The programs of this one are found first.
      process.env['PATH'] = [join(POSTGRES, number, 'bin'), paths].join(delimiter);
      const cluster = await startCluster();
      if (typeof cluster === 'string') throw new Error(cluster);
      return [{ DATABASE_URL: cluster.url }, cluster.stop];
    });
}
const user = as.uid === undefined ? 'this user, for there is no other here' : `user ${as.uid}`;
const disk = mounts
  ? 'every file system read-only but DATA_DIR'
  : 'what may be written was bounded by that user alone: mounting for reading takes root and unshare';
console.log(`\n| Node | Database | |\n|---|---|---|\n${rows.join('\n')}`);
console.log(`Each as ${user}; ${disk}; without HOME and PATH; ${JSON.stringify(AROUND)}; in "${place}".`);
process.exitCode = failures === 0 ? 0 : 1;
