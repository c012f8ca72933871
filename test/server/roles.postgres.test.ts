import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

describe.runIf(hasPostgres())('two nodes on one Postgres', () => {
  let database: Database;
  let api: Running;
  let worker: Running;
  let participant: Participant;
  beforeAll(async () => {
    database = await freshDatabase();
    participant = await startParticipant();
    const settings = { DATABASE_URL: database.url, TEST_CLOCK: '1', ALLOW_PRIVATE_TARGETS: '1' };
    api = await startServer({ ...settings, ROLE: 'api', BASE_URL: 'https://rota.example/workflows/' });
    worker = await startServer({ ...settings, ROLE: 'worker', BASE_URL: 'https://rota.example/workflows/' });
  }, 120_000);
  afterAll(async () => {
    await api.stop();
    await worker.stop();
    await participant.stop();
    await database.drop();
  }, 120_000);

  test('share the work: one answers requests, the other delivers', async () => {
    const body = { workflow: 'define\n  alpha\n  bravo', callback: participant.url };
    const { id } = (await postJson(api.url, '/v1/workflows', body)).json<{ id: string }>();
    const alpha = await participant.next();
    // The public address is put before the path, its prefix included.
    expect(alpha.body.proceed_url).toBe(
      `https://rota.example/workflows/v1/workflows/${id}/workitems/${alpha.body.workitem_id}/proceed`,
    );
    const path = `/v1/workflows/${id}/workitems/${alpha.body.workitem_id}/proceed`;
    expect((await postJson(api.url, path, { fields: { a: 1 } })).status).toBe(201);
    expect((await participant.next()).body).toMatchObject({ participant: 'bravo', fields: { a: 1 } });
  });

  test('fire timers where the worker is', async () => {
    const body = { workflow: "define\n  sequence\n    wait '1s'\n    charly", callback: participant.url };
    await postJson(api.url, '/v1/workflows', body);
    expect((await participant.next()).body).toMatchObject({ participant: 'charly' });
  });

  test('know each other, from their next beat on', async () => {
    for (const node of [api, worker])
      await until('it knows both', async () => {
        const { nodes } = (await send(node.url, 'GET', '/v1/nodes')).json<{
          nodes: { role: string; alive: boolean }[];
        }>();
        const seen = nodes.map(({ role, alive }) => `${role} ${alive}`).sort();
        return seen.join() === 'api true,worker true';
      });
  });

  test('do not move the test clock beside each other', async () => {
    const answer = await postJson(api.url, '/v1/test/clock', { advance: 1 });
    expect([answer.status, answer.json()['code']]).toEqual([409, 'conflict']);
  });

  test('a table that is not as it should be is told without a stack, and the process lives', async () => {
    await database.query('alter table batch rename to batch_elsewhere');
    const broken = await send(api.url, 'GET', '/v1/batches', { headers: { 'X-Request-Id': 'broken-7' } });
    await database.query('alter table batch_elsewhere rename to batch');
    expect([broken.status, broken.headers['content-type']]).toEqual([500, 'application/problem+json']);
    expect(broken.json()).toMatchObject({ code: 'internal', retryable: true, request_id: 'broken-7' });
    expect(broken.text).not.toMatch(/batch_elsewhere|relation|\.ts:|select/);
    expect((await send(api.url, 'GET', '/v1/batches')).status).toBe(200);
  });

  test('the worker answers for itself only', async () => {
    expect((await send(worker.url, 'GET', '/readyz')).status).toBe(200);
    expect((await send(worker.url, 'GET', '/v1/workflows')).status).toBe(404);
  });
});

describe.runIf(hasPostgres())('a worker that is told no address', () => {
  test('hands out that of a node that answers requests, even one that starts later', { timeout: 120_000 }, async () => {
    const database = await freshDatabase();
    const participant = await startParticipant();
    const worker = await startServer({ DATABASE_URL: database.url, ROLE: 'worker' });
    const api = await startServer({ DATABASE_URL: database.url, ROLE: 'api' });
    try {
      await postJson(api.url, '/v1/workflows', { workflow: 'define\n  alpha\n  bravo', callback: participant.url });
      const { body } = await participant.next();
      expect(body.proceed_url.startsWith(`${api.url}/v1/`)).toBe(true);
      const { origin, pathname } = new URL(body.proceed_url);
      expect((await postJson(origin, pathname, {})).status).toBe(201);
      expect((await participant.next()).body.participant).toBe('bravo');
    } finally {
      await worker.stop();
      await api.stop();
      await participant.stop();
      await database.drop();
    }
  });
});
