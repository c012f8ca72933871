import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { postJson, send, startParticipant, startServer } from '../support/server.ts';

const SECRET = 'a secret of two and thirty bytes, or more';
const signed = (claims: object = {}, secret = SECRET): Promise<string> =>
  new SignJWT({ iss: 'https://id.test', aud: 'rota', sub: 'ada', tenant: 'acme', scope: 'launch', ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(Buffer.from(secret));

test('a server that is told of an issuer asks everybody, and takes its tokens', { timeout: 180_000 }, async () => {
  const alpha = await startParticipant();
  const server = await startServer({
    JWT_ISSUER: 'https://id.test',
    JWT_AUDIENCE: 'rota',
    JWT_SECRET: SECRET,
    JWT_SCOPE_MAP: 'launch=launch,ops=operate',
    RATE_LIMIT_KEY: '6/600',
    RATE_LIMIT_FAILURES: '3/600',
  });
  const ask = async (token: string, path = '/v1/me') =>
    send(server.url, 'GET', path, { headers: { Authorization: `Bearer ${token}` } });
  try {
    expect((await send(server.url, 'GET', '/v1/workflows')).status).toBe(401);
    const ada = await signed();
    const launched = await postJson(
      server.url,
      '/v1/workflows',
      { workflow: 'define\n  alpha\n', callback: alpha.url },
      { Authorization: `Bearer ${ada}` },
    );
    expect(launched.status, launched.text).toBe(201);
    const { id } = launched.json<{ id: string }>();
    const { body, headers } = await alpha.next();
    // The first launch by a token makes what the tenant's callbacks are signed with.
    expect(headers['webhook-signature']).toMatch(/^v1,/);
    expect(new URL(body.proceed_url).searchParams.get('token')).not.toBe(null);
    expect((await ask(ada)).json()).toMatchObject({ kind: 'jwt', id: null, tenant: 'acme', scopes: ['launch'] });
    expect((await ask(ada, `/v1/workflows/${id}`)).json()).toMatchObject({ status: 403, code: 'scope_missing' });
    const ops = await signed({ sub: 'ops', scope: 'ops' });
    const history = (await ask(ops, `/v1/workflows/${id}/history`)).json<{ history: { actor?: string }[] }>();
    expect(history.history[0]?.actor).toBe('jwt:id.test:ada');
    // A subject is counted, whatever tokens it brings; another one is not it.
    expect((await ask(await signed({ jti: 'another' }))).headers['ratelimit']).toMatch(/^"key";r=2;/);
    expect((await ask(ops)).headers['ratelimit']).toMatch(/^"key";r=4;/);
    expect((await ask(await signed({ tenant: 'beta', scope: 'ops' }), `/v1/workflows/${id}`)).status).toBe(404);
    // Without a scope that is known here it may ask who it is, and nothing else; its tenant is its own, whichever is named.
    const bare = await signed({ sub: 'bare', scope: 'elsewhere' });
    expect((await ask(bare)).json()).toMatchObject({ kind: 'jwt', tenant: 'acme', scopes: [] });
    expect((await ask(bare, '/v1/workflows')).json()).toMatchObject({ status: 403, code: 'scope_missing' });
    const naming = (tenant: string) =>
      send(server.url, 'GET', '/v1/me', { headers: { Authorization: `Bearer ${bare}`, 'Rota-Tenant': tenant } });
    expect((await naming('beta')).json()).toMatchObject({ tenant: 'acme' });
    expect((await naming('A B')).status).toBe(400);
    // X-API-Key is for keys. After so much that was not good, nothing new is verified; what is remembered passes.
    expect((await send(server.url, 'GET', '/v1/me', { headers: { 'X-API-Key': ada } })).status).toBe(401);
    for (const status of [401, 401, 429]) expect((await ask(await signed({}, `${SECRET}!`))).status).toBe(status);
    expect((await ask(await signed({ sub: 'new' }))).json()).toMatchObject({ status: 429, code: 'rate_limited' });
    expect((await ask(ops)).status).toBe(200);
  } finally {
    await server.stop();
    await alpha.stop();
  }
});
