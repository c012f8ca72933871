import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Koa from 'koa';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { participant } from '../../src/client/index.ts';
import { type Embedded, startRota } from '../../src/server/embedded.ts';
import { loadPlugins } from '../../src/server/hooks.ts';
import { postJson, send } from '../support/server.ts';
import { until } from '../support/until.ts';

/* The server as a part of an application: no port of its own, requests brought to it, hooks before it. */

const calls: string[] = [];
let rota: Embedded;
let folder = '';
const listening: Server[] = [];
beforeAll(async () => {
  // Vitest sets it for itself.
  vi.stubEnv('BASE_URL', '');
  folder = mkdtempSync(join(tmpdir(), 'rota-plugins-'));
  writeFileSync(
    join(folder, 'hooks.mjs'),
    `export function onLaunch({ tenant, fields }) {
      const refused = tenant === 'default' && fields.amount === -2;
      if (refused) throw Object.assign(new Error('not for ' + tenant), { status: 403, code: 'tenant_refused' });
    }`,
  );
  // Beside the file of settings, whatever folder this runs in.
  writeFileSync(join(folder, 'rota.yaml'), 'plugins: [./hooks.mjs]');
  vi.stubEnv('ROTA_CONFIG', join(folder, 'rota.yaml'));
  rota = await startRota({
    database: 'memory:',
    settings: { log_level: 'silent', retry_delays: [0.01], awf_paths: true },
    hooks: {
      onRequest: ({ operation, header, actor }) => {
        calls.push(`${operation} ${actor}`);
        if (header('x-stranger') !== null)
          throw Object.assign(new Error('No strangers'), { status: 403, code: 'stranger' });
        if (header('x-broken') !== null) throw new TypeError('our bug');
      },
      onLaunch: ({ name, fields }) => {
        if (fields['amount'] === -1)
          throw Object.assign(new Error(`${name} wants more`), { status: 422, code: 'too_little' });
      },
      onBeforeCallback: ({ url }) => {
        calls.push(`before ${new URL(url).pathname}`);
        if (url.endsWith('/forbidden')) throw new Error('not there');
      },
      onAfterCallback: ({ outcome, status }) => {
        calls.push(`after ${outcome} ${status}`);
      },
    },
  });
}, 60_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const one of listening) {
    one.close();
    one.closeAllConnections();
  }
  expect(await rota.stop()).toBe(true);
  rmSync(folder, { recursive: true, force: true });
});

const listen = async (one: Server): Promise<string> => {
  listening.push(one);
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
};

/** For a machine that is busy. */
const LIMIT_MS = 120_000;

describe('a server in an application', { timeout: LIMIT_MS }, () => {
  test('listens nowhere, and its client does everything', async () => {
    expect(rota.url).toBe(null);
    expect(await rota.client.ping()).toEqual({ ping: 'pong' });
    const { id } = await rota.client.launch({ workflow: 'define x\n  echo "hi"', callbacks: {} });
    expect((await rota.client.wait(id, { timeout: 60 })).status).toBe('completed');
    const kinds: string[] = [];
    for await (const { kind } of rota.client.events(id)) {
      kinds.push(kind);
      if (kind === 'workflow.completed') break;
    }
    expect(kinds[0]).toBe('workflow.launched');
    await expect(rota.client.show('20151005-1247-kogadeso-gekunute')).rejects.toMatchObject({ status: 404 });
  });

  test('answers beside the routes of node:http and of koa, which keep what is not its own', async () => {
    const plain = await listen(
      createServer((request, response) => rota.handler(request, response, () => response.end(`mine ${request.url}`))),
    );
    expect((await send(plain, 'GET', '/v1/ping')).text).toBe('{"ping":"pong"}');
    expect((await send(plain, 'GET', '/orders/1')).text).toBe('mine /orders/1');
    const app = new Koa();
    app.use((context, next) => rota.handler(context, next));
    app.use((context) => {
      context.body = `mine ${context.path}`;
    });
    const koa = await listen(createServer(app.callback()));
    expect(await send(koa, 'GET', '/v1/ping')).toMatchObject({ status: 200, text: '{"ping":"pong"}' });
    expect((await send(koa, 'GET', '/orders/1')).text).toBe('mine /orders/1');
    // What is switched on, what definitions have, and events at the root are the server's; forms at the root are not.
    await rota.client.definitions.put('greet', { definition: 'define greet\n  echo "hi"', route: 'POST /greet' });
    for (const base of [plain, koa]) {
      expect((await postJson(base, '/r/greet', {})).status).toBe(202);
      expect((await send(base, 'GET', '/r/greet')).status).toBe(405);
      expect((await send(base, 'GET', '/executions')).status).toBe(200);
      const event = { specversion: '1.0', id: base, source: 'test', type: 'greeted' };
      const headers = { 'Content-Type': 'application/cloudevents+json' };
      expect((await postJson(base, '/', event, headers)).status).toBe(202);
      expect((await postJson(base, '/', event)).text).toBe('mine /');
      expect((await send(base, 'GET', '/')).text).toBe('mine /');
      expect((await send(base, 'POST', '/mcp')).text).toBe('mine /mcp');
    }
    const launched = await postJson(koa, '/v1/workflows', { workflow: 'define x\n  echo "hi"', callbacks: {} });
    expect(launched.status).toBe(201);
  });

  test('is refused by hooks in their own words; a bug in a hook tells nobody about it', async () => {
    const base = await listen(createServer((request, response) => rota.handler(request, response)));
    const stranger = await send(base, 'GET', '/v1/workflows', { headers: { 'x-stranger': '1' } });
    expect(stranger.status).toBe(403);
    expect(stranger.json()).toMatchObject({ code: 'stranger', detail: 'No strangers', retryable: false });
    const broken = await send(base, 'GET', '/v1/workflows', { headers: { 'x-broken': '1' } });
    expect(broken.status).toBe(500);
    expect(broken.text).not.toContain('our bug');
    const body = { workflow: 'define poor\n  echo "hi"', callbacks: {}, fields: { amount: -1 } };
    const little = await postJson(base, '/v1/workflows', body);
    expect(little.json()).toMatchObject({ status: 422, code: 'too_little', detail: 'poor wants more' });
    // A module that the file of settings names stands behind the application's own.
    const least = await postJson(base, '/v1/workflows', { ...body, fields: { amount: -2 } });
    expect(least.json()).toMatchObject({ status: 403, code: 'tenant_refused', detail: 'not for default' });
    await expect(startRota({ settings: { plugins: './hooks.mjs' } })).rejects.toThrow(/PLUGINS stands in the file/);
    await expect(loadPlugins([join(folder, 'none.mjs')])).rejects.toThrow(/cannot be loaded/);
    expect(calls).toContain('listWorkflows null');
  });

  test('shows each try to its hooks; one that is refused there is a failed try', async () => {
    const alpha = participant({ secret: null, rota: rota.client, handlers: { '*': () => ({ done: true }) } });
    const base = await listen(createServer(alpha.node));
    const callbacks = { alpha: `${base}/alpha`, beta: `${base}/forbidden` };
    const { id } = await rota.client.launch({ workflow: 'define x\n  alpha\n  beta', callbacks });
    const stuck = await rota.client.wait(id, { timeout: 60 });
    expect(stuck.fields['done']).toBe(true);
    expect(stuck.errors[0]?.class).toBe('RetriesExceeded');
    expect(calls.filter((call) => /^before|^after/.test(call))).toEqual([
      ...['before /alpha', 'after delivered 204', 'before /forbidden', 'before /forbidden'],
    ]);
  });

  test('has participants in its process, which are claimed, answered for and stopped', async () => {
    const stopped: unknown[] = [];
    let isAsleep = false;
    await rota.participant('count', async ({ fields }) => ({ n: Number(fields['n'] ?? 0) + 1 }));
    await rota.participant('refuse', () => {
      throw new RangeError('too much');
    });
    await rota.participant('sleeper', async (_workitem, { signal }) => {
      isAsleep = true;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      stopped.push(signal.reason);
      return { late: true };
    });
    const workflow = 'define x\n  count\n  count\n  refuse on_error: "count"';
    const { id } = await rota.client.launch({ workflow, callbacks: {} });
    const done = await rota.client.wait(id, { timeout: 60 });
    expect(done.fields).toMatchObject({ n: 3, __error__: { class: 'RangeError', message: 'too much' } });

    const asleep = await rota.client.launch({ workflow: 'define x\n  sleeper', callbacks: {} });
    const claimed = async (): Promise<boolean> =>
      JSON.stringify((await rota.client.show(asleep.id)).workitems).includes('"claim":{"assignee"');
    await until('the claim', claimed);
    await until('the start of the function', () => isAsleep);
    await rota.client.cancel(asleep.id);
    const over = await rota.client.wait(asleep.id, { timeout: 60 });
    expect([over.status, over.fields['late']]).toEqual(['cancelled', undefined]);
    await until('the stop of the function', () => stopped.length === 1);
  });

  test('what claims to come from inside must know what only the process knows', async () => {
    const guarded = await startRota({ database: 'memory:', settings: { log_level: 'silent', auth: 'required' } });
    try {
      const base = await listen(createServer((request, response) => guarded.handler(request, response)));
      const forged = { 'rota-in-process': '00'.repeat(32) };
      expect((await send(base, 'GET', '/v1/workflows', { headers: forged })).status).toBe(401);
      expect(await guarded.client.request('GET', '/v1/workflows')).toEqual({ workflows: [], next_cursor: null });
    } finally {
      await guarded.stop();
    }
  });
});
