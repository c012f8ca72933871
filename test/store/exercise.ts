import { judgeEvent } from '../../src/language/event-condition.ts';
import { bareView } from '../../src/model/changes.ts';
import type { EventRow } from '../../src/model/events.ts';
import { shardOf, type WorkflowId } from '../../src/model/ids.ts';
import type { WorkitemRow } from '../../src/model/rows.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import type { Store } from '../../src/store/store.ts';
import { peek, writeTo } from './contract.ts';
import {
  AT,
  agenda,
  changes,
  error,
  expression,
  gone,
  history,
  listener,
  patch,
  put,
  save,
  strand,
  variable,
  waiter,
  workflow,
  workflowId,
  workitem,
} from './samples.ts';

/** Every statement of the engine and the dispatcher, once. */
export async function exerciseEverything(store: Store): Promise<void> {
  const id = workflowId();
  const rows = {
    strands: [strand('0.1', { base: expression('0_1') })],
    workitems: [workitem('0_0', { path: '0.1' }), workitem('0_9', { dueAt: AT - 1 })],
    agenda: [agenda('t', { path: '0.1', dueAt: AT - 1 })],
    errors: [error('0_0')],
    listeners: [listener('0_0', { name: 'rare' })],
    variables: [variable('0_1', '^'), variable('0', 'x')],
  };
  await writeTo(store, [
    changes(workflow(id), rows, { history: [history(1)], definitions: new Map([['d', 'd']]) }),
    changes(workflow(workflowId()), {
      listeners: [listener('0_0', { name: 'rare' })],
      workitems: [workitem('0_1', { dueAt: AT - 2 })],
    }),
  ]);
  // As a launch does: nothing is there yet.
  const launch = await store.begin([{ workflow: workflowId(), needs: [] }]);
  await launch.rollback();
  const transaction = await store.begin([
    {
      workflow: id,
      needs: [
        { kind: 'workitem', id: expression('0_0') },
        { kind: 'agenda', id: 't' },
        { kind: 'agenda_kind', of: 'answer' },
        { kind: 'strand', path: '0.1' },
        { kind: 'find', expression: expression('0_0') },
        { kind: 'children', path: '0', at: expression('0'), after: 0, limit: 10, finished: false },
        { kind: 'error', id: expression('0_0') },
        { kind: 'variable', scope: expression('0'), name: 'x' },
        { kind: 'variables', scope: expression('0') },
        { kind: 'listeners' },
        { kind: 'open_workitems' },
        { kind: 'everything' },
      ],
    },
  ]);
  const event = { event: 'received', name: 'rare', at: AT, payload: '{}' } as const;
  await transaction.commit(
    save(
      [
        changes(
          workflow(id, { ver: 2 }),
          { ...rows, workitems: [] },
          {
            events: [event],
            hold: AT,
            shift: 1,
            workitems: new Map([
              [expression('0_0'), patch<WorkitemRow>({ tries: 1 })],
              [expression('0_5'), put(workitem('0_5'))],
              [expression('0_6'), gone],
            ]),
          },
        ),
      ],
      { releases: [{ workflow: id, workitem: expression('0_9'), claim: 'c' }] },
    ),
  );
  await writeTo(store, [
    changes(
      workflow(id, { ver: 3, status: 'killed', endedAt: 1 }),
      {},
      { sweep: true, workitems: new Map([[expression('0_9'), gone]]), strands: new Map([['0.1', gone]]) },
    ),
  ]);
  await store.definitions.text('d');
  await exerciseWithoutLocks(store);
  const [message] = await store.claimDue({ now: AT + 10, owner: 'me', limit: 5, leaseSeconds: 30 });
  const key = { workflow: message?.workflow ?? id, workitem: message?.row.id ?? expression('0_0') };
  await store.renewClaim({ key, claim: message?.claim ?? '', leaseSeconds: 30 });
  const spread = { skip: ['h.test'], bytesMax: 1 };
  await store.claimDue({ now: AT + 10, owner: 'me', limit: 5, leaseSeconds: 30, spread });
  await peek(store, AT + 10);
  await store.nextDueAt(AT);
  await store.answers.reserve({ scope: 'me', key: id, fingerprint: 'f', at: 1 });
  await store.answers.saved('me', id);
  await store.answers.finish({ scope: 'me', key: id, fingerprint: 'f', status: 1, body: null, contentType: null });
  await store.retirePortion({ endedBefore: 2, now: 2, rows: 10 });
  await store.retire({ endedBefore: 2, now: 2, limit: 10 });
}

/** Looking at rows, and saving in one round trip; whether it takes effect (somebody listens here) is all the same to the plans. */
async function exerciseWithoutLocks(store: Store): Promise<void> {
  const id = workflowId();
  const rows = { strands: [strand('0.1')], workitems: [workitem('0_0', { path: '0.1' })] };
  await writeTo(store, [changes(workflow(id), rows, { history: [history(1)] })]);
  await store.look?.([
    {
      workflow: id,
      needs: [
        { kind: 'workitem', id: expression('0_0') },
        { kind: 'agenda', id: 't' },
      ],
    },
    { workflow: workflowId(), needs: [] },
  ]);
  const step = changes(
    workflow(id, { ver: 2, lastN: 2 }),
    { strands: [strand('0.1', { arrival: 1 })], agenda: [agenda('u')], variables: [variable('0', 'y')] },
    {
      history: [history(2)],
      workitems: new Map([
        [expression('0_0'), gone],
        [expression('0_1'), put(workitem('0_1'))],
        [expression('0_2'), patch<WorkitemRow>({ tries: 1 })],
      ]),
    },
  );
  const launch = changes(workflow(workflowId()), { workitems: [workitem('0_0')] }, { history: [history(1)] });
  await store.saveAtOnce?.(save([step, launch]), new Map([[id, bareView(workflow(id))]]));
}

/** Events from outside, and those who wait for them. */
async function exerciseMeeting(store: Store, id: WorkflowId): Promise<void> {
  const { meeting, receivedEvents } = store;
  const waiters = [waiter('0_0'), waiter('0_1', { wanted: '7', keyFrom: '/data/id' })];
  const waiting = workflowId();
  await writeTo(store, [changes(workflow(waiting), { waiters }, { history: [history(1)] })]);
  const row: EventRow = {
    ...{ eventId: 'evt_1', tenant: DEFAULT_TENANT, digest: '1', source: 's', id: '1', type: 'payment', key: null },
    ...{ sort: 'message', mode: 'direct', workflowId: waiting, receivedAt: AT, expiresAt: AT + 1, goneAt: null },
    ...{
      state: 'kept',
      hops: 0,
      hits: 0,
      misses: 0,
      resumed: '[]',
      started: '[]',
      due: false,
      spread: null,
      body: '{}',
    },
  };
  const receive = (given: Partial<EventRow>) =>
    meeting.receive(
      DEFAULT_TENANT,
      [{ row: { ...row, ...given }, event: {}, starts: [{ workflow: workflowId(), payload: '{}' }] }],
      judgeEvent,
      AT,
    );
  await receive({});
  await receive({});
  await receive({ eventId: 'evt_2', digest: '2' });
  await receive({ eventId: 'evt_4', digest: '4', started: '[]' });
  await receive({ eventId: 'evt_3', digest: '3', workflowId: null, mode: 'broadcast', key: '7', sort: 'event' });
  const more = changes(
    workflow(waiting, { ver: 2 }),
    { waiters: [waiter('0_2'), waiter('0_3', { wanted: '7' })] },
    { history: [history(2)] },
  );
  await writeTo(store, [more]);
  await writeTo(store, [
    changes(
      workflow(waiting, { ver: 3, status: 'killed', endedAt: AT }),
      {},
      { history: [history(3)], sweep: true, waited: true, missed: ['evt_1'] },
    ),
  ]);
  await meeting.again(DEFAULT_TENANT, 'evt_3', [], judgeEvent, AT);
  await meeting.sending(id, 'send 1');
  await meeting.starting(id);
  await meeting.notStarted(id);
  const all = { tenant: DEFAULT_TENANT, type: null, key: null, workflow: null, element: null, limit: 10, after: null };
  await meeting.waits(all);
  await meeting.tidyPlaces(AT, 10);
  await receivedEvents.due(10);
  const reading = await store.begin([{ workflow: id, needs: [{ kind: 'event', id: 'evt_3' }, { kind: 'waiters' }] }]);
  await reading.rollback();
}

/** Every other statement: of those who look on, of nodes, settings and keys. */
export async function exerciseTheRest(store: Store): Promise<void> {
  const id = workflowId();
  const sharing = workitem('0_1', { fields: null, inherits: expression('0_9') });
  await writeTo(store, [
    changes(workflow(id), {
      workitems: [workitem('0_0'), sharing, workitem('0_2', { fields: '{"who":"Ann Other"}' })],
      variables: [variable('0_9', '^')],
    }),
  ]);
  const { read } = store;
  await read.workflow(DEFAULT_TENANT, id);
  await read.kept(DEFAULT_TENANT, id);
  await store.foldHistory({ workflow: id, firstNs: [], firstKept: 1 });
  await read.standings([{ tenant: DEFAULT_TENANT, workflow: id }]);
  await read.whole(DEFAULT_TENANT, id, { limit: 10, after: null });
  const page = { tenant: DEFAULT_TENANT, limit: 10 } as const;
  for (const status of [null, 'running'] as const)
    for (const name of [null, 'a name'])
      for (const participant of [null, 'alice'])
        for (const after of [null, Buffer.from(JSON.stringify([AT, 'x'])).toString('base64url')])
          await read.workflows({ ...page, status, name, participant, after });
  const range = { from: AT, to: AT + 1 };
  for (const status of ['running', ['error', 'paused']] as const)
    for (const more of [{}, { launched: range }, { ended: range }]) {
      const query = { tenant: DEFAULT_TENANT, status, name: null, participant: null, ...more };
      await read.workflows({ ...query, limit: 10, after: null });
      await read.workflowRows({ ...query, limit: 10, after: null });
      await read.countWorkflows(query, 10);
    }
  await read.countWorkflows({ tenant: DEFAULT_TENANT, status: null, name: null, participant: 'alice' }, 10);
  const attributed = { workflow: id, tenant: DEFAULT_TENANT, launchedAt: AT, name: 'tag', values: ['x'] };
  await writeTo(store, [changes(workflow(id, { ver: 2 }))], { attributes: [attributed] });
  for (const more of [{}, { status: 'running' as const }, { ended: range }, { participant: 'alice' }]) {
    const attributes = [{ name: 'tag', value: 'x' }];
    const query = { tenant: DEFAULT_TENANT, status: null, name: null, participant: null, ...more, attributes };
    await read.found({ ...query, limit: 10, after: null });
    await read.countFound(query, 10);
  }
  await store.attributes.marks();
  await store.attributes.isEmpty();
  const { items } = await store.attributes.page(shardOf(id), '', 10);
  const ver = items.find(({ row }) => row.id === id)?.row.ver ?? 0;
  await store.attributes.fill(shardOf(id), [{ ...attributed, ver }]);
  await read.historyBefore(DEFAULT_TENANT, id, 10, 10);
  await read.errors({ ...page, class: 'x', participant: 'alice', name: 'a name', at: range, after: null });
  for (const participant of [null, 'alice'])
    for (const workflow of [null, id])
      await read.workitems({ ...page, participant, workflow, state: null, after: null });
  await read.workflowRows({ ...page, status: null, name: null, participant: null, after: null });
  await read.workitem(DEFAULT_TENANT, { workflow: id, workitem: expression('0_0') });
  await read.recorded?.holder();
  const edge = await read.recorded?.edge();
  await read.recorded?.rows(0, edge?.upTo ?? 0, 10);
  await read.ownerOf({ workflow: id, workitem: expression('0_0') });
  await read.history(DEFAULT_TENANT, id, 0, 10);
  await read.errors({ ...page, after: null });
  for (const state of ['owed', 'spent'] as const)
    await read.messages({ ...page, state, participant: null, host: null, after: null });
  for (const state of ['owed', 'spent'] as const)
    await read.messages({
      ...{ ...page, state, participant: 'p', host: 'h', after: null },
      ...{ message: 'active', workflow: id, opened: { from: 0, to: AT } },
    });
  await read.timers({ ...page, after: null });
  await read.timers({ ...page, due: { from: 0, to: AT }, workflow: id, after: null });
  await read.glance(DEFAULT_TENANT, [id, workflowId()]);
  for (const of of ['errors', 'workitems'] as const) {
    const workflows = [id, workflowId()];
    await read.objects({ ...page, of, workflows, class: null, participant: null, state: null });
  }
  await read.counts(DEFAULT_TENANT);
  for (const tenant of [DEFAULT_TENANT, null]) {
    await store.figures?.live(tenant);
    await store.figures?.messages(tenant, AT);
    await store.figures?.timers(tenant, AT);
    for (const of of [{}, { alpha: AT }]) await store.figures?.workitems(tenant, { before: AT, of });
    await store.figures?.errors(tenant);
    await store.figures?.busiest(tenant, AT);
  }
  await store.figures?.participants(DEFAULT_TENANT, ['alpha', 'nobody']);
  await store.figures?.usedIn(DEFAULT_TENANT, 'alpha');
  await store.figures?.seen(DEFAULT_TENANT, AT);
  await store.figures?.kept(DEFAULT_TENANT, AT);
  await exerciseMeeting(store, id);
  await store.releaseClaims('me');
  await store.nodes.beat({ id: 'node', name: 'node', role: 'all', url: 'http://x', version: '1', leaseSeconds: 30 });
  await store.nodes.leave('node');
  await store.settings.write('x', '1');
  await store.settings.read('x');
  await store.databaseTime();
  await store.answers.drop('me', id);
  await store.ping();
  await store.tidy();
  const erased = {
    tenant: DEFAULT_TENANT,
    value: 'Ann Other',
    replacement: '',
    within: false,
    limit: 100,
    after: null,
  };
  for (const isRehearsal of [true, false]) await store.erasing?.value({ ...erased, isRehearsal });
  await store.erasing?.workflow(DEFAULT_TENANT, id);
}
