import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Issuer, type IssuerText, readIssuer, readIssuers } from '../../src/identity/issuers.ts';
import { COOLDOWN_MS, FRESH_MS, JWKS_BYTES_MAX } from '../../src/identity/jwks.ts';
import { LEEWAY_SECONDS, makeTokens, REMEMBERED_MS, type TokenFound, type Tokens } from '../../src/identity/jwt.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';

/* Tokens of others, against an issuer of our own that rotates its keys, hangs, and says too much. */

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
const NOW = Date.UTC(2026, 0, 1);
const STALE_SECONDS = 3_600;
const ISSUER = 'https://id.test/';
let pairs: { readonly [kid: string]: Pair } = {};
let jwks: { readonly [kid: string]: JWK } = {};
/** What the issuer's server does. */
let answer: { readonly keys?: readonly unknown[]; readonly status?: number; readonly text?: string } | 'hangs' = {};
let asked = 0;
const server = createServer((_request, response) => {
  asked += 1;
  if (answer === 'hangs') return;
  response.writeHead(answer.status ?? 200, { 'Content-Type': 'application/json' });
  response.end(answer.text ?? JSON.stringify({ keys: answer.keys }));
});
const questions = (): number => asked;
let url = '';

beforeAll(async () => {
  const made = async (kid: string, alg: string) => [kid, await generateKeyPair(alg, { extractable: true })] as const;
  pairs = Object.fromEntries(
    await Promise.all([made('rsa', 'RS256'), made('ec', 'ES256'), made('ed', 'EdDSA'), made('next', 'ES256')]),
  );
  jwks = Object.fromEntries(
    await Promise.all(
      Object.entries(pairs).map(
        async ([kid, { publicKey }]) => [kid, { ...(await exportJWK(publicKey)), kid }] as const,
      ),
    ),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
}, 60_000);
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const good = (given: IssuerText): Issuer => {
  const read = readIssuer(given);
  if ('part' in read) throw new Error(`${read.part} must be ${read.wanted}`);
  return read;
};
let now = NOW;
let time = manualTime();
let tokens: Tokens;
const open = (more: IssuerText = {}): Tokens =>
  makeTokens({
    issuers: [
      good({ issuer: ISSUER, audience: 'rota,other', ...(more['secret'] === undefined ? { jwks: url } : {}), ...more }),
    ],
    lifeSecondsMax: 86_400,
    staleSeconds: STALE_SECONDS,
    time,
    wall: () => now,
    log: silentLog,
  });
const pass = (ms: number): void => {
  now += ms;
  time.pass(ms);
};
beforeEach(() => {
  now = NOW;
  time = manualTime();
  asked = 0;
  answer = { keys: [jwks['rsa'], jwks['ec'], jwks['ed']] };
  tokens = open();
});

const ALGORITHMS: { readonly [kid: string]: string } = { rsa: 'RS256', ec: 'ES256', ed: 'EdDSA', next: 'ES256' };
/** A good token, but for what is changed; a claim that is undefined is left out. */
function token(
  claims: { readonly [claim: string]: unknown } = {},
  given: { readonly kid?: string; readonly head?: object; readonly by?: string } = {},
): Promise<string> {
  const { kid = 'ec', head = {} } = given;
  const by = given.by ?? kid;
  const from = Math.floor(now / 1000);
  const all = {
    iss: ISSUER,
    aud: 'rota',
    sub: 'ada',
    iat: from,
    exp: from + 600,
    tenant: 'acme',
    scope: 'rota:read',
    ...claims,
  };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as JWTPayload;
  return new SignJWT(kept)
    .setProtectedHeader({ alg: ALGORITHMS[by] ?? 'ES256', kid, ...head })
    .sign((pairs[by] as Pair).privateKey);
}
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const kindOf = async (text: string, of = tokens): Promise<TokenFound['kind']> => (await of.verify(text)).kind;

describe('a token', () => {
  test.each(['rsa', 'ec', 'ed'])('signed with %s says who calls', async (kid) => {
    const found = await tokens.verify(await token({ aud: ['x', 'other'] }, { kid }));
    expect(found).toMatchObject({
      kind: 'good',
      principal: {
        kind: 'jwt',
        tenant: 'acme',
        actor: 'jwt:id.test:ada',
        until: NOW + 600_000 + LEEWAY_SECONDS * 1000,
      },
    });
    expect(found.kind === 'good' && [...found.principal.scopes]).toEqual(['read']);
    expect(found.kind === 'good' && found.principal.id).toMatch(/^jwt:[\w-]{43}$/);
  });

  const from = NOW / 1000;
  test.each<[string, () => string | Promise<string>]>([
    ['signed by nobody (alg: none)', async () => `${part({ alg: 'none' })}.${(await token()).split('.')[1]}.`],
    [
      'signed with the public key as if it were a secret',
      async () =>
        new SignJWT({ iss: ISSUER, aud: 'rota', sub: 'ada', exp: from + 600, tenant: 'acme' })
          .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
          .sign(Buffer.from(await exportSPKI((pairs['rsa'] as Pair).publicKey))),
    ],
    ['of another issuer', () => token({ iss: 'https://evil.test/' })],
    ['without an issuer', () => token({ iss: undefined })],
    ['for another audience', () => token({ aud: 'somebody' })],
    ['for no audience', () => token({ aud: undefined })],
    ['without an end', () => token({ exp: undefined })],
    ['whose end has passed', () => token({ exp: from - LEEWAY_SECONDS - 1 })],
    ['that begins later', () => token({ nbf: from + LEEWAY_SECONDS + 1 })],
    ['issued in a time to come', () => token({ iat: from + LEEWAY_SECONDS + 1 })],
    ['that lives too long', () => token({ exp: from + 86_400 + LEEWAY_SECONDS + 1 })],
    ['without a subject', () => token({ sub: undefined })],
    ['with an empty subject', () => token({ sub: '' })],
    ['with a subject that no database holds', () => token({ sub: 'ada\0' })],
    ['with half a character in its subject', () => token({ sub: 'ada\ud83d' })],
    ['without a tenant', () => token({ tenant: undefined })],
    ['with a tenant that is none', () => token({ tenant: '*' })],
    ['that wants something understood', () => token({}, { head: { crit: ['b64'], b64: true } })],
    ['that brings its key', () => token({}, { head: { jwk: jwks['next'] }, by: 'next' })],
    ['that says where its key is', () => token({}, { head: { jku: 'https://evil.test/' }, by: 'next' })],
    ['with a kid that is a path', () => token({}, { head: { kid: '../../dev/null' } })],
    ['with a kid without end', () => token({}, { head: { kid: 'k'.repeat(201) } })],
    ['signed by another key', () => token({}, { kid: 'ec', by: 'next' })],
    ['of 9 kB', () => token({ x: 'x'.repeat(9_000) })],
    ['with another signature', async () => `${(await token()).slice(0, -4)}AAAA`],
    [
      'with other claims',
      async () => {
        const [head, , signature] = (await token()).split('.');
        return `${head}.${part({ iss: ISSUER, aud: 'rota', sub: 'eve', exp: from + 600, tenant: 'acme' })}.${signature}`;
      },
    ],
    ['that is none', () => 'a.b.c'],
    ['with something behind it', async () => `${await token()}=`],
    ['that is half of one', async () => (await token()).split('.').slice(0, 2).join('.')],
  ])('%s is refused', async (_, make) => {
    expect(await kindOf(await make())).toBe('bad');
  });

  test('has a subject that is shown cut between characters', async () => {
    const found = await tokens.verify(await token({ sub: `${'a'.repeat(99)}😀` }));
    expect(found).toMatchObject({ principal: { actor: `jwt:id.test:${'a'.repeat(99)}` } });
  });

  test('may be off by half a minute at either end', async () => {
    expect(await kindOf(await token({ exp: from - LEEWAY_SECONDS + 1 }))).toBe('good');
    expect(await kindOf(await token({ nbf: from + LEEWAY_SECONDS - 1, iat: from + LEEWAY_SECONDS - 1 }))).toBe('good');
  });

  test.each<[IssuerText, object, string, readonly string[]]>([
    [{}, { scope: 'rota:launch  rota:operate openid' }, 'acme', ['launch', 'operate']],
    [{}, { scope: ['rota:admin', 7] }, 'acme', ['admin']],
    [{}, { scope: 'read admin' }, 'acme', []],
    [{}, { scope: undefined }, 'acme', []],
    [{ scope_map: 'wf-ops=operate,a=b=read' }, { scope: 'wf-ops a=b rota:admin' }, 'acme', ['read', 'operate']],
    [{ scope_claim: 'roles', tenant_claim: 'org' }, { roles: ['rota:read'], org: 'beta' }, 'beta', ['read']],
    [{ tenant: 'fixed' }, { tenant: undefined }, 'fixed', ['read']],
  ])('issuer %j and claims %j: %s, %j', async (more, claims, tenant, scopes) => {
    const found = await open(more).verify(await token({ ...claims }));
    expect(found).toMatchObject({ kind: 'good', principal: { tenant } });
    expect(found.kind === 'good' && [...found.principal.scopes]).toEqual(scopes);
  });

  test('is remembered for a minute, and never beyond its end', async () => {
    const [long, short] = [await token(), await token({ exp: from + 20 - LEEWAY_SECONDS })];
    expect([tokens.remembered(long), tokens.remembered(short)]).toEqual([null, null]);
    expect([await kindOf(long), await kindOf(short)]).toEqual(['good', 'good']);
    pass(19_000);
    expect([tokens.remembered(long)?.actor, tokens.remembered(short)?.actor]).toEqual([
      'jwt:id.test:ada',
      'jwt:id.test:ada',
    ]);
    pass(1_000);
    expect(tokens.remembered(short)).toBe(null);
    expect(await kindOf(short)).toBe('bad');
    pass(REMEMBERED_MS - 20_000);
    expect(tokens.remembered(long)).toBe(null);
    expect(await kindOf(long)).toBe('good');
  });

  test('of a shared secret is taken with HS256 alone', async () => {
    const secret = 's'.repeat(32);
    const shared = open({ secret });
    const claims = { iss: ISSUER, aud: 'rota', sub: 'ada', exp: from + 60, tenant: 'acme' };
    const signed = (alg: string, key = secret) =>
      new SignJWT(claims).setProtectedHeader({ alg }).sign(Buffer.from(key));
    expect(await kindOf(await signed('HS256'), shared)).toBe('good');
    expect(await kindOf(await signed('HS256', 't'.repeat(32)), shared)).toBe('bad');
    expect(await kindOf(await signed('HS512', 's'.repeat(64)), open({ secret: 's'.repeat(64) }))).toBe('bad');
    expect(await kindOf(await token(), shared)).toBe('bad');
  });
});

describe('the keys of an issuer', () => {
  test('are asked for once in ten minutes, and by many at once only once', async () => {
    const one = await token();
    await Promise.all(Array.from({ length: 20 }, () => tokens.verify(one)));
    expect(questions()).toBe(1);
    pass(FRESH_MS - 1);
    await tokens.verify(await token());
    expect(questions()).toBe(1);
    pass(1);
    await tokens.verify(await token());
    expect(questions()).toBe(2);
  });

  test('are asked for again when a token names another, at most every half minute; a key that is gone is no good', async () => {
    const before = await token();
    expect(await kindOf(before)).toBe('good');
    answer = { keys: [jwks['next']] };
    const fresh = await token({}, { kid: 'next' });
    expect(await kindOf(fresh)).toBe('bad');
    pass(COOLDOWN_MS);
    expect(await kindOf(fresh)).toBe('good');
    expect(questions()).toBe(2);
    expect(tokens.remembered(before)).toBe(null);
    expect(await kindOf(before)).toBe('bad');
    for (let i = 0; i < 50; i++)
      expect(await kindOf(await token({}, { kid: 'ec', head: { kid: `nobody ${i}` } }))).toBe('bad');
    expect(questions()).toBe(2);
  });

  test.each<[string, typeof answer]>([
    ['answers 500', { status: 500 }],
    ['says too much', { text: `{"keys":[],"x":"${'x'.repeat(JWKS_BYTES_MAX)}"}` }],
    ['has too many keys', { keys: Array.from({ length: 101 }, () => ({ kty: 'EC' })) }],
    ['says nothing of the kind', { text: '<html>' }],
    ['is no list', { text: '{"keys":{}}' }],
  ])('that were read last serve on while their server %s; not for ever', async (_, wrong) => {
    expect(await kindOf(await token())).toBe('good');
    answer = wrong;
    pass(FRESH_MS);
    expect(await kindOf(await token())).toBe('good');
    expect(questions()).toBe(2);
    pass((STALE_SECONDS - 1) * 1000 - FRESH_MS);
    expect(await kindOf(await token())).toBe('good');
    pass(1_001);
    expect(await kindOf(await token())).toBe('unknown');
    answer = { keys: [jwks['ec']] };
    expect(await kindOf(await token())).toBe('unknown');
    pass(COOLDOWN_MS);
    expect(await kindOf(await token())).toBe('good');
  });

  test('that do not come are waited for five seconds', { timeout: 20_000 }, async () => {
    answer = 'hangs';
    expect(await kindOf(await token())).toBe('unknown');
  });

  test('are never secrets', async () => {
    const secret = Buffer.from('s'.repeat(32));
    answer = { keys: [{ kty: 'oct', k: secret.toString('base64url'), kid: 'oct', alg: 'HS256' }, jwks['ec']] };
    const forged = await new SignJWT({ iss: ISSUER, aud: 'rota', sub: 'eve', exp: NOW / 1000 + 60, tenant: 'acme' })
      .setProtectedHeader({ alg: 'HS256', kid: 'oct' })
      .sign(secret);
    expect(await kindOf(forged)).toBe('bad');
    expect(await kindOf(await token())).toBe('good');
  });

  test('that are none, or too weak, open nothing and stop nobody else', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    const broken = {
      weak: weak.publicKey.export({ format: 'jwk' }),
      half: { kty: 'RSA', e: 'AQAB' },
      number: { kty: 'RSA', e: 'AQAB', n: 7 },
      point: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
      short: { kty: 'OKP', crv: 'Ed25519', x: 'AA' },
    };
    answer = { keys: [...Object.entries(broken).map(([kid, key]) => ({ ...key, kid })), jwks['ec']] };
    for (const [kid, { kty }] of Object.entries(broken))
      expect(await kindOf(await token({}, { kid, by: kty === 'RSA' ? 'rsa' : kty === 'EC' ? 'ec' : 'ed' })), kid).toBe(
        'bad',
      );
    expect(await kindOf(await token())).toBe('good');
  });

  test('are each tried where a token names none of several; a broken one among them is passed over', async () => {
    answer = { keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'bad' }, jwks['ec'], jwks['next']] };
    const unnamed = (by: string) => token({}, { by, head: { kid: undefined } });
    expect(await kindOf(await unnamed('ec'))).toBe('good');
    expect(await kindOf(await unnamed('next'))).toBe('good');
    expect(await kindOf(await token({ aud: 'somebody' }, { by: 'next', head: { kid: undefined } }))).toBe('bad');
    expect(await kindOf(`${(await unnamed('ec')).slice(0, -4)}AAAA`)).toBe('bad');
    expect(await kindOf(await unnamed('rsa'))).toBe('bad');
  });

  test('may lie in a file, which is looked at every half minute', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rota-jwks-'));
    const path = join(folder, 'jwks.json');
    const put = (kid: string, at: number): void => {
      writeFileSync(path, JSON.stringify({ keys: [jwks[kid]] }));
      utimesSync(path, at, at);
    };
    put('ec', 1_000);
    const local = open({ jwks: path });
    expect(await kindOf(await token(), local)).toBe('good');
    put('next', 2_000);
    pass(COOLDOWN_MS);
    expect(await kindOf(await token({}, { kid: 'next' }), local)).toBe('good');
    expect(await kindOf(await token(), local)).toBe('bad');
    rmSync(folder, { recursive: true });
    pass(COOLDOWN_MS);
    expect(await kindOf(await token({}, { kid: 'next' }), local)).toBe('good');
  });
});

describe('an issuer', () => {
  const whole = { issuer: ISSUER, audience: 'rota', jwks: 'https://id.test/jwks' };
  test.each<[string, IssuerText]>([
    ['issuer', { ...whole, issuer: undefined }],
    ['audience', { ...whole, audience: ' , ' }],
    ['secret', { ...whole, secret: 's'.repeat(32) }],
    ['jwks', { ...whole, jwks: undefined }],
    ['jwks', { ...whole, jwks: 'http://id.test/jwks' }],
    ['jwks', { ...whole, jwks: 'ftp://id.test/jwks' }],
    ['secret', { ...whole, jwks: undefined, secret: 's'.repeat(31) }],
    ['algorithms', { ...whole, algorithms: 'RS256,HS256' }],
    ['algorithms', { ...whole, algorithms: 'none' }],
    ['algorithms', { ...whole, jwks: undefined, secret: 's'.repeat(32), algorithms: 'RS256' }],
    ['tenant', { ...whole, tenant: '*' }],
    ['scope_map', { ...whole, scope_map: 'ops=all' }],
    ['audiences', { ...whole, audiences: 'rota' }],
  ])('whose %s is wrong is not taken', (part, given) => {
    expect(readIssuer(given)).toMatchObject({ part });
  });

  test('is written in the file as it is built', () => {
    const read = readIssuers([
      { ...whole, audience: ['rota', 'other'], scope_map: { 'wf-ops': 'operate' }, tenant_claim: 'org' },
      { ...whole, issuer: 'http://second/' },
    ]);
    expect('value' in read && read.value[0]).toMatchObject({ audiences: ['rota', 'other'], tenantClaim: 'org' });
    expect('value' in read && [...(read.value[0]?.scopes ?? [])]).toEqual([['wf-ops', 'operate']]);
    for (const bad of [{}, [1], [whole, whole], Array.from({ length: 9 }, (_, i) => ({ ...whole, issuer: `i${i}` }))])
      expect(readIssuers(bad)).toHaveProperty('wanted');
  });
});
