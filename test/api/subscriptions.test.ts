import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HTTP } from 'cloudevents';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Answer, postJson, send, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/* Events out, over HTTP: one server, and one that is told. */

type Event = {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly sequence: string;
  readonly data: Record<string, unknown>;
};
type Told = {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly event: Event;
};

let rota: Running;
let others: Server;
let there = '';
const told: Told[] = [];
/** By path; 204 where nothing is said. */
const says = new Map<string, number>();

beforeAll(async () => {
  others = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const path = request.url ?? '';
      told.push({ path, headers: request.headers, text, event: JSON.parse(text) as Event });
      response.writeHead(says.get(path) ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => others.listen(0, '127.0.0.1', resolve));
  there = `http://127.0.0.1:${(others.address() as AddressInfo).port}`;
  rota = await startServer({ TEST_CLOCK: '1', RETRY_DELAYS: '10' });
}, 120_000);
afterAll(async () => {
  await rota.stop();
  others.closeAllConnections();
  others.close();
}, 60_000);

const advance = (seconds: number): Promise<Answer> => postJson(rota.url, '/v1/test/clock', { advance: seconds });
const subscribe = async (spec: object): Promise<string> => {
  const made = await postJson(rota.url, '/v1/subscriptions', spec);
  expect(made.status).toBe(201);
  return made.json<{ id: string }>().id;
};
const patch = (id: string, body: object): Promise<Answer> =>
  send(rota.url, 'PATCH', `/v1/subscriptions/${id}`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
const launch = async (more: object = {}): Promise<string> =>
  (
    await postJson(rota.url, '/v1/workflows', { workflow: 'define told\n  alpha', callback: `${there}/alpha`, ...more })
  ).json<{ id: string }>().id;
const end = (id: string): Promise<Answer> => postJson(rota.url, `/v1/workflows/${id}/kill`, { reason: 'enough' });
const at = (path: string): readonly Told[] => told.filter((one) => one.path === path);
type Listed = {
  readonly deliveries: readonly {
    readonly id: string;
    readonly state: string;
    readonly tries: number;
    readonly last: { readonly status: number | null } | null;
  }[];
};
const deliveries = async (id: string, query = ''): Promise<Listed['deliveries']> =>
  (await send(rota.url, 'GET', `/v1/subscriptions/${id}/deliveries${query}`)).json<Listed>().deliveries;

test('a subscriber is told what it asked for, signed, in order and once', async () => {
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  const id = await subscribe({
    url: `${there}/told`,
    secret,
    headers: { 'x-who': 'me' },
    filter: { name: 'told' },
    ordered: true,
    fields: true,
  });
  const shown = await send(rota.url, 'GET', `/v1/subscriptions/${id}`);
  expect(shown.json()).toMatchObject({
    id,
    events: ['workflow.*'],
    headers: { 'x-who': '***' },
    ordered: true,
    disabled_reason: null,
  });
  expect(shown.json()).not.toHaveProperty('secret');
  const workflow = await launch({ fields: { who: 'Ada' } });
  await postJson(rota.url, '/v1/workflows', { workflow: 'define other\n  noop', callback: there });
  await advance(0);
  await end(workflow);
  await advance(0);
  const events = at('/told').map(({ event }) => event);
  expect(events.map(({ type }) => type)).toEqual(['rota.workflow.launched', 'rota.workflow.killed']);
  expect(events[1]).toMatchObject({
    specversion: '1.0',
    subject: workflow,
    source: `${rota.url}/v1/workflows/${workflow}`,
    data: { workflow_id: workflow, name: 'told', status: 'killed', tags: [], reason: 'enough' },
  });
  expect(events[0]).toMatchObject({ sequence: '0000000001', id: `${workflow}/1`, data: { fields: { who: 'Ada' } } });
  const { headers, text } = at('/told')[0] as Told;
  // As the official library reads it.
  const { type, subject, data } = HTTP.toEvent({ headers, body: text }) as unknown as Event;
  expect([type, subject, data['workflow_id']]).toEqual(['rota.workflow.launched', workflow, workflow]);
  expect(headers).toMatchObject({ 'x-who': 'me', 'webhook-id': `${workflow}_1_${id}`, 'rota-try': '1' });
  expect(headers['content-type']).toContain('application/cloudevents+json');
  const digest = createHmac('sha256', Buffer.alloc(32, 1))
    .update(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${text}`)
    .digest('base64');
  expect(headers['webhook-signature']).toBe(`v1,${digest}`);
  expect(await deliveries(id, '?state=delivered&type=workflow.killed')).toMatchObject([
    { state: 'delivered', tries: 1, last: { status: 204 } },
  ]);
  expect((await send(rota.url, 'DELETE', `/v1/subscriptions/${id}`)).status).toBe(204);
  expect((await send(rota.url, 'GET', `/v1/subscriptions/${id}`)).json()).toMatchObject({
    code: 'subscription_not_found',
  });
});

test('a launch says who is told of it alone', async () => {
  const workflow = await launch({ notify: [`${there}/notified`, { url: `${there}/items`, events: ['workitem.*'] }] });
  await advance(0);
  await end(workflow);
  await advance(0);
  expect(at('/notified').map(({ event }) => event.type)).toEqual(['rota.workflow.launched', 'rota.workflow.killed']);
  expect(at('/items').map(({ event }) => event)).toMatchObject([
    { type: 'rota.workitem.opened', data: { participant: 'alpha' } },
  ]);
  for (const notify of ['nowhere', { url: there, events: ['nothing.*'] }, Array.from({ length: 11 }, () => there)]) {
    const refused = await postJson(rota.url, '/v1/workflows', {
      workflow: 'define x\n  alpha',
      callback: there,
      notify,
    });
    expect(refused.json()).toMatchObject({ status: 400, error: 'notify is invalid' });
  }
});

test('what is not taken is tried again, listed when it is spent, and sent again when asked for', async () => {
  says.set('/failing', 500);
  const id = await subscribe({ url: `${there}/failing`, events: ['rota.workflow.launched'] });
  const workflow = await launch();
  await advance(0);
  expect(await deliveries(id)).toMatchObject([{ state: 'failing', tries: 1, last: { status: 500 } }]);
  expect((await send(rota.url, 'GET', `/v1/subscriptions/${id}`)).json()).toMatchObject({
    failing_since: expect.any(String),
  });
  await advance(11);
  const [spent] = await deliveries(id, `?state=spent&workflow_id=${workflow}`);
  expect(spent).toMatchObject({ state: 'spent', tries: 2 });
  says.set('/failing', 200);
  expect((await postJson(rota.url, `/v1/subscriptions/${id}/redeliver`, { state: 'spent' })).json()).toEqual({
    count: 1,
  });
  await advance(0);
  expect(await deliveries(id)).toMatchObject([{ state: 'delivered' }]);
  expect((await postJson(rota.url, `/v1/subscriptions/${id}/redeliver`, { ids: [spent?.id] })).json()).toEqual({
    count: 1,
  });
  await advance(0);
  expect(at('/failing').length).toBe(4);
  expect((await send(rota.url, 'GET', `/v1/subscriptions/${id}`)).json()).toMatchObject({ failing_since: null });
  expect((await postJson(rota.url, `/v1/subscriptions/${id}/test`, {})).status).toBe(202);
  await advance(0);
  expect(at('/failing').at(-1)?.event.type).toBe('rota.subscription.test');
  await end(workflow);
  await patch(id, { enabled: false });
});

test('who is gone is told no more, until somebody enables it; what was missed is made again', async () => {
  says.set('/gone', 410);
  const id = await subscribe({ url: `${there}/gone`, events: ['workflow.launched'] });
  await launch();
  await advance(0);
  await until('it is disabled', async () =>
    (await send(rota.url, 'GET', `/v1/subscriptions/${id}`)).text.includes('"disabled_reason":"gone"'),
  );
  const missed = await launch();
  await advance(0);
  expect((await deliveries(id)).length).toBe(1);
  says.set('/gone', 200);
  const enabled = await patch(id, { enabled: true });
  expect(enabled.json()).toMatchObject({ enabled: true, disabled_reason: null, failing_since: null });
  const again = await postJson(rota.url, `/v1/subscriptions/${id}/redeliver`, { from: '2000-01-01T00:00:00Z' });
  expect(again.json<{ count: number }>().count).toBeGreaterThan(0);
  await advance(20);
  expect(at('/gone').some(({ event }) => event.subject === missed)).toBe(true);
});

test('what cannot be subscribed to is refused with its place', async () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ url: 'ftp://a.test' }, '#/url'],
    [{ url: there, events: ['workflow.*', 'nothing'] }, '#/events/1'],
    [{ url: there, headers: { 'webhook-id': 'x' } }, '#/headers/webhook-id'],
    [{ url: there, retry: 'never' }, '#/retry'],
  ];
  for (const [spec, pointer] of wrong) {
    const answer = await postJson(rota.url, '/v1/subscriptions', spec);
    expect(answer.status).toBe(422);
    expect(answer.json<{ errors: { pointer: string }[] }>().errors[0]?.pointer).toBe(pointer);
  }
  expect((await postJson(rota.url, '/v1/subscriptions', { url: there, colour: 1 })).status).toBe(422);
});
