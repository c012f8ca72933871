import { execFile } from 'node:child_process';
import { chownSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { findBinaries, findUser, stopAtEnd } from '../support/cluster.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

/* Two servers of Postgres, of which one follows the other. */

const run = promisify(execFile);

export type Instance = {
  readonly port: number;
  readonly url: string;
  readonly start: () => Promise<void>;
  /** In order, or as a crash would. */
  readonly stop: (how: 'fast' | 'immediate') => Promise<void>;
  readonly promote: () => Promise<void>;
  /** One statement on a connection of its own. */
  readonly query: (text: string) => Promise<readonly { readonly [column: string]: unknown }[]>;
};

export type Pair = {
  /** Writes. */
  readonly first: Instance;
  /** Follows the first. */
  readonly second: Instance;
  /** Makes one, that is down, anew from another, and has it follow that. */
  readonly follow: (follower: Instance, leader: Instance) => Promise<void>;
  /** From now on each commit of the leader waits for its follower. */
  readonly waitForFollower: (leader: Instance) => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Starts a pair, or says in one line why there is none. */
export async function startPair(): Promise<Pair | string> {
  const bin = findBinaries();
  if (bin === null) return 'no Postgres found (pg_ctl, initdb and postgres)';
  const user = findUser();
  if (user === 'nobody at all') return 'Postgres does not run as root, and there is no user to run it as';
  const as = user === null ? {} : { uid: user.uid, gid: user.gid };
  const folder = mkdtempSync(join(tmpdir(), 'rota-pair-'));
  if (user !== null) chownSync(folder, user.uid, user.gid);
  const programs = dirname(realpathSync(join(bin, 'pg_ctl')));
  const tool = async (name: string, ...words: string[]): Promise<void> => {
    await run(join(programs, name), words, { ...as, cwd: folder, env: { ...process.env, LC_ALL: 'C' } });
  };
  const data = (instance: { readonly port: number }): string => join(folder, `data-${instance.port}`);

  async function instance(): Promise<Instance> {
    const port = await freePort();
    const self = { port };
    const url = `postgres://rota@127.0.0.1:${port}/postgres`;
    // What is written survives the crash of a server, and nothing here crashes the machine.
    const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='${folder}' -c fsync=off -c wal_keep_size=256MB`;
    const ctl = (...words: string[]) => tool('pg_ctl', '-D', data(self), '-w', '-t', '60', ...words);
    return {
      ...self,
      url,
      start: () => ctl('-l', join(folder, `log-${port}`), '-o', options, 'start'),
      stop: (how) => ctl('-m', how, 'stop'),
      promote: () => ctl('promote'),
      query: async (text) => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        try {
          return (await client.query(text)).rows;
        } finally {
          await client.end();
        }
      },
    };
  }

  const first = await instance();
  const second = await instance();
  const follow = async (follower: Instance, leader: Instance): Promise<void> => {
    rmSync(data(follower), { recursive: true, force: true });
    await tool(
      'pg_basebackup',
      ...['-D', data(follower), '-h', '127.0.0.1', '-p', String(leader.port), '-U', 'rota'],
      ...['-X', 'stream', '-R', '--checkpoint=fast', '--no-sync'],
    );
    await follower.start();
    await until('the follower receives', async () => {
      const receiving = await leader.query(`select 1 from pg_stat_replication where state = 'streaming'`);
      return receiving.length > 0;
    });
  };
  await tool('initdb', '-D', data(first), '-U', 'rota', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync');
  await first.start();
  const stop = stopAtEnd(join(bin, 'pg_ctl'), folder, as);
  await follow(second, first);
  return {
    first,
    second,
    follow,
    waitForFollower: async (leader) => {
      await leader.query(`alter system set synchronous_standby_names = '*'`);
      await leader.query('select pg_reload_conf()');
      await until('the follower counts', async () => {
        const counting = await leader.query(`select 1 from pg_stat_replication where sync_state = 'sync'`);
        return counting.length > 0;
      });
    },
    stop,
  };
}
