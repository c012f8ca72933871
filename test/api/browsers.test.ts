import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../../src/identity/key-text.ts';
import type { Running } from '../../src/server/start.ts';
import { type Answer, send, startServer } from '../support/server.ts';

/* What browsers are told, on answers of every kind. */

const key = makeKey().text;
const auth = { Authorization: `Bearer ${key}` };
const ALLOWED = 'https://app.test';

/** A success, a route that is not there, nobody, a wrong body. */
const asked = [
  ['GET', '/v1/workflows', auth, 200],
  ['GET', '/v1/nothing', auth, 404],
  ['GET', '/v1/workflows', {}, 401],
  ['POST', '/v1/keys', auth, 422],
] as const;

describe('with CORS_ORIGINS', () => {
  let server: Running;
  beforeAll(async () => {
    server = await startServer({ ADMIN_KEY: key, CORS_ORIGINS: ALLOWED, BASE_URL: 'https://rota.test' });
  }, 180_000);
  afterAll(() => server.stop(), 60_000);

  test.each(asked)(
    '%s %s: a page of an allowed origin may read the answer, others may not',
    async (method, path, headers, status) => {
      const from = (origin: string | null): Promise<Answer> =>
        send(server.url, method, path, { headers: { ...headers, ...(origin === null ? {} : { Origin: origin }) } });
      const allowed = await from(ALLOWED);
      expect(allowed.status).toBe(status);
      expect(allowed.headers['access-control-allow-origin']).toBe(ALLOWED);
      expect(allowed.headers['access-control-allow-credentials']).toBeUndefined();
      expect(String(allowed.headers['access-control-expose-headers'])).toContain('X-Request-Id');
      for (const origin of ['https://evil.test', null]) {
        const { headers: said } = await from(origin);
        expect(said['access-control-allow-origin']).toBeUndefined();
        expect(said['vary']).toContain('Origin');
      }
    },
  );

  test('a browser that asks first is told what it may do, without a key', async () => {
    const preflight = (origin: string): Promise<Answer> =>
      send(server.url, 'OPTIONS', '/v1/workflows', {
        headers: {
          Origin: origin,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'authorization,content-type',
        },
      });
    const { status, headers } = await preflight(ALLOWED);
    expect(status).toBe(204);
    expect(headers['access-control-allow-origin']).toBe(ALLOWED);
    expect(String(headers['access-control-allow-methods']).split(',').sort()).toEqual(
      expect.arrayContaining(['GET', 'PATCH', 'POST']),
    );
    expect(headers['access-control-allow-headers']).toBe('authorization,content-type');
    expect(headers['access-control-max-age']).toBe('600');
    expect((await preflight('https://evil.test')).headers['access-control-allow-origin']).toBeUndefined();
  });

  test('an https address is to be kept to, but for a name of the machine itself', async () => {
    const said = async (host: string): Promise<unknown> =>
      (await send(server.url, 'GET', '/v1/ping', { headers: { Host: host } })).headers['strict-transport-security'];
    expect(await said('rota.test')).toBe('max-age=31536000');
    for (const host of ['localhost:8080', 'rota.localhost', '127.0.0.1:8080', '[::1]'])
      expect(await said(host), host).toBeUndefined();
  });
});

describe('without', () => {
  let server: Running;
  beforeAll(async () => {
    server = await startServer({ ADMIN_KEY: key });
  }, 180_000);
  afterAll(() => server.stop(), 60_000);

  test.each(asked)(
    '%s %s: says nothing of origins, and that it may be neither framed, guessed at nor kept',
    async (method, path, headers, status) => {
      const answer = await send(server.url, method, path, { headers: { ...headers, Origin: ALLOWED } });
      expect(answer.status).toBe(status);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(answer.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'rota-version': expect.stringMatching(/^\d/),
      });
      expect(answer.headers['strict-transport-security']).toBeUndefined();
    },
  );
});
