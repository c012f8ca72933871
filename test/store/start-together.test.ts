import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { ownMigrations } from '../../src/store/migrate.ts';
import { type ChildServers, makeChildServers } from '../support/child-server.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { postJson, send } from '../support/server.ts';

const SERVERS = 5;

describe.runIf(hasPostgres())('an empty Postgres', { timeout: 180_000 }, () => {
  let database: Database | null = null;
  let processes: ChildServers | null = null;
  afterEach(async () => {
    await processes?.close();
    await database?.drop();
    database = null;
  });

  test('five servers, each a process, that start at once all come up, know each other and share the work', async () => {
    database = await freshDatabase({ empty: true });
    const { url } = database;
    const made = makeChildServers();
    processes = made;
    const servers = await Promise.all(Array.from({ length: SERVERS }, () => made.start({ DATABASE_URL: url })));
    expect(new Set(servers.map((server) => server.url)).size).toBe(SERVERS);
    for (const server of servers) expect((await send(server.url, 'GET', '/readyz')).status).toBe(200);

    const workflow = JSON.stringify(['define', { name: 'short' }, [['noop', {}, []]]]);
    const ids = await Promise.all(
      servers.map(async (server) => {
        const launched = await postJson(server.url, '/v1/workflows', { workflow, callback: 'http://127.0.0.1:9/' });
        expect(launched.status, launched.text).toBe(201);
        return launched.json<{ readonly id: string }>().id;
      }),
    );
    for (const server of servers)
      for (const id of ids) {
        const shown = (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ readonly status: string }>();
        expect(shown.status).toBe('completed');
      }
    // Each wrote its beat before it was ready.
    const rows = await database.query('select id, url from node where lease_until > now()');
    expect(rows.map((row) => row['url']).sort()).toEqual(servers.map((server) => server.url).sort());
    expect(await database.query('select name from migration order by id')).toHaveLength(
      readdirSync(ownMigrations()).length,
    );
  });
});
