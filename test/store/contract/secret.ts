import { expect, test } from 'vitest';
import type { Topic } from '../topic.ts';

const secret = {
  tenant: '*',
  kind: 'capability',
  type: 'mac',
  match: '',
  value: 'v1',
  previous: null,
  createdBy: 'test',
};

export const about: Topic = (store) => {
  test('a secret is added once, and read as it was written', async () => {
    const { secrets } = store();
    expect(await secrets.add({ ...secret, id: 'once' })).toBe(true);
    expect(await secrets.add({ ...secret, id: 'once', value: 'another' })).toBe(false);
    expect(await secrets.get('once')).toMatchObject({ ...secret, generation: 1, revokedAt: null });
  });

  test('a rotation takes effect for the generation it knows, and not after a revocation', async () => {
    const { secrets } = store();
    await secrets.add({ ...secret, id: 'turned' });
    const set = { value: 'v2', previous: '[]' };
    expect(await secrets.rotate({ id: 'turned', generation: 1 }, set)).toBe(true);
    expect(await secrets.rotate({ id: 'turned', generation: 1 }, set)).toBe(false);
    expect(await secrets.get('turned')).toMatchObject({ ...set, generation: 2 });
    expect(await secrets.revoke('turned')).toBe(true);
    expect(await secrets.revoke('turned')).toBe(false);
    expect(await secrets.rotate({ id: 'turned', generation: 2 }, set)).toBe(false);
  });

  test('one that was used says when, and may be sealed in another way while it is of the same generation', async () => {
    const { secrets } = store();
    await secrets.add({ ...secret, id: 'sealed' });
    expect((await secrets.get('sealed'))?.lastUsedAt).toBe(null);
    await secrets.used('sealed');
    expect((await secrets.get('sealed'))?.lastUsedAt).toBeTypeOf('number');
    expect(await secrets.reseal({ id: 'sealed', generation: 2 }, { value: 'x', previous: null })).toBe(false);
    expect(await secrets.reseal({ id: 'sealed', generation: 1 }, { value: 'x', previous: 'y' })).toBe(true);
    expect(await secrets.get('sealed')).toMatchObject({ value: 'x', previous: 'y', generation: 1 });
  });

  test('secrets are listed newest first, and those that are over stand last', async () => {
    const { secrets } = store();
    for (const id of ['list-1', 'list-2']) await secrets.add({ ...secret, id, tenant: 'one' });
    const page = { limit: 100, after: null };
    const ids = async (of: ReturnType<typeof secrets.newest>): Promise<readonly string[]> =>
      (await of).items.map(({ id }) => id).filter((id) => id.startsWith('list-'));
    expect(await ids(secrets.newest({ ...page, tenant: 'one' }))).toEqual(['list-2', 'list-1']);
    expect(await ids(secrets.newest({ ...page, tenant: null }))).toEqual(['list-2', 'list-1']);
    expect(await ids(secrets.newest({ ...page, tenant: 'two' }))).toEqual([]);
    await secrets.revoke('list-2');
    expect(await ids(secrets.endingLast(page))).toEqual(['list-1', 'list-2']);
    expect(await ids(secrets.changedLast(page))).toEqual(['list-2', 'list-1']);
  });
};
