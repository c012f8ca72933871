import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeAddressOf } from '../../src/api/middleware/address.ts';
import { makeRates } from '../../src/api/middleware/rate.ts';
import { makeKey } from '../../src/identity/key-text.ts';
import { makeAddressList } from '../../src/runtime/addresses.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import type { Running } from '../../src/server/start.ts';
import { type Answer, postJson, send, startServer } from '../support/server.ts';

/* How often somebody may ask. Windows of ten minutes: no test is that slow. */

const admin = makeKey().text;
const as = (key: string): Record<string, string> => ({ Authorization: `Bearer ${key}` });
/** The parameters of one member of a list of structured fields: `"key";r=4;t=600`. */
function member(header: unknown, name: string): { readonly [parameter: string]: number } {
  const found = String(header)
    .split(', ')
    .find((one) => one.startsWith(`"${name}";`));
  if (found === undefined) throw new Error(`${String(header)} has no ${name}`);
  return Object.fromEntries(
    found
      .split(';')
      .slice(1)
      .map((part) => {
        expect(part).toMatch(/^[a-z]=\d+$/);
        return [part[0], Number(part.slice(2))];
      }),
  ) as { readonly [parameter: string]: number };
}

describe('a server with rates', () => {
  let server: Running;
  const keys: string[] = [];
  beforeAll(async () => {
    server = await startServer({
      ADMIN_KEY: admin,
      RATE_LIMIT_KEY: '5/600',
      RATE_LIMIT_FAILURES: '3/600',
      TRUST_PROXY: '127.0.0.0/8',
    });
    for (const more of [{}, {}, { rate_limit: '2/600' }]) {
      const made = await postJson(server.url, '/v1/keys', { name: 'k', scopes: ['read'], ...more }, as(admin));
      keys.push(made.json<{ key: string }>().key);
    }
  }, 180_000);
  afterAll(() => server.stop(), 60_000);

  const asked = (headers: Record<string, string>, path = '/v1/workflows'): Promise<Answer> =>
    send(server.url, 'GET', path, { headers });
  const from = (address: string): Record<string, string> => ({ 'X-Forwarded-For': address });

  test('the sixth of five is refused before its body is read, and says when to come back', async () => {
    const key = as(keys[0] ?? '');
    for (let left = 4; left >= 0; left--) {
      const answer = await asked(key);
      expect(answer.status).toBe(200);
      expect(answer.headers['ratelimit-policy']).toBe('"key";q=5;w=600');
      expect(member(answer.headers['ratelimit-policy'], 'key')).toEqual({ q: 5, w: 600 });
      expect(member(answer.headers['ratelimit'], 'key')).toMatchObject({ r: left });
    }
    const refused = await postJson(server.url, '/v1/workflows', '{ no body', key);
    expect(refused.json()).toMatchObject({ status: 429, code: 'rate_limited', retryable: true });
    expect(Number(refused.headers['retry-after'])).toBe(member(refused.headers['ratelimit'], 'key')['t']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    // Another key beside it is untouched, and so are probes.
    expect((await asked(as(keys[1] ?? ''))).status).toBe(200);
    for (const path of ['/livez', '/metrics']) {
      const looked = await asked(path === '/livez' ? key : as(admin), path);
      expect([looked.status, looked.headers['ratelimit']], path).toEqual([200, undefined]);
    }
  });

  test('a rate of its own comes before that of the settings', async () => {
    const key = as(keys[2] ?? '');
    expect([(await asked(key)).status, (await asked(key)).status]).toEqual([200, 200]);
    expect((await asked(key)).json()).toMatchObject({ status: 429, code: 'rate_limited' });
  });

  test('a key of all tenants has one count, whichever tenant it names', async () => {
    const made = await postJson(
      server.url,
      '/v1/keys',
      { name: 'k', scopes: ['read'], tenant: '*', rate_limit: '2/600' },
      as(admin),
    );
    const key = as(made.json<{ key: string }>().key);
    const inTenant = async (tenant: string): Promise<number> => (await asked({ ...key, 'Rota-Tenant': tenant })).status;
    expect([await inTenant('a'), await inTenant('b'), await inTenant('c')]).toEqual([200, 200, 429]);
  });

  test('whoever shows bad credentials again and again is told to wait; good ones pass from there', async () => {
    const bad = async (address: string): Promise<number> =>
      (await asked({ ...as(makeKey().text), ...from(address) })).status;
    for (const status of [401, 401, 401, 429, 429]) expect(await bad('203.0.113.7')).toBe(status);
    // What is written before the last address that is no proxy was made up; of IPv6 a /64 is one.
    expect(await bad('198.51.100.1, 203.0.113.7, 127.0.0.9')).toBe(429);
    expect(await bad('203.0.113.8')).toBe(401);
    for (const status of [401, 401, 401, 429]) expect(await bad(`2001:db8::${status}`)).toBe(status);
    expect((await asked({ ...as(keys[1] ?? ''), ...from('203.0.113.7') })).status).toBe(200);
    expect((await asked(from('203.0.113.7'))).status).toBe(401);
    for (const [path, headers] of [
      ['/v1/workflows', { Cookie: 'rota=v1.x' }],
      ['/v1/workflows/x/workitems/0_0!023abf5d398319b1c8fcbfaf70e7c780!x?token=abcd.AAAAAAAAAAAAAAAAAAAAAA', {}],
    ] as const)
      expect((await asked({ ...headers, ...from('203.0.113.7') }, path)).status, path).toBe(429);
  });

  test('ten wrong keys sign in nobody, and the eleventh is told to wait', async () => {
    const signIn = (key: string): Promise<Answer> => postJson(server.url, '/v1/session', { key }, from('203.0.113.99'));
    for (let i = 0; i < 10; i++) expect((await signIn(makeKey().text)).status).toBe(401);
    expect((await signIn(makeKey().text)).json()).toMatchObject({ status: 429, code: 'rate_limited' });
    expect((await signIn(keys[1] ?? '')).status).toBe(201);
  });
});

test('an address is counted before it is looked at who asks, or for what', async () => {
  const server = await startServer({ RATE_LIMIT_ADDRESS: '3/600' });
  const answers: Answer[] = [];
  for (const path of ['/nothing', '/v1/workflows', '/v1/me', '/v1/workflows', '/readyz', '/metrics'])
    answers.push(await send(server.url, 'GET', path, { headers: { 'X-Forwarded-For': `192.0.2.${path.length}` } }));
  await server.stop();
  expect(answers.map(({ status }) => status)).toEqual([404, 200, 200, 429, 200, 200]);
  expect(member(answers[0]?.headers['ratelimit'], 'address')).toMatchObject({ r: 2 });
  expect(answers[3]?.headers['retry-after']).toBeDefined();
}, 120_000);

test('two nodes share a rate', () => {
  const time = manualTime();
  const rates = makeRates({ key: null, address: null, failures: { count: 5, seconds: 60 } }, { nodes: () => 2, time });
  const failed = (): string => {
    try {
      rates.failed('192.0.2.1');
      return 'counted';
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  };
  expect([failed(), failed(), failed(), failed()]).toEqual(['counted', 'counted', 'counted', 'rate_limited']);
  expect(rates.isSuspect('192.0.2.1')).toBe(true);
  time.pass(60_000);
  expect(rates.isSuspect('192.0.2.1')).toBe(false);
});

test.each([
  ['192.0.2.1', undefined, '192.0.2.1'],
  ['192.0.2.1', '203.0.113.1', '192.0.2.1'],
  ['::ffff:10.0.0.1', '203.0.113.1', '203.0.113.1'],
  ['10.0.0.1', '203.0.113.1, 10.0.0.2', '203.0.113.1'],
  ['10.0.0.1', '203.0.113.1, 203.0.113.2,10.0.0.2', '203.0.113.2'],
  ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['10.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
  ['10.0.0.1', '203.0.113.1:50123, 10.0.0.2:50124', '203.0.113.1'],
  ['10.0.0.1', `${'x'.repeat(100)}`, 'x'.repeat(64)],
])('from %s with X-Forwarded-For %s it comes from %s', (remoteAddress, forwarded, address) => {
  const request = {
    socket: { remoteAddress },
    headers: { 'x-forwarded-for': forwarded },
  } as unknown as IncomingMessage;
  expect(makeAddressOf(makeAddressList(['10.0.0.0/8']))(request)).toBe(address);
});
