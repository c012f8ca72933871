import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ownMigrations } from '../../src/store/migrate.ts';
import { openStore } from '../../src/store/open.ts';
import { FREE_TABLES } from '../../src/store/tables/all.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { exerciseEverything, exerciseTheRest } from './exercise.ts';
import { inPartitions, PARTITIONS } from './partitions.ts';
import { everyStatementOf } from './table-statements.ts';

/*
 * What engines that are many machines refuse (docs/scaling.md) occurs nowhere: not in the migrations, not in the text of the room, and
 * not in what is really sent.
 */

type Rule = { readonly what: string; readonly pattern: RegExp };

/** Refused by one or the other of Citus, YugabyteDB, CockroachDB, Aurora DSQL. */
const NOWHERE: readonly Rule[] = [
  { what: 'a sequence', pattern: /\b(small|big)?serial\b|\bsequence\b|\bnextval\b|\bgenerated\b|\bidentity\b/ },
  { what: 'a trigger', pattern: /\btrigger\b/ },
  { what: 'a procedure', pattern: /\bplpgsql\b|\bcreate (or replace )?(function|procedure)\b|\bdo \$/ },
  { what: 'a foreign key', pattern: /\breferences\b|\bforeign key\b/ },
  { what: 'a deferrable or exclusion constraint', pattern: /\bdeferr(able|ed)\b|\bexclude using\b/ },
  { what: 'an index other than a btree', pattern: /\busing (gist|gin|hash|brin|spgist)\b/ },
  { what: 'a temporary table', pattern: /\btemp(orary)?\b/ },
  { what: 'truncate', pattern: /\btruncate\b/ },
  { what: 'a savepoint', pattern: /\bsavepoint\b/ },
  { what: 'an advisory lock', pattern: /\bpg_(try_)?advisory/ },
  { what: 'a partition', pattern: /(?<!over \()\bpartition (by|of)\b|\binherits \(/ },
  { what: 'an extension', pattern: /\bextension\b/ },
];
/** Also not where every shard is somewhere else. */
const NOT_DISTRIBUTED: readonly Rule[] = [
  { what: 'skip locked', pattern: /\bskip locked\b|\bnowait\b/ },
  { what: 'listen or notify', pattern: /\b(un)?listen\b|\bpg_notify\b|^notify\b/ },
  { what: 'numbers of transactions', pattern: /\bpg_current_xact_id\b|\bpg_xact_status\b|\btxid_/ },
  { what: 'a row lock', pattern: /\bfor (no key )?(update|share)\b|\bfor key share\b/ },
];

const broken = (text: string, rules: readonly Rule[]): readonly string[] =>
  rules.filter(({ pattern }) => pattern.test(text.toLowerCase())).map(({ what }) => what);

/** Tables that a statement changes, each as often as it does. */
const changed = (text: string): readonly string[] =>
  [...text.matchAll(/\b(?:insert into|delete from|(?<!do )(?<!for )update)\s+(\w+)/gi)].map(([, table = '']) => table);

const room = fileURLToPath(new URL('../../src/store/', import.meta.url));
const sources = readdirSync(room, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(room, file), 'utf8') }));
const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(--|\/\/).*$/gm, '');

test('the rules find what they are there for', () => {
  const bad = [
    ['create table a (id bigserial)', 'a sequence'],
    ['a bigint generated always as identity', 'a sequence'],
    ['create trigger t before update on a', 'a trigger'],
    ['create or replace function f() returns int', 'a procedure'],
    ['a text references b (id)', 'a foreign key'],
    ['unique (a) deferrable initially deferred', 'a deferrable or exclusion constraint'],
    ['create index i on a using gist (b)', 'an index other than a btree'],
    ['create temp table a (b int)', 'a temporary table'],
    ['truncate workflow', 'truncate'],
    ['savepoint a', 'a savepoint'],
    ['select pg_try_advisory_xact_lock(1)', 'an advisory lock'],
    ['create table a (b int) partition by hash (b)', 'a partition'],
    ['select 1 for update skip locked', 'skip locked'],
    ['LISTEN rota_wake', 'listen or notify'],
    ['select pg_current_xact_id()', 'numbers of transactions'],
  ] as const;
  for (const [text, what] of bad) expect(broken(text, [...NOWHERE, ...NOT_DISTRIBUTED]), text).toContain(what);
  expect(
    changed('with a as (delete from t), b as (insert into t values (1) on conflict do update set x = 1) select 1'),
  ).toEqual(['t', 't']);
  expect(changed('update t set x = 1 where y in (select 1 from z for update of z)')).toEqual(['t']);
});

test.each(readdirSync(ownMigrations()))(
  'migration %s uses nothing that only one Postgres on one machine has',
  (file) => {
    const sql = withoutComments(readFileSync(join(ownMigrations(), file), 'utf8'));
    expect(broken(sql, NOWHERE)).toEqual([]);
    expect(sql.toLowerCase()).not.toMatch(/\bjsonb\b/);
    for (const [, name = '', body = ''] of sql.matchAll(/create table (\w+) \(([\s\S]*?)\n\)/g)) {
      const keys = [...body.matchAll(/primary key \((\w+)|\bunique\b/g)];
      if (/\bworkflow_id\b/.test(body) || name === 'workflow')
        for (const [key, first] of keys) expect(first, `${name}: ${key} begins with the shard`).toBe('shard');
    }
  },
);

test.each(sources.map(({ file }) => file))('%s says nothing of the kind', (file) => {
  const text = withoutComments(sources.find((source) => source.file === file)?.text ?? '');
  const strings = [...text.matchAll(/`[^`]*`|'[^'\n]*'/g)].map(([string]) => string);
  // The runner of migrations locks where the database can, and what failed has to let go of it.
  // A tenant that moves between cells goes from one plain Postgres to another, and its rows wait there in the order in which they came.
  const may: Readonly<Record<string, string>> = { 'migrate.ts': 'an advisory lock', 'moving.ts': 'a sequence' };
  const rules = NOWHERE.filter(({ what }) => !Object.hasOwn(may, file) || may[file] !== what);
  for (const string of strings) expect(broken(string, rules), string).toEqual([]);
});

type Recorded = { readonly name: string; readonly text: string; readonly values: readonly unknown[] };

describe.runIf(hasPostgres())('what is sent', () => {
  const databases: Database[] = [];
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => Promise.all(databases.map((database) => database.drop())));

  /** Everything a store sends to the database while all of it is used. */
  async function recorded(profile: 'postgres' | 'distributed', database: Database): Promise<readonly Recorded[]> {
    databases.push(database);
    const store = await openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared: true, profile });
    const sent = vi.spyOn(pg.Client.prototype, 'query');
    await exerciseEverything(store);
    const old = new pg.Client({ connectionString: database.url });
    await old.connect();
    await old.query(`insert into definition values ('old', 'old', now() - interval '30 days')`);
    await old.query(`insert into definition values ('older', 'older', now() - interval '30 days')`);
    await old.end();
    await store.retire({ endedBefore: 2, now: 2, limit: 10 });
    await exerciseTheRest(store);
    const calls: readonly (readonly unknown[])[] = sent.mock.calls;
    const seen = calls.flatMap(([first]): readonly Recorded[] =>
      typeof first === 'object' && first !== null && 'name' in first && 'text' in first && 'values' in first
        ? [{ name: String(first.name), text: String(first.text), values: first.values as readonly unknown[] }]
        : [],
    );
    vi.restoreAllMocks();
    await store.close();
    return seen;
  }

  let plain: readonly Recorded[];
  let distributed: readonly Recorded[];
  let partitions: Database;
  beforeAll(async () => {
    plain = await recorded('postgres', await freshDatabase());
    partitions = await freshDatabase();
    await inPartitions(partitions);
    distributed = await recorded('distributed', partitions);
  });

  test('every statement of the room is among it', () => {
    const known = new Set([...plain, ...distributed].flatMap(({ name }) => [name, name.replace(/_in_shard$/, '')]));
    // Those of the tables that belong to no workflow are made from their columns (table-statements.ts).
    const named = sources
      .filter(({ file }) => !file.startsWith('tables'))
      .flatMap(({ text }) => [...text.matchAll(/\bname: '(\w+)'/g)].map(([, name = '']) => name));
    expect(named.length).toBeGreaterThan(40);
    const missing = named.filter((name) => !known.has(name));
    // Sent when a commit was lost (two-nodes.test.ts, at-once.test.ts), or when an embedded database is opened.
    const elsewhere = ['clear_claims', 'history_token', 'token_read', 'transaction_status', 'written'];
    expect(missing.sort()).toEqual(elsewhere);
  });

  test('holds nothing that distributed engines refuse', () => {
    for (const { name, text } of [...plain, ...distributed]) expect(broken(text, NOWHERE), name).toEqual([]);
    for (const { name, text } of distributed) expect(broken(text, NOT_DISTRIBUTED), name).toEqual([]);
  });

  test('whatever can be asked of a table that belongs to no workflow is understood by the database, and is nothing of the kind', async () => {
    const client = new pg.Client({ connectionString: partitions.url });
    await client.connect();
    onTestFinished(() => client.end());
    for (const table of FREE_TABLES) {
      const sent = await everyStatementOf(table);
      expect(sent.length).toBeGreaterThan(4);
      for (const { text, values } of sent) {
        expect(broken(text, [...NOWHERE, ...NOT_DISTRIBUTED]), text).toEqual([]);
        // What is counted in a batch is counted with its items: two tables, each once.
        // A version of a definition is stored with all that hangs on it, or not at all; so is what is counted in a batch.
        if (table.name !== 'definition_name') {
          expect(changed(text).length, text).toBeLessThanOrEqual(table.name === 'batch_item' ? 2 : 1);
          expect(new Set(changed(text)).size, text).toBe(changed(text).length);
        }
        await client.query(`explain ${text}`, [...values]);
      }
    }
  });

  test('changes no table twice in one statement where that is not allowed', () => {
    expect(plain.some(({ text }) => new Set(changed(text)).size < changed(text).length)).toBe(true);
    for (const { name, text } of distributed) expect(changed(text).length, name).toBe(new Set(changed(text)).size);
    expect(distributed.filter(({ text }) => changed(text).length > 1).map(({ name }) => name)).toContain(
      'retire_in_shard',
    );
  });

  test('goes to one shard, but for the questions of those who look on and of those who emit events', async () => {
    const scattered = new Set<string>();
    const placed = new Set<string>();
    const client = new pg.Client({ connectionString: partitions.url });
    await client.connect();
    onTestFinished(() => client.end());
    for (const { name, text, values } of distributed) {
      // Postgres reads no more of a name, and takes one for another.
      expect(name.length, name).toBeLessThanOrEqual(63);
      if (name.startsWith('tidy')) continue;
      // A plan for these very values leaves out the partitions it has no use for.
      const { rows } = await client.query<{ 'QUERY PLAN': unknown }>(`explain (format json) ${text}`, [...values]);
      const plan = JSON.stringify(rows[0]?.['QUERY PLAN']);
      const shards = new Set([...plan.matchAll(/"Relation Name":"\w+?_part_(\d+)"/g)].map(([, part]) => part));
      const rowsGiven = values.flatMap((value) => [...String(value).matchAll(/"s":(\d+)/g)].map(([, shard]) => shard));
      if (shards.size > 1 || new Set(rowsGiven).size > 1)
        scattered.add(
          name.replace(
            /^(read_workflows|read_workflow_rows|read_errors|read_messages_owed|read_messages_spent|read_timers|count_workflows|figures|found)_\w*$/,
            '$1',
          ),
        );
      else if (shards.size === 1 || rowsGiven.length > 0) placed.add(name);
      if (changed(text).length > 0)
        expect(shards.size, `${name} writes to ${shards.size} shards`).toBeLessThanOrEqual(1);
    }
    expect([...scattered].sort()).toEqual([
      'anyone_hears',
      'attribute_none',
      'count_workflows',
      'figures',
      'find_waits',
      'found',
      'hearers_by_name',
      'hearers_of_any',
      'meeting_waiters_at_free',
      'read_counts',
      'read_errors',
      'read_glance',
      'read_messages_owed',
      'read_messages_spent',
      'read_standings',
      'read_timers',
      'read_workflow_rows',
      'read_workflows',
      'read_workitems_of_participant',
      'read_workitems_of_tenant',
      'read_workitems_within',
    ]);
    expect(placed.size).toBeGreaterThan(40);
    expect(PARTITIONS).toBeGreaterThan(1);
  });
});
