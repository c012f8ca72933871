import { expect, test } from 'vitest';
import type { Topic } from '../topic.ts';

export const about: Topic = (store) => {
  test('a text is stored once, however many versions have it, and comes back as it was', async () => {
    const { stored } = store();
    const text = '\uFEFF  define "ä€𝒳"\r\n\tsequence\n';
    for (const name of ['one', 'two'])
      await stored.add(
        {
          ...{ tenant: 'texts', name, active: 1, last: 1, ver: 1, hash: 'th', source: 'same text', sha256: 'x' },
          ...{ format: 'radial', options: '{}', routeMethod: null, routeShape: null, routePublic: null },
        },
        { text, stored: '[]', note: null, createdBy: null },
      );
    expect(await stored.text('same text')).toBe(text);
  });
};
