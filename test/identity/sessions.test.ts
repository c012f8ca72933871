import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Identity } from '../../src/identity/identity.ts';
import type { Principal } from '../../src/identity/principal.ts';
import { SESSION_SECONDS, type SessionFound, SIGNED_IN_SECONDS_MAX } from '../../src/identity/sessions.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { identityOn } from '../support/identity.ts';

/* Cookies of pages that have signed in, and tickets for streams, on a clock that is moved by hand. */

let store: Store;
let now = 0;
let identity: Identity;
const time = manualTime();
const open = (): Promise<Identity> => identityOn(store, { now: () => now }, { wall: () => now, time });
beforeAll(async () => {
  store = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
}, 60_000);
beforeEach(async () => {
  now = await store.databaseTime();
  identity = await open();
});
afterAll(() => store.close());

async function signedIn(more: { readonly scopes?: readonly ('read' | 'operate')[] } = {}) {
  const made = await identity.keys.create({
    name: 'page',
    scopes: more.scopes ?? ['operate'],
    tenant: DEFAULT_TENANT,
    expiresInSeconds: null,
    rateLimit: null,
    createdBy: 'test',
  });
  const session = made === null ? null : identity.sessions.begin(made.row);
  if (made === null || session === null) throw new Error('nobody can sign in');
  return { key: made.row, text: session.text, endsAt: session.endsAt };
}
const seconds = (n: number): void => {
  now += n * 1000;
};
const found = async (text: string): Promise<SessionFound> => identity.sessions.find(text);
const isGood = async (text: string): Promise<boolean> => (await found(text)).kind === 'good';

test('a session is its key, for twelve hours', async () => {
  const { key, text, endsAt } = await signedIn();
  expect(await found(text)).toMatchObject({
    kind: 'good',
    principal: { kind: 'session', id: `key:${key.id}`, actor: `key:${key.id}`, tenant: 'default' },
    renewed: null,
  });
  expect(endsAt).toBe(Math.floor(now / 1000 + SESSION_SECONDS) * 1000);
  seconds(SESSION_SECONDS);
  expect(await isGood(text)).toBe(false);
});

test('one that is used is exchanged when half of it is over, and ends for good after seven days', async () => {
  const { text } = await signedIn();
  const from = now;
  let current = text;
  let exchanged = 0;
  while (now - from < SIGNED_IN_SECONDS_MAX * 1000) {
    const one = await found(current);
    if (one.kind !== 'good') throw new Error(`it was refused after ${(now - from) / 1000} s: ${one.why}`);
    if (one.renewed !== null) {
      exchanged += 1;
      current = one.renewed.text;
      expect(one.renewed.endsAt).toBeLessThanOrEqual(from + SIGNED_IN_SECONDS_MAX * 1000);
    }
    seconds(3_600);
  }
  // Every sixth hour of the first six and a half days.
  expect(exchanged).toBe(26);
  expect(await isGood(current)).toBe(false);
});

test('with any one character changed it is none', async () => {
  const { text } = await signedIn();
  for (let i = 0; i < text.length; i++) {
    const other = text[i] === '1' ? '2' : '1';
    expect(await isGood(text.slice(0, i) + other + text.slice(i + 1)), `character ${i}`).toBe(false);
    time.pass(1000);
  }
});

test('revoking or rotating its key ends it, whatever the overlap', async () => {
  const [one, two] = [await signedIn(), await signedIn()];
  const principals: Principal[] = [];
  for (const { text } of [one, two]) {
    const session = await found(text);
    if (session.kind === 'good') principals.push(session.principal);
  }
  expect(principals.map(identity.holds)).toEqual([true, true]);
  await identity.keys.revoke(one.key.id);
  await identity.keys.rotate(two.key.id, 86_400);
  expect([await isGood(one.text), await isGood(two.text)]).toEqual([false, false]);
  expect(principals.map(identity.holds)).toEqual([false, false]);
});

test('a node that has not heard of the key reads it before it refuses the session', async () => {
  const other = await open();
  time.pass(1000);
  const { text } = await signedIn();
  expect((await other.sessions.find(text)).kind).toBe('good');
  await other.stop();
});

test('a ticket reads what its owner may read, for a minute, and ends with the key', async () => {
  const { key, text } = await signedIn();
  const session = await found(text);
  if (session.kind !== 'good') throw new Error(session.why);
  const issued = identity.tickets.issue(session.principal);
  const ticket = issued?.text ?? '';
  const read = identity.tickets.find(ticket);
  expect(read).toMatchObject({ kind: 'ticket', id: `key:${key.id}`, tenant: 'default' });
  expect([...(read?.scopes ?? [])]).toEqual(['read']);
  for (let i = 0; i < ticket.length; i += 7)
    expect(identity.tickets.find(`${ticket.slice(0, i)}${ticket[i] === 'x' ? 'y' : 'x'}${ticket.slice(i + 1)}`)).toBe(
      null,
    );
  seconds(59);
  expect(identity.tickets.find(ticket)).not.toBe(null);
  seconds(1);
  expect(identity.tickets.find(ticket)).toBe(null);
  // Whoever opened a stream with it is read to as long as the session lasts.
  expect(read !== null && identity.holds(read)).toBe(true);
  await identity.keys.revoke(key.id);
  expect(read !== null && identity.holds(read)).toBe(false);
});

test('neither a session is good as a ticket, nor a ticket as a session', async () => {
  const { text } = await signedIn();
  const session = await found(text);
  if (session.kind !== 'good') throw new Error(session.why);
  const ticket = identity.tickets.issue(session.principal)?.text ?? '';
  expect(identity.tickets.find(text)).toBe(null);
  expect(await isGood(ticket)).toBe(false);
});
