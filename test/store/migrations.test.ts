import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PG_MIGRATE_LOCK_ID, runner } from 'node-pg-migrate';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { migrate, ownMigrations } from '../../src/store/migrate.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';

const files = readdirSync(ownMigrations()).sort();

test('migrations are plain sql, numbered without gaps, each with a way back', () => {
  files.forEach((file, i) => {
    expect(file).toMatch(new RegExp(`^${String(i + 1).padStart(4, '0')}_[a-z_]+\\.sql$`));
    const text = readFileSync(join(ownMigrations(), file), 'utf8');
    expect(text).toMatch(/^-- Up Migration\n[\s\S]*\n-- Down Migration\n/);
  });
});

describe.runIf(hasPostgres())('on Postgres', () => {
  test('all migrations can be taken back and made again', async () => {
    const database = await freshDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const tables = async (): Promise<readonly unknown[]> =>
      (await client.query(`select tablename from pg_tables where schemaname = 'public' order by 1`)).rows;
    const before = await tables();
    const options = { dbClient: client, dir: ownMigrations(), migrationsTable: 'migration', log: () => {} };
    await runner({ ...options, direction: 'down', count: files.length });
    expect(await tables()).toEqual([{ tablename: 'migration' }]);
    await runner({ ...options, direction: 'up' });
    expect(await tables()).toEqual(before);
    await client.end();
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
    await runner({ ...options, direction: 'down', count: 1 });
    expect(await made()).toEqual(files.slice(0, -1));
    await migrate(client, ownMigrations());
    expect(await made()).toEqual(files);
    await Promise.all([client.end(), other.end()]);
    await database.drop();
  });
});
