import type pg from 'pg';
import { SHARDS, shardOf } from '../model/ids.ts';
import { saveAtOnce } from './at-once.ts';
import { makeAttributes } from './attributes.ts';
import { type Connections, inTurn, persist, postgresPool, type Statement } from './connections.ts';
import { type DataDirLock, lockDataDir } from './data-dir-lock.ts';
import { openEmbedded } from './embedded.ts';
import { makeErasing } from './erase.ts';
import { makeFigures } from './figures.ts';
import { makeFold } from './fold.ts';
import { makeHosts, shownHosts } from './hosts.ts';
import { makeMeeting } from './meeting-open.ts';
import { clearClaims, makeDue, makeDueByShard, NEXT_DUE, SHARD_INDEXES } from './messages.ts';
import { checkMigrated, migrate, ownMigrations, pendingSqlOf } from './migrate.ts';
import { makeLookup } from './outcome.ts';
import {
  CLIENT_MS,
  IDLE_IN_TRANSACTION_MS,
  LOCK_MS,
  LONG_CLIENT_MS,
  LONG_STATEMENT_MS,
  QUIET_MS,
  STATEMENT_MS,
  UNWRITTEN_MS_MAX,
} from './patience.ts';
import { isMixedUp, isPooled, MIXED_UP_WORDS } from './pooler.ts';
import { historyBase } from './positions.ts';
import { makeReads } from './reads.ts';
import { isHopeless } from './refusals.ts';
import { makeRetire } from './retire.ts';
import { type Store, StoreUnavailable, WronglySet } from './store.ts';
import { FREE_TABLES, openTables } from './tables/all.ts';
import { makeChangeMarks } from './tables/change-mark.ts';
import { BELOW_WORKFLOW, WORKFLOW } from './tables/of-workflow.ts';
import { openOnDatabase } from './tables/on-database.ts';
import { beginTransaction, lookAtRows, type TransactionStyle } from './transaction.ts';
import { makeWaking, noWaking, type Waking } from './wake.ts';
import { makeWriteHealth } from './write-health.ts';

/*
 * Opens a store, on Postgres or in this process. It is one thing: both ways put the same parts together, in the same order.
 */

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
  /** false: tables that are not as they should be are a NotMigrated, and nothing is changed. */
  readonly migrates?: boolean;
  /** The embedded database is gone for good, as after an error of the disk; the message says why and what to do. Nothing works from here on:
   * the process should end, with a code that tells a supervisor to start it again. */
  readonly onEnd?: (error: Error) => void;
  /** Whether a server without a synchronous standby is worth a warning. */
  readonly durable?: boolean;
  /** Told what somebody should look at, with a fixed name for programs. */
  readonly warn?: (event: string, message: string) => void;
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
/** At start Postgres may be starting as well. */
const START_RETRIES = 60;
const START_MS = 40_000;

/** Plans are made once and kept, on tables that may still be empty: no plan that only suits small tables is allowed. */
export const PLANNING = [
  'plan_cache_mode = force_generic_plan',
  'enable_seqscan = off',
  'enable_bitmapscan = off',
  'enable_hashjoin = off',
  'enable_mergejoin = off',
  'jit = off',
];
/** Of a node that was cut off the outcome is known before the looking up ends (outcome.ts). Who takes no lock before it writes (at-once.ts)
 * may find a row locked by a node that froze, and everything behind it in its lane waits as well: not longer than for a lock. */
const patience = (statementMs: number): readonly string[] => [
  `idle_in_transaction_session_timeout = '${IDLE_IN_TRANSACTION_MS}ms'`,
  `lock_timeout = '${LOCK_MS}ms'`,
  `statement_timeout = '${statementMs}ms'`,
];
const SERIALIZABLE = `default_transaction_isolation = 'serializable'`;

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
      settings.log?.(
        `The connection for ${what} to Postgres at ${shownHosts(databaseUrl)} was lost; it will be made again. If it stays away, check DATABASE_URL and that Postgres runs`,
        error,
      );
  const hosts = makeHosts(databaseUrl);
  const migrator = await persist(
    async () => {
      const client = new hosts.Client({ application_name: 'rota migrate' });
      client.on('error', trouble('migrations'));
      await client.connect();
      return client;
    },
    {
      hosts: hosts.count,
      retries: START_RETRIES,
      withinMs: START_MS,
      ...(settings.onWaiting === undefined ? {} : { onFailure: settings.onWaiting }),
    },
  ).catch((error: unknown) => {
    if (error instanceof StoreUnavailable && isHopeless(error.cause))
      throw new WronglySet(`DATABASE_URL does not let this server in: ${(error.cause as Error).message}`, {
        cause: error.cause,
      });
    throw error;
  });
  let base: number | null = null;
  let pooled = false;
  let most = 0;
  try {
    pooled = await isPooled(migrator);
    most = await connectionsOf(migrator);
    const dir = settings.migrationsDir ?? ownMigrations();
    if (settings.migrates === false) await checkMigrated(migrator, dir);
    else await migrate(migrator, dir, { locks: !distributed, isPooled: pooled });
    if (settings.durable === true) await tellStandbys(migrator, settings.warn);
    if (pooled && settings.prepared) settings.warn?.('database.pooler', POOLER_WORDS);
    if (pooled && /[?&]target_session_attrs=/.test(databaseUrl))
      settings.warn?.(
        'database.pooler',
        'A pooler does not tell which of its servers can write: name the hosts in its file, and leave target_session_attrs out of DATABASE_URL',
      );
    if (distributed) {
      if (settings.migrates !== false) for (const text of SHARD_INDEXES) await migrator.query(text);
    } else base = await historyBase(migrator);
  } finally {
    await migrator.end();
  }

  const connectionsMax = Math.max(4, settings.connectionsMax ?? CONNECTIONS_DEFAULT);
  const tellQuiet = quietToldSeldom(shownHosts(databaseUrl), settings.log);
  const readsMax = Math.max(1, Math.floor(connectionsMax / 3));
  const tellSilence = toldSeldom(shownHosts(databaseUrl), settings.log);
  const pool = (
    name: PoolName | 'house',
    max: number,
    session: readonly string[],
    patienceMs = CLIENT_MS,
  ): Connections =>
    postgresPool({
      hosts,
      name: `rota ${name}`,
      max,
      prepared: settings.prepared,
      session: settings.prepared ? setAll(session, 'set') : '',
      patienceMs,
      onTrouble: (error) => {
        if (name !== 'house') settings.meter?.lost(name);
        trouble(name)(error);
      },
      onTaken: (seconds) => name !== 'house' && settings.meter?.waited(name, seconds),
      onSilence: tellSilence,
      // House-keeping asks for what takes long.
      ...(name === 'house' ? {} : { onQuiet: tellQuiet }),
    });
  const sessionOf = (statementMs: number): readonly string[] => [
    ...PLANNING,
    ...patience(statementMs),
    ...(distributed ? [SERIALIZABLE] : []),
  ];
  // One connection is the listener's. That of the house-keeping is there for some seconds of each minute, and is not among `connectionsMax`.
  const engine = pool('engine', connectionsMax - readsMax - 1, sessionOf(STATEMENT_MS));
  const reads = pool('reads', readsMax, [...patience(STATEMENT_MS), 'jit = off']);
  const house = pool('house', 1, sessionOf(LONG_STATEMENT_MS), LONG_CLIENT_MS);
  if (pooled && settings.prepared)
    await engine.run(databaseTime).catch(async (error: unknown) => {
      await engine.close();
      throw error instanceof Error && isMixedUp(error.cause) ? new WronglySet(MIXED_UP_WORDS, { cause: error }) : error;
    });
  const start = distributed ? 'begin isolation level serializable' : 'begin';
  const begin = settings.prepared
    ? start
    : `${start}; ${setAll([...PLANNING, ...patience(STATEMENT_MS)], 'set local')}`;
  const atOnce = Math.min(LANES, Math.max(1, connectionsMax - readsMax - 2));
  return assemble({
    profile: distributed ? 'distributed' : 'postgres',
    // A lane for each shard keeps a transaction within one.
    lanes: distributed ? SHARDS : atOnce,
    atOnce,
    batchMax: BATCH_MAX,
    engine,
    reads,
    house,
    waking: distributed ? noWaking(false) : makeWaking(hosts, trouble('waking')),
    style: {
      begin,
      locks: !distributed,
      numbersTransactions: !distributed,
      historyBase: base,
      namesShard: distributed,
    },
    tidy: async () => {},
    room: pooled ? null : { own: connectionsMax, most },
    afterClose: () => {},
  });
}

/** How often silence is told. */
const SILENCE_TOLD_MS = 60_000;

/** Tells of silent connections once a minute, with their number since the last time. */
function toldSeldom(where: string, log: StoreSettings['log']): (connections: number) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  let silent = 0;
  return (connections) => {
    silent += connections;
    const now = performance.now();
    if (now - toldAt < SILENCE_TOLD_MS) return;
    toldAt = now;
    log?.(
      `Postgres at ${where} did not answer for ${CLIENT_MS / 1000} s; ${silent} connection${silent === 1 ? ' is' : 's are'} thrown away or asked whether they still work`,
      new StoreUnavailable('A statement was given up'),
    );
    silent = 0;
  };
}

/** Tells that nothing is answered, at most once a minute. */
function quietToldSeldom(where: string, log: StoreSettings['log']): () => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - toldAt < SILENCE_TOLD_MS) return;
    toldAt = now;
    log?.(
      `Postgres at ${where} has answered nothing for ${QUIET_MS / 1000} s; it is waited for. If it stays away, check DATABASE_URL and that Postgres runs`,
      new StoreUnavailable('Nothing was answered'),
    );
  };
}

const POOLER_WORDS =
  'There is a pooler between this server and Postgres: in its transaction mode set DATABASE_PREPARED=0 (docs/operating.md, PgBouncer)';

/** Connections that the server takes from a user such as ours. */
async function connectionsOf(migrator: pg.Client): Promise<number> {
  const { rows } = await migrator.query<{ most: number }>(
    `select current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer as most`,
  );
  return rows[0]?.most ?? 0;
}

/** Says so when the server acknowledges commits that only it has. */
async function tellStandbys(client: pg.Client, warn: StoreSettings['warn']): Promise<void> {
  const { rows } = await client.query<{ names: string; commit: string }>(
    `select current_setting('synchronous_standby_names') as names, current_setting('synchronous_commit') as commit`,
  );
  const [said] = rows;
  if (said === undefined || (said.names.trim() !== '' && !['off', 'local'].includes(said.commit))) return;
  warn?.(
    'database.not_durable',
    `DURABLE is 1, but Postgres waits for no standby (synchronous_standby_names is "${said.names}", synchronous_commit is ${said.commit}): ` +
      'the last moments before a failover would be lost',
  );
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
    const dir = settings.migrationsDir ?? ownMigrations();
    if (settings.migrates === false) await checkMigrated(database.client, dir);
    else await migrate(database.client, dir, { isAlone: true });
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
      house: database,
      waking: noWaking(true),
      style: { begin: 'begin', locks: true, numbersTransactions: true, historyBase: base, namesShard: false },
      // One table after the other, so that steps pass between them.
      room: null,
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
  /** For what looks at many rows: it may take longer than a step. */
  readonly house: Connections;
  readonly waking: Waking;
  readonly style: TransactionStyle;
  readonly tidy: () => Promise<void>;
  readonly room: NonNullable<Store['connectionRoom']> | null;
  readonly afterClose: () => void;
};

function assemble(parts: Parts): Store {
  const { engine, reads, house, waking } = parts;
  const lookup = makeLookup(engine);
  const transactions = parts.style.namesShard ? inTurn(engine, parts.atOnce) : engine;
  const health = makeWriteHealth();
  const tables = openTables(openOnDatabase(engine, reads));
  const isCommitted = (outcome: string): boolean => outcome === 'committed';
  let closing: Promise<void> | null = null;
  return {
    profile: parts.profile,
    batchMax: parts.batchMax,
    lanes: parts.lanes,
    begin: async (requests) => {
      const transaction = await beginTransaction(transactions, parts.style, lookup, requests);
      return {
        ...transaction,
        commit: (save) => health.watch(() => transaction.commit(save), isCommitted),
      };
    },
    // Where the settings of a session go with each `begin`, a question outside of a transaction would be planned without them.
    look: parts.style.locks && parts.style.begin === 'begin' ? (requests) => lookAtRows(engine, requests) : null,
    saveAtOnce: parts.style.locks
      ? (save, remembered) => health.watch(() => saveAtOnce(engine, parts.style, save, remembered), isCommitted)
      : null,
    ...(parts.style.namesShard ? makeDueByShard(engine) : makeDue(engine)),
    ...tables,
    nodes: { ...tables.nodes, beat: (node) => health.watch(() => tables.nodes.beat(node)) },
    ...makeRetire(house, parts.style.namesShard),
    ...makeFold(house, parts.style.historyBase !== null),
    attributes: makeAttributes(house, tables.settings, parts.style.locks),
    erasing: parts.style.namesShard ? null : makeErasing(house, shardOf),
    meeting: makeMeeting(engine, reads, parts.style),
    databaseTime: async () => (await engine.run(databaseTime)).rows[0]?.['now'] as number,
    ping: async () => {
      if (!health.isGood())
        throw new StoreUnavailable(
          `The database took no write for ${UNWRITTEN_MS_MAX / 1000} s; look at its disk, its locks and its standbys`,
        );
      await reads.run(ping);
    },
    ...makeChangeMarks(engine, FREE_TABLES, parts.style.namesShard ? null : NEXT_DUE),
    onWake: waking.onWake,
    hearsWakes: waking.hearsWakes,
    wakeOthers: waking.wakeOthers,
    read: makeReads(reads, parts.style.historyBase),
    figures: makeFigures(reads, parts.profile),
    connections: () => [
      { pool: 'engine', used: 0, idle: 0, waiting: 0, ...engine.figures?.() },
      // The embedded database has one connection for everything.
      ...(reads === engine ? [] : [{ pool: 'reads' as const, used: 0, idle: 0, waiting: 0, ...reads.figures?.() }]),
    ],
    ...(parts.room === null ? {} : { connectionRoom: parts.room }),
    onKeys: waking.onKeys,
    tellKeys: waking.tellKeys,
    onRegistry: waking.onRegistry,
    tellRegistry: waking.tellRegistry,
    tidy: parts.tidy,
    close: () => {
      closing ??= (async () => {
        await waking.close();
        await Promise.all([...new Set([reads, house, engine])].map((connections) => connections.close()));
        parts.afterClose();
      })();
      return closing;
    },
  };
}

/** What brings the tables of a database up to date, as SQL; null: those of an empty one. */
export async function pendingSql(databaseUrl: string | null, dir = ownMigrations()): Promise<string> {
  if (databaseUrl === null) return pendingSqlOf(null, dir);
  const client = new (makeHosts(databaseUrl).Client)({ application_name: 'rota migrate' });
  await client.connect();
  try {
    return await pendingSqlOf(client, dir);
  } finally {
    await client.end();
  }
}
