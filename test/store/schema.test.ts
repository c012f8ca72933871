import { describe, expect, test } from 'vitest';
import { openEmbedded } from '../../src/store/embedded.ts';
import { migrate, ownMigrations } from '../../src/store/migrate.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { schemaOf } from './schema.ts';

/*
 * schema.sql is what the migrations come to, so that a review sees it. After a new migration: `npx vitest run test/store/schema.test.ts -u`.
 */
const SNAPSHOT = './schema.sql';

test('the embedded database has the tables of schema.sql', async () => {
  const database = await openEmbedded('memory:', true);
  await migrate(database.client, ownMigrations(), { isAlone: true });
  const schema = await schemaOf(async (text) => (await database.client.query(text)).rows);
  await database.close();
  await expect(schema).toMatchFileSnapshot(SNAPSHOT);
});

describe.runIf(hasPostgres())('on Postgres', () => {
  test('the database has the tables of schema.sql', async () => {
    const database = await freshDatabase();
    const schema = await schemaOf((text) => database.query(text));
    await database.drop();
    await expect(schema).toMatchFileSnapshot(SNAPSHOT);
  });

  test('whatever is changed by hand is seen', async () => {
    const database = await freshDatabase();
    const before = await schemaOf((text) => database.query(text));
    for (const change of [
      'alter table agenda alter column path set not null',
      'alter table agenda add constraint extra check (due_at > 0)',
      'create index extra_index on agenda (kind)',
      'alter table agenda set (fillfactor = 70)',
      'create sequence extra_sequence',
      'create view extra_view as select 1 as one',
      'create table extra_table (a int primary key)',
    ]) {
      const last = await schemaOf((text) => database.query(text));
      await database.query(change);
      expect(await schemaOf((text) => database.query(text)), change).not.toBe(last);
    }
    expect(await schemaOf((text) => database.query(text))).toContain(before.slice(0, 20));
    await database.drop();
  });
});
