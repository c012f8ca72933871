import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makeKey } from '../../src/identity/key-text.ts';
import { SCOPES, type Scope } from '../../src/identity/principal.ts';
import type { Running } from '../../src/server/start.ts';
import { type Answer, postJson, send, startServer } from '../support/server.ts';

/*
 * Every operation there is, asked by everybody who may not. The operations and the scopes they want are those of /openapi.json, so a new one
 * is tried here without anybody's help.
 */

type Described = {
  readonly operationId: string;
  readonly security: readonly { readonly [scheme: string]: readonly string[] }[];
  readonly responses: { readonly [status: string]: { readonly content?: object } };
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: object };
};
type Asked = {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** Null: everybody; `any`: whoever says who they are. */
  readonly scope: Scope | 'any' | null;
  readonly opensToTokens: boolean;
  /** Its answer does not end by itself. */
  readonly goesOn: boolean;
  /** It has filters: those it does not know are refused. */
  readonly filters: boolean;
  /** The template of its path, as it is described. */
  readonly template: string;
};

const folder = mkdtempSync(join(tmpdir(), 'rota-door-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const ISSUER = 'https://id.test';
const issued = await generateKeyPair('ES256');
const stranger = await generateKeyPair('ES256');

const admin = makeKey().text;
let server: Running;
let operations: readonly Asked[] = [];
const keys = new Map<string, string>();

const NOBODYS: { readonly [parameter: string]: string } = {
  workflow_id: '20151005-1247-nobody-nothing',
  workitem_id: `0_9!${'0'.repeat(32)}!20151005-1247-nobody-nothing`,
  expression_id: `0_9!${'0'.repeat(32)}`,
};

/** What is only told to principals of all tenants; the keys here are of one each. */
const OF_ALL_TENANTS: ReadonlySet<string> = new Set(['getMetrics', 'listNodes']);

beforeAll(async () => {
  // So many strangers are at one address here as nowhere else.
  const jwks = join(folder, 'jwks.json');
  writeFileSync(jwks, JSON.stringify({ keys: [{ ...(await exportJWK(issued.publicKey)), kid: 'one', alg: 'ES256' }] }));
  const issuer = { JWT_ISSUER: ISSUER, JWT_AUDIENCE: 'rota', JWT_JWKS: jwks };
  server = await startServer({ ...issuer, ADMIN_KEY: admin, TEST_CLOCK: '1', RATE_LIMIT_FAILURES: '100000/60' });
  const { paths } = (await send(server.url, 'GET', '/openapi.json')).json<{
    paths: { [path: string]: { [method: string]: Described } };
  }>();
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security, responses, parameters = [] }]) => {
      const bearer = security.find((one) => Object.hasOwn(one, 'bearer'))?.['bearer'];
      return {
        id: operationId,
        method: method.toUpperCase(),
        path: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(NOBODYS[name] ?? 'Nobody000000')),
        scope: bearer === undefined ? null : ((bearer[0] ?? 'any') as Scope | 'any'),
        goesOn: Object.hasOwn(responses['200']?.content ?? {}, 'text/event-stream'),
        opensToTokens: security.some((one) => Object.hasOwn(one, 'capability')),
        filters: parameters.some((parameter) => parameter.in === 'query'),
        template: path,
      };
    }),
  );
  const made = async (name: string, more: object): Promise<string> => {
    const answer = await postJson(server.url, '/v1/keys', { name, ...more }, { Authorization: `Bearer ${admin}` });
    keys.set(name, answer.json<{ key: string }>().key);
    return answer.json<{ id: string }>().id;
  };
  for (const scope of SCOPES) await made(scope, { scopes: [scope] });
  await made('other tenant', { scopes: ['admin'], tenant: 'other' });
  await made('expired', { scopes: ['admin'], expires_in: 1 });
  const revoked = await made('revoked', { scopes: ['admin'] });
  await postJson(server.url, `/v1/keys/${revoked}/revoke`, {}, { Authorization: `Bearer ${admin}` });
}, 240_000);
afterAll(() => server.stop(), 60_000);

const closed = (): readonly Asked[] => operations.filter(({ scope }) => scope !== null);
const ask = ({ method, path }: Asked, headers: Record<string, string>, query = ''): Promise<Answer> =>
  send(server.url, method, `${path}${query}`, { headers });
const bearer = (key: string): Record<string, string> => ({ Authorization: `Bearer ${key}` });
const changed = (key: string): string => `${key.slice(0, 30)}${key[30] === 'x' ? 'y' : 'x'}${key.slice(31)}`;
const implied: { readonly [scope: string]: readonly (Scope | 'any')[] } = {
  launch: ['launch', 'any'],
  read: ['read', 'any'],
  operate: ['operate', 'read', 'any'],
  admin: ['admin', 'operate', 'read', 'launch', 'any'],
};

describe('whatever is asked', () => {
  test('there is something to ask', () => {
    expect(closed().length).toBeGreaterThan(25);
    expect(
      operations
        .filter(({ scope }) => scope === null)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(expect.arrayContaining(['livez', 'openapi', 'ping', 'readyz']));
    expect(
      operations
        .filter(({ opensToTokens }) => opensToTokens)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['failWorkitem', 'getWorkitem', 'heartbeat', 'proceed', 'respond']);
  });

  const everywhere: {
    readonly [who: string]: {
      readonly headers: () => Record<string, string>;
      readonly code: string;
      readonly status: number;
    };
  } = {
    nobody: { headers: () => ({}), status: 401, code: 'unauthenticated' },
    'another scheme': { headers: () => ({ Authorization: 'Basic eDp5' }), status: 401, code: 'unauthenticated' },
    'a revoked key': { headers: () => bearer(keys.get('revoked') ?? ''), status: 401, code: 'credentials_invalid' },
    'a key with one character changed': {
      headers: () => bearer(changed(admin)),
      status: 401,
      code: 'credentials_invalid',
    },
    'a key nobody made': { headers: () => bearer(makeKey().text), status: 401, code: 'credentials_invalid' },
    'a token of 9 kB': { headers: () => bearer('a.'.repeat(4_500)), status: 401, code: 'credentials_invalid' },
    'two credentials': {
      headers: () => ({ ...bearer(admin), 'X-API-Key': admin }),
      status: 400,
      code: 'credentials_ambiguous',
    },
  };
  test.each(Object.keys(everywhere))('%s is refused, with one status and one code', async (who) => {
    const { headers, status, code } = everywhere[who] as (typeof everywhere)[string];
    for (const operation of closed()) {
      const answer = await ask(operation, headers());
      expect(answer.json(), operation.id).toMatchObject({ status, code });
      expect(answer.status, operation.id).toBe(status);
    }
  });

  test.each(SCOPES)('a key with the scope %s is let in where that is enough, and nowhere else', async (scope) => {
    const enough = implied[scope] ?? [];
    for (const operation of closed()) {
      // A place that is none ends a stream before it begins, behind the door.
      const query = operation.goesOn ? '?after=nowhere' : '';
      const answer = await ask(operation, bearer(keys.get(scope) ?? ''), query);
      expect(answer.status, operation.id).toBeLessThan(500);
      if (OF_ALL_TENANTS.has(operation.id))
        expect(answer.json(), operation.id).toMatchObject({ status: 403, code: 'scope_missing' });
      else if (enough.includes(operation.scope ?? 'any')) expect([401, 403], operation.id).not.toContain(answer.status);
      else expect(answer.json(), operation.id).toMatchObject({ status: 403, code: 'scope_missing' });
    }
  });

  test('a token of no workitem opens nothing', async () => {
    for (const operation of closed()) {
      const answer = await ask(operation, {}, '?token=abcd.AAAAAAAAAAAAAAAAAAAAAA');
      expect(answer.json(), operation.id).toMatchObject({ status: 403, code: 'capability_invalid' });
    }
  });

  test('a tenant sees nothing of another, and names none but its own', async () => {
    const headers = { ...bearer(keys.get('other tenant') ?? ''), 'Rota-Tenant': 'default' };
    const { keys: seen } = (await send(server.url, 'GET', '/v1/keys', { headers })).json<{
      keys: { tenant: string }[];
    }>();
    expect(seen.map(({ tenant }) => tenant)).toEqual(['other']);
  });

  test('a key that has expired is refused everywhere', async () => {
    const expired = bearer(keys.get('expired') ?? '');
    await vi.waitFor(async () => expect((await ask(closed()[0] as Asked, expired)).status).toBe(401), 20_000);
    for (const operation of closed()) {
      const answer = await ask(operation, expired);
      expect(answer.json(), operation.id).toMatchObject({ status: 401, code: 'credentials_invalid' });
    }
  });

  test('a token that is broken in any way is refused, and always in the same words', async () => {
    const claims = { iss: ISSUER, aud: 'rota', sub: 'ada', tenant: 'acme', scope: 'rota:admin' };
    const now = Math.floor(Date.now() / 1000);
    const signed = (
      more: object,
      head: object = {},
      key: Parameters<SignJWT['sign']>[0] = issued.privateKey,
      alg = 'ES256',
    ): Promise<string> =>
      new SignJWT({ ...claims, iat: now, exp: now + 300, ...more })
        .setProtectedHeader({ alg, kid: 'one', ...head })
        .sign(key, { crit: { odd: true } });
    const good = await signed({});
    expect((await ask(closed()[0] as Asked, bearer(good))).status).not.toBe(401);
    const [, payload = '', mac = ''] = good.split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    const bad: { readonly [kind: string]: string } = {
      'signed by nobody': `${none}.${payload}.`,
      'said to be signed by nobody': `${none}.${payload}.${mac}`,
      'signed with the public key': await signed({}, {}, Buffer.from(await exportSPKI(issued.publicKey)), 'HS256'),
      'of another key': await signed({}, {}, stranger.privateKey),
      'of a key nobody has': await signed({}, { kid: 'two' }, stranger.privateKey),
      'of another issuer': await signed({ iss: 'https://other.test' }),
      'for another audience': await signed({ aud: 'others' }),
      'without an end': await signed({ exp: undefined }),
      'that has ended': await signed({ exp: now - 60 }),
      'that has not begun': await signed({ nbf: now + 600 }),
      'of a time to come': await signed({ iat: now + 600, exp: now + 900 }),
      'for too long': await signed({ exp: now + 400 * 86_400 }),
      'without a subject': await signed({ sub: undefined }),
      'without a tenant': await signed({ tenant: undefined }),
      'with a tenant that is none': await signed({ tenant: '../other' }),
      'with something critical': await signed({}, { crit: ['odd'], odd: 1 }),
      'with a key of its own': await signed({}, { jwk: await exportJWK(stranger.publicKey) }, stranger.privateKey),
      'with a kid that is a path': await signed({}, { kid: `../${'x'.repeat(300)}` }),
      'that was changed': `${good.slice(0, -3)}${good.endsWith('AAA') ? 'BBB' : 'AAA'}`,
    };
    const kinds = Object.entries(bad);
    const words = new Set<string>();
    // Each operation is asked with some of them, and each of them is tried at some operations.
    for (const [i, operation] of closed().entries())
      for (const [kind, token] of [kinds[i % kinds.length], kinds[(i * 7 + 3) % kinds.length]] as typeof kinds) {
        const answer = await ask(operation, bearer(token));
        expect(answer.json(), `${operation.id} ${kind}`).toMatchObject({ status: 401, code: 'credentials_invalid' });
        words.add(`${String(answer.json()['detail'])} ${answer.headers['www-authenticate']}`);
      }
    expect(words.size).toBe(1);
    expect([...words][0]).toMatch(/Bearer realm="rota", error="invalid_token"$/);
    expect(closed().length).toBeGreaterThan(kinds.length);
  });

  test('a body that is too large, or of a type nobody reads, is refused by whatever takes one', async () => {
    const takes = operations.filter(({ method }) => ['POST', 'PUT', 'PATCH'].includes(method));
    const large = Buffer.alloc(4_194_305, 'a');
    for (const operation of takes) {
      const { method, path, id } = operation;
      const headers = { ...bearer(admin), 'Content-Type': 'application/x-nonsense', 'Content-Length': '5' };
      const odd = await send(server.url, method, path, { headers, body: 'a=b&c' });
      // What reads a body of any type says for itself what it cannot take; what takes none looks at its path first.
      expect(odd.status, id).toBeGreaterThanOrEqual(400);
      expect(odd.status, id).toBeLessThan(500);
      expect(odd.headers['content-type'], id).toMatch(/^application\/problem\+json/);
    }
    // A few of them, others each time the list grows: each is 4 MB.
    // An import has a bound of its own.
    const bounded = takes.filter(({ id }) => id !== 'importWorkflows');
    const some = bounded.filter((_, i) => i % Math.ceil(bounded.length / 12) === 0);
    const refused = await Promise.all(
      some.map(({ method, path }) =>
        send(server.url, method, path, {
          headers: { ...bearer(admin), 'Content-Type': 'application/json', 'Content-Length': String(large.length) },
          body: large,
        }).catch((error: unknown) => error as Error),
      ),
    );
    for (const [i, answer] of refused.entries())
      if (!(answer instanceof Error))
        expect(answer.json(), some[i]?.id).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(refused.filter((answer) => !(answer instanceof Error)).length).toBeGreaterThan(some.length / 2);
  });

  test('a method an address does not take is 405, and says which it takes', async () => {
    const methodsOf = new Map<string, Set<string>>();
    for (const { template, method } of operations)
      methodsOf.set(template, (methodsOf.get(template) ?? new Set<string>()).add(method));
    for (const { template, path, id } of operations) {
      const taken = methodsOf.get(template) ?? new Set();
      const other = ['PATCH', 'PUT', 'DELETE', 'POST', 'GET'].find((method) => !taken.has(method)) ?? 'PATCH';
      const answer = await send(server.url, other, path, { headers: bearer(admin) });
      expect(answer.json(), `${other} ${id}`).toMatchObject({ status: 405, code: 'method_not_allowed' });
      expect(String(answer.headers['allow']).split(', '), id).toEqual(expect.arrayContaining([...taken]));
    }
  });

  test('a parameter that means nothing is refused where there are filters, and does no harm elsewhere', async () => {
    const junk = ['junk=1', 'limit=%00', 'cursor=%F0%9F%92%A9', '%ff=%fe', 'limit=1&limit=2', `x=${'y'.repeat(2_000)}`];
    for (const [i, operation] of operations.entries()) {
      if (operation.method !== 'GET') continue;
      const query = `?${junk[i % junk.length]}${operation.goesOn ? '&after=nowhere' : ''}`;
      const answer = await ask(operation, bearer(admin), query);
      expect(answer.status, `${operation.id} ${query}`).toBeLessThan(500);
      const strict = await ask(operation, bearer(admin), '?junk=1');
      if (operation.filters) expect(strict.json(), operation.id).toMatchObject({ status: 400, code: 'query_invalid' });
    }
  });

  test('nothing of all that has left a workflow behind', async () => {
    const { workflows } = (await send(server.url, 'GET', '/v1/workflows', { headers: bearer(admin) })).json<{
      workflows: unknown[];
    }>();
    expect(workflows).toEqual([]);
  });
});

describe('a server that asks nobody', () => {
  let open: Running;
  beforeAll(async () => {
    open = await startServer({ CORS_ORIGINS: 'https://app.example' });
  }, 120_000);
  afterAll(() => open.stop(), 60_000);
  const askOpen = ({ method, path }: Asked, headers: Record<string, string>): Promise<Answer> =>
    send(open.url, method, path, { headers });
  const there = (): readonly Asked[] => operations.filter(({ id }) => id !== 'advanceClock');

  test('does not go by the name of a stranger', async () => {
    for (const operation of there()) {
      const answer = await askOpen(operation, { Host: 'rebound.example' });
      // Probes tell nothing, and those who balance load call them by any name.
      if (PROBES.has(operation.id)) expect(answer.status, operation.id).toBe(200);
      else expect(answer.json(), operation.id).toMatchObject({ status: 421, code: 'host_not_allowed' });
    }
  });

  test('is not changed by a page of a stranger', async () => {
    for (const operation of there().filter(({ method }) => method !== 'GET'))
      for (const headers of [
        { Origin: 'https://evil.example' },
        { Origin: 'null' },
        { 'Sec-Fetch-Site': 'cross-site' },
      ] as const) {
        const answer = await askOpen(operation, headers as Record<string, string>);
        expect(answer.json(), operation.id).toMatchObject({ status: 403, code: 'origin_not_allowed' });
      }
  });
});
const PROBES: ReadonlySet<string> = new Set(['ping', 'livez', 'readyz', 'healthLive', 'healthReady']);
