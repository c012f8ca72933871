import { expect, test } from 'vitest';
import type { Tenant } from '../../../src/model/tenant.ts';
import type { NewBatch } from '../../../src/store/store.ts';
import type { Topic } from '../topic.ts';

const batch = (id: string, tenant = 'batches'): NewBatch => ({
  ...{ id, tenant, action: 'cancel', asked: '{"filter":{"all":true}}', params: '{}' },
  ...{ reason: 'for a test', actor: 'key:k', rate: null },
});
const items = (...workflows: readonly string[]) => workflows.map((workflow) => ({ workflow, object: null }));

export const about: Topic = (store) => {
  const get = async (id: string, tenant = 'batches') => store().batches.get(tenant as Tenant, id);

  test('a batch collects its items page by page, and each page once', async () => {
    const { batches } = store();
    await batches.add(batch('pages'), null);
    expect(await get('pages')).toMatchObject({ state: 'collecting', total: 0, place: null, startedAt: null });
    expect(await get('pages', 'another')).toBe(null);
    expect(await batches.collect('pages', null, { items: items('a', 'b'), next: 'p1', isLast: false })).toBe(true);
    expect(await batches.collect('pages', null, { items: items('a', 'b'), next: 'p1', isLast: false })).toBe(false);
    expect(await get('pages')).toMatchObject({ state: 'collecting', total: 2, place: 'p1' });
    expect(await batches.collect('pages', 'p1', { items: items('c'), next: null, isLast: true })).toBe(true);
    expect(await get('pages')).toMatchObject({ state: 'running', total: 3, endedAt: null });
    const { items: found } = await batches.items({ batch: 'pages', state: null, limit: 10, after: null });
    expect(found.map(({ seq, workflow, state }) => [seq, workflow, state])).toEqual([
      [1, 'a', 'left'],
      [2, 'b', 'left'],
      [3, 'c', 'left'],
    ]);
  });

  test('what comes of items is counted once, and with the last of them it is over', async () => {
    const { batches } = store();
    await batches.add(batch('counts'), items('a', 'b', 'c'));
    const taken = [1, 2, 3].map((seq) => ({ seq, lastN: seq * 10 }));
    expect(await batches.take('counts', taken)).toEqual(
      new Map([
        [1, 10],
        [2, 20],
        [3, 30],
      ]),
    );
    expect(await batches.take('counts', [{ seq: 1, lastN: 99 }])).toEqual(new Map([[1, 10]]));
    const settled = { code: null, message: null };
    await batches.settle('counts', [
      { seq: 1, state: 'done', ...settled },
      { seq: 2, state: 'left', ...settled },
    ]);
    await batches.settle('counts', [{ seq: 1, state: 'failed', ...settled }]);
    expect(await get('counts')).toMatchObject({ state: 'running', total: 3, done: 1, failed: 0, skipped: 0 });
    expect((await batches.next('counts', 10)).map(({ seq, taken: isTaken }) => [seq, isTaken])).toEqual([
      [2, false],
      [3, true],
    ]);
    await batches.settle('counts', [
      { seq: 2, state: 'skipped', code: 'workflow_over', message: 'It is over' },
      { seq: 3, state: 'failed', code: 'internal', message: 'no' },
    ]);
    expect(await get('counts')).toMatchObject({
      ...{ state: 'completed', total: 3, done: 1, failed: 1, skipped: 1 },
      endedAt: expect.any(Number),
    });
    expect(await batches.problems('counts')).toEqual([
      { code: 'internal', count: 1 },
      { code: 'workflow_over', count: 1 },
    ]);
    const skipped = await batches.items({ batch: 'counts', state: 'skipped', limit: 10, after: null });
    expect(skipped.items.map(({ seq }) => seq)).toEqual([2]);
  });

  test('one node is at a batch, until it puts it back or its lease ends', async () => {
    const { batches } = store();
    await batches.add(batch('turns', 'turns'), items('a'));
    const waits = async () => (await batches.waiting(1_000)).find(({ id }) => id === 'turns')?.waitSeconds;
    expect(await waits()).toBe(0);
    expect(await batches.claim('turns', 'node-1', 60)).toMatchObject({
      owner: 'node-1',
      startedAt: expect.any(Number),
    });
    expect(await waits()).toBe(undefined);
    expect(await batches.claim('turns', 'node-2', 60)).toBe(null);
    await batches.release('turns', 'node-2', 0);
    expect(await waits()).toBe(undefined);
    await batches.release('turns', 'node-1', 3_600);
    expect(await waits()).toBeGreaterThan(3_000);
    expect(await batches.claim('turns', 'node-2', -1)).toMatchObject({ owner: 'node-2' });
    expect(await batches.claim('turns', 'node-1', 60)).toMatchObject({ owner: 'node-1' });
  });

  test('one that is stopped or has failed keeps what was done, and is not over a second time', async () => {
    const { batches } = store();
    await batches.add(batch('stopped', 'ends'), items('a', 'b'));
    await batches.add(batch('failed', 'ends'), null);
    expect(await batches.unfinished('ends' as Tenant)).toBe(2);
    await batches.settle('stopped', [{ seq: 1, state: 'done', code: null, message: null }]);
    expect(await batches.stop('stopped', null)).toBe(true);
    expect(await batches.stop('stopped', null)).toBe(false);
    expect(await batches.fail('failed', 'limit_exceeded')).toBe(true);
    expect(await batches.unfinished('ends' as Tenant)).toBe(0);
    expect(await get('stopped', 'ends')).toMatchObject({ state: 'stopped', total: 2, done: 1 });
    expect(await get('failed', 'ends')).toMatchObject({ state: 'failed', problem: 'limit_exceeded' });
    const query = { tenant: 'ends' as Tenant, limit: 10, after: null };
    expect((await batches.list({ ...query, state: null })).items.length).toBe(2);
    expect((await batches.list({ ...query, state: 'stopped' })).items.map(({ id }) => id)).toEqual(['stopped']);
    expect((await batches.waiting(1_000)).filter(({ tenant }) => tenant === 'ends')).toEqual([]);
  });

  test('one about nothing is over at once, and old ones go', async () => {
    const { batches, retire } = store();
    await batches.add(batch('empty', 'old'), []);
    expect(await get('empty', 'old')).toMatchObject({ state: 'completed', total: 0, endedAt: expect.any(Number) });
    await retire({ endedBefore: 0, now: 0, limit: 1_000 });
    expect(await get('empty', 'old')).not.toBe(null);
    await retire({ endedBefore: 0, now: 0, limit: 1_000, keepMs: { batch: -60_000 } });
    expect(await get('empty', 'old')).toBe(null);
  });
};
