import { spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findUser } from '../support/cluster.ts';
import { freePort } from '../support/free-port.ts';

/* A PgBouncer in transaction mode before Postgres, as docs/operating.md tells to set it. */

export type Bouncer = {
  /** Postgres through it: any database, as the user rota. */
  readonly url: (database: string) => string;
  readonly stop: () => Promise<void>;
};

/** Starts one before the server at `port`, or says in one line why there is none. */
export async function startBouncer(port: number): Promise<Bouncer | string> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  const program = folders.map((folder) => join(folder, 'pgbouncer')).find((path) => existsSync(path));
  if (program === undefined) return 'no PgBouncer found (pgbouncer)';
  const user = findUser();
  if (user === 'nobody at all') return 'PgBouncer does not run as root, and there is no user to run it as';
  const folder = mkdtempSync(join(tmpdir(), 'rota-pgbouncer-'));
  const own = await freePort();
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(
    file,
    `[databases]
* = host=127.0.0.1 port=${port} user=rota
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
ignore_startup_parameters = extra_float_digits
server_login_retry = 1
server_connect_timeout = 2
query_wait_timeout = 5
`,
  );
  if (user !== null) for (const path of [folder, file]) chownSync(path, user.uid, user.gid);
  const child = spawn(program, ['-q', file], { ...(user === null ? {} : user), cwd: folder, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    url: (database) => `postgres://rota@127.0.0.1:${own}/${database}`,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
