import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { postJson, send, startServer } from '../support/server.ts';

/* Stored definitions as tools of the Model Context Protocol: JSON-RPC 2.0, one POST a request. */

let server: Running;
beforeAll(async () => {
  server = await startServer({ MCP: '1' });
  const order = {
    ...{ definition: 'define order\n  clerk', description: 'Packs an order', mcp: true },
    input_schema: {
      type: 'object',
      required: ['amount'],
      properties: { amount: { type: 'number', exclusiveMinimum: 0 } },
    },
  };
  for (const [name, body] of [
    ['shop/order', order],
    ['hidden', { definition: 'define hidden\n  clerk' }],
  ] as const) {
    const put = await send(server.url, 'PUT', `/v1/definitions/${name}`, {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(put.status, put.text).toBe(201);
  }
}, 120_000);
afterAll(() => server.stop());

type Rpc = {
  readonly id: number | null;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
};
async function rpc(method: string, params: object = {}, headers: Record<string, string> = {}): Promise<Rpc> {
  const answer = await postJson(
    server.url,
    '/mcp',
    { jsonrpc: '2.0', id: 7, method, params },
    {
      Accept: 'application/json, text/event-stream',
      ...headers,
    },
  );
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  return answer.json<Rpc>();
}
const call = async (name: string, args: object): Promise<Record<string, unknown>> =>
  (await rpc('tools/call', { name, arguments: args })).result ?? {};

test('a client says hello and lists tools and resources', { timeout: 60_000 }, async () => {
  const hello = await rpc('initialize', { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 't' } });
  expect(hello).toMatchObject({ id: 7, result: { protocolVersion: '2025-03-26', serverInfo: { name: 'rota' } } });
  expect((await rpc('initialize', { protocolVersion: '1999-01-01' })).result?.['protocolVersion']).toBe('2025-06-18');
  expect((await rpc('ping')).result).toEqual({});
  const note = await postJson(server.url, '/mcp', { jsonrpc: '2.0', method: 'notifications/initialized' });
  expect([note.status, note.text]).toEqual([202, '']);
  const tools = (await rpc('tools/list')).result?.['tools'] as readonly Record<string, unknown>[];
  expect(tools.map(({ name }) => name)).toEqual(
    ['start', 'status', 'result', 'cancel'].map((kind) => `shop_order_${kind}`),
  );
  expect(tools[0]).toMatchObject({
    description: 'Packs an order',
    inputSchema: { type: 'object', required: ['amount'] },
  });
  const listed = (await rpc('resources/list')).result?.['resources'] as readonly Record<string, unknown>[];
  expect(listed).toMatchObject([{ name: 'shop/order', mimeType: 'text/plain' }]);
  const read = await rpc('resources/read', { uri: listed[0]?.['uri'] });
  expect(read.result).toMatchObject({ contents: [{ text: 'define order\n  clerk' }] });
});

test('a workflow is started, looked at, waited for and cancelled', { timeout: 60_000 }, async () => {
  const wrong = await call('shop_order_start', { amount: -1 });
  expect(wrong).toMatchObject({ isError: true });
  expect(JSON.stringify(wrong)).toContain('input_invalid');
  const started = await call('shop_order_start', { amount: 3 });
  const { workflow_id } = started['structuredContent'] as { readonly workflow_id: string };
  const status = await call('shop_order_status', { workflow_id });
  expect(status['structuredContent']).toMatchObject({ workflow_id, fields: { amount: 3 } });
  const cancelled = await call('shop_order_cancel', { workflow_id, reason: 'changed my mind' });
  expect(cancelled['isError']).toBe(undefined);
  const result = await call('shop_order_result', { workflow_id, timeout_seconds: 20 });
  expect(result['structuredContent']).toMatchObject({ status: 'cancelled' });
  expect(await call('shop_order_status', { workflow_id: '20151005-1247-kogadeso-gekunute' })).toMatchObject({
    isError: true,
  });
});

test('what is wrong is told in the words of JSON-RPC, pages of others are sent away', { timeout: 60_000 }, async () => {
  expect((await rpc('tools/fly')).error?.code).toBe(-32601);
  expect((await rpc('tools/call', { name: 'hidden_start' })).error?.code).toBe(-32602);
  expect((await rpc('resources/read', { uri: 'rota://definitions/hidden' })).error?.code).toBe(-32002);
  const odd = await postJson(server.url, '/mcp', { method: 'ping', id: 1 });
  expect(odd.json<Rpc>().error?.code).toBe(-32600);
  const foreign = { Origin: 'https://evil.example' };
  expect((await postJson(server.url, '/mcp', { jsonrpc: '2.0', id: 1, method: 'ping' }, foreign)).status).toBe(403);
  expect((await send(server.url, 'GET', '/mcp')).status).toBe(405);
  const clash = await send(server.url, 'PUT', '/v1/definitions/shop_order', {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ definition: 'define x\n  clerk', mcp: true }),
  });
  expect(clash.json()).toMatchObject({ status: 422, errors: [{ pointer: '#/mcp' }] });
});

test('the official client of the protocol speaks with it', { timeout: 60_000 }, async () => {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', server.url));
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  expect(client.getServerVersion()).toMatchObject({ name: 'rota' });
  await client.ping();
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(
    ['start', 'status', 'result', 'cancel'].map((kind) => `shop_order_${kind}`),
  );
  const use = async (name: string, args: Record<string, unknown>) => {
    const { isError, structuredContent } = await client.callTool({ name: `shop_order_${name}`, arguments: args });
    return { isError, ...(structuredContent as Record<string, unknown> | undefined) };
  };
  expect(await use('start', { amount: -1 })).toMatchObject({ isError: true });
  const { workflow_id } = (await use('start', { amount: 2 })) as { readonly workflow_id?: string };
  expect(await use('status', { workflow_id })).toMatchObject({ workflow_id, fields: { amount: 2 } });
  expect(await use('cancel', { workflow_id, reason: 'enough' })).toMatchObject({ workflow_id, status: 'cancelling' });
  expect(await use('result', { workflow_id, timeout_seconds: 20 })).toMatchObject({ status: 'cancelled' });
  const { resources } = await client.listResources();
  const { contents } = await client.readResource({ uri: resources[0]?.uri ?? '' });
  expect(contents).toMatchObject([{ mimeType: 'text/plain', text: 'define order\n  clerk' }]);
  await client.close();
});
