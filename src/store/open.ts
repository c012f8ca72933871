import pg from 'pg';
import { SHARDS } from '../model/ids.ts';
import { saveAtOnce } from './at-once.ts';
import { type Connections, inTurn, persist, postgresPool, type Statement } from './connections.ts';
import { type DataDirLock, lockDataDir } from './data-dir-lock.ts';
import { openEmbedded } from './embedded.ts';
import { makeFigures } from './figures.ts';
import { makeFold } from './fold.ts';
import { clearClaims, makeDue, makeDueByShard, SHARD_INDEXES } from './messages.ts';
import { migrate, ownMigrations } from './migrate.ts';
import { makeLookup } from './outcome.ts';
import { historyBase } from './positions.ts';
import { makeReads } from './reads.ts';
import { makeRetire } from './retire.ts';
import type { Store } from './store.ts';
import { FREE_TABLES, openTables } from './tables/all.ts';
import { BELOW_WORKFLOW, WORKFLOW } from './tables/of-workflow.ts';
import { openOnDatabase } from './tables/on-database.ts';
import { beginTransaction, lookAtRows, type TransactionStyle } from './transaction.ts';
import { makeWaking, noWaking, type Waking } from './wake.ts';

type PoolName = 'engine' | 'reads';
export type PoolMeter = {
  readonly waited: (pool: PoolName, seconds: number) => void;
  readonly lost: (pool: PoolName) => void;
};

export type StoreSettings = {
  /** Postgres to use; null: embedded, in `dataDir`. */
  readonly databaseUrl: string | null;
  /** A directory of this server alone, or `memory:`, which keeps nothing. */
  readonly dataDir: string;
  /** false: no named statements and no session settings, for old poolers. */
  readonly prepared: boolean;
  readonly profile?: 'postgres' | 'distributed';
  /** Connections to Postgres in all, at least 4. */
  readonly connectionsMax?: number;
  readonly migrationsDir?: string;
  /** The embedded database is gone for good, as after an error of the disk; the message says why and what to do. Nothing works from here on:
   * the process should end, with a code that tells a supervisor to start it again. */
  readonly onEnd?: (error: Error) => void;
  /** Told about connections that were lost; they are replaced without anybody's help. */
  readonly log?: (message: string, error: Error) => void;
  /** Told of waits for a connection and of lost ones, by pool; counts and does nothing else. */
  readonly meter?: PoolMeter;
  /** Told of each attempt to connect that failed while the store is being opened. */
  readonly onWaiting?: (error: Error) => void;
};

/**
 * Transactions of the engine that may run at once on Postgres. A batch takes what waits, so more of them only make smaller ones: four
 * take a quarter more CPU for each step than two, and twice as many commits. One would make everybody wait for the slowest.
 */
const LANES = 2;
const BATCH_MAX = 64;
const EMBEDDED_BATCH_MAX = 50;
const CONNECTIONS_DEFAULT = 12;
/** At start Postgres may be starting as well: about half a minute of patience. */
const START_RETRIES = 20;

/** Plans are made once and kept, on tables that may still be empty: no plan that only suits small tables is allowed. */
export const PLANNING = [
  'plan_cache_mode = force_generic_plan',
  'enable_seqscan = off',
  'enable_bitmapscan = off',
  'enable_hashjoin = off',
  'enable_mergejoin = off',
  'jit = off',
];
/** A node that froze in the middle of a step must not hold its locks for long; and of one that was cut off the outcome is known before the
 * looking up ends (outcome.ts). Who takes no lock before it writes (at-once.ts) may find a row locked by such a node, and everything behind
 * it in its lane waits as well: not longer than this. */
const PATIENCE = [`idle_in_transaction_session_timeout = '8s'`, `lock_timeout = '1s'`, `statement_timeout = '30s'`];
const SERIALIZABLE = `default_transaction_isolation = 'serializable'`;
const READING = [`statement_timeout = '15s'`, `idle_in_transaction_session_timeout = '10s'`, 'jit = off'];
const PATIENCE_MS = 40_000;

const setAll = (settings: readonly string[], how: 'set' | 'set local'): string =>
  settings.map((setting) => `${how} ${setting}`).join('; ');

/** Opens the store the settings name: tables brought up to date, connections made, ready to use. */
export async function openStore(settings: StoreSettings): Promise<Store> {
  return settings.databaseUrl === null ? openInProcess(settings) : openPostgres(settings, settings.databaseUrl);
}

async function openPostgres(settings: StoreSettings, databaseUrl: string): Promise<Store> {
  const distributed = settings.profile === 'distributed';
  const trouble =
    (what: string) =>
    (error: Error): void =>
      settings.log?.(`The connection to Postgres for ${what} was lost; it will be made again`, error);
  const migrator = await persist(
    async () => {
      const client = new pg.Client({ connectionString: databaseUrl, application_name: 'rota migrate' });
      client.on('error', trouble('migrations'));
      await client.connect();
      return client;
    },
    START_RETRIES,
    settings.onWaiting,
  );
  let base: number | null = null;
  try {
    await migrate(migrator, settings.migrationsDir ?? ownMigrations(), !distributed);
    if (distributed) for (const text of SHARD_INDEXES) await migrator.query(text);
    else base = await historyBase(migrator);
  } finally {
    await migrator.end();
  }

  const connectionsMax = Math.max(4, settings.connectionsMax ?? CONNECTIONS_DEFAULT);
  const readsMax = Math.max(1, Math.floor(connectionsMax / 3));
  const pool = (name: PoolName, max: number, session: readonly string[]): Connections =>
    postgresPool({
      databaseUrl,
      name: `rota ${name}`,
      max,
      prepared: settings.prepared,
      session: settings.prepared ? setAll(session, 'set') : '',
      patienceMs: PATIENCE_MS,
      onTrouble: (error) => {
        settings.meter?.lost(name);
        trouble(name)(error);
      },
      onTaken: (seconds) => settings.meter?.waited(name, seconds),
    });
  // One connection is the listener's.
  const session = [...PLANNING, ...PATIENCE, ...(distributed ? [SERIALIZABLE] : [])];
  const engine = pool('engine', connectionsMax - readsMax - 1, session);
  const reads = pool('reads', readsMax, READING);
  const start = distributed ? 'begin isolation level serializable' : 'begin';
  const begin = settings.prepared ? start : `${start}; ${setAll([...PLANNING, ...PATIENCE], 'set local')}`;
  const atOnce = Math.min(LANES, Math.max(1, connectionsMax - readsMax - 2));
  return assemble({
    profile: distributed ? 'distributed' : 'postgres',
    // A lane for each shard keeps a transaction within one.
    lanes: distributed ? SHARDS : atOnce,
    atOnce,
    batchMax: BATCH_MAX,
    engine,
    reads,
    waking: distributed ? noWaking : makeWaking(databaseUrl, trouble('waking')),
    style: {
      begin,
      locks: !distributed,
      numbersTransactions: !distributed,
      historyBase: base,
      namesShard: distributed,
    },
    tidy: async () => {},
    afterClose: () => {},
  });
}

const tidyStatements: readonly Statement[] = [WORKFLOW, ...BELOW_WORKFLOW, ...FREE_TABLES].map(({ name }) => ({
  name: `tidy_${name}`,
  text: `vacuum (analyze) ${name}`,
}));

async function openInProcess(settings: StoreSettings): Promise<Store> {
  const { dataDir } = settings;
  const lock: DataDirLock | null = dataDir === 'memory:' ? null : await lockDataDir(dataDir);
  try {
    const { meter } = settings;
    const database = await openEmbedded(dataDir, settings.prepared, {
      session: setAll(PLANNING, 'set'),
      ...(settings.onEnd === undefined ? {} : { onEnd: settings.onEnd }),
      ...(settings.log === undefined ? {} : { onTrouble: settings.log }),
      ...(meter === undefined ? {} : { onTaken: (seconds: number) => meter.waited('engine', seconds) }),
    });
    await migrate(database.client, settings.migrationsDir ?? ownMigrations());
    const base = await historyBase(database.client);
    const connection = await database.take();
    // We hold the directory, so whoever claimed these is dead.
    await connection.run(clearClaims);
    connection.giveBack();
    return assemble({
      profile: 'embedded',
      lanes: 1,
      atOnce: 1,
      batchMax: EMBEDDED_BATCH_MAX,
      engine: database,
      reads: database,
      waking: noWaking,
      style: { begin: 'begin', locks: true, numbersTransactions: true, historyBase: base, namesShard: false },
      // One table after the other, so that steps pass between them.
      tidy: async () => {
        for (const statement of tidyStatements) await database.run(statement);
      },
      afterClose: () => lock?.release(),
    });
  } catch (error) {
    lock?.release();
    throw error;
  }
}

const ping: Statement = { name: 'ping', text: 'select 1' };
const databaseTime: Statement = {
  name: 'database_time',
  text: 'select (extract(epoch from clock_timestamp()) * 1000)::bigint as now',
};

type Parts = {
  readonly profile: Store['profile'];
  readonly lanes: number;
  /** Transactions of the engine that run at once; the connections left over are for single statements. */
  readonly atOnce: number;
  readonly batchMax: number;
  readonly engine: Connections;
  readonly reads: Connections;
  readonly waking: Waking;
  readonly style: TransactionStyle;
  readonly tidy: () => Promise<void>;
  readonly afterClose: () => void;
};

function assemble(parts: Parts): Store {
  const { engine, reads, waking } = parts;
  const lookup = makeLookup(engine);
  const transactions = parts.style.namesShard ? inTurn(engine, parts.atOnce) : engine;
  let closing: Promise<void> | null = null;
  return {
    profile: parts.profile,
    batchMax: parts.batchMax,
    lanes: parts.lanes,
    begin: (requests) => beginTransaction(transactions, parts.style, lookup, requests),
    // Where the settings of a session go with each `begin`, a question outside of a transaction would be planned without them.
    look: parts.style.locks && parts.style.begin === 'begin' ? (requests) => lookAtRows(engine, requests) : null,
    saveAtOnce: parts.style.locks ? (save, remembered) => saveAtOnce(engine, parts.style, save, remembered) : null,
    ...(parts.style.namesShard ? makeDueByShard(engine) : makeDue(engine)),
    ...openTables(openOnDatabase(engine, reads)),
    ...makeRetire(engine, parts.style.namesShard),
    ...makeFold(engine, parts.style.historyBase !== null),
    databaseTime: async () => (await engine.run(databaseTime)).rows[0]?.['now'] as number,
    ping: async () => {
      await reads.run(ping);
    },
    onWake: waking.onWake,
    wakeOthers: waking.wakeOthers,
    read: makeReads(reads, parts.style.historyBase),
    figures: makeFigures(reads, parts.profile),
    connections: () => [
      { pool: 'engine', used: 0, idle: 0, ...engine.figures?.() },
      // The embedded database has one connection for everything.
      ...(reads === engine ? [] : [{ pool: 'reads' as const, used: 0, idle: 0, ...reads.figures?.() }]),
    ],
    onKeys: waking.onKeys,
    tellKeys: waking.tellKeys,
    onRegistry: waking.onRegistry,
    tellRegistry: waking.tellRegistry,
    tidy: parts.tidy,
    close: () => {
      closing ??= (async () => {
        await waking.close();
        await reads.close();
        await engine.close();
        parts.afterClose();
      })();
      return closing;
    },
  };
}
