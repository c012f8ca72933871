import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../../src/identity/key-text.ts';
import type { Running } from '../../src/server/start.ts';
import { openEvents } from '../support/event-stream.ts';
import { type Answer, postForm, postJson, send, startServer } from '../support/server.ts';

/* Pages that sign in: the cookie, and what a cookie alone must not do. */

const admin = makeKey().text;
const PAGE = { 'Rota-Console': '1' };

/** The cookie an answer sets, as a browser sends it back. */
const cookieOf = (answer: Answer): string => String(answer.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';

describe('a page at loopback', () => {
  let server: Running;
  let own: string;
  beforeAll(async () => {
    server = await startServer({ ADMIN_KEY: admin, CORS_ORIGINS: 'https://app.test' });
    own = server.url;
  }, 180_000);
  afterAll(() => server.stop(), 60_000);

  const signIn = (headers: Record<string, string> = {}, key = admin): Promise<Answer> =>
    postJson(server.url, '/v1/session', { key }, headers);

  test('signs in with a key and is known by its cookie from then on', async () => {
    const answer = await signIn({ Origin: own });
    expect(answer.status).toBe(201);
    expect(answer.json()).toMatchObject({ kind: 'session', name: 'ADMIN_KEY', auth: 'required' });
    expect(answer.text).not.toContain(admin);
    const [set] = answer.headers['set-cookie'] as string[];
    expect(set).toMatch(/^rota=v1\.[^;]+; Path=\/; Max-Age=43\d{3}; HttpOnly; SameSite=Strict$/);
    const Cookie = `theme=dark; ${cookieOf(answer)}`;
    const me = await send(server.url, 'GET', '/v1/me', { headers: { Cookie, 'Rota-Tenant': 'acme' } });
    expect(me.json()).toMatchObject({ kind: 'session', tenant: 'acme' });
    expect((await send(server.url, 'GET', '/v1/info', { headers: { Cookie } })).json()).toHaveProperty('features');
    const out = await send(server.url, 'DELETE', '/v1/session', { headers: { Cookie, Origin: own, ...PAGE } });
    expect([out.status, String(out.headers['set-cookie'])]).toEqual([
      204,
      expect.stringContaining('rota=; Path=/; Max-Age=0'),
    ]);
  });

  test('changes something only where our own page says so twice', async () => {
    const Cookie = cookieOf(await signIn());
    const status = async (headers: Record<string, string>): Promise<unknown> => {
      const answer = await postJson(
        server.url,
        '/v1/definitions/validate',
        { workflow: 'define' },
        { Cookie, ...headers },
      );
      return answer.status === 200 ? 200 : answer.json()['code'];
    };
    expect(await status({ Origin: own, ...PAGE })).toBe(200);
    const host = new URL(own).host;
    for (const headers of [
      {},
      PAGE,
      { Origin: own },
      { Origin: own, 'Rota-Console': '0' },
      { Origin: 'https://app.test', ...PAGE },
      { Origin: 'null', ...PAGE },
      { Origin: `https://${host}`, ...PAGE },
      { Origin: 'http://evil.test', ...PAGE },
    ])
      expect(await status(headers as Record<string, string>), JSON.stringify(headers)).toBe('origin_not_allowed');
    // A key beside it is what counts.
    expect(await status({ Authorization: `Bearer ${admin}` })).toBe(200);
  });

  test('a page of somebody else signs nobody in and out, not even one that may call', async () => {
    for (const headers of [
      { Origin: 'https://app.test' },
      { Origin: 'http://evil.test' },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site' },
    ] as Record<string, string>[]) {
      const answers = [await signIn(headers), await send(server.url, 'DELETE', '/v1/session', { headers })];
      for (const answer of answers) {
        expect(answer.json()).toMatchObject({ status: 403, code: 'origin_not_allowed' });
        expect(answer.headers['set-cookie']).toBe(undefined);
      }
    }
    expect((await postForm(server.url, '/v1/session', `key=${admin}`)).json()).toMatchObject({
      status: 415,
      code: 'media_type_unsupported',
    });
  });

  test('a wrong key, and a cookie that is over, are refused in the same words; the cookie is taken back', async () => {
    const wrong = await signIn({}, makeKey().text);
    expect(wrong.json()).toMatchObject({ status: 401, code: 'credentials_invalid' });
    expect(wrong.headers['set-cookie']).toBe(undefined);
    const over = await send(server.url, 'GET', '/v1/me', { headers: { Cookie: 'rota=v1.x' } });
    expect(over.json()).toMatchObject({ status: 401, code: 'credentials_invalid', detail: wrong.json()['detail'] });
    expect(String(over.headers['set-cookie'])).toContain('Max-Age=0');
    // Whoever has such a cookie can still sign in.
    expect((await signIn({ Cookie: 'rota=v1.x' })).status).toBe(201);
  });

  test('signing in is never repeated from what is kept', async () => {
    const headers = { 'Idempotency-Key': 'twice' };
    const [one, two] = [await signIn(headers), await signIn(headers)];
    expect(two.status).toBe(201);
    expect(two.headers['idempotent-replayed']).toBe(undefined);
    expect([cookieOf(one), cookieOf(two)].every((cookie) => cookie.startsWith('rota=v1.'))).toBe(true);
  });

  test('an EventSource watches with a ticket, which opens nothing else', async () => {
    const Cookie = cookieOf(await signIn());
    const made = await postJson(server.url, '/v1/events/tickets', {}, { Cookie, Origin: own, ...PAGE });
    expect(made.status).toBe(201);
    const { ticket } = made.json<{ ticket: string }>();
    const stream = await openEvents(server.url, `/v1/events/stream?ticket=${ticket}`);
    expect(stream.status).toBe(200);
    await stream.upTo('live');
    stream.cut();
    expect((await send(server.url, 'GET', `/v1/me?ticket=${ticket}`)).json()).toMatchObject({
      code: 'unauthenticated',
    });
    expect((await send(server.url, 'GET', `/v1/events/stream?ticket=${ticket}x`)).json()).toMatchObject({
      status: 401,
      code: 'credentials_invalid',
    });
  });
});

test('behind https the cookie is bound to the host and to https', async () => {
  const server = await startServer({ ADMIN_KEY: admin, BASE_URL: 'https://rota.test' });
  const signedIn = await postJson(server.url, '/v1/session', { key: admin }, { Origin: 'https://rota.test' });
  await server.stop();
  expect(String(signedIn.headers['set-cookie'])).toMatch(
    /^__Host-rota=v1\.[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/,
  );
}, 120_000);

test('over plain http beyond loopback nobody can sign in, nor where nobody is asked', async () => {
  const server = await startServer({ ADMIN_KEY: admin, BASE_URL: 'http://rota.test' });
  const far = await postJson(server.url, '/v1/session', { key: admin }, { Host: 'rota.test' });
  await server.stop();
  expect(far.json()).toMatchObject({ status: 409, code: 'conflict', detail: expect.stringContaining('https') });
  const open = await startServer();
  const answers = [
    await postJson(open.url, '/v1/session', { key: admin }),
    await postJson(open.url, '/v1/events/tickets', {}),
  ];
  await open.stop();
  for (const answer of answers) expect(answer.json()).toMatchObject({ status: 409, code: 'conflict' });
}, 180_000);
