import { execFile, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';

/*
 * A throw-away Postgres for a test run, from whatever binaries are installed. Postgres refuses to run as root, so root starts it as
 * another user that exists.
 */

const run = promisify(execFile);

/** The database all others are copied from; it has the tables. */
export const TEMPLATE = 'rota_template';

export type Cluster = {
  readonly url: string;
  /** Takes the server down: in order (`fast`), or as a crash would (`immediate`); `start` brings it back at the same address. */
  readonly halt: (how: 'fast' | 'immediate') => Promise<void>;
  readonly start: () => Promise<void>;
  /** Runs one of the programs that came with the server; resolves with what it wrote. */
  readonly tool: (name: string, ...words: string[]) => Promise<string>;
  /** Ends it for good, with everything in it. */
  readonly stop: () => Promise<void>;
};

/** Where Debian and its kin put the server; the newest version first. */
const DEBIAN = '/usr/lib/postgresql';

/** The folder of the server's programs; null: there are none. */
export function findBinaries(): string | null {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
  ];
  return (
    folders.find((folder) => ['pg_ctl', 'initdb', 'postgres'].every((name) => existsSync(join(folder, name)))) ?? null
  );
}

export type User = { readonly uid: number; readonly gid: number };

/** Who may run Postgres: we ourselves (null), or, when we are root, somebody who is not. */
export function findUser(): User | null | 'nobody at all' {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody'])
    try {
      const id = (flag: string): number =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // no such user: the next
    }
  return 'nobody at all';
}

/** Starts a cluster, or says in one line why there is none. @param more options of the server (`-c name=value`) */
export async function startCluster(more = ''): Promise<Cluster | string> {
  const bin = findBinaries();
  if (bin === null) return 'no Postgres found (neither DATABASE_URL nor pg_ctl, initdb and postgres)';
  const user = findUser();
  if (user === 'nobody at all') return 'Postgres does not run as root, and there is no user to run it as';

  const folder = mkdtempSync(join(tmpdir(), 'rota-postgres-'));
  if (user !== null) chownSync(folder, user.uid, user.gid);
  const as = user === null ? {} : { uid: user.uid, gid: user.gid };
  // The other programs lie where these really are.
  const programs = dirname(realpathSync(join(bin, 'pg_ctl')));
  const tool = async (name: string, ...words: string[]): Promise<string> =>
    (await run(join(programs, name), words, { ...as, cwd: folder, env: { ...process.env, LC_ALL: 'C' } })).stdout;
  const data = join(folder, 'data');
  const port = await freePort();
  // What is written survives the crash of a server, and nothing here crashes the machine.
  const unsynced = '-c fsync=off -c full_page_writes=off';
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='${folder}' -c max_connections=200 ${unsynced} ${more}`;
  const start = async (): Promise<void> => {
    await tool('pg_ctl', '-D', data, '-w', '-t', '60', '-l', join(folder, 'log'), '-o', options, 'start');
  };
  try {
    await tool('initdb', '-D', data, '-U', 'rota', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync');
    await start();
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    return `Postgres did not start: ${error instanceof Error ? error.message : String(error)}`;
  }
  const ended = stopAtEnd(join(bin, 'pg_ctl'), folder, as);
  return {
    url: `postgres://rota@127.0.0.1:${port}/postgres`,
    halt: async (how) => {
      await tool('pg_ctl', '-D', data, '-m', how, '-w', 'stop');
    },
    start,
    tool,
    stop: ended,
  };
}

/** Stops the servers (`data…` in the folder) and removes the folder once we say so or are gone, however that came about: it is asked to by a process of its own
 * that waits for the end of a pipe from us. */
export function stopAtEnd(
  pgCtl: string,
  folder: string,
  as: { readonly uid?: number; readonly gid?: number },
): () => Promise<void> {
  const script = 'cat > /dev/null; for data in "$1"/data*; do "$0" -D "$data" -m immediate -w stop; done; rm -rf "$1"';
  const watcher = spawn('/bin/sh', ['-c', script, pgCtl, folder], {
    ...as,
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const over = new Promise<void>((resolve) => watcher.once('exit', () => resolve()));
  watcher.unref();
  return async () => {
    // Whoever waits for the end is to see it.
    watcher.ref();
    watcher.stdin.end();
    await over;
  };
}
