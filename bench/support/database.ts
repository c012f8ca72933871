import pg from 'pg';
import { startCluster } from '../../test/support/cluster.ts';
import { cpuOf, cpuOfFamily, parentOf, programOf } from './processes.ts';

/* Postgres, and what it says about itself: transactions, WAL, sizes. */

/** Where the databases of a run are made. */
export type Postgres = {
  readonly version: string;
  /** True when it runs on this machine, so that its CPU can be read. */
  readonly isHere: boolean;
  /** CPU of all its processes so far, in microseconds. */
  readonly cpu: () => number;
  /** A new, empty database. */
  readonly make: () => Promise<Database>;
  readonly stop: () => Promise<void>;
};

export type Database = {
  readonly url: string;
  readonly client: pg.Client;
  /** Counters so far. */
  readonly counters: () => Promise<Counters>;
  /** CPU so far of those who are connected to it, in microseconds; 0 where Postgres runs elsewhere. */
  readonly cpu: () => Promise<number>;
  readonly drop: () => Promise<void>;
};

export type Counters = {
  /** Transaction numbers given out: what wrote, or locked a row. */
  readonly numbered: number;
  readonly walBytes: number;
  /** Pages written whole to the WAL because they were touched first since a checkpoint. */
  readonly wholePages: number;
};

let made = 0;

/** A throw-away cluster with default settings, or the server DATABASE_URL names; a sentence when there is neither. */
export async function openPostgres(): Promise<Postgres | string> {
  const given = process.env['DATABASE_URL'];
  const cluster = given === undefined || given === '' ? await startCluster() : { url: given, stop: async () => {} };
  if (typeof cluster === 'string') return cluster;
  const admin = await connect(cluster.url);
  const { rows } = await admin.query<{ pid: number; version: string }>(
    `select pg_backend_pid() as pid, current_setting('server_version') as version`,
  );
  const pid = rows[0]?.pid ?? -1;
  const postmaster = programOf(pid)?.startsWith('postgres') === true ? parentOf(pid) : null;
  return {
    version: rows[0]?.version ?? '?',
    isHere: postmaster !== null,
    cpu: () => (postmaster === null ? 0 : cpuOfFamily(postmaster)),
    make: async () => {
      const name = `rota_bench_${process.pid}_${++made}`;
      await admin.query(`create database ${name}`);
      const url = new URL(cluster.url);
      url.pathname = `/${name}`;
      const client = await connect(url.href);
      return {
        url: url.href,
        client,
        counters: () => countersOf(client),
        cpu: async () => (postmaster === null ? 0 : cpuOfConnections(client)),
        drop: async () => {
          await client.end();
          // Where everything is being ended at once there may be nobody left to ask.
          await admin.query(`drop database ${name} with (force)`).catch(() => {});
        },
      };
    },
    stop: async () => {
      await admin.end();
      await cluster.stop();
    },
  };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'rota bench' });
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function cpuOfConnections(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  );
  return rows.reduce((sum, { pid }) => sum + cpuOf(pid), 0);
}

async function countersOf(client: pg.Client): Promise<Counters> {
  const { rows } = await client.query<{ numbered: string; wal: string; whole: string }>(
    `select pg_snapshot_xmax(pg_current_snapshot())::text as numbered, (pg_current_wal_lsn() - '0/0'::pg_lsn)::text as wal,
       (select wal_fpi from pg_stat_wal)::text as whole`,
  );
  const [row] = rows;
  return { numbered: Number(row?.numbered), walBytes: Number(row?.wal), wholePages: Number(row?.whole) };
}
