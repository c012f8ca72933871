import { expect, test } from 'vitest';
import type { Topic } from '../topic.ts';

const subscription = { tenant: 'contract', spec: '{"url":"http://a.test/"}', sealed: null, enabled: true };

export const about: Topic = (store) => {
  test('a subscription is changed by who has read it last, until it is deleted', async () => {
    const { subscriptions } = store();
    expect(await subscriptions.add({ ...subscription, id: 'sub_1' })).toBe(true);
    expect(await subscriptions.add({ ...subscription, id: 'sub_1' })).toBe(false);
    expect(await subscriptions.change('sub_1', 1, { enabled: false, reason: 'gone' })).toBe(true);
    expect(await subscriptions.change('sub_1', 1, { enabled: true })).toBe(false);
    expect(await subscriptions.get('sub_1')).toMatchObject({ enabled: false, reason: 'gone', ver: 2 });
    expect(await subscriptions.delete('sub_1', 2)).toBe(true);
    expect(await subscriptions.change('sub_1', 3, { enabled: true })).toBe(false);
    const { items } = await subscriptions.changedLast({ limit: 10, after: null });
    expect(items.find(({ id }) => id === 'sub_1')).toMatchObject({ ver: 3, spec: '{}' });
  });
};
