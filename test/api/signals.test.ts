import { CloudEvent, HTTP } from 'cloudevents';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { OutcomeUnknown, type Save, type Store } from '../../src/store/store.ts';
import { type Answer, postJson, send, startServer } from '../support/server.ts';

/* Events from outside over HTTP: in their three modes, messages, signals, and those who wait for them. */

let server: Running;
/** The next save of a workflow of the definition `unsure` ends so that nobody knows what became of it. */
let unsure: 'written' | 'not written' | null = null;
beforeAll(async () => {
  server = await startServer({ TEST_CLOCK: '1' }, { store: unsureStore });
}, 120_000);

async function unsurely<Outcome>(save: Save, write: () => Promise<Outcome>): Promise<Outcome> {
  if (![...save.changes.values()].some(({ workflow }) => workflow?.name === 'unsure')) return write();
  const how = unsure;
  unsure = null;
  if (how === 'not written') throw new OutcomeUnknown('who knows');
  const outcome = await write();
  if (how === 'written') throw new OutcomeUnknown('who knows');
  return outcome;
}
function unsureStore(store: Store): Store {
  const { saveAtOnce } = store;
  return {
    ...store,
    saveAtOnce: saveAtOnce === null ? null : (save, rows) => unsurely(save, () => saveAtOnce(save, rows)),
    begin: async (requests) => {
      const tx = await store.begin(requests);
      const commit: typeof tx.commit = (save) =>
        unsurely(save, () => tx.commit(save)).catch(async (error: unknown) => {
          // Where it was written it has ended already.
          await tx.rollback();
          throw error;
        });
      return { ...tx, commit };
    },
  };
}
afterAll(() => server.stop(), 60_000);

type Took = {
  readonly event_id: string;
  readonly resumed: readonly string[];
  readonly delivered: boolean;
  readonly kept: boolean;
  readonly kept_until: string | null;
  readonly duplicate: boolean;
};

async function launch(workflow: string, fields = {}): Promise<string> {
  const answer = await postJson(server.url, '/v1/workflows', { workflow, callbacks: {}, fields });
  expect(answer.status, answer.text).toBe(201);
  return answer.json<{ id: string }>().id;
}
const shown = async (id: string) =>
  (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ status: string; fields: Record<string, unknown> }>();
const settle = (advance = 0): Promise<Answer> => postJson(server.url, '/v1/test/clock', { advance });
const structured = (event: object, query = ''): Promise<Answer> =>
  send(server.url, 'POST', `/v1/events${query}`, {
    headers: { 'Content-Type': 'application/cloudevents+json' },
    body: JSON.stringify(event),
  });
let made = 0;
const event = (given: object): object => ({
  specversion: '1.0',
  id: `event-${++made}`,
  source: 'payment-service',
  type: 'payment.completed',
  ...given,
});
const AWAIT = "define\n  await event: 'payment.completed', key: '${f:order}', to: 'payment'\n";

describe('an event', () => {
  test('resumes the workflow that waits for its key, which is given the data', async () => {
    const id = await launch(AWAIT, { order: 'ORD-123' });
    const other = await launch(AWAIT, { order: 'ORD-124' });
    const waits = (await send(server.url, 'GET', '/v1/waits?type=payment.completed&key=ORD-123')).json();
    expect(waits).toMatchObject({
      waits: [{ workflow_id: id, expid: '0_0', type: 'payment.completed', key: 'ORD-123', timeout_at: null }],
    });
    const answer = await structured(
      event({ id: 'event-123', subject: 'ORD-123', data: { transaction_id: 'TXN-456', amount: 99.99 } }),
      '?wait=correlated',
    );
    expect(answer.status, answer.text).toBe(202);
    expect(answer.json()).toMatchObject({
      ...{ status: 'accepted', id: 'event-123', started: [], resumed: [id], delivered: true },
      ...{ kept: false, kept_until: null, duplicate: false },
    });
    expect(await shown(id)).toMatchObject({
      status: 'completed',
      fields: { payment: { transaction_id: 'TXN-456', amount: 99.99 } },
    });
    expect((await shown(other)).status).toBe('running');
    const again = await structured(event({ id: 'event-123', subject: 'ORD-124' }));
    expect(again.json()).toMatchObject({ resumed: [id], duplicate: true });
    const eventId = answer.json<Took>().event_id;
    expect((await send(server.url, 'GET', `/v1/events/${eventId}`)).json()).toMatchObject({
      ...{ event_id: eventId, state: 'delivered', key: 'ORD-123', resumed: [id] },
      event: { data: { amount: 99.99 } },
    });
    const history = await send(server.url, 'GET', `/v1/workflows/${id}/history`);
    expect(history.json<{ history: object[] }>().history).toContainEqual(
      expect.objectContaining({ kind: 'event.received', event_id: eventId, type: 'payment.completed' }),
    );
  });

  test('that came before somebody waited is kept for the first who does', async () => {
    const kept = (await structured(event({ type: 'early', correlationkey: 7, data: 1 }))).json<Took>();
    expect(kept).toMatchObject({ delivered: false, kept: true });
    expect(kept.kept_until).not.toBe(null);
    expect(
      (await send(server.url, 'GET', '/v1/events?state=kept&type=early')).json<{ events: object[] }>().events,
    ).toMatchObject([{ event_id: kept.event_id, key: '7' }]);
    const id = await launch("define\n  await event: 'early', key: '7'\n");
    await settle();
    expect(await shown(id)).toMatchObject({ status: 'completed', fields: { event: { type: 'early', data: 1 } } });
    const next = await launch("define\n  await event: 'early', key: '7'\n");
    await settle();
    expect((await shown(next)).status).toBe('running');
  });

  test('in binary mode has its attributes in headers', async () => {
    const id = await launch("define\n  await event: 'binary', merge: true\n");
    const answer = await send(server.url, 'POST', '/', {
      headers: {
        ...{ 'ce-specversion': '1.0', 'ce-type': 'binary', 'ce-source': 'pay', 'ce-id': 'e1' },
        'ce-subject': '"Euro %E2%82%AC"',
        'Content-Type': 'application/json',
      },
      body: '{"amount":9}',
    });
    expect(answer.json(), answer.text).toMatchObject({ resumed: [id] });
    await settle();
    expect((await shown(id)).fields).toEqual({ amount: 9 });
    const { event_id } = answer.json<Took>();
    expect((await send(server.url, 'GET', `/v1/events/${event_id}`)).json()).toMatchObject({
      subject: 'Euro €',
      event: { datacontenttype: 'application/json', data: { amount: 9 } },
    });
    for (const headers of [{ 'ce-subject': '%ff' }, { 'ce-datacontenttype': 'text/plain' }]) {
      const refused = await send(server.url, 'POST', '/v1/events', {
        headers: { 'ce-specversion': '1.0', 'ce-type': 'b', 'ce-source': 'p', 'ce-id': 'e2', ...headers },
      });
      expect(refused.json()).toMatchObject({ status: 400, code: 'event_invalid' });
    }
  });

  test('can be one of a batch, of which all are good or none is taken', async () => {
    const batch = (events: unknown): Promise<Answer> =>
      send(server.url, 'POST', '/v1/events', {
        headers: { 'Content-Type': 'application/cloudevents-batch+json' },
        body: JSON.stringify(events),
      });
    expect(await batch([])).toMatchObject({ status: 202, text: '[]' });
    const three = await batch([1, 2, 1].map((n) => event({ id: `batch-${n}`, type: 'batch' })));
    expect(three.json<Took[]>().map(({ duplicate }) => duplicate)).toEqual([false, false, true]);
    const bad = await batch([event({ id: 'good', type: 'batch' }), event({}), event({}), event({ id: '' })]);
    expect(bad.json()).toMatchObject({ code: 'event_invalid', errors: [{ pointer: '#/3/id' }] });
    expect((await batch([event({ specversion: '0.3' })])).status).toBe(400);
    expect((await batch({})).status).toBe(400);
    const { events } = (await send(server.url, 'GET', '/v1/events?type=batch')).json<{ events: object[] }>();
    expect(events).toHaveLength(2);
  });

  test.each([
    [{ id: '' }, '#/id'],
    [{ source: null }, '#/source'],
    [{ type: undefined }, '#/type'],
    [{ specversion: '2.0' }, '#/specversion'],
    [{ data: 1, data_base64: 'AA==' }, '#/data_base64'],
    [{ list: [] }, '#/list'],
    [{ Upper: 'x' }, '#/Upper'],
    [{ time: 'yesterday' }, '#/time'],
    [{ long: 'x'.repeat(4_097) }, '#/long'],
  ])('with %j is refused with a pointer', async (wrong, pointer) => {
    const answer = await structured(event(wrong));
    expect(answer.json()).toMatchObject({ status: 400, code: 'event_invalid', errors: [{ pointer }] });
  });

  test('in another format, or too large, is refused', async () => {
    const sent = (type: string, body = '{}'): Promise<Answer> =>
      send(server.url, 'POST', '/v1/events', { headers: { 'Content-Type': type }, body });
    expect((await sent('application/cloudevents+avro')).status).toBe(415);
    expect((await sent('application/cloudevents-batch+xml')).status).toBe(415);
    expect((await structured(event({ data: 'x'.repeat(262_144) }))).status).toBe(413);
    expect((await structured(event({ rotahops: 17 }))).json()).toMatchObject({ status: 422, code: 'event_loop' });
    expect((await structured(event({ rotaworkflowid: 'nobody' }))).json()).toMatchObject({
      status: 404,
      code: 'workflow_not_found',
    });
  });

  test('comes from the library of CloudEvents in all three modes', async () => {
    const id = await launch("define\n  await event: 'sdk', times: 4, key_from: '/data/id', key: '7', to: 'last'\n");
    const made_ = (n: number): CloudEvent<object> =>
      new CloudEvent({ type: 'sdk', source: '/sdk', subject: `é ${n}`, data: { id: 7, n }, some: 'extension' });
    const post = (message: { headers: object; body?: unknown }): Promise<Answer> => {
      const headers = Object.entries(message.headers).map(([name, value]) => [name, encodeURI(String(value))]);
      return send(server.url, 'POST', '/', {
        headers: Object.fromEntries(headers) as Record<string, string>,
        body: String(message.body),
      });
    };
    for (const message of [HTTP.structured(made_(1)), HTTP.binary(made_(2))])
      expect((await post(message)).json()).toMatchObject({ resumed: [id] });
    const batch = await post({
      headers: { 'Content-Type': 'application/cloudevents-batch+json' },
      body: JSON.stringify([made_(3), made_(4)]),
    });
    expect(batch.json<Took[]>().map(({ resumed }) => resumed)).toEqual([[id], [id]]);
    await settle();
    expect(await shown(id)).toMatchObject({ status: 'completed', fields: { last: { id: 7, n: 4 } } });
    const { events } = (await send(server.url, 'GET', '/v1/events?type=sdk')).json<{ events: { subject: string }[] }>();
    expect(events.map(({ subject }) => subject).sort()).toEqual(['é 1', 'é 2', 'é 3', 'é 4']);
    // And the library reads them as they are shown, however they came.
    for (const { event_id } of events as readonly { readonly event_id?: string }[]) {
      const stored = await send(server.url, 'GET', `/v1/events/${event_id}`);
      const read = new CloudEvent<{ n: number }>(stored.json<{ event: object }>().event);
      expect([read.validate(), read['some'], read.subject]).toEqual([true, 'extension', `é ${read.data?.n}`]);
    }
  });

  test('that says so waits as long as it says', async () => {
    expect((await structured(event({ type: 'brief', rotattl: 0 }))).json()).toMatchObject({ kept: false });
    await structured(event({ type: 'brief', rotattl: '60' }));
    await settle(61);
    const id = await launch("define\n  await event: 'brief', timeout: '1s'\n");
    await settle(2);
    expect((await shown(id)).fields).toHaveProperty('__timed_out__');
  });

  test('can be received anew', async () => {
    const { event_id } = (await structured(event({ type: 'anew', rotattl: 0 }))).json<Took>();
    const id = await launch("define\n  await event: 'anew'\n");
    await settle();
    const answer = await postJson(server.url, `/v1/events/${event_id}/redeliver`, {});
    expect(answer.json(), answer.text).toMatchObject({ event_id, resumed: [id] });
    await settle();
    expect((await shown(id)).status).toBe('completed');
    expect((await postJson(server.url, '/v1/events/evt_00/redeliver', {})).json()).toMatchObject({
      code: 'event_not_found',
    });
  });
});

describe('an await', () => {
  test('may hold back any expression, and gives up when its time is over', async () => {
    const waiting = "define\n  set 'f:done': true, await_event: 'go', await_to: 'gone', timeout: '5m'\n";
    const [id, late] = [await launch(waiting), await launch(waiting)];
    const [first] = (await send(server.url, 'GET', `/v1/waits?workflow_id=${late}`)).json<{
      waits: { timeout_at: string }[];
    }>().waits;
    expect(first?.timeout_at).not.toBe(null);
    await structured(event({ type: 'go', data: { by: 'Ada' }, rotaworkflowid: id }));
    await settle();
    expect(await shown(id)).toMatchObject({ status: 'completed', fields: { done: true, gone: { by: 'Ada' } } });
    await settle(301);
    const { status, fields } = await shown(late);
    expect(status).toBe('completed');
    expect(fields).not.toHaveProperty('done');
    expect((await send(server.url, 'GET', '/v1/waits?type=go')).json()).toMatchObject({ waits: [] });
  });

  test('takes several events, and runs its children for each, in turn', async () => {
    const id = await launch(
      "define\n  sequence\n    await event: 'lap', times: 3, to: 'lap'\n      inc 'f:sum', val: '$f:lap.n'\n      wait '1m'\n",
    );
    for (const n of [1, 2, 3, 4]) await structured(event({ type: 'lap', data: { n } }));
    await settle(200);
    expect(await shown(id)).toMatchObject({ status: 'completed', fields: { sum: 6 } });
    const { events } = (await send(server.url, 'GET', '/v1/events?type=lap&state=kept')).json<{ events: object[] }>();
    expect(events).toHaveLength(1);
  });

  test('that always waits launches its children for each event', async () => {
    const id = await launch("define\n  await event: 'tick', times: 'always'\n    inc 'v:/ticks', by: 1\n");
    for (const n of [1, 2]) await structured(event({ type: 'tick', data: n }));
    await settle();
    expect((await shown(id)).status).toBe('running');
    const history = await send(server.url, 'GET', `/v1/workflows/${id}/history`);
    expect(history.text.match(/"event.received"/g)).toHaveLength(2);
    await postJson(server.url, `/v1/workflows/${id}/cancel`, {});
    await settle();
    expect((await send(server.url, 'GET', '/v1/waits?type=tick')).json()).toMatchObject({ waits: [] });
  });

  test('that loses a race gives back what came too late', async () => {
    const id = await launch("define\n  concurrence count: 1\n    await event: 'race'\n    wait '1h'\n");
    await postJson(server.url, `/v1/workflows/${id}/pause`, {});
    const { event_id, resumed } = (await structured(event({ type: 'race', rotattl: 0 }))).json<Took>();
    expect(resumed).toEqual([id]);
    await postJson(server.url, `/v1/workflows/${id}/kill`, {});
    await settle();
    expect((await send(server.url, 'GET', `/v1/events/${event_id}`)).json()).toMatchObject({ state: 'kept' });
    const next = await launch("define\n  await event: 'race'\n");
    await settle();
    expect((await shown(next)).status).toBe('completed');
  });

  test.each([
    ["await event: ''", 'the type of an event'],
    ["await event: 'x', times: 0", 'times is a number'],
    ["await event: 'x', key_from: 'data'", 'JSON pointer'],
    [`await event: 'x', where: '${'x'.repeat(4_001)}'`, 'more than 4000 characters'],
  ])('that is %s is an error', async (text, message) => {
    const id = await launch(`define\n  ${text}\n`);
    const { errors } = (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ errors: { message: string }[] }>();
    expect(errors[0]?.message).toContain(message);
  });
});

describe('a signal of a workflow', () => {
  test('reaches others that wait, once, and one that answers itself for ever is stopped', async () => {
    const waiting = await launch("define\n  await event: 'sent', key: 'x', merge: true\n");
    const sender = await launch("define\n  signal name: 'sent', key: '${f:key}', fields: 'key, amount'\n", {
      key: 'x',
      amount: 3,
    });
    await settle();
    expect((await shown(sender)).status).toBe('completed');
    expect(await shown(waiting)).toMatchObject({ status: 'completed', fields: { key: 'x', amount: 3 } });
    const { events } = (await send(server.url, 'GET', '/v1/events?type=sent')).json<{ events: object[] }>();
    expect(events).toMatchObject([{ source: `/v1/workflows/${sender}`, id: `${sender}/1`, state: 'delivered' }]);
    const loop = await launch(
      "define\n  concurrence\n    await event: 'round', times: 'always'\n      signal name: 'round'\n    signal name: 'round'\n",
    );
    await settle();
    const { errors } = (await send(server.url, 'GET', `/v1/workflows/${loop}`)).json<{ errors: { class: string }[] }>();
    expect(errors).toMatchObject([{ class: 'LimitExceeded' }]);
  });

  test('is a participant where it has no name, or the launch names one so', async () => {
    const answer = await postJson(server.url, '/v1/workflows', {
      workflow: "define\n  signal name: 'x'\n",
      callbacks: { signal: 'http://127.0.0.1:1/' },
    });
    expect(await shown(answer.json<{ id: string }>().id)).toMatchObject({ workitems: [{ participant: 'signal' }] });
    const bare = await launch("define\n  signal task: 'x'\n");
    expect(await shown(bare)).toMatchObject({ errors: [{ class: 'MissingCallbackUrl' }] });
  });
});

describe('a definition with triggers', () => {
  test('is started by an event, which may resume others as well', async () => {
    const put = await send(server.url, 'PUT', '/v1/definitions/order', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        workflow: "define\n  await event: 'order.paid', key: '${f:order}'\n",
        input_schema: { type: 'object', required: ['order'], properties: { order: { type: 'integer' } } },
        triggers: [
          { type: 'order.created', fields: { order: '${event.data.id}' }, business_key: 'o-${event.data.id}' },
        ],
      }),
    });
    expect(put.status, put.text).toBe(201);
    const waiting = await launch("define\n  await event: 'order.created'\n");
    const created = (data: object, id = `created-${++made}`): Promise<Answer> =>
      structured(event({ id, type: 'order.created', data }));
    const answer = (await created({ id: 7 }, 'created')).json<Took & { started: string[] }>();
    const [started = ''] = answer.started;
    expect(answer).toMatchObject({ resumed: [waiting], delivered: true, kept: false });
    expect(await shown(started)).toMatchObject({ status: 'running', fields: { order: 7 } });
    expect((await created({ id: 7 }, 'created')).json()).toMatchObject({ started: [started], duplicate: true });
    expect((await created({ id: 7 })).json()).toMatchObject({
      started: [],
      skipped: [{ definition: 'order', reason: 'business_key_taken', workflow_id: started }],
    });
    expect((await created({ id: 'seven' })).json()).toMatchObject({
      started: [],
      skipped: [{ definition: 'order', reason: 'input_invalid' }],
    });
    await structured(event({ type: 'order.paid', subject: '7' }));
    await settle();
    expect((await shown(started)).status).toBe('completed');
  });

  test('starts in the trace that the event names, else in that of the request that brought it', async () => {
    const [own, other] = ['0af7651916cd43dd8448eb211c80319c', '4bf92f3577b34da6a3ce929d0e0e4736'] as const;
    const parent = (trace: string): string => `00-${trace}-b7ad6b7169203331-01`;
    const put = await send(server.url, 'PUT', '/v1/definitions/traced', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ workflow: "define\n  wait '1h'\n", triggers: [{ type: 'traced.wanted' }] }),
    });
    expect(put.status, put.text).toBe(201);
    const traceOf = async (answer: Answer): Promise<unknown> =>
      (await shown(answer.json<{ started: string[] }>().started[0] ?? '')) as unknown;
    const within = (more: object): Promise<Answer> =>
      send(server.url, 'POST', '/v1/events', {
        headers: { 'Content-Type': 'application/cloudevents+json', traceparent: parent(other) },
        body: JSON.stringify(event({ type: 'traced.wanted', ...more })),
      });
    expect(await traceOf(await within({ traceparent: parent(own) }))).toMatchObject({ trace_id: own });
    expect(await traceOf(await within({}))).toMatchObject({ trace_id: other });
    expect(await traceOf(await within({ traceparent: 'of no meaning' }))).toMatchObject({ trace_id: other });
    const binary = await send(server.url, 'POST', '/v1/events', {
      headers: {
        ...{ 'ce-id': 'traced-b', 'ce-source': 's', 'ce-type': 'traced.wanted', 'ce-specversion': '1.0' },
        'ce-traceparent': parent(own),
      },
      body: '',
    });
    expect(await traceOf(binary)).toMatchObject({ trace_id: own });
    const alone = await structured(event({ type: 'traced.wanted' }));
    expect(await traceOf(alone)).not.toMatchObject({ trace_id: expect.any(String) });
  });
});

test.each(['written', 'not written'] as const)(
  'a start by an event of which nobody knows what became of it happens once (it was %s)',
  async (how) => {
    const put = await send(server.url, 'PUT', '/v1/definitions/unsure', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        workflow: "define unsure\n  wait '1h'\n",
        triggers: [{ type: 'unsure.wanted', business_key: '${event.subject}' }],
      }),
    });
    expect([200, 201], put.text).toContain(put.status);
    unsure = how;
    const answer = await structured(event({ type: 'unsure.wanted', subject: how }));
    expect(unsure).toBe(null);
    const [started = '', ...others] = answer.json<{ started: string[] }>().started;
    expect(others).toEqual([]);
    await settle(60);
    expect((await shown(started)).status).toBe('running');
    const { workflows } = (
      await send(server.url, 'GET', `/v1/workflows?business_key=${encodeURIComponent(how)}`)
    ).json<{ workflows: { id: string }[] }>();
    expect(workflows.map(({ id }) => id)).toEqual([started]);
    const { history } = (await send(server.url, 'GET', `/v1/workflows/${started}/history`)).json<{
      history: { kind: string }[];
    }>();
    expect(history.filter(({ kind }) => kind === 'workflow.launched')).toHaveLength(1);
    await settle(3_600);
    expect((await shown(started)).status).toBe('completed');
  },
);

describe('a message', () => {
  test('goes to the one that has waited longest, and a signal to everybody', async () => {
    const waiting = "define\n  await event: 'stock', key: 'a', merge: 'ignore'\n";
    const [one, two, three] = [await launch(waiting), await launch(waiting), await launch(waiting)];
    const message = (body: object): Promise<Answer> => postJson(server.url, '/v1/messages/stock', body);
    expect((await message({ key: 'a', message_id: 'm1' })).json()).toMatchObject({ resumed: [one] });
    expect((await message({ key: 'a', message_id: 'm1' })).json()).toMatchObject({ resumed: [one], duplicate: true });
    expect((await message({ key: 'b', ttl: 60 })).json()).toMatchObject({ resumed: [], kept: true });
    expect((await message({ key: 'a', all: true })).json<Took>().resumed).toEqual([two, three]);
    expect((await message({ keys: 'a' })).status).toBe(422);
    const listening = await launch("define\n  await event: 'alarm', merge: true\n");
    const signal = await postJson(server.url, '/v1/signals/alarm', { fields: { loud: true } });
    expect(signal.json()).toMatchObject({ resumed: [listening], kept: false });
    await settle();
    expect((await shown(listening)).fields).toEqual({ loud: true });
    expect((await postJson(server.url, '/v1/signals/alarm', {})).json()).toMatchObject({ kept: false });
  });

  test('to one workflow may come as JSON, a form or a query, before it waits or after', async () => {
    const id = await launch(
      "define\n  sequence\n    wait '1h'\n    await event: 'paid', key: 'x', to: 'a'\n    await event: 'paid', to: 'b'\n    await event: 'paid', to: 'c'\n",
    );
    const path = `/v1/workflows/${id}/messages/paid`;
    const early = await send(server.url, 'POST', path, {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'amount=5',
    });
    expect(early.status).toBe(202);
    expect(early.json()).toMatchObject({ delivered: false, kept: true, kept_until: null });
    expect((await send(server.url, 'POST', `${path}?ttl=1&amount=6`)).json<Took>().kept_until).not.toBe(null);
    await settle(3_601);
    await postJson(server.url, path, { amount: 7 });
    await postJson(server.url, path, { amount: 8 });
    await settle();
    expect(await shown(id)).toMatchObject({
      status: 'completed',
      fields: { a: { amount: '5' }, b: { amount: 7 }, c: { amount: 8 } },
    });
    expect((await postJson(server.url, path, {})).json()).toMatchObject({ status: 404, code: 'workflow_not_found' });
    expect((await postJson(server.url, '/v1/workflows/nobody/messages/paid', {})).status).toBe(404);
  });
});
