import { expect, test } from 'vitest';
import type { ChangedName } from '../../../src/store/tables/definition-name.ts';
import type { Topic } from '../topic.ts';

const row = (name: string, given: Partial<ChangedName> = {}): ChangedName => ({
  ...{ tenant: 'names', name, active: 1, last: 1, ver: 1 },
  ...{ hash: 'h1', source: 's1', sha256: 'x1', format: 'radial', options: '{"a":1}' },
  ...{ routeMethod: null, routeShape: null, routePublic: null },
  ...given,
});
const version = { text: 'define', stored: '["define",{},[]]', note: 'first', createdBy: 'key:a' };

export const about: Topic = (store) => {
  test('a version is added with its text and its tree, and becomes what its name says', async () => {
    const { stored, definitions } = store();
    expect(await stored.name('names', 'order')).toBe(null);
    expect(await stored.add(row('order'), version)).toBe('done');
    expect(await stored.name('names', 'order')).toMatchObject({ active: 1, last: 1, ver: 1, options: '{"a":1}' });
    expect(await stored.version('names', 'order', 1)).toMatchObject({
      ...{ hash: 'h1', source: 's1', sha256: 'x1', format: 'radial', options: '{"a":1}' },
      ...{ note: 'first', createdBy: 'key:a' },
    });
    expect([await stored.text('s1'), await definitions.text('h1')]).toEqual(['define', '["define",{},[]]']);
    expect(await stored.text('s2')).toBe(null);
    const second = row('order', { active: 2, last: 2, ver: 2, hash: 'h2', source: 's2', options: '{}' });
    expect(await stored.add(second, { ...version, text: 'sequence', note: null, createdBy: null })).toBe('done');
    const { items } = await stored.versions('names', 'order', { limit: 10, after: null });
    expect(items.map((item) => [item.version, item.note])).toEqual([
      [2, null],
      [1, 'first'],
    ]);
    expect(await stored.name('other', 'order')).toBe(null);
  });

  test('whoever has not seen the latest change changes nothing', async () => {
    const { stored } = store();
    await stored.add(row('late'), version);
    expect(await stored.add(row('late'), version)).toBe('stale');
    expect(await stored.add(row('late', { last: 2, ver: 3 }), version)).toBe('stale');
    expect(await stored.version('names', 'late', 2)).toBe(null);
    expect(await stored.change(row('late', { active: null, ver: 2 }))).toBe('done');
    expect(await stored.change(row('late', { ver: 2 }))).toBe('stale');
    expect((await stored.name('names', 'late'))?.active).toBe(null);
  });

  test('a route leads to one active definition of a tenant, a public one to one of all', async () => {
    const { stored } = store();
    const route = { routeMethod: 'POST', routeShape: '/routed/{}', routePublic: false };
    expect(await stored.add(row('routed', route), version)).toBe('done');
    expect(await stored.add(row('other', route), version)).toBe('taken');
    expect(await stored.name('names', 'other')).toBe(null);
    expect(await stored.version('names', 'other', 1)).toBe(null);
    expect(await stored.add(row('other', { ...route, routeMethod: 'PUT' }), version)).toBe('done');
    // Its own may be kept, another tenant's is another one, and one that was deleted leads nowhere.
    expect(await stored.change(row('routed', { ...route, ver: 2 }))).toBe('done');
    expect(await stored.add(row('routed', { ...route, tenant: 'names-b' }), version)).toBe('done');
    expect(await stored.change(row('routed', { ...route, ver: 3, active: null }))).toBe('done');
    expect(await stored.add(row('third', route), version)).toBe('done');
    const open = { ...route, routeShape: '/open', routePublic: true };
    expect(await stored.add(row('open', open), version)).toBe('done');
    expect(await stored.add(row('open', { ...open, tenant: 'names-b' }), version)).toBe('taken');
    expect(await stored.add(row('mine', { ...open, tenant: 'names-b', routePublic: false }), version)).toBe('done');
  });

  test('what changed last stands in front', async () => {
    const { stored } = store();
    await stored.add(row('one', { tenant: 'changed' }), version);
    await stored.add(row('two', { tenant: 'changed' }), version);
    await stored.change(row('one', { tenant: 'changed', ver: 2, active: null }));
    const { items } = await stored.changedLast({ limit: 1_000, after: null });
    const own = items.filter(({ tenant }) => tenant === 'changed');
    expect(own.map(({ name, ver }) => `${name} ${ver}`).sort()).toEqual(['one 2', 'two 1']);
    const at = own.map(({ changedAt }) => changedAt);
    expect(at).toEqual([...at].sort((a, b) => b - a));
  });
};
