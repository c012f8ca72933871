import { expect, test } from 'vitest';
import { judgeEvent } from '../../../src/language/event-condition.ts';
import type { EventRow } from '../../../src/model/events.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import type { WaiterRow } from '../../../src/model/rows.ts';
import type { Tenant } from '../../../src/model/tenant.ts';
import type { Coming } from '../../../src/store/meeting.ts';
import { AT, changes, expression, gone, history, save, waiter, workflow, workflowId } from '../samples.ts';
import type { Topic } from '../topic.ts';

/* Where events and those who wait for them meet. Each test has a tenant of its own. */

let made = 0;
const tenantOf = (): Tenant => `signals-${++made}` as Tenant;

function coming(tenant: Tenant, given: Partial<EventRow> = {}, data: JsonObject = {}): Coming {
  const id = `event-${++made}`;
  const row: EventRow = {
    ...{ tenant, source: 'test', id, digest: id, type: 'payment', key: null, sort: 'event', mode: 'broadcast' },
    ...{ workflowId: null, receivedAt: AT, expiresAt: AT + 60_000, goneAt: AT + 600_000, state: 'kept', hops: 0 },
    ...{ hits: 0, misses: 0, resumed: '[]', started: '[]', due: false, spread: null, body: '{}' },
    eventId: `evt_${id}`,
    ...given,
  };
  return { row, event: { type: row.type, data }, starts: [] };
}

export const about: Topic = (store) => {
  /** A workflow of the tenant with these waiters, armed. */
  async function waiting(tenant: Tenant, ...waiters: readonly WaiterRow[]) {
    const id = workflowId();
    const tx = await store().begin([{ workflow: id, needs: [] }]);
    const change = changes(workflow(id, { tenant, updatedAt: AT }), { waiters }, { history: [history(1)] });
    expect(await tx.commit(save([change]))).toBe('committed');
    return id;
  }
  const receive = (tenant: Tenant, ...events: readonly Coming[]) =>
    store().meeting.receive(tenant, events, judgeEvent, AT);
  const loaded = async (id: Awaited<ReturnType<typeof waiting>>) => {
    const tx = await store().begin([{ workflow: id, needs: [{ kind: 'everything' }] }]);
    await tx.rollback();
    const rows = tx.loaded.get(id);
    if (rows?.workflow == null) throw new Error(`There is no ${id}`);
    return { ...rows, workflow: rows.workflow };
  };
  const handedIn = async (id: Awaited<ReturnType<typeof waiting>>) => [...(await loaded(id)).agenda.keys()].sort();

  test('an event goes to everybody it fits, and is kept where nobody waits', async () => {
    const tenant = tenantOf();
    const any = await waiting(tenant, waiter('0_0'));
    const seven = await waiting(tenant, waiter('0_0', { wanted: '7' }));
    await waiting(tenant, waiter('0_0', { wanted: '8' }));
    await waiting(tenantOf(), waiter('0_0'));
    const event = coming(tenant, { key: '7' });
    const [received] = await receive(tenant, event);
    expect(received?.row).toMatchObject({ state: 'delivered', hits: 2 });
    expect((received?.handed ?? []).map(({ workflow: id }) => id).sort()).toEqual([any, seven].sort());
    expect(await handedIn(seven)).toEqual([`signal ${event.row.eventId} ${expression('0_0')}`]);
    const [kept] = await receive(tenant, coming(tenant, { key: '9', type: 'other' }));
    expect(kept?.row).toMatchObject({ state: 'kept', hits: 0 });
    const [gone_] = await receive(tenant, coming(tenant, { type: 'other', expiresAt: AT }));
    expect(gone_?.row.state).toBe('expired');
  });

  test('one that waits for one event is given one', async () => {
    const tenant = tenantOf();
    const once = await waiting(tenant, waiter('0_0'));
    const always = await waiting(tenant, waiter('0_0', { once: false }));
    await receive(tenant, coming(tenant), coming(tenant));
    await receive(tenant, coming(tenant));
    expect(await handedIn(once)).toHaveLength(1);
    expect(await handedIn(always)).toHaveLength(3);
  });

  test('a competing event goes to the one that has waited longest', async () => {
    const tenant = tenantOf();
    const late = await waiting(tenant, waiter('0_0', { since: AT + 1, wanted: 'k' }));
    const early = await waiting(tenant, waiter('0_0', { since: AT }));
    await receive(tenant, coming(tenant, { key: 'k', mode: 'competing' }));
    expect([await handedIn(late), await handedIn(early)].map((rows) => rows.length)).toEqual([0, 1]);
  });

  test('a kept event goes to the first it fits, the oldest first, and to no other', async () => {
    const tenant = tenantOf();
    const [second, first] = [coming(tenant, { receivedAt: AT + 1, key: '7' }), coming(tenant, { key: '7' })];
    await receive(tenant, second, first);
    await receive(tenant, coming(tenant, { key: '7', expiresAt: AT }));
    const other = await waiting(tenant, waiter('0_0', { wanted: '8' }));
    const one = await waiting(tenant, waiter('0_0', { wanted: '7' }));
    const two = await waiting(tenant, waiter('0_0'));
    const three = await waiting(tenant, waiter('0_0'));
    expect(await handedIn(other)).toEqual([]);
    expect(await handedIn(one)).toEqual([`signal ${first.row.eventId} ${expression('0_0')}`]);
    expect(await handedIn(two)).toEqual([`signal ${second.row.eventId} ${expression('0_0')}`]);
    expect(await handedIn(three)).toEqual([]);
    expect(await store().receivedEvents.get(first.row.eventId)).toMatchObject({
      state: 'delivered',
      hits: 1,
      resumed: JSON.stringify([one]),
    });
  });

  test('keys can lie anywhere in an event, and conditions decide', async () => {
    const tenant = tenantOf();
    const lies = (pointer: string, given: Partial<WaiterRow> = {}) =>
      waiting(tenant, waiter('0_0', { wanted: '7', keyFrom: pointer, ...given }));
    const pointers = Array.from({ length: 10 }, (_, i) => `/data/key${i}`);
    const all: Awaited<ReturnType<typeof waiting>>[] = [];
    for (const pointer of pointers) all.push(await lies(pointer));
    const choosy = await waiting(tenant, waiter('0_0', { where: '${event.data.amount} > 5' }));
    await receive(tenant, coming(tenant, { key: '7' }, { key0: 7, key9: '7', amount: 3 }));
    const counts = async (): Promise<readonly number[]> =>
      Promise.all([...all, choosy].map(async (id) => (await handedIn(id)).length));
    expect(await counts()).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    await receive(tenant, coming(tenant, {}, { key1: 7, amount: 6 }), coming(tenant, {}, { amount: 'many' }));
    expect(await counts()).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    // Kept before somebody waited.
    const kept = coming(tenant, {}, { id: '9' });
    await receive(tenant, { ...kept, row: { ...kept.row, body: JSON.stringify(kept.event) } });
    expect(await handedIn(await lies('/data/id', { wanted: '9' }))).toHaveLength(1);
  });

  test('the same event comes once, within a batch and later', async () => {
    const tenant = tenantOf();
    await waiting(tenant, waiter('0_0', { once: false }));
    const event = coming(tenant);
    const again: Coming = { ...event, row: { ...event.row, eventId: 'evt_again' } };
    const [first, second] = await receive(tenant, event, again);
    expect([first?.duplicate, second?.duplicate]).toEqual([false, true]);
    expect(second?.row.eventId).toBe(event.row.eventId);
    const [third] = await receive(tenant, again);
    expect(third).toMatchObject({ duplicate: true, handed: [], row: { hits: 1 } });
  });

  test('an event for one workflow reaches that one alone, and no further than its end', async () => {
    const tenant = tenantOf();
    const [mine, other] = [await waiting(tenant, waiter('0_0', { wanted: 'k' })), await waiting(tenant, waiter('0_0'))];
    const message = { sort: 'message', mode: 'direct', workflowId: mine } as const;
    const [taken, kept] = await receive(tenant, coming(tenant, message), coming(tenant, message));
    expect([taken?.row.state, kept?.row.state]).toEqual(['delivered', 'kept']);
    expect([await handedIn(mine), await handedIn(other)].map((rows) => rows.length)).toEqual([1, 0]);
    const stranger = tenantOf();
    for (const [of, workflowId_] of [
      [tenant, 'nobody'],
      [stranger, mine],
    ] as const)
      await expect(receive(of, coming(of, { ...message, workflowId: workflowId_ }))).rejects.toMatchObject({
        code: 'workflow_not_found',
      });
  });

  test('what found nobody any more is given back and goes to another', async () => {
    const tenant = tenantOf();
    const [early, late] = [
      await waiting(tenant, waiter('0_0')),
      await waiting(tenant, waiter('0_0', { since: AT + 1 })),
    ];
    const event = coming(tenant, { mode: 'competing' });
    await receive(tenant, event);
    const { workflow: row } = await loaded(early);
    const tx = await store().begin([{ workflow: early, needs: [] }]);
    const miss = changes(
      { ...row, updatedAt: AT + 5 },
      {},
      { waiters: new Map([[expression('0_0'), gone]]), missed: [event.row.eventId], history: [history(2)] },
    );
    expect(await tx.commit(save([miss]))).toBe('committed');
    expect(await store().receivedEvents.get(event.row.eventId)).toMatchObject({ state: 'kept', due: true, hits: 0 });
    expect((await store().receivedEvents.due(100)).map(({ eventId }) => eventId)).toContain(event.row.eventId);
    const received = await store().meeting.goOn(event.row.eventId, judgeEvent, AT + 6);
    expect(received?.row).toMatchObject({ state: 'delivered', due: false });
    expect(await handedIn(late)).toHaveLength(1);
    expect(await store().meeting.goOn(event.row.eventId, judgeEvent, AT + 6)).toBe(null);
  });

  test('what was on its way to a workflow that is swept is given back', async () => {
    const tenant = tenantOf();
    const id = await waiting(tenant, waiter('0_0', { once: false }));
    const event = coming(tenant);
    await receive(tenant, event);
    const { workflow: row } = await loaded(id);
    const tx = await store().begin([{ workflow: id, needs: [] }]);
    const killed = changes(
      { ...row, status: 'killed', endedAt: AT },
      {},
      { sweep: true, waited: true, history: [history(2)] },
    );
    expect(await tx.commit(save([killed]))).toBe('committed');
    expect(await handedIn(id)).toEqual([]);
    expect(await store().receivedEvents.get(event.row.eventId)).toMatchObject({ state: 'kept', due: true });
  });

  test('a step is given the event it was handed, and those who wait are listed', async () => {
    const tenant = tenantOf();
    const id = await waiting(tenant, waiter('0_0', { wanted: '7', element: 'Event_1' }));
    const event = coming(tenant, { key: '8', hops: 3, body: '{"a":1}' });
    await receive(tenant, event);
    const tx = await store().begin([{ workflow: id, needs: [{ kind: 'event', id: event.row.eventId }] }]);
    await tx.rollback();
    expect(tx.loaded.get(id)?.received.get(event.row.eventId)).toEqual({ type: 'payment', body: '{"a":1}', hops: 3 });
    const waits = async (given: { readonly type?: string; readonly key?: string }) =>
      (
        await store().meeting.waits({
          ...{ tenant, type: null, key: null, workflow: null, element: null, limit: 10, after: null },
          ...given,
        })
      ).items;
    expect(await waits({})).toMatchObject([
      { workflow: id, waiter: expression('0_0'), key: '7', element: 'Event_1', timeoutAt: null },
    ]);
    expect([(await waits({ type: 'payment', key: '7' })).length, (await waits({ key: '8' })).length]).toEqual([1, 0]);
  });

  test('events are listed newest first, by state, type, key, source and time', async () => {
    const tenant = tenantOf();
    const [a, b] = [coming(tenant), coming(tenant, { receivedAt: AT + 5, type: 'other', key: 'k', source: 's' })];
    await receive(tenant, a, b);
    const { receivedEvents } = store();
    const list = async (given: object) =>
      (await receivedEvents.list({ tenant, now: AT, limit: 10, after: null, ...given })).items.map(({ id }) => id);
    expect(await list({})).toEqual([b.row.id, a.row.id]);
    for (const given of [{ type: 'other' }, { key: 'k' }, { source: 's' }, { from: AT + 1 }])
      expect(await list(given)).toEqual([b.row.id]);
    expect(await list({ to: AT })).toEqual([a.row.id]);
    expect(await list({ state: 'expired' })).toEqual([]);
    expect(await list({ state: 'expired', now: AT + 60_000 })).toEqual([b.row.id, a.row.id]);
    const first = await receivedEvents.list({ tenant, now: AT, limit: 1, after: null });
    expect((await receivedEvents.list({ tenant, now: AT, limit: 1, after: first.next })).items[0]?.id).toBe(a.row.id);
    expect(await receivedEvents.keptCount(tenant, AT, 100)).toBe(2);
    expect(await receivedEvents.keptCount(tenant, AT, 1)).toBe(1);
  });
};
