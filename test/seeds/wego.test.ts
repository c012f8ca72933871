import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Answer, send, startServer } from '../support/server.ts';
import { curl, hostOf } from './curl.ts';

/*
 * WeGO's HTTP module: an operation of a service at a URL of its own. FooOperation(ctx, param1 int, request *RequestPayload) of BarService is
 * a stored definition here, its URL the definition's route; where param1 comes from is said by a version of it. The three command lines are
 * WeGO's, but for the port.
 */

let server: Running;
beforeAll(async () => {
  server = await startServer({ ROUTES_PREFIX: '/', ROUTE_HEADERS: 'User-Agent' });
}, 120_000);
afterAll(() => server.stop(), 60_000);

const ask = (line: string): Promise<Answer> => curl(line, { 'localhost:5000': hostOf(server.url) });
async function register(name: string, body: object): Promise<void> {
  const answer = await send(server.url, 'PUT', `/v1/definitions/${name}`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect([200, 201], answer.text).toContain(answer.status);
}
/** The service; `place`: where its parameter comes from. */
const fooOperation = (place: 'header' | 'query' | 'path') => ({
  definition: "define FooOperation\n  set 'f:response': '$f:param1'\n",
  route: place === 'path' ? 'GET /BarService/FooOperation/{Param1}' : 'GET /BarService/FooOperation',
  inputs: { param1: { in: place, name: 'Param1', type: 'integer', required: true } },
  answer: 'f:response',
});

describe('param1 arrives as an int', () => {
  test.each([
    ['header', 'By setting it as a HTTP header', 'curl -H "Param1: 29" localhost:5000/BarService/FooOperation'],
    ['query', 'By passing it as a Query parameter', 'curl localhost:5000/BarService/FooOperation?Param1=29'],
    ['path', 'By passing it as a Path parameter', 'curl localhost:5000/BarService/FooOperation/29'],
  ] as const)('from the %s. %s', async (place, _how, line) => {
    await register('BarService.FooOperation', fooOperation(place));
    const launched = await ask(line);
    expect(launched.status, launched.text).toBe(202);
    const { id } = launched.json<{ id: string }>();
    expect((await send(server.url, 'GET', `/v1/workflows/${id}`)).json()).toMatchObject({ fields: { param1: 29 } });
    // Whoever wants the response itself waits for it.
    const answered = await ask(line.replace('curl ', 'curl -H "Prefer: wait=10" '));
    expect([answered.status, answered.text]).toEqual([200, '29']);
    const wrong = await ask(line.replace('29', 'abc'));
    expect(wrong.json()).toMatchObject({ status: 422, code: 'input_invalid', errors: [{ pointer: '#/param1' }] });
  });
});

test('the context has the headers, the address and the URL of the request', async () => {
  await register('BarService.FooOperation', fooOperation('query'));
  const { id } = (await ask('curl -H "User-Agent: curl/8" localhost:5000/BarService/FooOperation?Param1=29')).json<{
    id: string;
  }>();
  expect((await send(server.url, 'GET', `/v1/workflows/${id}`)).json()).toMatchObject({
    meta: {
      request: {
        ...{ method: 'GET', path: '/BarService/FooOperation', ip: '127.0.0.1' },
        headers: { 'user-agent': 'curl/8' },
      },
    },
  });
});

test('the payload is read from JSON, and the response written as JSON', async () => {
  await register('BarService.Echo', {
    definition: "define Echo\n  set 'f:response': '$f:request'\n",
    route: 'POST /BarService/Echo',
    inputs: { request: { in: 'body', type: 'object' } },
    answer: 'f:response',
  });
  const answer = await ask(`
    curl -X POST -H "Content-Type: application/json" -H "Prefer: wait=10" \\
      -d '{"request": {"list": [1, "zwei", null]}}' localhost:5000/BarService/Echo`);
  expect([answer.status, answer.json()]).toEqual([200, { list: [1, 'zwei', null] }]);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
});

test('an error that has a status of its own is answered with it, any other with 500', async () => {
  const failing = { definition: "define Fails\n  error 'no such bar'\n", route: 'GET /BarService/Fails' };
  const line = 'curl -H "Prefer: wait=10" localhost:5000/BarService/Fails';
  await register('BarService.Fails', { ...failing, errors: { ForcedError: 404 } });
  expect((await ask(line)).json()).toMatchObject({ status: 404, code: 'workflow_failed', detail: 'no such bar' });
  await register('BarService.Fails', failing);
  expect((await ask(line)).json()).toMatchObject({ status: 500, code: 'workflow_failed', detail: 'no such bar' });
});

test('an operation without a URL is not exposed, and one that is taken away is not any more', async () => {
  await register('BarService.Hidden', { definition: "define Hidden\n  set 'f:seen': 1\n" });
  expect((await ask('curl localhost:5000/BarService/Hidden')).status).toBe(404);
  await register('BarService.FooOperation', fooOperation('path'));
  expect((await ask('curl localhost:5000/BarService/FooOperation/29')).status).toBe(202);
  expect((await send(server.url, 'DELETE', '/v1/definitions/BarService.FooOperation')).status).toBe(204);
  expect((await ask('curl localhost:5000/BarService/FooOperation/29')).status).toBe(404);
});
