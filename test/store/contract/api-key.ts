import { expect, test } from 'vitest';
import type { ApiKeys } from '../../../src/store/store.ts';
import type { Topic } from '../topic.ts';

const key = {
  tenant: 'default',
  name: 'a key',
  scopes: 'launch read',
  hash: 'h1',
  rateLimit: null,
  registered: false,
  createdBy: 'test',
  expiresInSeconds: null,
};
const DAY_SECONDS = 86_400;

const idsOf = async (page: ReturnType<ApiKeys['newest']>): Promise<readonly string[]> =>
  (await page).items.map(({ id }) => id);

export const about: Topic = (store) => {
  test('a key is added once, and read as it was written', async () => {
    const { apiKeys, databaseTime } = store();
    expect(await apiKeys.add({ ...key, id: 'once' })).toBe(true);
    expect(await apiKeys.add({ ...key, id: 'once', hash: 'another' })).toBe(false);
    const row = await apiKeys.get('once');
    expect(row).toMatchObject({ hash: 'h1', generation: 1, previous: null, expiresAt: null, revokedAt: null });
    expect(Math.abs((row?.createdAt ?? 0) - (await databaseTime()))).toBeLessThan(60_000);
    expect(await apiKeys.get('never')).toBe(null);
  });

  test('a rotation takes effect for the generation it knows, and not after a revocation', async () => {
    const { apiKeys } = store();
    await apiKeys.add({ ...key, id: 'turned' });
    const set = { hash: 'h2', previous: '[]' };
    expect(await apiKeys.rotate({ id: 'turned', generation: 1 }, set)).toBe(true);
    expect(await apiKeys.rotate({ id: 'turned', generation: 1 }, set)).toBe(false);
    expect(await apiKeys.get('turned')).toMatchObject({ hash: 'h2', previous: '[]', generation: 2 });
    expect(await apiKeys.revoke('turned')).toBe(true);
    expect(await apiKeys.revoke('turned')).toBe(false);
    expect(await apiKeys.rotate({ id: 'turned', generation: 2 }, set)).toBe(false);
  });

  test('keys are listed newest first, of one tenant or of all', async () => {
    const { apiKeys } = store();
    for (const [id, tenant] of [
      ['list-1', 'one'],
      ['list-2', 'two'],
      ['list-3', 'one'],
    ] as const)
      await apiKeys.add({ ...key, id, tenant });
    expect(await idsOf(apiKeys.newest({ tenant: 'two', limit: 10, after: null }))).toEqual(['list-2']);
    expect(await idsOf(apiKeys.newest({ tenant: 'one', limit: 10, after: null }))).toEqual(['list-3', 'list-1']);
    const all = await idsOf(apiKeys.newest({ tenant: null, limit: 100, after: null }));
    expect(all.filter((id) => id.startsWith('list-'))).toEqual(['list-3', 'list-2', 'list-1']);
  });

  test('what is not over stands before what is, and a change brings a key to the front', async () => {
    const { apiKeys } = store();
    await apiKeys.add({ ...key, id: 'unending' });
    await apiKeys.add({ ...key, id: 'short', expiresInSeconds: 60 });
    await apiKeys.add({ ...key, id: 'past', expiresInSeconds: -60 });
    const mine = async (page: ReturnType<ApiKeys['newest']>): Promise<readonly string[]> =>
      (await idsOf(page)).filter((id) => ['unending', 'short', 'past'].includes(id));
    expect(await mine(apiKeys.endingLast({ limit: 100, after: null }))).toEqual(['unending', 'short', 'past']);
    await apiKeys.revoke('unending');
    expect((await mine(apiKeys.changedLast({ limit: 100, after: null })))[0]).toBe('unending');
    expect((await apiKeys.get('unending'))?.revokedAt).not.toBe(null);
    expect((await apiKeys.get('past'))?.expiresAt ?? Number.POSITIVE_INFINITY).toBeLessThan(
      await store().databaseTime(),
    );
  });

  test('being used is told, and is no change', async () => {
    const { apiKeys } = store();
    await apiKeys.add({ ...key, id: 'used' });
    const before = await apiKeys.get('used');
    await apiKeys.used('used');
    const after = await apiKeys.get('used');
    expect(after?.lastUsedAt).not.toBe(null);
    expect(after?.changedAt).toBe(before?.changedAt);
  });

  test('a key that has been over for more than a year is forgotten', async () => {
    const { apiKeys, retire } = store();
    await apiKeys.add({ ...key, id: 'long-over', expiresInSeconds: -401 * DAY_SECONDS });
    await apiKeys.add({ ...key, id: 'just-over', expiresInSeconds: -399 * DAY_SECONDS });
    await retire({ endedBefore: 0, now: 0, limit: 10 });
    expect(await apiKeys.get('long-over')).toBe(null);
    expect(await apiKeys.get('just-over')).not.toBe(null);
  });
};
