import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Identity, STALE_MS_MAX } from '../../src/identity/identity.ts';
import { hashOfKey, idOfKey, makeKey, randomDigits } from '../../src/identity/key-text.ts';
import { KEYS_OF_TENANT_MAX } from '../../src/identity/keys.ts';
import { USED_EVERY_MS } from '../../src/identity/used.ts';
import { DEFAULT_TENANT, type Tenant } from '../../src/model/tenant.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { openStore } from '../../src/store/open.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { identityOn } from '../support/identity.ts';

describe('the text of a key', () => {
  test('has an id, a secret and a check, and is like no other', () => {
    const all = Array.from({ length: 200 }, () => makeKey());
    for (const { id, text } of all) {
      expect(text).toMatch(/^rota_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
      expect(text).toHaveLength(67);
      expect(idOfKey(text)).toBe(id);
    }
    expect(new Set(all.map(({ text }) => text)).size).toBe(200);
  });

  test('with any one character changed is no key', () => {
    const { text } = makeKey();
    for (let i = 0; i < text.length; i++) {
      const other = text[i] === 'x' ? 'y' : 'x';
      expect(idOfKey(text.slice(0, i) + other + text.slice(i + 1)), `character ${i}`).toBe(null);
    }
    for (const odd of ['', 'rota_', `${text}0`, text.slice(1), ` ${text}`, text.toUpperCase()])
      expect(idOfKey(odd)).toBe(null);
  });

  test('a key of today is good for ever', () => {
    // Written down when keys were first given out: whoever has one keeps it.
    expect(idOfKey('rota_0123456789AB_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg2tccZq')).toBe('0123456789AB');
  });

  test('uses all digits, none much more than others', () => {
    const counts = new Map<string, number>();
    for (const digit of randomDigits(62_000)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
    expect(counts.size).toBe(62);
    // A thousand each; ten standard deviations.
    for (const [digit, count] of counts) expect(Math.abs(count - 1000), digit).toBeLessThan(320);
  });
});

describe('keys', () => {
  let store: Store;
  let now = 0;
  const time = manualTime();
  let identity: Identity;
  const wanted = {
    name: 'k',
    scopes: ['read'],
    tenant: DEFAULT_TENANT,
    expiresInSeconds: null,
    rateLimit: null,
    createdBy: 'test',
  } as const;
  beforeAll(async () => {
    store = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
  }, 60_000);
  beforeEach(async () => {
    now = await store.databaseTime();
    identity = await identityOn(store, { now: () => now }, { wall: () => now, time });
  });
  afterAll(() => store.close());

  const made = async (more: Partial<Parameters<Identity['keys']['create']>[0]> = {}) => {
    const shown = await identity.keys.create({ ...wanted, ...more });
    if (shown === null) throw new Error('there is no room for a key');
    return shown;
  };
  const isGood = async (text: string): Promise<boolean> => (await identity.keys.find(text)).kind === 'good';

  test('of a key the database has its hash and nothing more', async () => {
    const { row, text } = await made();
    const stored = JSON.stringify(await store.apiKeys.get(row.id));
    expect(stored).toContain(hashOfKey(text));
    expect(stored).not.toContain(text.slice(18));
  });

  test('one with a wrong check, and one that is known, cost no question to the database', async () => {
    const { text } = await made();
    let asked = 0;
    const counting = {
      ...store.apiKeys,
      changedLast: (page: Parameters<Store['apiKeys']['changedLast']>[0]) => {
        asked += 1;
        return store.apiKeys.changedLast(page);
      },
    };
    const counted = await identityOn({ ...store, apiKeys: counting }, { now: () => now }, { wall: () => now, time });
    const before = asked;
    expect(counted.keys.find(text)).toMatchObject({ kind: 'good' });
    expect(counted.keys.find(`${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`)).toMatchObject({ kind: 'bad' });
    expect(asked).toBe(before);
    await counted.stop();
  });

  test('one nobody here has heard of is looked for, at most ten times in a second', async () => {
    let asked = 0;
    const counting = {
      ...store.apiKeys,
      changedLast: (page: Parameters<Store['apiKeys']['changedLast']>[0]) => {
        asked += 1;
        return store.apiKeys.changedLast(page);
      },
    };
    const other = await identityOn({ ...store, apiKeys: counting }, { now: () => now }, { wall: () => now, time });
    const { text } = await made();
    expect((await other.keys.find(text)).kind).toBe('good');
    const before = asked;
    for (let i = 0; i < 50; i++) expect((await other.keys.find(makeKey().text)).kind).toBe('bad');
    expect(asked - before).toBeLessThanOrEqual(10);
    time.pass(1_000);
    expect((await other.keys.find((await made()).text)).kind).toBe('good');
    await other.stop();
  });

  test('after a rotation both secrets hold, then one', async () => {
    const { row, text } = await made();
    const rotated = await identity.keys.rotate(row.id, 60);
    expect(rotated?.row).toMatchObject({ id: row.id, generation: 2 });
    expect([await isGood(text), await isGood(rotated?.text ?? '')]).toEqual([true, true]);
    now += 60_000;
    expect([await isGood(text), await isGood(rotated?.text ?? '')]).toEqual([false, true]);
  });

  test('two secrets from before may hold, a third ends the oldest, and no overlap ends all', async () => {
    const { row, text } = await made();
    const texts = [text];
    for (let i = 0; i < 3; i++) texts.push((await identity.keys.rotate(row.id, 600))?.text ?? '');
    expect(await Promise.all(texts.map(isGood))).toEqual([false, true, true, true]);
    texts.push((await identity.keys.rotate(row.id, 0))?.text ?? '');
    expect(await Promise.all(texts.map(isGood))).toEqual([false, false, false, false, true]);
  });

  test('one that has expired or was revoked is good no more, and can be neither rotated nor revoked', async () => {
    const short = await made({ expiresInSeconds: 60 });
    const other = await made();
    expect(await isGood(short.text)).toBe(true);
    now += 61_000;
    expect(await isGood(short.text)).toBe(false);
    expect(await identity.keys.rotate(short.row.id, 0)).toBe(null);
    expect(await identity.keys.revoke(other.row.id)).toBe(true);
    expect(await isGood(other.text)).toBe(false);
    expect(await identity.keys.revoke(other.row.id)).toBe(false);
    expect(await identity.keys.rotate(other.row.id, 0)).toBe(null);
  });

  test('one revoked at another node is refused here once this node has looked again', async () => {
    const { row, text } = await made();
    const there = await identityOn(store, { now: () => now }, { wall: () => now, time });
    expect(await isGood(text)).toBe(true);
    await there.keys.revoke(row.id);
    await identity.refresh();
    expect(await isGood(text)).toBe(false);
    await there.stop();
  });

  test('when one was last used is written at most once in five minutes', async () => {
    const { row, text } = await made();
    await isGood(text);
    await identity.keys.tellUsed();
    const first = (await store.apiKeys.get(row.id))?.lastUsedAt;
    expect(first).not.toBe(null);
    let written = 0;
    const counting = { ...store.apiKeys, used: async () => void written++ };
    const counted = await identityOn({ ...store, apiKeys: counting }, { now: () => now }, { wall: () => now, time });
    await counted.keys.find(text);
    await counted.keys.tellUsed();
    expect(written).toBe(0);
    now += USED_EVERY_MS + 60_000;
    await counted.keys.find(text);
    await counted.keys.tellUsed();
    expect(written).toBe(1);
    await counted.stop();
  });

  test('when a secret last signed is written, too', async () => {
    const secret = await identity.secrets.create({
      ...{ tenant: 'used' as Tenant, type: 'v1', match: 'https://used.example/', value: null, createdBy: 'test' },
    });
    if (typeof secret === 'string') throw new Error(secret);
    await identity.secrets.tellUsed();
    expect((await store.secrets.get(secret.id))?.lastUsedAt).toBe(null);
    expect(identity.secrets.signersOf('used' as Tenant, 'https://used.example/a')).toHaveLength(1);
    await identity.secrets.tellUsed();
    expect((await store.secrets.get(secret.id))?.lastUsedAt).not.toBe(null);
  });

  test('the administrator’s key ends the one before, and one that was ended is not taken again', async () => {
    const [first, second] = [makeKey().text, makeKey().text];
    expect(await identity.keys.register(first)).toBe('new');
    expect(await identity.keys.register(first)).toBe('known');
    expect(await identity.keys.register(second)).toBe('new');
    expect([await isGood(first), await isGood(second)]).toEqual([false, true]);
    expect(await identity.keys.register(first)).toBe('ended');
    expect([await isGood(first), await isGood(second)]).toEqual([false, true]);
    // A name alone means nothing: what was made by hand under the same name stays.
    const named = await made({ name: 'ADMIN_KEY' });
    await identity.keys.register(makeKey().text);
    expect(await isGood(named.text)).toBe(true);
  });

  test('a tenant has so many keys and no more', { timeout: 60_000 }, async () => {
    const tenant = 'crowded' as typeof DEFAULT_TENANT;
    const row = (await made({ tenant })).row;
    const many = Array.from({ length: KEYS_OF_TENANT_MAX - 1 }, (_, i) => ({ ...row, id: `crowd${i}` }));
    const crowded = {
      ...store.apiKeys,
      endingLast: async () => ({ items: [...many.slice(0, 999), row], next: null }),
    };
    const full = await identityOn({ ...store, apiKeys: crowded }, { now: () => now }, { wall: () => now, time });
    expect(await full.keys.create({ ...wanted, tenant })).toBe(null);
    expect(await full.keys.create(wanted)).not.toBe(null);
    await full.stop();
  });

  test('with the database away what is known serves for five minutes', async () => {
    const slow = manualTime();
    let isAway = false;
    const apiKeys: Store['apiKeys'] = {
      ...store.apiKeys,
      changedLast: async (page) => {
        if (isAway) throw new StoreUnavailable('away');
        return store.apiKeys.changedLast(page);
      },
    };
    const alone = await identityOn({ ...store, apiKeys }, { now: () => now }, { wall: () => now, time: slow });
    isAway = true;
    slow.pass(STALE_MS_MAX);
    expect(alone.isFresh()).toBe(true);
    slow.pass(1);
    expect(alone.isFresh()).toBe(false);
    await expect(alone.refresh()).rejects.toThrow('away');
    isAway = false;
    await alone.refresh();
    expect(alone.isFresh()).toBe(true);
    await alone.stop();
  });
});
