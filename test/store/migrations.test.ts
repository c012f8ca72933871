import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { ownMigrations } from '../../src/store/migrate.ts';
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
});
