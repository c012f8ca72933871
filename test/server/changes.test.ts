import { afterAll, beforeAll, expect, test } from 'vitest';
import { changedSettings } from '../../src/server/changes.ts';
import { readConfig } from '../../src/server/config.ts';
import type { Running } from '../../src/server/start.ts';
import { postJson, send, startServer } from '../support/server.ts';

/* What a server that runs takes up of settings that were read anew. */

let server: Running;
beforeAll(async () => {
  server = await startServer({ TENANT_WORKFLOWS_MAX: '2' });
}, 120_000);
afterAll(() => server.stop(), 60_000);

test('what may change is told apart from what needs a restart', () => {
  const before = readConfig({ PORT: '1', LOG_LEVEL: 'info' });
  const after = readConfig({
    ...{
      PORT: '2',
      LOG_LEVEL: 'debug',
      RATE_LIMIT_KEY: '1/1',
      OVERDUE: '{"boss":1}',
      SECRETS_KEY: `${'A'.repeat(43)}=`,
    },
    HOSTS: '[{"host":"a.example","tries_max":1}]',
  });
  expect(changedSettings(before, before)).toEqual({ taken: [], restart: [] });
  expect(changedSettings(before, after)).toEqual({
    taken: ['RATE_LIMIT_KEY', 'LOG_LEVEL', 'OVERDUE', 'HOSTS'],
    restart: ['PORT', 'SECRETS_KEY'],
  });
});

test('a tenant has no more workflows under way than it may, and one that ended makes room', async () => {
  const launch = () =>
    postJson(server.url, '/v1/workflows', { workflow: 'define\n  alpha', callback: 'http://127.0.0.1:1/' });
  const [first, second, third] = [await launch(), await launch(), await launch()];
  expect([first.status, second.status, third.status]).toEqual([201, 201, 422]);
  expect(third.json()).toMatchObject({ code: 'limit_exceeded' });
  await send(server.url, 'POST', `/v1/workflows/${first.json<{ id: string }>().id}/kill`);
  expect((await launch()).status).toBe(201);
  const headers = { 'Rota-Tenant': 'other' };
  const other = await postJson(
    server.url,
    '/v1/workflows',
    { workflow: 'define\n  alpha', callback: 'http://127.0.0.1:1/' },
    headers,
  );
  expect(other.status).toBe(201);
});

test('origins of pages and rates hold from then on, and end again', async () => {
  const origin = { Origin: 'https://app.example' };
  const asked = () => send(server.url, 'GET', '/v1/workflows', { headers: origin });
  expect((await asked()).headers['access-control-allow-origin']).toBeUndefined();
  const settings = { DATA_DIR: 'memory:', PORT: '0' };
  server.reload(readConfig({ ...settings, CORS_ORIGINS: 'https://app.example', RATE_LIMIT_ADDRESS: '2/3600' }));
  const first = await asked();
  expect(first.headers['access-control-allow-origin']).toBe('https://app.example');
  expect(first.headers['access-control-expose-headers']).toContain('Rota-Warning');
  expect(first.headers['ratelimit']).toMatch(/^"address";r=1;t=\d+$/);
  expect([(await asked()).status, (await asked()).status]).toEqual([200, 429]);
  server.reload(readConfig(settings));
  const last = await asked();
  expect([last.status, last.headers['access-control-allow-origin'], last.headers['ratelimit']]).toEqual([
    ...[200, undefined, undefined],
  ]);
});
