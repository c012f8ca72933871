import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveInChild } from '../support/child.ts';
import { readyFolder } from '../support/ready-folder.ts';
import { type Answer, type Participant, postForm, postJson, send, startParticipant } from '../support/server.ts';
import { until } from '../support/until.ts';

/*
 * The ordering microservice of lib-bpmn-engine, on the diagram of its repository. An order is made at `POST /api/order`, which leads to the
 * page that shows it; its state is the summary of a workflow, the payment a message to it, the page's picture `diagram.svg`. Timers need no
 * request to be caught up. The server is a process of its own, for it is killed in the middle.
 */

const BPMN = readFileSync(
  new URL('../bpmn/cases/lib-bpmn-engine/ordering-items-workflow.bpmn', import.meta.url),
  'utf8',
);
/** Handlers of the seed, each by the id of its task. */
const TASKS = [
  ...['validate-order', 'send-bill', 'send-friendly-reminder'],
  ...['update-accounting', 'package-and-deliver', 'send-cancellation'],
];

const folder = mkdtempSync(join(tmpdir(), 'rota-ordering-'));
const settings = { DATA_DIR: readyFolder(join(folder, 'data')), ROUTES_PREFIX: '/', TEST_CLOCK: '1' };
let server: Awaited<ReturnType<typeof serveInChild>>;
let handlers: Participant;
beforeAll(async () => {
  handlers = await startParticipant();
  server = await serveInChild(settings);
  const put = await send(server.url, 'PUT', '/v1/definitions/ordering-items-workflow', {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      definition: BPMN,
      callbacks: Object.fromEntries(TASKS.map((id) => [id, `${handlers.url}/${id}`])),
      route: 'POST /api/order',
    }),
  });
  if (put.status !== 201) throw new Error(put.text);
}, 180_000);
afterAll(async () => {
  server.process.kill('SIGKILL');
  await server.ended;
  await handlers.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** The next job of the handlers, done: >>> Executing job '…'. */
async function job(fields: Record<string, unknown> = {}): Promise<{ readonly id: string; readonly amount: unknown }> {
  const { body, path } = await handlers.next();
  expect(path).toBe(`/callbacks/${body.participant}`);
  const done = await postJson(server.url, new URL(body.proceed_url).pathname, { fields });
  expect([done.status, done.text]).toEqual([201, 'OK']);
  return { id: body.participant, amount: body.fields['amount'] };
}
const jobs = async (...ids: string[]): Promise<void> => {
  for (const id of ids) expect((await job()).id).toBe(id);
};
const advance = (seconds: number): Promise<Answer> => postJson(server.url, '/v1/test/clock', { advance: seconds });

/** A browser creates an order. */
async function order(): Promise<string> {
  const created = await send(server.url, 'POST', '/api/order', { headers: { Accept: 'text/html,*/*;q=0.8' } });
  expect(created.status, created.text).toBe(303);
  const [, id = ''] = /^\/console\/workflows\/([\w-]+)$/.exec(String(created.headers['location'])) ?? [];
  return id;
}
const show = async (id: string): Promise<Record<string, unknown>> =>
  (await send(server.url, 'GET', `/v1/workflows/${id}?view=summary`)).json();
const pay = (id: string, amount: string): Promise<Answer> =>
  postForm(server.url, `/v1/workflows/${id}/messages/payment-received`, `amount=${amount}`);
/** Both after a payment, in any order; the ledger hears of the amount. */
async function delivered(amount: string): Promise<void> {
  const done = [await job(), await job()].sort((a, b) => (a.id < b.id ? -1 : 1));
  expect(done).toEqual([
    { id: 'package-and-deliver', amount },
    { id: 'update-accounting', amount },
  ]);
}

test('an order is made, shown, paid and delivered', async () => {
  const id = await order();
  await jobs('validate-order', 'send-bill');
  expect(await show(id)).toEqual({ id, state: 'ACTIVE', created_at: expect.stringMatching(/^\d{4}-.*Z$/) });
  const picture = await send(server.url, 'GET', `/v1/workflows/${id}/diagram.svg`);
  expect([picture.status, picture.headers['content-type']]).toEqual([200, expect.stringContaining('image/svg+xml')]);
  expect(picture.text).toContain('<title>send friendly reminder</title>');
  expect(picture.text).toMatch(/data-element="Gateway_1p6s0kg" class="eventBasedGateway (live|waiting)"/);

  const paid = await pay(id, '5');
  expect(paid.status, paid.text).toBe(202);
  expect(paid.json()).toMatchObject({
    status: 'accepted',
    delivered: true,
    resumed: [id],
    element: 'payment-received',
  });
  await delivered('5');
  expect(await show(id)).toMatchObject({ state: 'COMPLETED' });
  // No timer is left over.
  await advance(3_600);
  expect(handlers.waiting()).toBe(0);
});

test('who calls without a browser is told the id', async () => {
  const created = await send(server.url, 'POST', '/api/order');
  expect(created.status, created.text).toBe(202);
  expect(created.json()).toMatchObject({ status: 'running', definition: { name: 'ordering-items-workflow' } });
  await jobs('validate-order', 'send-bill');
  const { id } = created.json<{ id: string }>();
  expect((await postJson(server.url, `/v1/workflows/${id}/cancel`, {})).text).toBe('OK');
  expect(await show(id)).toMatchObject({ state: 'TERMINATED' });
  await advance(3_600);
  expect(handlers.waiting()).toBe(0);
  expect((await send(server.url, 'GET', '/v1/workflows/nothing?view=summary')).status).toBe(404);
});

test('whoever does not pay in five minutes is reminded, in ten more it is too late', async () => {
  const [reminded, never] = [await order(), await order()];
  for (let i = 0; i < 4; i++) await job();
  await advance(300);
  await jobs('send-friendly-reminder', 'send-friendly-reminder');
  expect((await pay(reminded, '7.50')).json()).toMatchObject({ element: 'payment-received-after-reminder' });
  await delivered('7.50');
  await advance(600);
  await jobs('send-cancellation');
  expect([await show(reminded), await show(never)]).toMatchObject([{ state: 'COMPLETED' }, { state: 'COMPLETED' }]);
  const late = await pay(never, '5');
  expect(late.json()).toMatchObject({ status: 404, code: 'workflow_not_found' });
});

test('an order outlives its server: it is killed, started again, and paid', { timeout: 90_000 }, async () => {
  // Who is told of new orders does not answer before the kill; what it was owed still comes, as the same event.
  const told: { readonly id: string; readonly message: string; readonly taken: boolean }[] = [];
  let isDown = true;
  const subscriber = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString('utf8')) as { readonly id: string };
    told.push({ id: body.id, message: String(request.headers['webhook-id']), taken: !isDown });
    response.writeHead(isDown ? 503 : 204).end();
  });
  await new Promise<void>((resolve) => subscriber.listen(0, '127.0.0.1', resolve));
  const { port } = subscriber.address() as AddressInfo;
  const made = await postJson(server.url, '/v1/subscriptions', {
    url: `http://127.0.0.1:${port}/`,
    events: ['workflow.launched'],
    // Business time cannot be moved here: to the new server the one that was killed is alive for half a minute.
    retry: { delays: Array(20).fill(3) },
  });
  const owed = `/v1/subscriptions/${made.json<{ id: string }>().id}/deliveries?state=failing`;
  const id = await order();
  await jobs('validate-order', 'send-bill');
  // Written down, so that nobody holds it when the server dies.
  await until(
    'a try that is refused',
    async () => (await send(server.url, 'GET', owed)).json<{ deliveries: unknown[] }>().deliveries.length === 1,
  );
  server.process.kill('SIGKILL');
  await server.ended;
  isDown = false;
  server = await serveInChild(settings);
  await until('the same once more', () => told.some(({ taken }) => taken));
  expect(told.filter(({ taken }) => taken)).toEqual([{ ...told[0], taken: true }]);
  expect(told[0]?.id).toBe(`${id}/1`);
  expect(await show(id)).toMatchObject({ id, state: 'ACTIVE' });
  expect((await pay(id, '5')).json()).toMatchObject({ delivered: true });
  await delivered('5');
  expect(await show(id)).toMatchObject({ state: 'COMPLETED' });
  // The definition, its route and its text are there as before.
  await order();
  await jobs('validate-order', 'send-bill');
  subscriber.closeAllConnections();
  subscriber.close();
  const text = await send(server.url, 'GET', '/v1/definitions/ordering-items-workflow/versions/1');
  expect([text.status, text.text === BPMN]).toEqual([200, true]);
});
