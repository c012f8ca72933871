import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../../src/identity/key-text.ts';
import { ConfigError, readConfig } from '../../src/server/config.ts';
import { type Running, start } from '../../src/server/start.ts';
import { readyFolder } from '../support/ready-folder.ts';
import { type Answer, type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';

/* Who is let in: keys, tokens of workitems, and an open server that is not open to web pages. */

const DEFINITION = 'define\n  alpha\n';
const as = (key: string, more: Record<string, string> = {}): Record<string, string> => ({
  Authorization: `Bearer ${key}`,
  ...more,
});
const pathOf = (url: string): string => new URL(url).pathname + new URL(url).search;

describe('a server with keys', () => {
  const admin = makeKey().text;
  let server: Running;
  let alpha: Participant;
  beforeAll(async () => {
    alpha = await startParticipant();
    server = await startServer({ ADMIN_KEY: admin });
  }, 180_000);
  afterAll(async () => {
    await server.stop();
    await alpha.stop();
  }, 180_000);

  const made = async (body: object, headers = as(admin)): Promise<{ id: string; key: string }> => {
    const answer = await postJson(server.url, '/v1/keys', { name: 'k', scopes: ['read'], ...body }, headers);
    expect(answer.status, answer.text).toBe(201);
    return answer.json<{ id: string; key: string }>();
  };
  const launch = (key: string): Promise<Answer> =>
    postJson(server.url, '/v1/workflows', { workflow: DEFINITION, callback: alpha.url }, as(key));

  test('asks who is calling, in the way of the standard', async () => {
    const none = await send(server.url, 'GET', '/v1/workflows');
    expect(none.json()).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(none.headers['www-authenticate']).toBe('Bearer realm="rota"');
    for (const bad of ['nonsense', makeKey().text, `${admin.slice(0, -1)}${admin.endsWith('0') ? '1' : '0'}`]) {
      const refused = await send(server.url, 'GET', '/v1/workflows', { headers: as(bad) });
      expect(refused.json()).toMatchObject({ status: 401, code: 'credentials_invalid' });
      expect(refused.headers['www-authenticate']).toBe('Bearer realm="rota", error="invalid_token"');
    }
    const both = await send(server.url, 'GET', '/v1/workflows', { headers: as(admin, { 'X-API-Key': admin }) });
    expect(both.json()).toMatchObject({ status: 400, code: 'credentials_ambiguous' });
    expect((await send(server.url, 'GET', '/v1/workflows', { headers: { 'X-API-Key': admin } })).status).toBe(200);
    for (const open of ['/v1/ping', '/livez', '/readyz', '/openapi.json'])
      expect((await send(server.url, 'GET', open)).status, open).toBe(200);
  });

  test('a key may do what its scopes say and nothing else', async () => {
    const { key } = await made({ scopes: ['launch'] });
    expect((await launch(key)).status).toBe(201);
    const looked = await send(server.url, 'GET', '/v1/workflows', { headers: as(key) });
    expect(looked.json()).toMatchObject({ status: 403, code: 'scope_missing' });
    expect(looked.headers['www-authenticate']).toBe('Bearer realm="rota", error="insufficient_scope", scope="read"');
    const me = await send(server.url, 'GET', '/v1/me', { headers: as(key) });
    expect(me.json()).toMatchObject({
      kind: 'key',
      name: 'k',
      tenant: 'default',
      scopes: ['launch'],
      auth: 'required',
    });
    await alpha.next();
  });

  test('a key is shown once, also to who asks again with the same Idempotency-Key', async () => {
    const headers = as(admin, { 'Idempotency-Key': 'once' });
    const body = { name: 'once', scopes: ['read'] };
    const first = (await postJson(server.url, '/v1/keys', body, headers)).json<{ id: string; key: string }>();
    const again = await postJson(server.url, '/v1/keys', body, headers);
    expect(again.json()).toMatchObject({ id: first.id, key: null });
    const shown = await send(server.url, 'GET', `/v1/keys/${first.id}`, { headers: as(admin) });
    expect(shown.json()).toMatchObject({ id: first.id, status: 'active', prefix: `rota_${first.id}` });
    const list = await send(server.url, 'GET', '/v1/keys?status=active', { headers: as(admin) });
    for (const answer of [again, shown, list]) expect(answer.text).not.toContain(first.key.slice(18));
  });

  test('a key is exchanged and ended', async () => {
    const { id, key } = await made({});
    const rotated = await postJson(server.url, `/v1/keys/${id}/rotate`, { overlap_seconds: 0 }, as(admin));
    const fresh = rotated.json<{ key: string }>().key;
    const status = async (of: string): Promise<number> =>
      (await send(server.url, 'GET', '/v1/me', { headers: as(of) })).status;
    expect([await status(key), await status(fresh)]).toEqual([401, 200]);
    expect((await postJson(server.url, `/v1/keys/${id}/revoke`, { reason: 'lost' }, as(admin))).status).toBe(201);
    expect(await status(fresh)).toBe(401);
    for (const what of ['rotate', 'revoke'])
      expect((await postJson(server.url, `/v1/keys/${id}/${what}`, {}, as(admin))).json()).toMatchObject({
        status: 409,
        code: 'conflict',
      });
    expect((await postJson(server.url, '/v1/keys/Nobody000000/revoke', {}, as(admin))).json()).toMatchObject({
      status: 404,
      code: 'key_not_found',
    });
  });

  test('an administrator of one tenant makes keys of that tenant; one of all names any', async () => {
    const { key } = await made({ scopes: ['admin'], tenant: 'acme' });
    const own = await made({ scopes: ['operate'] }, as(key));
    expect((await send(server.url, 'GET', '/v1/me', { headers: as(own.key) })).json()).toMatchObject({
      tenant: 'acme',
    });
    for (const tenant of ['default', '*'])
      expect(
        (await postJson(server.url, '/v1/keys', { name: 'k', scopes: ['read'], tenant }, as(key))).json(),
      ).toMatchObject({ status: 403, code: 'scope_missing' });
    const listed = await send(server.url, 'GET', '/v1/keys', { headers: as(key, { 'Rota-Tenant': 'default' }) });
    expect(listed.json<{ keys: { tenant: string }[] }>().keys.every(({ tenant }) => tenant === 'acme')).toBe(true);
    const named = await send(server.url, 'GET', '/v1/me', { headers: as(admin, { 'Rota-Tenant': 'acme' }) });
    expect(named.json()).toMatchObject({ tenant: 'acme' });
    // What is no name is refused also where the name would not count.
    for (const one of [admin, key]) {
      const odd = await send(server.url, 'GET', '/v1/me', { headers: as(one, { 'Rota-Tenant': 'A B' }) });
      expect(odd.json()).toMatchObject({ status: 400, code: 'query_invalid' });
    }
  });

  test.each([
    ['no scope', { scopes: [] }],
    ['an unknown scope', { scopes: ['all'] }],
    ['no name', { name: '' }],
    ['two ends', { expires_in: 1, expires_at: '2099-01-01T00:00:00Z' }],
    ['an end that is past', { expires_at: '2001-01-01T00:00:00Z' }],
    ['an end that is no time', { expires_at: 'soon' }],
    ['no tenant name', { tenant: 'A B' }],
    ['no rate', { rate_limit: 'fast' }],
  ])('a key with %s is refused', async (_, more) => {
    const answer = await postJson(server.url, '/v1/keys', { name: 'k', scopes: ['read'], ...more }, as(admin));
    expect(answer.json()).toMatchObject({ status: 422, code: 'request_invalid' });
  });

  test('a participant answers with what it was given, and can do nothing else with it', async () => {
    expect((await launch(admin)).status).toBe(201);
    const { body } = await alpha.next();
    const { proceed_url: url, workitem_id: id, workflow_id: workflow } = body;
    const token = new URL(url).searchParams.get('token') ?? '';
    expect(token).toMatch(/^[0-9A-Za-z]{4}\.[\w-]{22}$/);
    expect(Object.keys(body)).toEqual(['workflow_id', 'workitem_id', 'participant', 'status', 'fields', 'proceed_url']);
    const item = `/v1/workflows/${workflow}/workitems/${id}`;
    const shown = await send(server.url, 'GET', `${item}?token=${token}`);
    expect(shown.status).toBe(200);
    expect(shown.text).not.toContain(token);
    for (const [method, path] of [
      ['GET', `${item}/deliveries`],
      ['POST', `${item}/redeliver`],
      ['GET', `/v1/workflows/${workflow}`],
      ['GET', `/v1/workflows/${workflow}/history`],
      ['POST', `/v1/workflows/${workflow}/cancel`],
      ['GET', '/v1/workitems'],
      ['POST', '/v1/workflows'],
      ['POST', '/v1/keys'],
      ['GET', item.replace('0_0', '0_1')],
    ] as const) {
      const answer = await send(server.url, method, `${path}?token=${token}`);
      expect(answer.json(), path).toMatchObject({ status: 403, code: 'capability_invalid' });
    }
    expect((await send(server.url, 'POST', `${item}/proceed`)).json()).toMatchObject({ code: 'unauthenticated' });
    const wrong = `${url.slice(0, -1)}${url.endsWith('A') ? 'B' : 'A'}`;
    expect((await send(server.url, 'POST', pathOf(wrong))).json()).toMatchObject({ code: 'capability_invalid' });
    expect((await send(server.url, 'POST', pathOf(url))).text).toBe('OK');
    expect((await send(server.url, 'POST', pathOf(url))).json()).toMatchObject({
      status: 400,
      error: 'workitem_id not found',
    });
  });

  test('each try is one that the official library verifies, also while a secret is exchanged', async () => {
    const post = async (path: string, body: object = {}): Promise<Answer> => {
      const answer = await postJson(server.url, path, body, as(admin));
      expect(answer.status, answer.text).toBeLessThan(300);
      return answer;
    };
    type Made = { readonly id: string; readonly secret: string };
    // That of the tenant is there since its first key.
    const all = await send(server.url, 'GET', '/v1/secrets', { headers: as(admin) });
    const { id = '' } =
      all
        .json<{ secrets: { id: string; kind: string; tenant: string }[] }>()
        .secrets.find((one) => one.kind === 'webhook' && one.tenant === 'default') ?? {};
    const secrets = [(await post(`/v1/secrets/${id}/reveal`)).json<Made>()];
    const rotate = async (body: object): Promise<void> => {
      secrets.push((await post(`/v1/secrets/${id}/rotate`, body)).json<Made>());
    };
    /** The numbers of the secrets, in the order in which they were made, by which a try is verified. */
    const verifiedBy = async (): Promise<readonly number[]> => {
      const { body, headers } = await alpha.next();
      return secrets.flatMap(({ secret }, n) => {
        try {
          new Webhook(secret).verify(JSON.stringify(body), headers as Record<string, string>);
          return [n];
        } catch (error) {
          expect(error).toBeInstanceOf(WebhookVerificationError);
          return [];
        }
      });
    };
    const { id: workflow } = (await launch(admin)).json<{ id: string }>();
    expect(await verifiedBy()).toEqual([0]);
    const shown = await send(server.url, 'GET', `/v1/workflows/${workflow}`, { headers: as(admin) });
    const item = `/v1/workflows/${workflow}/workitems/${shown.json<{ workitems: { id: string }[] }>().workitems[0]?.id}`;
    await rotate({});
    await post(`${item}/redeliver`);
    expect(await verifiedBy()).toEqual([0, 1]);
    await rotate({ overlap_seconds: 0 });
    await post(`${item}/redeliver`);
    expect(await verifiedBy()).toEqual([2]);
    await post(`/v1/workflows/${workflow}/cancel`);
    expect(await verifiedBy()).toEqual([2]);
  });

  test('a token of another tenant than the usual one is as good', async () => {
    const { key } = await made({ scopes: ['launch'], tenant: 'acme' });
    expect((await launch(key)).status).toBe(201);
    const { body } = await alpha.next();
    expect((await send(server.url, 'POST', pathOf(body.proceed_url))).text).toBe('OK');
  });
});

describe('an open server', () => {
  let server: Running;
  let alpha: Participant;
  beforeAll(async () => {
    alpha = await startParticipant();
    server = await startServer({ ALLOWED_HOSTS: 'rota.test', CORS_ORIGINS: 'https://app.test' });
  }, 180_000);
  afterAll(async () => {
    await server.stop();
    await alpha.stop();
  }, 180_000);

  test('answers to loopback, to addresses and to names it was told, and to no other', async () => {
    const { port } = new URL(server.url);
    for (const host of [`127.0.0.1:${port}`, 'localhost', '[::1]:80', '192.168.1.7', 'rota.test', 'ROTA.TEST:1'])
      expect((await send(server.url, 'GET', '/v1/workflows', { headers: { Host: host } })).status, host).toBe(200);
    for (const host of ['evil.test', 'rota.test.evil.test', '127.0.0.1.evil.test', 'localhost.evil.test'])
      expect((await send(server.url, 'GET', '/v1/workflows', { headers: { Host: host } })).json(), host).toMatchObject({
        status: 421,
        code: 'host_not_allowed',
      });
    expect((await send(server.url, 'GET', '/livez', { headers: { Host: 'evil.test' } })).status).toBe(200);
  });

  test('lets no page of a stranger change anything', async () => {
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await postJson(server.url, '/v1/definitions/validate', { workflow: 'define' }, headers)).status;
    const own = new URL(server.url).host;
    for (const origin of ['https://evil.test', 'null', `https://${own}`])
      expect(await status({ Origin: origin })).toBe(403);
    for (const site of ['cross-site', 'same-site']) expect(await status({ 'Sec-Fetch-Site': site })).toBe(403);
    for (const headers of [
      {},
      { Origin: `http://${own}` },
      { Origin: 'https://app.test' },
      { 'Sec-Fetch-Site': 'none' },
      { 'Sec-Fetch-Site': 'same-origin' },
    ])
      expect(await status(headers as Record<string, string>)).toBe(200);
    // Reading tells a page nothing: it is not let at the answer.
    expect((await send(server.url, 'GET', '/v1/workflows', { headers: { Origin: 'https://evil.test' } })).status).toBe(
      200,
    );
  });

  test('closes with the first key, and whoever was given a URL before still answers', async () => {
    const launched = await postJson(server.url, '/v1/workflows', { workflow: DEFINITION, callback: alpha.url });
    expect(launched.status).toBe(201);
    const { body } = await alpha.next();
    expect(new URL(body.proceed_url).search).toBe('');
    expect((await send(server.url, 'GET', '/v1/me')).json()).toMatchObject({ kind: 'open', auth: 'open' });
    const made = await postJson(server.url, '/v1/keys', { name: 'first', scopes: ['admin'] });
    expect(made.status).toBe(201);
    expect((await send(server.url, 'GET', '/v1/workflows')).status).toBe(401);
    const path = pathOf(body.proceed_url);
    expect((await send(server.url, 'POST', path.replace('/proceed', '/redeliver'))).status).toBe(401);
    expect((await send(server.url, 'POST', path)).text).toBe('OK');
    expect((await send(server.url, 'POST', path)).json()).toMatchObject({ error: 'workitem_id not found' });
    // One from afterwards has a token, and needs it.
    const key = made.json<{ key: string }>().key;
    await postJson(server.url, '/v1/workflows', { workflow: DEFINITION, callback: alpha.url }, as(key));
    const later = (await alpha.next()).body.proceed_url;
    expect((await send(server.url, 'POST', new URL(later).pathname)).status).toBe(401);
    expect((await send(server.url, 'POST', pathOf(later))).text).toBe('OK');
  });
});

describe('the start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rota-door-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const settings = { PORT: '0', LOG_LEVEL: 'silent' };

  test('of a server for strangers without a key is refused, and says the ways out', { timeout: 180_000 }, async () => {
    const refused = start(readConfig({ ...settings, DATA_DIR: 'memory:', HOST: '0.0.0.0' }));
    await expect(refused).rejects.toBeInstanceOf(ConfigError);
    await expect(refused).rejects.toThrow(/rota keys create.*ADMIN_KEY.*AUTH=none/s);
    const open = await start(readConfig({ ...settings, DATA_DIR: 'memory:', HOST: '0.0.0.0', AUTH: 'none' }));
    await open.stop();
  });

  test('once callers are asked they are asked for good, and a change of ADMIN_KEY ends the one before', async () => {
    const [first, second] = [makeKey().text, makeKey().text];
    readyFolder(join(folder, 'data'));
    const status = async (more: Record<string, string>, key: string): Promise<number> => {
      const server = await startServer({ DATA_DIR: join(folder, 'data'), ...more });
      const answer = await send(server.url, 'GET', '/v1/me', { headers: key === '' ? {} : as(key) });
      await server.stop();
      return answer.status;
    };
    expect(await status({ ADMIN_KEY: first }, first)).toBe(200);
    expect(await status({}, '')).toBe(401);
    expect(await status({ ADMIN_KEY: second }, first)).toBe(401);
    expect(await status({ ADMIN_KEY: first }, first)).toBe(401);
    expect(await status({}, second)).toBe(200);
    expect(await status({ AUTH: 'none' }, '')).toBe(200);
  }, 300_000);
});
