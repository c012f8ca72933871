import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Answer, type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';
import { curl, hostOf } from './curl.ts';

/*
 * Romancy's HTTP integration. Its activities are participants, its workflows stored definitions; `POST /orders` is the route of one of them,
 * and events come in at the root. An instance is looked at under its own address, where Romancy's example writes a handler for it.
 */

let server: Running;
let worker: Participant;
beforeAll(async () => {
  worker = await startParticipant();
  server = await startServer({ ROUTES_PREFIX: '/', EVENTS_AT_ROOT: '1', TEST_CLOCK: '1' });
  for (const [name, body] of Object.entries(DEFINITIONS)) {
    const answer = await send(server.url, 'PUT', `/v1/definitions/${name}`, {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...body, callback: worker.url }),
    });
    if (answer.status !== 201) throw new Error(answer.text);
  }
}, 120_000);
afterAll(async () => {
  await server.stop();
  await worker.stop();
}, 60_000);

const ORDER = {
  type: 'object',
  required: ['order_id', 'amount'],
  properties: { order_id: { type: 'string', minLength: 1 }, amount: { type: 'number', exclusiveMinimum: 0 } },
};
const DEFINITIONS = {
  process_order: {
    definition: `
define process_order
  validate_order
  process_payment
  set 'f:status': 'completed'
`,
    route: 'POST /orders',
    input_schema: ORDER,
  },
  payment_workflow: {
    definition: `
define payment_workflow
  start_payment
  await event: 'payment.completed', to: 'payment', timeout: '5m', on_timeout: 'error payment timeout'
  set 'f:status': 'completed'
  set 'f:transaction_id': '$f:payment.transaction_id'
  set 'f:amount': '$f:payment.amount'
`,
  },
  // "If event starts a new workflow → start workflow".
  ship_order: {
    definition: 'define ship_order\n  ship\n',
    triggers: [{ type: 'order.paid', fields: { order_id: '${event.data.order_id}' } }],
  },
};

const ask = (line: string): Promise<Answer> => curl(line, { 'localhost:8001': hostOf(server.url) });
const shown = async (id: string) =>
  (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{
    status: string;
    fields: Record<string, unknown>;
    errors: { message: string }[];
  }>();
const settle = (advance = 0): Promise<Answer> => postJson(server.url, '/v1/test/clock', { advance });

/** An activity is given its input, and its result comes back. */
async function activity(name: string, result: Record<string, unknown>): Promise<Readonly<Record<string, unknown>>> {
  const { body } = await worker.next();
  expect(body.participant).toBe(name);
  const proceeded = await postJson(server.url, new URL(body.proceed_url).pathname, { fields: result });
  expect([proceeded.status, proceeded.text]).toEqual([201, 'OK']);
  return body.fields;
}

test('an order is created at its route, worked through, and looked at', async () => {
  const created = await ask(String.raw`
    curl -X POST http://localhost:8001/orders \
    -H "Content-Type: application/json" \
    -d '{"order_id": "ORD-123", "amount": 99.99}'
  `);
  // Romancy's {"instance_id": "wf-xxx", "status": "accepted"}.
  expect(created.status, created.text).toBe(202);
  expect(created.json()).toMatchObject({ id: expect.any(String), status: 'running' });
  const { id } = created.json<{ id: string }>();
  expect(created.headers['location']).toBe(`/v1/workflows/${id}`);
  expect((await shown(id)).status).toBe('running');

  expect(await activity('validate_order', { valid: true })).toMatchObject({
    ...{ order_id: 'ORD-123', amount: 99.99 },
  });
  expect(
    await activity('process_payment', { transaction_id: 'TXN-ORD-123', processed_at: '2026-01-01T00:00:00Z' }),
  ).toMatchObject({ order_id: 'ORD-123', amount: 99.99, valid: true });
  expect(await shown(id)).toMatchObject({
    status: 'completed',
    fields: { order_id: 'ORD-123', status: 'completed', processed_at: '2026-01-01T00:00:00Z' },
  });
  expect((await ask('curl http://localhost:8001/v1/workflows/wf-xxx')).status).toBe(404);
});

test.each([
  ['order_id is required', '{"amount": 99.99}', '#/order_id'],
  ['amount must be positive', '{"order_id": "ORD-123", "amount": 0}', '#/amount'],
])('an order that does not validate starts nothing: %s', async (_why, order, pointer) => {
  const refused = await ask(
    `curl -X POST http://localhost:8001/orders -H "Content-Type: application/json" -d '${order}'`,
  );
  expect(refused.json()).toMatchObject({ status: 422, code: 'input_invalid', errors: [{ pointer }] });
  expect(worker.waiting()).toBe(0);
});

const EVENT = String.raw`
curl -X POST http://localhost:8001/ \
-H "Content-Type: application/cloudevents+json" \
-d '{
"specversion": "1.0",
"type": "payment.completed",
"source": "payment-service",
"id": "event-123",
"data": {
"order_id": "ORD-123",
"transaction_id": "TXN-456",
"amount": 99.99
}
}'`;
async function startPayment(): Promise<string> {
  const started = await postJson(server.url, '/v1/definitions/payment_workflow/run', {
    inputs: { order_id: 'ORD-123' },
  });
  expect(started.status, started.text).toBe(201);
  expect(await activity('start_payment', { payment_id: 'PAY-ORD-123', status: 'pending' })).toMatchObject({
    order_id: 'ORD-123',
  });
  return started.json<{ id: string }>().id;
}

test('the event of the payment resumes the workflow that waits for it, once', async () => {
  const id = await startPayment();
  expect(await shown(id)).toMatchObject({ status: 'running', fields: { status: 'pending' } });
  const answer = await ask(EVENT);
  expect(answer.status, answer.text).toBe(202);
  expect(answer.json()).toMatchObject({
    ...{ status: 'accepted', id: 'event-123', started: [], resumed: [id] },
    ...{ delivered: true, kept: false, duplicate: false },
  });
  await settle();
  expect(await shown(id)).toMatchObject({
    status: 'completed',
    fields: { status: 'completed', transaction_id: 'TXN-456', amount: 99.99 },
  });
  expect((await ask(EVENT)).json()).toMatchObject({ id: 'event-123', resumed: [id], duplicate: true });
});

test('a payment that does not come in five minutes is a timeout', async () => {
  const id = await startPayment();
  await settle(240);
  expect((await shown(id)).status).toBe('running');
  await settle(60);
  const late = await shown(id);
  expect(late).toMatchObject({ status: 'error', errors: [{ message: expect.stringContaining('payment timeout') }] });
});

test('an event starts a workflow where one is to be started by it', async () => {
  const answer = await ask(EVENT.replace('payment.completed', 'order.paid').replace('event-123', 'event-124'));
  expect(answer.status, answer.text).toBe(202);
  const [id = ''] = answer.json<{ started: string[] }>().started;
  expect(await activity('ship', {})).toMatchObject({ order_id: 'ORD-123' });
  expect(await shown(id)).toMatchObject({ status: 'completed', meta: { started_by: 'event' } });
});
