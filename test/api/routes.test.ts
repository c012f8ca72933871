import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Answer, type Participant, send, startParticipant, startServer } from '../support/server.ts';

/* Definitions at addresses of their own. */

let server: Running;
let alpha: Participant;
beforeAll(async () => {
  alpha = await startParticipant();
  server = await startServer({ ROUTE_HEADERS: 'x-origin', ROUTE_PUBLIC_RATE: '4/60' });
}, 180_000);
afterAll(async () => {
  await server.stop();
  await alpha.stop();
}, 60_000);

let key = '';
const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  send(server.url, method, path, {
    headers: {
      ...(key === '' ? {} : { 'X-API-Key': key }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
const put = async (name: string, body: object): Promise<Answer> => ask('PUT', `/v1/definitions/${name}`, body);
const ECHO = "define\n  set 'f:seen': '$f:param1'\n";
const WAIT = { Prefer: 'wait=10' };

test('inputs come from where they are declared, as the type that is declared', async () => {
  const declared = (place: string) => ({
    definition: ECHO,
    answer: 'f:seen',
    route: place === 'path' ? 'GET /BarService/{Param1}' : 'GET /BarService/FooOperation',
    inputs: { param1: { in: place, name: 'Param1', type: 'integer', required: true } },
  });
  for (const [place, path, headers] of [
    ['query', '/r/BarService/FooOperation?Param1=29', {}],
    ['header', '/r/BarService/FooOperation', { Param1: '29' }],
    ['path', '/r/BarService/29', {}],
  ] as const) {
    expect((await put('bar', declared(place))).status).toBe(201);
    const answer = await ask('GET', path, undefined, { ...WAIT, ...headers });
    expect([answer.status, answer.json()], `${place} ${answer.text}`).toEqual([200, 29]);
  }
  expect((await ask('GET', '/r/BarService/abc')).json()).toMatchObject({
    ...{ status: 422, code: 'input_invalid', errors: [{ pointer: '#/param1' }] },
  });
  await put('bar', declared('query'));
  expect((await ask('GET', '/r/BarService/FooOperation')).json()).toMatchObject({ errors: [{ pointer: '#/param1' }] });
  // Which of two was meant nobody knows; a list is all of them.
  expect((await ask('GET', '/r/BarService/FooOperation?Param1=1&Param1=2')).json()).toMatchObject({
    ...{ status: 400, code: 'query_invalid', errors: [{ pointer: '#/param1' }] },
  });
  await put('bar', { ...declared('query'), inputs: { param1: { in: 'query', name: 'Param1', type: 'array' } } });
  const list = await ask('GET', '/r/BarService/FooOperation?Param1=1&Param1=2', undefined, WAIT);
  expect([list.status, list.json()]).toEqual([200, ['1', '2']]);
});

test('the body is fields, what is left of the path too, and the request is kept', async () => {
  await put('orders', {
    definition: 'define orders\n  alpha\n',
    callback: alpha.url,
    route: 'POST /orders/{customer}',
  });
  const launched = await ask('POST', '/r/orders/A%2FB', { amount: 5 }, { 'X-Origin': 'shop' });
  expect(launched.status, launched.text).toBe(202);
  const { id } = launched.json<{ id: string }>();
  expect(launched.headers['location']).toBe(`/v1/workflows/${id}`);
  expect(launched.json()).toMatchObject({ status: 'running', definition: { name: 'orders', version: 1 } });
  expect((await alpha.next()).body.fields).toMatchObject({ amount: 5, customer: 'A/B' });
  expect((await ask('GET', `/v1/workflows/${id}`)).json()).toMatchObject({
    meta: {
      started_by: 'route',
      request: {
        ...{ method: 'POST', path: '/r/orders/A%2FB', route: '/orders/{customer}', ip: '127.0.0.1' },
        headers: { 'x-origin': 'shop' },
      },
    },
  });
  const form = await ask('POST', '/r/orders/me', 'amount=6', { 'Content-Type': 'application/x-www-form-urlencoded' });
  expect(form.status).toBe(202);
  expect((await alpha.next()).body.fields).toMatchObject({ amount: '6', customer: 'me' });
  const page = await ask('POST', '/r/orders/me', {}, { Accept: 'text/html,*/*' });
  expect([page.status, page.headers['location']]).toEqual([
    303,
    expect.stringMatching(/^\/console\/workflows\/[\w-]+$/),
  ]);
  await alpha.next();
  const once = { 'Idempotency-Key': 'one' };
  const [first, second] = [await ask('POST', '/r/orders/me', {}, once), await ask('POST', '/r/orders/me', {}, once)];
  expect(second.json<{ id: string }>().id).toBe(first.json<{ id: string }>().id);
});

test('a route is one definition’s, a literal goes before a name, and what is not there is told', async () => {
  await put('named', { definition: "define\n  set 'f:from': 'named'\n", answer: 'f:from', route: 'GET /shop/{item}' });
  await put('literal', { definition: "define\n  set 'f:from': 'literal'\n", answer: 'f:from', route: 'GET /shop/all' });
  const answers = await Promise.all(['all', 'one'].map((item) => ask('GET', `/r/shop/${item}`, undefined, WAIT)));
  expect(answers.map((answer) => answer.json())).toEqual(['literal', 'named']);
  expect((await put('other', { definition: ECHO, route: 'GET /shop/{other}' })).json()).toMatchObject({
    ...{ status: 409, code: 'route_taken', definition: 'named' },
  });
  const wrong = await ask('DELETE', '/r/shop/all');
  expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'GET']);
  expect((await ask('GET', '/r/nothing/here')).json()).toMatchObject({ status: 404, code: 'route_not_found' });
  expect((await ask('HEAD', '/r/shop/all')).status).toBe(405);
  expect((await ask('DELETE', '/v1/definitions/named')).status).toBe(204);
  expect((await ask('GET', '/r/shop/one')).status).toBe(404);
  expect((await put('other', { definition: ECHO, route: 'GET /shop/{other}' })).status).toBe(201);
  // A page of somebody else's may not launch by an image.
  const image = await ask('GET', '/r/shop/all', undefined, { 'Sec-Fetch-Site': 'cross-site' });
  expect(image.json()).toMatchObject({ status: 403, code: 'origin_not_allowed' });
});

test('a public route asks nobody who they are, so often from one address; others do', async () => {
  await put('open', { definition: "define\n  set 'f:from': 1\n", answer: 'f:from', route: 'GET /open', public: true });
  const made = await ask('POST', '/v1/keys', { name: 'me', scopes: ['admin', 'launch'] });
  key = made.json<{ key: string }>().key;
  const bare = (path: string): Promise<Answer> => send(server.url, 'GET', path, { headers: WAIT });
  expect((await bare('/r/shop/all')).status).toBe(404);
  expect((await bare('/r/open')).json()).toBe(1);
  expect((await ask('GET', '/r/shop/all', undefined, WAIT)).json()).toBe('literal');
  const few = (await ask('POST', '/v1/keys', { name: 'few', scopes: ['operate'] })).json<{ key: string }>().key;
  const refused = await ask(
    'PUT',
    '/v1/definitions/open2',
    { definition: ECHO, route: 'GET /open2', public: true },
    { 'X-API-Key': few },
  );
  expect(refused.json()).toMatchObject({ status: 403, code: 'scope_missing' });
  expect((await ask('GET', '/r/shop/all', undefined, { 'X-API-Key': few })).status).toBe(403);
  const asked = await Promise.all([1, 2, 3].map(() => bare('/r/open')));
  expect(asked.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
});
