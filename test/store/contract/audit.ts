import { expect, test } from 'vitest';
import type { Topic } from '../topic.ts';

const entry = {
  tenant: 'default',
  actor: 'key:k',
  address: '192.0.2.1',
  action: 'key.create',
  object: null,
  outcome: 'asked',
  reason: 'for a test',
  details: '{}',
};

export const about: Topic = (store) => {
  test('what was done is written once, and says afterwards what came of it', async () => {
    const { audit } = store();
    await audit.add({ ...entry, id: 'once', tenant: 'told' });
    await expect(audit.add({ ...entry, id: 'once', tenant: 'told' })).rejects.toThrow();
    await audit.settle('once', { object: 'k2', outcome: 'done' });
    const { items } = await audit.newest({ tenant: 'told', limit: 10, after: null, secondsAgo: null });
    expect(items).toEqual([
      { ...entry, id: 'once', tenant: 'told', object: 'k2', outcome: 'done', at: expect.any(Number) },
    ]);
  });

  test('it is listed newest first, of one tenant or of all, and up to a time', async () => {
    const { audit } = store();
    for (const [id, tenant] of [
      ['list-1', 'one'],
      ['list-2', 'two'],
      ['list-3', 'one'],
    ] as const)
      await audit.add({ ...entry, id, tenant });
    const page = { limit: 100, after: null };
    const ids = async (tenant: string | null, secondsAgo: number | null): Promise<readonly string[]> =>
      (await audit.newest({ ...page, tenant, secondsAgo })).items
        .map(({ id }) => id)
        .filter((id) => id.startsWith('list-'));
    expect(await ids('one', null)).toEqual(['list-3', 'list-1']);
    expect(await ids(null, null)).toEqual(['list-3', 'list-2', 'list-1']);
    expect(await ids('one', 3_600)).toEqual([]);
    expect(await ids('one', -3_600)).toEqual(['list-3', 'list-1']);
    const first = await audit.newest({ tenant: 'one', limit: 1, after: null, secondsAgo: null });
    const second = await audit.newest({ tenant: 'one', limit: 1, after: first.next, secondsAgo: null });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(['list-3', 'list-1']);
  });

  test('it goes when it is old enough, as the settings say', async () => {
    const { audit, retire } = store();
    await audit.add({ ...entry, id: 'aging', tenant: 'aging' });
    const left = async (): Promise<number> =>
      (await audit.newest({ tenant: 'aging', limit: 10, after: null, secondsAgo: null })).items.length;
    await retire({ endedBefore: 0, now: 0, limit: 1_000 });
    expect(await left()).toBe(1);
    await retire({ endedBefore: 0, now: 0, limit: 1_000, keepMs: { audit: -60_000 } });
    expect(await left()).toBe(0);
  });
};
