import { expect, test } from 'vitest';
import type { Topic } from '../topic.ts';

export const about: Topic = (store) => {
  test('versions are walked by page, the newest first', async () => {
    const { stored } = store();
    for (let i = 1; i <= 5; i++)
      await stored.add(
        {
          ...{
            tenant: 'versions',
            name: 'many',
            active: i,
            last: i,
            ver: i,
            hash: `vh${i}`,
            source: 'vs',
            sha256: `x${i}`,
          },
          ...{ format: 'json', options: '{}', routeMethod: null, routeShape: null, routePublic: null },
        },
        { text: 'define', stored: '[]', note: null, createdBy: null },
      );
    const first = await stored.versions('versions', 'many', { limit: 2, after: null });
    const second = await stored.versions('versions', 'many', { limit: 2, after: first.next });
    expect([...first.items, ...second.items].map(({ version }) => version)).toEqual([5, 4, 3, 2]);
    expect((await stored.versions('versions', 'many', { limit: 2, after: second.next })).next).toBe(null);
    expect(await stored.version('versions', 'few', 1)).toBe(null);
  });
};
