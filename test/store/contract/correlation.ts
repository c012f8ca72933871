import { expect, test } from 'vitest';
import { judgeEvent } from '../../../src/language/event-condition.ts';
import type { EventRow } from '../../../src/model/events.ts';
import type { Tenant } from '../../../src/model/tenant.ts';
import { HITS_AT_ONCE } from '../../../src/store/meeting.ts';
import { AT, changes, history, save, waiter, workflow, workflowId } from '../samples.ts';
import type { Topic } from '../topic.ts';

/* The places where events and those who wait meet. What comes of it is told in event.ts. */

const tenant = 'correlation' as Tenant;
const EVENT: EventRow = {
  ...{
    eventId: 'evt_many',
    tenant,
    source: 'test',
    id: 'many',
    digest: 'many',
    type: 'many',
    key: 'k',
    sort: 'event',
  },
  ...{ mode: 'broadcast', workflowId: null, receivedAt: AT, expiresAt: AT + 60_000, goneAt: null, state: 'kept' },
  ...{ hops: 0, hits: 0, misses: 0, resumed: '[]', started: '[]', due: false, spread: null, body: '{}' },
};

export const about: Topic = (store) => {
  test('an event that hits very many is handed on a piece at a time, and to nobody who came later', async () => {
    const id = workflowId();
    const many = Array.from({ length: HITS_AT_ONCE + 50 }, (_, i) => waiter(`0_${i}`, { type: 'many', wanted: 'k' }));
    const arm = async (waiters: typeof many, workflowOf = id) => {
      const tx = await store().begin([{ workflow: workflowOf, needs: [] }]);
      const change = changes(workflow(workflowOf, { tenant, updatedAt: AT }), { waiters }, { history: [history(1)] });
      expect(await tx.commit(save([change]))).toBe('committed');
    };
    await arm(many);
    const [first] = await store().meeting.receive(tenant, [{ row: EVENT, event: {}, starts: [] }], judgeEvent, AT);
    expect(first?.handed).toHaveLength(HITS_AT_ONCE);
    expect(first?.row).toMatchObject({ state: 'spreading', due: true });
    const later = workflowId();
    await arm([waiter('0_0', { type: 'many', wanted: 'k' })], later);
    const rest = await store().meeting.goOn(EVENT.eventId, judgeEvent, AT);
    expect(rest?.handed).toHaveLength(50);
    expect(rest?.row).toMatchObject({ state: 'delivered', due: false, hits: HITS_AT_ONCE + 50 });
    const waits = await store().meeting.waits({
      ...{ tenant, type: 'many', key: null, workflow: later, element: null, limit: 10, after: null },
    });
    expect(waits.items).toHaveLength(1);
  });

  test('places that nobody needs are thrown away', async () => {
    await expect(store().meeting.tidyPlaces(AT + 1, 100)).resolves.toBeUndefined();
  });
};
