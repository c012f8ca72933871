import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkDatabase } from '../../src/server/check-database.ts';
import { readConfig } from '../../src/server/config.ts';
import { type Running, start } from '../../src/server/start.ts';
import { isOver, proceed } from '../race/proceeds.ts';
import { findBinaries } from '../support/cluster.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { type Participant, postJson, startParticipant } from '../support/server.ts';

/* The drill of docs/operating.md: dump under load, restore into a spare database, check it, go on there. */

const run = promisify(execFile);
const bin = findBinaries();

describe.runIf(hasPostgres() && bin !== null)('a backup that was made under load', () => {
  const launched: string[] = [];
  let source: Database;
  let restored: Database;
  let folder: string;
  let participant: Participant;
  let server: Running | null = null;
  const tool = (name: string, ...words: string[]) =>
    run(join(dirname(realpathSync(join(bin ?? '', 'pg_ctl'))), name), words, { env: { ...process.env, LC_ALL: 'C' } });
  const check = (database: Database) => checkDatabase({ databaseUrl: database.url, dataDir: 'memory:' });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rota-backup-'));
    source = await freshDatabase();
    restored = await freshDatabase({ empty: true });
    participant = await startParticipant();
    const config = readConfig({ DATABASE_URL: source.url, PORT: '0', LOG_LEVEL: 'silent' });
    const first = await start(config);
    let isDumped = false;
    // Launches, and answers to every second of them, as long as the dump takes.
    const load = (async () => {
      for (let n = 0; !isDumped || n < 20; n++) {
        const workflow = `define\n  concurrence\n    alpha\n    sequence\n      wait '2d'\n      beta`;
        const answer = await postJson(first.url, '/v1/workflows', { workflow, callback: participant.url });
        launched.push(answer.json<{ id: string }>().id);
        const received = await participant.next();
        if (n % 2 === 0) await proceed(first, received);
      }
    })();
    await tool('pg_dump', '-Fc', '--no-owner', '-f', join(folder, 'dump'), '-d', source.url);
    isDumped = true;
    await load;
    await first.stop();
    await tool('pg_restore', '--no-owner', '--exit-on-error', '-d', restored.url, join(folder, 'dump'));
  });
  afterAll(async () => {
    await server?.stop();
    await participant.stop();
    await source.drop();
    await restored.drop();
    await rm(folder, { recursive: true, force: true });
  });

  test('is a state that existed, as is what it was made of', async () => {
    expect(await check(restored)).toEqual([]);
    expect(await check(source)).toEqual([]);
  });

  test('is gone on with: what waits can be answered, and new work is taken', async () => {
    server = await start(readConfig({ DATABASE_URL: restored.url, PORT: '0', LOG_LEVEL: 'silent' }));
    const answer = await postJson(server.url, '/v1/workflows', {
      workflow: 'define\n  alpha',
      callback: participant.url,
    });
    const { id } = answer.json<{ id: string }>();
    for (;;) {
      // Messages that were owed when the dump was made may come first.
      const received = await participant.next();
      expect((await proceed(server, received)).status).toBe(201);
      if (received.body.workflow_id === id) break;
    }
    await isOver(server, id);
    expect(await check(restored)).toEqual([]);
  });

  test('whose rows do not fit is found out', async () => {
    const waiting = await source.query(
      `select w.id from workflow w join workitem t on t.shard = w.shard and t.workflow_id = w.id
       where w.ended_at is null and t.path <> '0' order by w.id limit 3`,
    );
    const [one, two, three] = waiting.map((row) => row['id'] as string);
    await source.query('update history set first_n = 2 where workflow_id = $1 and first_n = 1', [one]);
    await source.query(`update workflow set last_n = last_n + 1 where id = $1`, [two]);
    await source.query('delete from branch where workflow_id = $1', [two]);
    await source.query('delete from workflow where id = $1', [three]);
    const found = (await check(source)).map(({ what, workflows }) => [what, ...workflows]);
    expect(found).toContainEqual(['gaps in histories', one]);
    expect(found).toContainEqual(['workflows whose history does not end with their last entry', two]);
    expect(found).toContainEqual(['rows of branch that belong to no workflow', three]);
    expect(found).toContainEqual(['rows of history that belong to no workflow', three]);
    expect(found).toContainEqual(['workitems that wait at an expression whose strand is not there', two]);
  });
});
