import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { checkDatabase } from '../../src/server/check-database.ts';
import { readConfig } from '../../src/server/config.ts';
import { start } from '../../src/server/start.ts';
import { openEvents } from '../support/event-stream.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';
import { send, startParticipant } from '../support/server.ts';
import { finish, type Outcome } from './play.ts';
import { PARTICIPANT } from './workflows.ts';

/*
 * What each release left in the middle (scripts/record-release.ts) is taken up by this one, and ends as that release itself would have brought it to
 * its end; and the statements that release sends still mean something on the tables of this one, so that its nodes can go on beside.
 */

type Recorded = {
  readonly ids: Readonly<Record<string, string>>;
  readonly outcomes: Readonly<Record<string, Outcome>>;
  readonly statements: readonly string[];
};
const folder = join(import.meta.dirname, 'fixtures');
const releases = readdirSync(folder).flatMap((name) => (name.endsWith('.json') ? [basename(name, '.json')] : []));
const recorded = (release: string): Recorded =>
  JSON.parse(readFileSync(join(folder, `${release}.json`), 'utf8')) as Recorded;
/** How far the history of each has come. */
async function lastOf(url: string, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const last = new Map<string, number>();
  for (const id of ids) {
    const answer = await send(url, 'GET', `/v1/workflows/${id}/history?order=desc&limit=1`);
    last.set(id, answer.json<{ history: readonly { n: number }[] }>().history[0]?.n ?? 0);
  }
  return last;
}
const playOf = (ids: Readonly<Record<string, string>>) => ({ ids: new Map(Object.entries(ids)) });

test('there is a recording of the first release', () => expect(releases).toContain('0.1.0'));

describe.each(releases)('what %s left', (release) => {
  const { ids, outcomes, statements } = recorded(release);

  test.runIf(hasPostgres())('in Postgres goes on, and ends as it would have', { timeout: 120_000 }, async () => {
    const database = await freshDatabase({ empty: true });
    const participant = await startParticipant();
    await database.query(readFileSync(join(folder, `${release}.sql`), 'utf8').replaceAll(PARTICIPANT, participant.url));
    const server = await start(
      readConfig({ DATABASE_URL: database.url, PORT: '0', LOG_LEVEL: 'silent', TEST_CLOCK: '1' }),
    );
    // Who reads all events from now on is told of all that follows; what the release before wrote has no place in them.
    const reader = await openEvents(server.url, '/v1/events/stream');
    await reader.upTo('live');
    const before = await lastOf(server.url, Object.values(ids));
    expect(await finish(server.url, playOf(ids))).toEqual(outcomes);
    const after = await lastOf(server.url, Object.values(ids));
    const owed = [...after].flatMap(([id, last]) =>
      Array.from({ length: last - (before.get(id) ?? 0) }, (_, i) => `${id} ${(before.get(id) ?? 0) + 1 + i}`),
    );
    const told: string[] = [];
    while (told.length < owed.length) {
      const event = await reader.next();
      if (event === null) break;
      const { workflow_id, n } = JSON.parse(event.data) as { readonly workflow_id?: string; readonly n?: number };
      if (workflow_id === undefined || n === undefined) continue;
      if (n > (before.get(workflow_id) ?? n) && n <= (after.get(workflow_id) ?? 0)) told.push(`${workflow_id} ${n}`);
    }
    reader.cut();
    expect(owed.length).toBeGreaterThan(100);
    expect(told.sort()).toEqual(owed.sort());
    await server.stop();
    expect(await checkDatabase({ databaseUrl: database.url, dataDir: 'memory:' })).toEqual([]);
    await participant.stop();
    await database.drop();
  });

  test('in a folder goes on, and ends as it would have', { timeout: 120_000 }, async () => {
    const data = mkdtempSync(join(tmpdir(), 'rota-folder-'));
    const tar = brotliDecompressSync(readFileSync(join(folder, `${release}.data.br`)));
    execFileSync('tar', ['-C', data, '-xf', '-'], { input: tar });
    const inFolder = JSON.parse(readFileSync(join(data, 'rota-recorded.json'), 'utf8')) as Recorded['ids'];
    const server = await start(readConfig({ DATA_DIR: data, PORT: '0', LOG_LEVEL: 'silent', TEST_CLOCK: '1' }));
    const ended = await finish(server.url, playOf(inFolder));
    const wanted = Object.fromEntries(Object.keys(inFolder).map((title) => [title, outcomes[title]]));
    expect(ended).toEqual(wanted);
    await server.stop();
    rmSync(data, { recursive: true });
  });

  /** Statements that this schema refuses, and columns that a row from before would lack. */
  async function misfits(client: pg.Client): Promise<readonly string[]> {
    const refused: string[] = [];
    for (const [n, text] of statements.entries()) {
      // What prepares nothing (begin, set, notify) is not about tables.
      if (!/^\s*(?:with|select|insert|update|delete)\b/i.test(text)) continue;
      await client.query(`prepare old_${n} as ${text}`).catch((error: unknown) => {
        refused.push(`${error instanceof Error ? error.message : String(error)}: ${text.slice(0, 200)}`);
      });
    }
    const { rows } = await client.query<{ missing: string }>(
      `select table_name || '.' || column_name as missing from information_schema.columns
       where table_schema = 'public' and is_nullable = 'NO' and column_default is null and is_identity = 'NO' and is_generated = 'NEVER'`,
    );
    const written = statements.filter((text) => /\binsert into\b/i.test(text));
    for (const { missing } of rows) {
      const [table, column] = missing.split('.') as [string, string];
      const into = written.filter((text) => new RegExp(`insert into ${table}\\b`, 'i').test(text));
      if (into.some((text) => !new RegExp(`\\b${column}\\b`).test(text)))
        refused.push(`${missing} has to be given, and was not known`);
    }
    return refused;
  }

  test.runIf(hasPostgres())(
    'its nodes ask of the tables is there, and a migration that takes it away is found',
    async () => {
      expect(statements.length).toBeGreaterThan(20);
      const database = await freshDatabase();
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      expect(await misfits(client)).toEqual([]);
      for (const planted of [
        'alter table workitem drop column participant',
        'alter table agenda rename column due_at to due',
        'alter table history add column planted text not null',
      ]) {
        await client.query('deallocate all');
        await client.query('begin');
        await client.query(planted);
        await client.query('savepoint planted');
        const found = misfitsWithin(client);
        expect((await found).length, planted).toBeGreaterThan(0);
        await client.query('rollback');
      }
      await client.end();
      await database.drop();
    },
  );

  /** The same in a transaction that goes on after what is refused. */
  async function misfitsWithin(client: pg.Client): Promise<readonly string[]> {
    const query = client.query.bind(client) as (text: string) => Promise<unknown>;
    const careful = Object.assign(Object.create(client) as pg.Client, {
      query: async (text: string) => {
        try {
          return await query(text);
        } catch (error) {
          await query('rollback to savepoint planted');
          throw error;
        }
      },
    });
    return misfits(careful);
  }
});
