import { expect, test } from 'vitest';
import { AT, changes, history, workflow, workflowId } from '../samples.ts';
import { type Topic, writeTo } from '../topic.ts';

const owed = (
  id: string,
  n = 1,
  more: { readonly ordered?: boolean; readonly subscription?: string; readonly target?: string } = {},
) => ({
  id,
  tenant: 'contract',
  subscription: 'sub_c',
  workflowId: 'w',
  n,
  type: 'rota.workflow.launched',
  event: '{}',
  target: null,
  ordered: false,
  createdAt: 1_000,
  ...more,
});
const request = { now: 5_000, limit: 10, leaseSeconds: 30, skip: [] };
const ids = (rows: readonly { readonly id: string }[]): readonly string[] => rows.map(({ id }) => id).sort();

export const about: Topic = (store) => {
  test('a delivery is claimed by one at a time, and ends by the claim that tried it', async () => {
    const { deliveries } = store();
    expect(await deliveries.add(owed('one'))).toBe(true);
    expect(await deliveries.add(owed('one'))).toBe(false);
    expect(await deliveries.claim({ ...request, now: 999, claim: 'a' })).toEqual([]);
    expect(ids(await deliveries.claim({ ...request, claim: 'a' }))).toEqual(['one']);
    expect(await deliveries.claim({ ...request, claim: 'b' })).toEqual([]);
    expect(await deliveries.renew('one', 'a', 30)).toBe(true);
    const failed = { state: 'failing', tries: 1, dueAt: 9_000, goneAt: null, log: '[1]' };
    expect(await deliveries.end('one', 'b', failed)).toBe(false);
    expect(await deliveries.end('one', 'a', failed)).toBe(true);
    expect(await deliveries.nextDueAt(-1)).toBe(9_000);
    expect(await deliveries.owed('sub_c', 10)).toBe(1);
    await deliveries.claim({ ...request, now: 9_000, claim: 'c' });
    await deliveries.putOff('one', 'c', 9_500);
    await deliveries.claim({ ...request, now: 9_500, claim: 'd' });
    await deliveries.end('one', 'd', { state: 'delivered', tries: 2, dueAt: null, goneAt: 10_000, log: '[1,2]' });
    expect(await deliveries.owed('sub_c', 10)).toBe(0);
    expect(await deliveries.get('one')).toMatchObject({ state: 'delivered', tries: 2, claim: null, log: '[1,2]' });
    expect(await deliveries.again('one', 11_000)).toBe(true);
    expect((await deliveries.of('sub_c', { limit: 10, after: null })).items).toMatchObject([
      { id: 'one', state: 'owed' },
    ]);
    await deliveries.claim({ ...request, now: 11_000, claim: 'e' });
    await deliveries.end('one', 'e', { state: 'spent', tries: 1, dueAt: null, goneAt: 12_000, log: '[]' });
  });

  test('of an ordered subscription nothing is claimed that has something owed before it', async () => {
    const { deliveries } = store();
    const ordered = { ordered: true, subscription: 'sub_o' };
    for (const [id, n] of [
      ['o1', 1],
      ['o2', 2],
    ] as const)
      await deliveries.add(owed(id, n, ordered));
    expect(ids(await deliveries.claim({ ...request, claim: 'a' }))).toEqual(['o1']);
    await deliveries.end('o1', 'a', { state: 'spent', tries: 1, dueAt: null, goneAt: 1, log: '[]' });
    expect(ids(await deliveries.claim({ ...request, claim: 'b' }))).toEqual(['o2']);
    await deliveries.end('o2', 'b', { state: 'delivered', tries: 1, dueAt: null, goneAt: 1, log: '[]' });
  });

  test('who is left out of a claim gets nothing by it, and others do', async () => {
    const { deliveries } = store();
    const target = '{"url":"http://slow.example","headers":{}}';
    await deliveries.add(owed('slow1', 1, { subscription: 'sub_slow' }));
    await deliveries.add(owed('slow2', 1, { subscription: 'notify0', target }));
    await deliveries.add(owed('quick', 1, { subscription: 'sub_quick' }));
    const skip = ['sub_slow', target];
    expect(ids(await deliveries.claim({ ...request, skip, claim: 'a' }))).toEqual(['quick']);
    expect(ids(await deliveries.claim({ ...request, claim: 'b' }))).toEqual(['slow1', 'slow2']);
    for (const [id, claim] of [
      ['quick', 'a'],
      ['slow1', 'b'],
      ['slow2', 'b'],
    ] as const)
      await deliveries.end(id, claim, { state: 'delivered', tries: 1, dueAt: null, goneAt: 1, log: '[]' });
  });

  test('what is owed later can be made due, a piece at a time', async () => {
    const { deliveries } = store();
    for (const id of ['h1', 'h2', 'h3'])
      await deliveries.add({ ...owed(id, 1, { subscription: 'sub_h' }), createdAt: 9_000 });
    expect(await deliveries.hasten('sub_h', 4_000, 2)).toBe(2);
    expect(await deliveries.hasten('sub_h', 4_000, 2)).toBe(1);
    expect(await deliveries.hasten('sub_h', 4_000, 2)).toBe(0);
    expect(ids(await deliveries.claim({ ...request, claim: 'h' }))).toEqual(['h1', 'h2', 'h3']);
    for (const id of ['h1', 'h2', 'h3'])
      await deliveries.end(id, 'h', { state: 'delivered', tries: 1, dueAt: null, goneAt: 1, log: '[]' });
  });

  test('what a step owes is written with it', async () => {
    const id = workflowId();
    const written = changes(workflow(id), {}, { history: [history(1)] });
    await writeTo(store(), [written], { deliveries: [owed('born', 1, { subscription: 'sub_b' })] });
    const { deliveries } = store();
    expect(await deliveries.get('born')).toMatchObject({ state: 'owed', tries: 0, dueAt: 1_000, log: '[]' });
    await deliveries.claim({ ...request, now: AT, claim: 'x' });
    await deliveries.end('born', 'x', { state: 'delivered', tries: 1, dueAt: null, goneAt: 1, log: '[]' });
  });
};
