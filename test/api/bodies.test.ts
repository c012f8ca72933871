import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Answer, postForm, postJson, send, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let server: Running;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server.stop(), 60_000);

const LAUNCH = '/v1/workflows';
const GONE = '0_0!0123456789abcdef0123456789abcdef!20151005-1247-kogadeso-gekunute';
const PROCEED = `/v1/workflows/20151005-1247-kogadeso-gekunute/workitems/${GONE}/proceed`;

function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.json()).toMatchObject({ status, code });
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
}

describe('a body', () => {
  test.each([
    ['broken JSON', '{"workflow": "define",'],
    ['JSON with something behind it', '{} {}'],
    ['JSON with a comment', '{} // so'],
    ['blanks only', '   '],
    ['a bare text', '"define"'],
    ['a bare number', '7'],
    ['null', 'null'],
    ['a list', '[]'],
    ['lists nested 200,000 deep', '['.repeat(200_000)],
    ['a key __proto__', '{"workflow":"define","fields":{"__proto__":{"admin":true}}}'],
    ['a key __proto__ written with an escape', '{"fields":{"\\u005f_proto__":{"admin":true}}}'],
  ])('of %s is refused', async (_name, body) => {
    for (const path of [LAUNCH, PROCEED, '/v1/definitions/validate'])
      expectProblem(await postJson(server.url, path, body), 400, 'body_malformed');
  });

  test.each([
    ['keys nested too deep', `workflow=define&fields${'[a]'.repeat(30)}=1`],
    ['too many parameters', Array.from({ length: 3000 }, (_, i) => `fields[a${i}]=1`).join('&')],
    ['a key __proto__', 'workflow=define&fields[__proto__][admin]=1'],
    ['a key __proto__ in disguise', 'workflow=define&fields%5B__proto__%5D=1'],
  ])('that is a form with %s is refused', async (_name, body) => {
    expectProblem(await postForm(server.url, LAUNCH, body), 400, 'body_malformed');
  });

  test.each([
    'text/plain',
    'text/xml',
    'application/xml',
    'application/octet-stream',
    'multipart/form-data; boundary=x',
    'application/json-but-not-quite',
    'nonsense',
    'application/json; charset=iso-8859-1',
    'application/x-www-form-urlencoded; charset=utf-16',
  ])('of type %s is refused', async (type) => {
    const answer = await send(server.url, 'POST', LAUNCH, { headers: { 'Content-Type': type }, body: '{}' });
    expectProblem(answer, 415, 'media_type_unsupported');
  });

  test.each([
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'APPLICATION/JSON',
    'application/vnd.example+json',
  ])('of type %s is read as JSON', async (type) => {
    const answer = await send(server.url, 'POST', LAUNCH, {
      headers: { 'Content-Type': type },
      body: '{"workflow":"","callback":"x"}',
    });
    expect(answer.json()).toMatchObject({ error: 'workflow is invalid, callback is invalid' });
  });

  test('of more than 4 MB is refused, in one piece or in many', async () => {
    const body = JSON.stringify({ workflow: 'define', fields: { a: 'x'.repeat(4 * 1024 * 1024) } });
    expectProblem(await postJson(server.url, LAUNCH, body), 413, 'body_too_large');
    expectProblem(await postJson(server.url, LAUNCH, body, { 'Transfer-Encoding': 'chunked' }), 413, 'body_too_large');
  });

  test('that grows beyond 4 MB when it is unpacked is refused', async () => {
    const body = gzipSync(JSON.stringify({ workflow: 'x'.repeat(50_000_000) }));
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
    expectProblem(await send(server.url, 'POST', LAUNCH, { headers, body }), 413, 'body_too_large');
  });

  test('that is packed is unpacked, and refused when that fails', async () => {
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
    const good = await send(server.url, 'POST', LAUNCH, { headers, body: gzipSync('{"workflow":7,"callback":7}') });
    expect(good.json()).toMatchObject({ error: 'workflow is invalid, callback is invalid' });
    expectProblem(await send(server.url, 'POST', LAUNCH, { headers, body: 'no gzip' }), 400, 'body_malformed');
    const unknown = { ...headers, 'Content-Encoding': 'zip' };
    expectProblem(
      await send(server.url, 'POST', LAUNCH, { headers: unknown, body: '{}' }),
      415,
      'media_type_unsupported',
    );
  });

  test('of the wrong shape is refused with a pointer to what is wrong', async () => {
    const answer = await postJson(server.url, PROCEED.replace('/proceed', '/fail'), { message: 'no', retry: 'maybe' });
    expectProblem(answer, 422, 'request_invalid');
    expect(answer.json()).toMatchObject({ errors: [{ pointer: '#/retry' }] });
  });

  test('of a form has its texts taken for what is wanted', async () => {
    const fail = PROCEED.replace('/proceed', '/fail');
    expectProblem(await postForm(server.url, fail, 'message=no&retry=true'), 404, 'workitem_not_found');
    expectProblem(await postForm(server.url, fail, 'message=no&retry=perhaps'), 422, 'request_invalid');
  });
});

describe('an address', () => {
  const long = 'x'.repeat(100_000);
  test.each([
    ['POST', `/v1/workflows/${long}/cancel`, 400, 'workflow_not_found'],
    ['POST', `/v1/workflows/a/workitems/${long}/proceed`, 400, 'workitem_not_found'],
    ['POST', `/v1/workflows/a/workitems/0_0!${'0'.repeat(32)}!${long}/proceed`, 400, 'workitem_not_found'],
    ['GET', `/v1/workflows/${long}`, 404, 'workflow_not_found'],
    ['GET', `/v1/workflows/a/workitems/${long}`, 404, 'workitem_not_found'],
    ['POST', `/v1/workflows/a/errors/${long}/replay`, 404, 'error_not_found'],
    ['GET', '/v1/workflows/%00', 404, 'workflow_not_found'],
    ['POST', '/v1/messages/%00', 400, 'request_malformed'],
    ['POST', '/v1/signals/a%00', 400, 'request_malformed'],
    ['DELETE', '/v1/business-keys/%00', 400, 'request_malformed'],
    ['GET', '/v1/definitions/%00', 400, 'request_malformed'],
    ['GET', '/v1/workflows/%ED%A0%80', 404, 'workflow_not_found'],
    ['GET', '/v1/workflows/%', 404, 'workflow_not_found'],
    ['GET', '/v1/workflows/..%2F..%2Fetc', 404, 'workflow_not_found'],
    ['GET', '/v1/nothing', 404, 'route_not_found'],
    // POST / takes events.
    ['GET', '/', 405, 'method_not_allowed'],
    ['GET', `/${'x'.repeat(210_000)}`, 414, 'uri_too_long'],
    ['GET', `/${'x'.repeat(300_000)}`, 431, 'headers_too_large'],
    ['GET', '/v1/workflows?status=asleep', 400, 'query_invalid'],
    ['GET', '/v1/workflows?limit=0', 400, 'query_invalid'],
    ['GET', '/v1/workflows?limit=1001', 400, 'query_invalid'],
    ['GET', '/v1/workflows?limit=ten', 400, 'query_invalid'],
    ['GET', '/v1/workflows?limit=1&limit=2', 400, 'query_invalid'],
    ['GET', '/v1/workflows?colour=red', 400, 'query_invalid'],
    ['GET', '/v1/workflows?name=%00', 400, 'query_invalid'],
    ['GET', '/v1/workflows?cursor=abc', 400, 'query_invalid'],
    ['GET', `/v1/workflows?cursor=${'a'.repeat(5000)}`, 400, 'query_invalid'],
    ['PUT', '/v1/workflows', 405, 'method_not_allowed'],
    ['DELETE', '/v1/ping', 405, 'method_not_allowed'],
    ['GET', `${PROCEED}`, 405, 'method_not_allowed'],
  ])('%s %.60s is %i %s', async (method, path, status, code) => {
    expectProblem(await send(server.url, method, path), status, code);
  });

  test('says which methods it takes', async () => {
    const answer = await send(server.url, 'PUT', '/v1/workflows');
    expect(answer.headers['allow']).toBe('GET, HEAD, OPTIONS, POST');
    const options = await send(server.url, 'OPTIONS', '/v1/ping');
    expect(options.status).toBe(204);
    expect(options.headers['allow']).toBe('GET, HEAD, OPTIONS');
  });

  test('takes HEAD where it takes GET, and answers without a body', async () => {
    const answer = await send(server.url, 'HEAD', '/v1/ping');
    expect([answer.status, answer.text]).toEqual([200, '']);
  });
});

describe('the server', () => {
  test('answers ping', async () => {
    const answer = await send(server.url, 'GET', '/v1/ping');
    expect([answer.status, answer.text]).toEqual([200, '{"ping":"pong"}']);
  });

  test('says that it is alive and ready', async () => {
    for (const path of ['/livez', '/readyz']) {
      const answer = await send(server.url, 'GET', path);
      expect([answer.status, answer.text]).toEqual([200, 'ok']);
    }
    expect((await send(server.url, 'GET', '/readyz?verbose=1')).text).toBe('[+] serving\n[+] database\n');
    expect((await send(server.url, 'GET', '/readyz?verbose&exclude=database')).text).toBe('[+] serving\n');
  });

  test('keeps the request id of its caller when it is harmless', async () => {
    const kept = await send(server.url, 'GET', '/v1/nothing', { headers: { 'X-Request-Id': 'trace-7' } });
    expect(kept.headers['x-request-id']).toBe('trace-7');
    expect(kept.json()).toMatchObject({ request_id: 'trace-7' });
    const replaced = await send(server.url, 'GET', '/v1/nothing', { headers: { 'X-Request-Id': 'a b' } });
    expect(replaced.headers['x-request-id']).not.toBe('a b');
  });

  test('knows itself among the nodes', async () => {
    const { nodes } = (await send(server.url, 'GET', '/v1/nodes')).json<{
      nodes: readonly Record<string, unknown>[];
    }>();
    expect(nodes).toMatchObject([{ role: 'all', url: server.url, alive: true }]);
  });

  test('knows how busy each node was when it was heard of', async () => {
    const busy = await until('the node has said how busy it is', async () => {
      const { nodes } = (await send(server.url, 'GET', '/v1/nodes')).json<{
        nodes: readonly { readonly claims: number | null; readonly loop_delay_ms: number | null }[];
      }>();
      return nodes.find(({ claims, loop_delay_ms }) => claims !== null && loop_delay_ms !== null);
    });
    expect(busy).toMatchObject({ claims: 0, tries: 0, loop_delay_ms: expect.any(Number) });
  });

  test('has no test clock unless it was asked for', async () => {
    expectProblem(await postJson(server.url, '/v1/test/clock', { advance: 0 }), 404, 'route_not_found');
  });
});
