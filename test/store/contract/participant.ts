import { expect, test } from 'vitest';
import type { Topic } from '../topic.ts';

const alpha = { tenant: 'contract', name: 'alpha', spec: '{"url":"http://a.test/"}', sealed: null };

export const about: Topic = (store) => {
  test('a participant is written where nobody else has written it, and comes back after it was deleted', async () => {
    const { participants } = store();
    expect(await participants.put(alpha, null)).toBe(true);
    expect(await participants.put(alpha, null)).toBe(false);
    expect(await participants.put({ ...alpha, sealed: 's' }, 1)).toBe(true);
    expect(await participants.put(alpha, 1)).toBe(false);
    expect(await participants.get('contract', 'alpha')).toMatchObject({ ...alpha, sealed: 's', ver: 2 });
    expect(await participants.delete('contract', 'alpha', 1)).toBe(false);
    expect(await participants.delete('contract', 'alpha', 2)).toBe(true);
    expect(await participants.get('contract', 'alpha')).toMatchObject({ spec: '{}', sealed: null });
    expect(await participants.put(alpha, null)).toBe(true);
    expect(await participants.get('contract', 'alpha')).toMatchObject({ ...alpha, ver: 4 });
  });

  test('among what changed last is one that was deleted', async () => {
    const { participants } = store();
    for (const name of ['one', 'two']) await participants.put({ ...alpha, tenant: 'listed', name }, null);
    await participants.delete('listed', 'one', 1);
    const page = { limit: 100, after: null };
    const names = async (of: ReturnType<typeof participants.changedLast>): Promise<readonly string[]> =>
      (await of).items.filter(({ tenant }) => tenant === 'listed').map(({ name }) => name);
    expect([...(await names(participants.changedLast(page)))].sort()).toEqual(['one', 'two']);
  });
};
