import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judgeEvent } from '../../src/language/event-condition.ts';
import type { EventRow } from '../../src/model/events.ts';
import type { Tenant } from '../../src/model/tenant.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import type { Glance } from '../../src/store/tables/change-mark.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { AT, agenda, changes, workflow, workflowId, workitem } from './samples.ts';
import { writeTo } from './topic.ts';

/* What the question for changes tells besides, on databases that nobody else uses. */

const profiles = hasPostgres() ? (['embedded', 'postgres', 'distributed'] as const) : (['embedded'] as const);

describe.each(profiles)('a glance at a database that is %s', (profile) => {
  let database: Database | null = null;
  let store: Store;
  const told: Glance[] = [];
  const glance = async (): Promise<Glance | undefined> => {
    await store.changeMark();
    return told.at(-1);
  };
  beforeAll(async () => {
    database = profile === 'embedded' ? null : await freshDatabase();
    store = await openStore({
      ...{ databaseUrl: database?.url ?? null, dataDir: 'memory:', prepared: true },
      ...(profile === 'embedded' ? {} : { profile }),
    });
    store.onGlance((one) => told.push(one));
  });
  afterAll(async () => {
    await store.close();
    await database?.drop();
  });

  test('tells of what there is any, and when something is due, to all who listen', async () => {
    const none = { batches: false, deliveries: false, events: false, schedules: false };
    const isTold = profile !== 'distributed';
    expect(await glance()).toEqual({ inUse: none, ...(isTold ? { dueAt: null } : {}) });

    const tenant = 'glances' as Tenant;
    await store.batches.add(
      {
        ...{ id: 'b', tenant, action: 'cancel', asked: '{"filter":{"all":true}}', params: '{}' },
        ...{ reason: null, actor: null, rate: null },
      },
      null,
    );
    expect((await glance())?.inUse).toEqual({ ...none, batches: true });
    await store.batches.fail('b', 'for a test');
    expect((await glance())?.inUse).toEqual(none);

    await store.deliveries.add({
      ...{ id: 'd', tenant, subscription: 's', workflowId: 'w', n: 1, type: 't', event: '{}', target: null },
      ...{ ordered: false, createdAt: AT },
    });
    expect((await glance())?.inUse).toEqual({ ...none, deliveries: true });

    const name = {
      ...{ tenant, name: 'n', active: 1, last: 1, ver: 1, hash: 'h', source: 's', sha256: 'x', format: 'json' },
      ...{ options: '{}', routeMethod: null, routeShape: null, routePublic: null },
    };
    await store.stored.add(name, { text: 'define', stored: '[]', note: null, createdBy: null }, [
      { id: 'n:a', spec: '{"every":"1d"}', since: 1, dueAt: AT, wakeAt: AT, paused: false },
    ]);
    expect((await glance())?.inUse).toEqual({ ...none, deliveries: true, schedules: true });

    const row: EventRow = {
      ...{ tenant, source: 't', id: 'e', digest: 'e', type: 'payment', key: null, sort: 'event', mode: 'broadcast' },
      ...{ workflowId: null, receivedAt: AT, expiresAt: AT + 1, goneAt: AT + 2, state: 'kept', hops: 0, hits: 0 },
      ...{ misses: 0, resumed: '[]', started: '[]', due: false, spread: null, body: '{}', eventId: 'evt_e' },
    };
    await store.meeting.receive(tenant, [{ row, event: { type: 'payment' }, starts: [] }], judgeEvent, AT);
    // Given back, as by a node that ends before it has gone on with it.
    await database?.query('update event set due = true');
    expect((await glance())?.inUse.events).toBe(database !== null);

    await writeTo(store, [changes(workflow(workflowId()), { agenda: [agenda('a', { dueAt: AT + 7 })] })]);
    expect((await glance())?.dueAt).toBe(isTold ? AT + 7 : undefined);

    // What somebody is at is due to nobody else, until its lease is over.
    await writeTo(store, [changes(workflow(workflowId()), { workitems: [workitem('0_0', { dueAt: AT + 3 })] })]);
    expect((await glance())?.dueAt).toBe(isTold ? AT + 3 : undefined);
    const claim = { now: AT + 5, owner: 'me', limit: 10 };
    expect(await store.claimDue({ ...claim, leaseSeconds: 60 })).toHaveLength(1);
    expect((await glance())?.dueAt).toBe(isTold ? AT + 7 : undefined);
  });

  test('is not told again by a mark that was read for somebody else, nor to who has stopped', async () => {
    let heard = 0;
    const stop = store.onGlance(() => {
      heard += 1;
    });
    const mark = await store.changeMark();
    expect(await store.changeMark(60_000)).toBe(mark);
    expect(heard).toBe(1);
    stop();
    await store.changeMark();
    expect(heard).toBe(1);
  });
});
