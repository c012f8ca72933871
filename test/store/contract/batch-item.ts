import { expect, test } from 'vitest';
import type { Topic } from '../topic.ts';

export const about: Topic = (store) => {
  test('items are read page by page, and go when they are old, after their batch', async () => {
    const { batches, retire } = store();
    const given = Array.from({ length: 5 }, (_, i) => ({ workflow: `w${i}`, object: i === 0 ? '0_0!x' : null }));
    const batch = { id: 'many', tenant: 'items', action: 'replay', asked: '{"ids":5}', params: '{}' };
    await batches.add({ ...batch, reason: null, actor: null, rate: 7 }, given);
    const query = { batch: 'many', state: null, limit: 3 };
    const first = await batches.items({ ...query, after: null });
    const second = await batches.items({ ...query, after: first.next });
    expect([...first.items, ...second.items].map(({ workflow, object }) => [workflow, object])).toEqual(
      given.map(({ workflow, object }) => [workflow, object]),
    );
    expect(second.next).toBe(null);
    await retire({ endedBefore: 0, now: 0, limit: 1_000 });
    expect((await batches.next('many', 10)).length).toBe(5);
    await retire({ endedBefore: 0, now: 0, limit: 1_000, keepMs: { batch_item: -60_000 } });
    expect(await batches.next('many', 10)).toEqual([]);
  });
};
