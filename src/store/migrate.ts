import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type MigrationBuilder, runner } from 'node-pg-migrate';
import type pg from 'pg';
import { WronglySet } from './store.ts';

/** How far above this file the folder of migrations may lie: it is beside `src` and beside what is built from it. */
const LEVELS_MAX = 5;

/** The folder `migrations` of this package. */
export function ownMigrations(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let level = 0; level < LEVELS_MAX; level++) {
    const candidate = join(folder, 'migrations');
    if (existsSync(join(candidate, '0001_tables.sql'))) return candidate;
    folder = dirname(folder);
  }
  throw new Error('The folder "migrations" is missing beside the program; install the package again');
}

/** A lock is waited for so long; steps that come behind wait as well. */
const LOCK_MS_MAX = 150;
/** Waits between, in which these go on, and how often: two minutes or so in all. */
const BETWEEN_MS = 300;
const LOCK_TRIES_MAX = 300;
/** What Postgres says when a lock was waited for too long. */
const LOCK_TIMEOUT = '55P03';

/** What Postgres says of a table that does not exist. */
const UNDEFINED_TABLE = '42P01';

/** How a file begins whose statements are no transaction: indexes that are built while steps go on. */
const NO_TRANSACTION = /^-- No transaction\b/;
/** The same as statements that may be in one. */
const withoutConcurrently = (text: string): string =>
  NO_TRANSACTION.test(text) ? text.replaceAll(/\bindex concurrently\b/g, 'index') : text;

/**
 * What the files do.
 *
 * @param builds whether indexes are built while others write: not where nobody else is there
 * @param full the tables that were there before and may hold much: their indexes are built afterwards (`buildIndexes`)
 */
const loaderOf = (builds: boolean, full: ReadonlySet<string>) => async (files: readonly string[]) => {
  const unitOf = async (file: string) => {
    const text = wayUp(await readFile(file, 'utf8'));
    const up = (builder: MigrationBuilder): void => {
      if (!builds || !NO_TRANSACTION.test(text))
        return void builder.sql(withoutIndexes(withoutConcurrently(text), full));
      builder.noTransaction();
      // Others go on while it waits for those that have begun before it, so it may.
      builder.sql('set lock_timeout = 0');
      for (const statement of text.split(/;\s*$/m)) if (/^\s*[a-z]/m.test(statement)) builder.sql(statement);
      builder.sql(`set lock_timeout = ${LOCK_MS_MAX}`);
    };
    return { id: file, filePaths: [file], actions: { up, down: false as const } };
  };
  return Promise.all(files.map(unitOf));
};

/** An index of a migration that is a transaction. */
type Index = { readonly name: string; readonly table: string; readonly statement: string };

const INDEX = /^create (unique )?index (?:if not exists )?(\w+)\s+on (\w+)\b([^;]*);/gim;

/** The same without the indexes of some tables. */
const withoutIndexes = (text: string, tables: ReadonlySet<string>): string =>
  text.replaceAll(INDEX, (statement, _unique, _name, table: string) => (tables.has(table) ? 'select 1;' : statement));

/** The indexes that the migrations of the folder leave behind, but for those of files that build them while steps go on. */
function indexesIn(dir: string): readonly Index[] {
  const found = new Map<string, Index>();
  for (const name of namesIn(dir)) {
    const text = wayUp(readFileSync(join(dir, `${name}.sql`), 'utf8'));
    for (const [, dropped = ''] of text.matchAll(/\bdrop index (?:concurrently )?(?:if exists )?(\w+)/gi))
      found.delete(dropped);
    if (NO_TRANSACTION.test(text)) continue;
    for (const [, unique = '', index = '', table = '', rest = ''] of text.matchAll(INDEX))
      found.set(index, {
        name: index,
        table,
        statement: `create ${unique}index concurrently ${index} on ${table}${rest}`,
      });
  }
  return [...found.values()];
}

/** Those of them that are not there, or were begun and never done. */
async function missingIndexes(client: Pick<pg.ClientBase, 'query'>, dir: string): Promise<readonly Index[]> {
  const indexes = indexesIn(dir);
  const { rows } = await client.query<{ name: string }>(
    `select name from unnest($1::text[]) as name left join pg_index i on i.indexrelid = to_regclass(name)
    where i.indexrelid is null or not i.indisvalid`,
    [indexes.map(({ name }) => name)],
  );
  const names = new Set(rows.map(({ name }) => name));
  return indexes.filter(({ name }) => names.has(name));
}

/** Builds indexes while steps go on: whoever writes waits for none of it. One server does it, others that start wait for it. */
async function buildIndexes(client: pg.ClientBase, dir: string): Promise<void> {
  for (;;) {
    if ((await missingIndexes(client, dir)).length === 0) return;
    const { rows } = await client.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [BUILD_LOCK_ID]);
    if (rows[0]?.mine === true) break;
    await wait(BETWEEN_MS);
  }
  try {
    for (const { name, statement } of await missingIndexes(client, dir)) {
      // It waits for transactions that began before it, and nobody waits for it.
      await client.query('set lock_timeout = 0');
      await client.query('set statement_timeout = 0');
      await client.query(`drop index concurrently if exists ${name}`);
      await client.query(statement);
    }
  } finally {
    await client.query('reset lock_timeout');
    await client.query('reset statement_timeout');
    await client.query('select pg_advisory_unlock($1)', [BUILD_LOCK_ID]);
  }
}
/** Whoever holds it builds the indexes. Any number that nobody else has. */
const BUILD_LOCK_ID = 7_241_865_325_823_966;

/** The tables of the database. */
async function tablesIn(client: Pick<pg.ClientBase, 'query'>): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = any(current_schemas(false))`,
  );
  return new Set(rows.map(({ name }) => name));
}

type MigrateOptions = {
  /** false where the database has no advisory locks; then only one server may migrate at a time. */
  readonly locks?: boolean;
  /** Whether a pooler is between: it would give the lock to somebody else. */
  readonly isPooled?: boolean;
  /** Whether no other process can be at work on the database, whatever its rows say of one that was killed. */
  readonly isAlone?: boolean;
};

/**
 * Brings the tables to the newest state. Servers that start together wait for each other.
 *
 * @throws WronglySet when there is something to do, and a pooler between, or nodes live that cannot survive it; or when a newer version has
 *   changed the tables so that this one cannot work with them
 */
export async function migrate(
  client: pg.ClientBase,
  dir: string,
  { locks = true, isPooled = false, isAlone = false }: MigrateOptions = {},
): Promise<void> {
  const standing = await standingOf(client, dir);
  const builds = !isAlone && locks;
  const isMigrated = standing !== 'behind';
  if (standing === 'up to date' && (!builds || (await missingIndexes(client, dir)).length === 0)) return;
  const missing = await refuseNewer(client, dir);
  // The tables are a newer version's: an index that seems to be missing that one has done away with, or is building.
  if (standing === 'ahead') return;
  if (isPooled)
    throw new WronglySet(
      'DATABASE_URL leads through a pooler, and the tables have to be brought up to date, which needs a session that stays the same: ' +
        'run rota migrate once with the address of Postgres itself, then start again',
    );
  if (isMigrated) return buildIndexes(client, dir);
  const full: ReadonlySet<string> = builds ? await tablesIn(client) : new Set();
  const run = (): Promise<unknown> =>
    runner({
      dbClient: client,
      dir,
      direction: 'up',
      migrationsTable: 'migration',
      // A lock is held no longer than the migration that wants it takes.
      singleTransaction: false,
      migrationLoaderStrategies: [{ extensions: ['.sql'], loader: loaderOf(!isAlone, full) }],
      ...(locks ? { advisoryLockMode: 'wait' as const } : { noLock: true }),
      log: () => {},
      logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    });
  if (!isAlone) await refuseBeside(client, missing.find(isBreaking));
  await client.query(`set lock_timeout = ${LOCK_MS_MAX}`);
  await unhurried(run, async () => {
    // The runner leaves what failed as it is: a transaction that is over, and in it a lock it could not give back.
    await client.query('rollback');
    if (locks) await client.query('select pg_advisory_unlock_all()');
  });
  await client.query('reset lock_timeout');
  if (builds) await buildIndexes(client, dir);
}

/**
 * Tries again while locks are held by others. Whoever waits for a lock of a whole table keeps everybody waiting who comes behind, so each wait
 * is brief; and whoever waits for another server that migrates takes turns with it.
 */
async function unhurried(run: () => Promise<unknown>, beforeAgain: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++)
    try {
      await run();
      return;
    } catch (error) {
      // Whatever else failed ends the start, and the connection with it.
      if (!(error instanceof Error && 'code' in error && error.code === LOCK_TIMEOUT)) throw error;
      if (attempt === LOCK_TRIES_MAX)
        throw new Error(
          `A table could not be locked for a migration, ${LOCK_TRIES_MAX} times in a row: somebody holds it all the time. ` +
            'select * from pg_stat_activity order by xact_start names who; end that, then start again',
          { cause: error },
        );
      await beforeAgain();
      await wait(BETWEEN_MS);
    }
}

/**
 * Migrations that nodes of the release before cannot survive have this in their names (and their reason in the first line), so that these nodes can
 * tell them from others, of which they know nothing either.
 */
const BREAKING = /^\d+_breaking_/;
const isBreaking = (name: string): boolean => BREAKING.test(name);

/** @returns what is still to be made. @throws WronglySet when a newer version has made what this one cannot work with */
async function refuseNewer(client: Pick<pg.ClientBase, 'query'>, dir: string): Promise<readonly string[]> {
  const made = await madeIn(client);
  const own = namesIn(dir);
  const beyond = [...(made ?? [])].filter((name) => isBreaking(name) && !own.includes(name)).sort();
  if (beyond.length > 0)
    throw new WronglySet(
      `A newer version of Rota has changed the database in a way this one cannot work with (${beyond[0]}; the last migration it knows is ${own.at(-1)}): ` +
        'start the newer version, or restore the backup that was made before the upgrade',
    );
  return own.filter((name) => made?.has(name) !== true);
}

/** Living nodes of the release before would fail in the middle of their work. @throws WronglySet */
async function refuseBeside(client: Pick<pg.ClientBase, 'query'>, breaking: string | undefined): Promise<void> {
  if (breaking === undefined) return;
  const { rows: found } = await client.query<{ there: boolean }>(`select to_regclass('node') is not null as there`);
  if (found[0]?.there !== true) return;
  const { rows } = await client.query<{ id: string; version: string }>(
    'select id, version from node where lease_until > statement_timestamp() order by started_at limit 5',
  );
  if (rows.length > 0)
    throw new WronglySet(
      `The migration ${breaking} is one that nodes of the release before cannot survive, and some live: ` +
        `${rows.map(({ id, version }) => `${id} (${version})`).join(', ')}. Stop them, wait for their leases to end, and start this version then`,
    );
}

/** The tables are not as this version wants them, and it was told not to change them. */
export class NotMigrated extends Error {}

/** @throws NotMigrated when migrations of the folder have not been made; WronglySet when a newer version has made what this one cannot work with */
export async function checkMigrated(client: Pick<pg.ClientBase, 'query'>, dir: string): Promise<void> {
  const missing = await refuseNewer(client, dir);
  if (missing.length > 0)
    throw new NotMigrated(
      `The database lacks ${missing.length} migrations, from ${missing[0]} on, and MIGRATE is 0: run "rota migrate", or what "rota migrate --dump-sql" prints, first`,
    );
}

/** The migrations of a folder, in their order. */
const namesIn = (dir: string): readonly string[] =>
  readdirSync(dir)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => basename(file, '.sql'))
    .sort();

/** What is still to be made of the migrations of the folder, in their order. `client` null: of an empty database. */
export async function pending(client: Pick<pg.ClientBase, 'query'> | null, dir: string): Promise<readonly string[]> {
  const wanted = namesIn(dir);
  const made = client === null ? null : await madeIn(client);
  return wanted.filter((name) => made?.has(name) !== true);
}

/** The first of them have a way back, which nobody takes. */
const wayUp = (text: string): string => (text.split(/^-- Down Migration/m)[0] ?? '').trim();

/** How SQL begins that somebody runs by hand on tables that are there, and what is said before indexes are built. */
const BY_HAND = `-- For psql, as it is: psql -v ON_ERROR_STOP=1 -f this-file (not --single-transaction). Whoever waits for the lock of a table keeps all others waiting, so
-- nothing here waits for one longer than ${LOCK_MS_MAX} ms; what ends with "canceling statement due to lock timeout" has changed nothing: print what is left again, and run that.
set lock_timeout = '${LOCK_MS_MAX}ms';

`;
const INDEXES_BY_HAND = `-- Indexes of tables that are there already, built while others write: outside of any transaction, one after the other. One that was broken off is no good; its lines
-- drop it and build it again.
set lock_timeout = 0;
set statement_timeout = 0;
`;
const indexesByHand = (statements: readonly string[]): string =>
  `${INDEXES_BY_HAND}${statements.join('\n')}\nset lock_timeout = '${LOCK_MS_MAX}ms';\n\n`;

/**
 * The SQL of all that is still to be made, for whoever runs it by hand: migrations, each in a transaction with the note that it was made, then indexes of tables that are
 * there, `concurrently`, as `migrate` does it.
 *
 * @param client null: of an empty database, where nobody is to be kept waiting
 */
export async function pendingSqlOf(client: Pick<pg.ClientBase, 'query'> | null, dir: string): Promise<string> {
  const names = await pending(client, dir);
  const full: ReadonlySet<string> = client === null ? new Set() : await tablesIn(client);
  const parts: string[] = [];
  for (const name of names) {
    const text = wayUp(readFileSync(join(dir, `${name}.sql`), 'utf8'));
    const made = `insert into public.migration (name, run_on) values ('${name}', now());`;
    // Each is noted in its place: the runner wants them in their order.
    if (full.has('workflow') && NO_TRANSACTION.test(text)) parts.push(indexesByHand([text, made]));
    else parts.push(['begin;', withoutIndexes(withoutConcurrently(text), full), made, 'commit;\n\n'].join('\n'));
  }
  const missing = client === null ? [] : await missingIndexes(client, dir);
  const building = missing.filter(({ table }) => full.has(table));
  if (building.length > 0)
    parts.push(
      indexesByHand(building.map(({ name, statement }) => `drop index concurrently if exists ${name};\n${statement};`)),
    );
  return parts.length > 0 && full.has('workflow') ? BY_HAND + parts.join('') : parts.join('');
}

/** The migrations that were made. Null: the table that says so is not there. */
export async function madeIn(client: Pick<pg.ClientBase, 'query'>): Promise<ReadonlySet<string> | null> {
  try {
    // Where the runner keeps it: a search path that leads elsewhere makes no difference.
    const { rows } = await client.query<{ name: string }>('select name from public.migration');
    return new Set(rows.map(({ name }) => name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === UNDEFINED_TABLE) return null;
    throw error;
  }
}

/**
 * Whether exactly the migrations of the folder have been made, which is so at nearly every start, or others as well: a newer version's. One question
 * finds it out.
 */
async function standingOf(client: pg.ClientBase, dir: string): Promise<'up to date' | 'ahead' | 'behind'> {
  const wanted = namesIn(dir);
  const made = await madeIn(client);
  if (made === null || !wanted.every((name) => made.has(name))) return 'behind';
  return made.size === wanted.length ? 'up to date' : 'ahead';
}
