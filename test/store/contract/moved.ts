import { expect, test } from 'vitest';
import type { Topic } from '../topic.ts';

export const about: Topic = (store) => {
  test('a tenant that moves is on its way, and then elsewhere', async () => {
    const { moved } = store();
    await moved.note('acme', null);
    expect(await moved.tenants()).toContainEqual({ tenant: 'acme', target: null });
    await moved.note('acme', 'https://rota.example/c/b');
    expect((await moved.tenants()).filter(({ tenant }) => tenant === 'acme')).toEqual([
      { tenant: 'acme', target: 'https://rota.example/c/b' },
    ]);
    expect(await moved.tenantOf('20990101-0000-nobody')).toBe(null);
  });
};
