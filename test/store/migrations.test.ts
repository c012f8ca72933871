import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PG_MIGRATE_LOCK_ID, runner } from 'node-pg-migrate';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { migrationSql } from '../../src/server/open.ts';
import { migrate, ownMigrations } from '../../src/store/migrate.ts';
import { openStore } from '../../src/store/open.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { schemaOf } from './schema.ts';

const files = readdirSync(ownMigrations()).sort();

/** The first line of a migration that nodes of the release before cannot survive; the CHANGELOG has to name the file. */
const BREAKING = /^--! breaking: \S/;

/** Statements that take something away from a server of the release before. */
const takenAway = (sql: string): readonly string[] =>
  sql
    .replaceAll(/--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => /\b(drop (table|column)|rename|alter column \w+ (type|set not null))\b/i.test(statement));

test('migrations are plain sql, each with a number of its own, and only go forward', () => {
  const numbers = files.map((file) => {
    expect(file).toMatch(/^\d{4}_[a-z0-9_]+\.sql$/);
    return Number(file.slice(0, 4));
  });
  expect(new Set(numbers).size).toBe(numbers.length);
  // 0003 is the last one with a way back: nothing runs it, and a migration that was released is never changed.
  const wayBack = files.filter((file) => /^-- Down Migration/m.test(readFileSync(join(ownMigrations(), file), 'utf8')));
  expect(wayBack.every((file) => Number(file.slice(0, 4)) <= 3)).toBe(true);
});

test('a migration that old nodes cannot survive is named in the CHANGELOG', () => {
  const changelog = readFileSync(join(ownMigrations(), '..', 'CHANGELOG.md'), 'utf8');
  const breaking = files.filter((file) => BREAKING.test(readFileSync(join(ownMigrations(), file), 'utf8')));
  expect(breaking.filter((file) => !changelog.includes(file.replace('.sql', '')))).toEqual([]);
});

test('a migration that takes something away from old nodes says so', () => {
  const bad = 'create table a (b int); alter table a drop column b; alter table a alter column c type text';
  expect(takenAway(bad)).toHaveLength(2);
  expect(takenAway('-- drop table a\ndrop index i; alter table a drop constraint c')).toEqual([]);
  for (const file of files.filter((name) => Number(name.slice(0, 4)) > 3)) {
    const text = readFileSync(join(ownMigrations(), file), 'utf8');
    if (!BREAKING.test(text)) expect(takenAway(text), `${file} lacks a first line "--! breaking: …"`).toEqual([]);
    // Nodes know it by its name, which the database keeps.
    expect(/^\d{4}_breaking_/.test(file), file).toBe(BREAKING.test(text));
  }
});

describe.runIf(hasPostgres())('on Postgres', () => {
  test('the SQL that is printed does what a migration does, and a server that may not migrate asks for it', async () => {
    const database = await freshDatabase();
    const before = await schemaOf((text) => database.query(text));
    await database.query('drop schema public cascade');
    await database.query('create schema public');
    const refused = openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared: true, migrates: false });
    await expect(refused).rejects.toThrow('rota migrate');
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(await migrationSql(database.url));
    expect(await schemaOf((text) => database.query(text))).toBe(before);
    await client.end();
    expect(await migrationSql(database.url)).not.toContain('begin;');
    const store = await openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared: true, migrates: false });
    await store.close();
    await database.drop();
  });

  test('the SQL that is printed for tables that are there builds their indexes while others write, outside of a transaction', async () => {
    const database = await freshDatabase();
    const before = await schemaOf((text) => database.query(text));
    await database.query('drop schema public cascade');
    await database.query('create schema public');
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await runner({
      ...{ dbClient: client, dir: ownMigrations(), direction: 'up', count: 3 },
      ...{ migrationsTable: 'migration', log: () => {} },
    });
    const sql = await migrationSql(database.url);
    expect(sql).toContain('create index concurrently history_position on history (position)');
    // A table that comes with it is empty.
    expect(sql).toMatch(/create index api_key_newest on api_key/);
    for (const transaction of sql.matchAll(/^begin;$.*?^commit;$/gms))
      expect(transaction[0]).not.toContain('concurrently');
    // As psql does: one statement after the other.
    for (const statement of sql.split(/;\s*$/m)) if (/^\s*[a-z]/m.test(statement)) await client.query(statement);
    expect(await schemaOf((text) => database.query(text))).toBe(before);
    await database.query('drop index history_position');
    expect(await migrationSql(database.url)).toMatch(/create index concurrently history_position/);
    await client.end();
    await database.drop();
  });

  test('a migration that old nodes cannot survive waits for them to end, and is refused by them afterwards', async () => {
    const database = await freshDatabase();
    const folder = mkdtempSync(join(tmpdir(), 'rota-migrations-'));
    cpSync(ownMigrations(), folder, { recursive: true });
    writeFileSync(
      join(folder, '9999_breaking_workitem.sql'),
      '--! breaking: a test\nalter table workitem drop column fields',
    );
    const settings = { databaseUrl: database.url, dataDir: 'memory:', prepared: true } as const;
    const old = await openStore(settings);
    await old.nodes.beat({
      id: 'old',
      name: 'old',
      role: 'all',
      url: 'http://old',
      version: '0.0.9',
      leaseSeconds: 30,
    });
    await expect(openStore({ ...settings, migrationsDir: folder })).rejects.toThrow(
      /9999_breaking_workitem is one that nodes of the release before cannot survive, and some live: old \(0\.0\.9\)/,
    );
    await old.nodes.leave('old');
    await old.close();
    await (await openStore({ ...settings, migrationsDir: folder })).close();
    for (const migrates of [true, false])
      await expect(openStore({ ...settings, migrates })).rejects.toThrow(
        /newer version of Rota has changed the database in a way this one cannot work with \(9999_breaking_workitem;/,
      );
    rmSync(folder, { recursive: true });
    await database.drop();
  });

  test('a database that is up to date is only asked, one that is not is brought up to date', async () => {
    const database = await freshDatabase();
    const client = new pg.Client({ connectionString: database.url });
    const other = new pg.Client({ connectionString: database.url });
    await Promise.all([client.connect(), other.connect()]);
    const made = async (): Promise<readonly unknown[]> =>
      (await client.query('select name from migration order by name')).rows.map(({ name }) => `${name}.sql`);
    // Who had to migrate would wait for the lock.
    await other.query('select pg_advisory_lock($1)', [PG_MIGRATE_LOCK_ID]);
    await migrate(client, ownMigrations());
    await other.query('select pg_advisory_unlock($1)', [PG_MIGRATE_LOCK_ID]);

    const options = { dbClient: client, dir: ownMigrations(), migrationsTable: 'migration', log: () => {} };
    await client.query(`drop schema public cascade`);
    await client.query('create schema public');
    await runner({ ...options, direction: 'up', count: 2 });
    expect(await made()).toEqual(files.slice(0, 2));
    await migrate(client, ownMigrations());
    expect(await made()).toEqual(files);
    await Promise.all([client.end(), other.end()]);
    await database.drop();
  });

  test('an index that is not there, or was never finished, is built at the next start while others write', async () => {
    const database = await freshDatabase();
    const [client, holder, passing] = Array.from(
      { length: 3 },
      () => new pg.Client({ connectionString: database.url }),
    );
    await Promise.all([client?.connect(), holder?.connect(), passing?.connect()]);
    if (client === undefined || holder === undefined || passing === undefined) throw new Error('There are three');
    const before = await schemaOf((text) => database.query(text));
    await client.query('drop index workflow_definition');
    await client.query(`update pg_index set indisvalid = false where indexrelid = 'history_position'::regclass`);
    // Somebody writes, and is not done yet: the build waits for that, and nobody for the build.
    await holder.query('begin');
    await holder.query(`update workflow set ver = ver + 1`);
    let isBuilt = false;
    const building = migrate(client, ownMigrations()).then(() => {
      isBuilt = true;
    });
    const waits = async (): Promise<boolean> =>
      (
        await passing.query(
          `select 1 from pg_stat_activity where query like '%index concurrently%' and wait_event_type = 'Lock'`,
        )
      ).rows.length > 0;
    await until('the build waits', waits);
    await passing.query(`update workflow set ver = ver + 1`);
    expect(isBuilt).toBe(false);
    await holder.query('commit');
    await building;
    expect(await schemaOf((text) => database.query(text))).toBe(before);
    expect((await client.query('select 1 from pg_index where not indisvalid')).rows).toEqual([]);
    await Promise.all([client.end(), holder.end(), passing.end()]);
    await database.drop();
  });

  test('a node of the release before does not build again what a newer one has done away with', async () => {
    const database = await freshDatabase();
    await database.query('drop index workflow_definition');
    await database.query(`insert into migration (name, run_on) values ('9998_newer', now())`);
    const settings = { databaseUrl: database.url, dataDir: 'memory:', prepared: true } as const;
    const definitions = () => database.query(`select to_regclass('workflow_definition')::text as name`);
    await (await openStore(settings)).close();
    expect(await definitions()).toEqual([{ name: null }]);
    // Alone with its own migrations it was never finished.
    await database.query(`delete from migration where name = '9998_newer'`);
    await (await openStore(settings)).close();
    expect(await definitions()).toEqual([{ name: 'workflow_definition' }]);
    await database.drop();
  });

  test('a migration that waits for a table lets others pass', async () => {
    const database = await freshDatabase({ empty: true });
    const [client, holder, passing] = Array.from(
      { length: 3 },
      () => new pg.Client({ connectionString: database.url }),
    );
    await Promise.all([client?.connect(), holder?.connect(), passing?.connect()]);
    if (client === undefined || holder === undefined || passing === undefined) throw new Error('There are three');
    const options = { dbClient: client, dir: ownMigrations(), migrationsTable: 'migration', log: () => {} };
    await runner({ ...options, direction: 'up', count: 3 });
    // A report that reads for long: what alters the table has to wait for it.
    await holder.query('begin');
    await holder.query('select 1 from workflow');
    let isMade = false;
    const migrating = migrate(client, ownMigrations()).then(() => {
      isMade = true;
    });
    const waits = async (): Promise<boolean> =>
      (await passing.query(`select 1 from pg_locks where not granted and relation = 'workflow'::regclass`)).rows
        .length > 0;
    // It has waited, and given way: whoever reads the table behind it is not kept waiting by it.
    await until('the migration waits', waits);
    await passing.query('select 1 from workflow');
    expect(isMade).toBe(false);
    await holder.query('commit');
    await migrating;
    await Promise.all([client.end(), holder.end(), passing.end()]);
    await database.drop();
  });
});
