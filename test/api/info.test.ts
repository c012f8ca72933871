import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { postJson, send, startServer } from '../support/server.ts';

let server: Running;
beforeAll(async () => {
  server = await startServer({ RETAIN_ENDED: '7', TEST_CLOCK: '1' });
}, 120_000);
afterAll(() => server.stop(), 60_000);

test('the server says what it is, what it can do, and what to look at', async () => {
  const answer = await send(server.url, 'GET', '/v1/info');
  const info = answer.json<{ features: readonly string[]; limits: Record<string, number> }>();
  expect(info).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    auth: 'open',
    store: 'embedded',
    role: 'all',
    test_clock: true,
    retention: { ended_days: 7, audit_days: 400, batches_days: 30 },
    warnings: [expect.stringContaining('TEST_CLOCK')],
  });
  expect(info.limits['value_depth']).toBe(300);
  const { paths } = (await send(server.url, 'GET', '/openapi.json')).json<{
    paths: Record<string, Record<string, { operationId: string }>>;
  }>();
  const described = Object.values(paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
  expect(info.features).toEqual(described.filter((id) => !/^(openapi|docs)/.test(id)).sort());
});

// The last one: from here on nobody gets in without that key.
test('it says that callers are told apart as soon as there is a key', async () => {
  const made = await postJson(server.url, '/v1/keys', { name: 'first', scopes: ['admin'] });
  expect(made.status).toBe(201);
  expect((await send(server.url, 'GET', '/v1/info')).json()).toMatchObject({ auth: 'required' });
});
