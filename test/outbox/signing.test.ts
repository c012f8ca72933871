import { createPublicKey, verify } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import type { Secret } from '../../src/identity/secrets.ts';
import {
  isSharedSecret,
  isUnder,
  makePrivateSecret,
  makeSharedSecret,
  makeSigners,
  plainUrl,
  publicHalf,
} from '../../src/identity/webhook-secrets.ts';
import { DEFAULT_TENANT, type Tenant } from '../../src/model/tenant.ts';
import { signatures, signed } from '../../src/outbox/signing.ts';
import { seededIds } from '../../src/runtime/ids.ts';

let made = 0;
const secretOf = (more: Partial<Secret>): Secret => ({
  id: `s${made++}`,
  tenant: DEFAULT_TENANT,
  kind: 'webhook',
  type: 'v1',
  match: '',
  generation: 1,
  createdAt: 0,
  createdBy: 'test',
  lastUsedAt: null,
  value: makeSharedSecret(),
  previous: [],
  revokedAt: null,
  ...more,
});
const signersOf = (secrets: readonly Secret[], now = 0) => {
  const signers = makeSigners({ wall: () => now });
  signers.set(secrets);
  return signers;
};
const request = (body: string | Buffer, id = 'msg_1') => ({
  url: 'http://a.test/',
  headers: { 'webhook-id': id },
  body,
});
const URL_A = 'http://a.test/';

test('the official library verifies every message, whatever is in it', () => {
  const ids = seededIds(7);
  const secret = secretOf({});
  const receiver = new Webhook(secret.value);
  const signers = signersOf([secret]).of(DEFAULT_TENANT, URL_A);
  for (let i = 0; i < 1_000; i++) {
    const text = JSON.stringify({ [ids.hex()]: 'ä\u2028"\\'.repeat(i % 7), n: ids.fraction() });
    const body = i % 2 === 0 ? text : Buffer.from(text);
    const { headers } = signed(request(body, `msg_${ids.hex()}!x_active`), signers, Date.now());
    expect(receiver.verify(text, headers)).toEqual(JSON.parse(text));
    expect(() => receiver.verify(`${text} `, headers)).toThrow();
  }
});

test('each try has its own time, and the body that is sent is the one that was signed', () => {
  const signers = signersOf([secretOf({})]).of(DEFAULT_TENANT, URL_A);
  const [first, later] = [1_700_000_000_999, 1_700_000_030_000].map((now) => signed(request('{}'), signers, now));
  expect(first?.headers['webhook-timestamp']).toBe('1700000000');
  expect(later?.headers['webhook-timestamp']).toBe('1700000030');
  expect(first?.headers['webhook-signature']).not.toBe(later?.headers['webhook-signature']);
  expect(first?.body).toBe('{}');
});

test('nothing is added where there is no secret', () => {
  const plain = request('{}');
  expect(signed(plain, signersOf([]).of(DEFAULT_TENANT, URL_A), 0)).toBe(plain);
  const others = signersOf([secretOf({ tenant: 'other' as Tenant })]);
  expect(others.of(DEFAULT_TENANT, URL_A)).toEqual([]);
});

test('while a secret is exchanged receivers of either verify, and of the old one only until its end', () => {
  const old = makeSharedSecret();
  const secret = secretOf({ previous: [{ value: old, until: 1_000 }] });
  const at = (now: number) =>
    signed(request('{}'), signersOf([secret], now).of(DEFAULT_TENANT, URL_A), Date.now()).headers;
  for (const value of [secret.value, old]) expect(new Webhook(value).verify('{}', at(999))).toEqual({});
  expect(() => new Webhook(old).verify('{}', at(1_000))).toThrow();
  expect(new Webhook(secret.value).verify('{}', at(1_000))).toEqual({});
});

test('an ed25519 signature is verified with the public half alone', () => {
  const secret = secretOf({ type: 'v1a', value: makePrivateSecret() });
  const text = signatures(signersOf([secret]).of(DEFAULT_TENANT, URL_A), 'msg_1', 5, Buffer.from('{"a":1}'));
  const raw = Buffer.from(publicHalf(secret.value).slice('whpk_'.length), 'base64');
  const key = createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]),
    format: 'der',
    type: 'spki',
  });
  const signature = Buffer.from(text.replace(/^v1a,/, ''), 'base64');
  expect(verify(null, Buffer.from('msg_1.5.{"a":1}'), key, signature)).toBe(true);
  expect(verify(null, Buffer.from('msg_1.5.{"a":2}'), key, signature)).toBe(false);
});

test('a participant gets the secret whose URL fits best, and the one of each type', () => {
  const [all, host, path, open] = [
    secretOf({}),
    secretOf({ match: 'http://a.test/' }),
    secretOf({ match: 'http://a.test/hooks' }),
    secretOf({ type: 'v1a', value: makePrivateSecret() }),
  ];
  const signers = signersOf([all, host, path, open]);
  const fits = (url: string, secret: Secret): void => {
    const { headers } = signed(request('{}'), signers.of(DEFAULT_TENANT, url), Date.now());
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
    expect(new Webhook(secret.value).verify('{}', headers)).toEqual({});
  };
  fits('http://b.test/', all);
  fits('http://a.test', host);
  fits('HTTP://A.TEST:80/other', host);
  fits('http://a.test/hooks?x=1', path);
  fits('http://a.test/hooks/1', path);
  fits('http://a.test/hooks2', host);
});

test('a beginning ends where a part of the URL does', () => {
  expect(isUnder('http://a.test.evil/', plainUrl('http://a.test'))).toBe(false);
  expect(isUnder('http://a.test/x', plainUrl('http://a.test'))).toBe(true);
  expect(isUnder('http://a.test/xy', 'http://a.test/x')).toBe(false);
});

test('a shared secret has 24 to 64 bytes', () => {
  const of = (bytes: number): string => `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`;
  expect([23, 24, 64, 65].map((bytes) => isSharedSecret(of(bytes)))).toEqual([false, true, true, false]);
  expect(isSharedSecret(makeSharedSecret())).toBe(true);
  for (const odd of ['', 'whsec_', 'whsec_!', 'abc']) expect(isSharedSecret(odd)).toBe(false);
});
