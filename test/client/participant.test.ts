import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Delivered, participant, Rota, verify } from '../../src/client/index.ts';
import type { Running } from '../../src/server/start.ts';
import { startServer } from '../support/server.ts';

/** A server takes its time to start where several tests run side by side. */
const START_MS = 60_000;
const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes ...').toString('base64')}`;
const OTHER = `whsec_${Buffer.from('another one, also thirty-two byt').toString('base64')}`;

const workitem = (over: Partial<Delivered> = {}): Delivered => ({
  workflow_id: 'w',
  workitem_id: '0_0!s!w',
  participant: 'alpha',
  status: 'active',
  fields: { a: 1 },
  proceed_url: 'http://rota.test/v1/workflows/w/workitems/0_0!s!w/proceed?token=t',
  ...over,
});

let messages = 0;
function signed(body: string, { secret = SECRET, at = new Date() } = {}) {
  messages += 1;
  const id = `msg_${messages}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}
const post = (one: Delivered, headers?: Record<string, string>): Request => {
  const body = JSON.stringify(one);
  return new Request('http://here/', { method: 'POST', body, headers: headers ?? signed(body) });
};

/** A client whose calls are kept and answered 201. */
function kept() {
  const calls: { readonly url: string; readonly body: unknown }[] = [];
  const rota = new Rota({
    fetch: (async (request: Request) => {
      calls.push({ url: request.url, body: await request.json() });
      return new Response('OK', { status: 201 });
    }) as typeof fetch,
  });
  return { rota, calls };
}

describe('a signature', () => {
  const body = JSON.stringify(workitem());

  test('is good within 300 s, for one of several secrets, and for these bytes alone', () => {
    const headers = signed(body);
    expect(verify({ headers, body, secret: SECRET })).toBe(true);
    expect(verify({ headers: new Headers(headers), body: Buffer.from(body), secret: [OTHER, SECRET] })).toBe(true);
    expect(verify({ headers, body, secret: OTHER })).toBe(false);
    expect(verify({ headers, body: `${body} `, secret: SECRET })).toBe(false);
    expect(verify({ headers: {}, body, secret: SECRET })).toBe(false);
    const both = { ...headers, 'webhook-signature': `${signed(body, { secret: OTHER })['webhook-signature']} x` };
    expect(verify({ headers: both, body, secret: SECRET })).toBe(false);
  });

  test.each([-301, 301])('that is %i s away is none', (seconds) => {
    const headers = signed(body, { at: new Date(Date.now() + seconds * 1000) });
    expect(verify({ headers, body, secret: SECRET })).toBe(false);
  });
});

describe('a participant', () => {
  test('answers at once, hands the fields back, and drops a repeat', async () => {
    const { rota, calls } = kept();
    const seen: unknown[] = [];
    const alpha = participant({
      secret: SECRET,
      rota,
      handlers: {
        alpha: async ({ fields }, around) => {
          seen.push([fields, around.try, around.rota === rota]);
          return { b: 2 };
        },
      },
    });
    const request = post(workitem());
    const again = request.clone();
    expect((await alpha.fetch(request)).status).toBe(204);
    expect(seen).toEqual([]);
    await alpha.idle();
    expect((await alpha.fetch(again)).status).toBe(204);
    await alpha.idle();
    expect(seen).toEqual([[{ a: 1 }, 1, true]]);
    expect(calls).toEqual([{ url: workitem().proceed_url, body: { fields: { b: 2 } } }]);
  });

  test('fails what throws, by its name; retry on the error asks for another try', async () => {
    const { rota, calls } = kept();
    const failing = participant({
      secret: SECRET,
      rota,
      handlers: {
        alpha: () => {
          throw Object.assign(new RangeError('too much'), { retry: true });
        },
        '*': async () => Promise.reject(new TypeError('no')),
      },
    });
    await failing.fetch(post(workitem()));
    await failing.fetch(post(workitem({ participant: 'beta', workitem_id: '0_1!s!w' })));
    await failing.idle();
    expect(calls.map(({ body }) => body)).toEqual([
      { message: 'too much', class: 'RangeError', retry: true },
      { message: 'no', class: 'TypeError' },
    ]);
    expect(calls[0]?.url).toBe('http://rota.test/v1/workflows/w/workitems/0_0!s!w/fail?token=t');
  });

  test('is stopped by a notice, and says nothing after it', async () => {
    const { rota, calls } = kept();
    const notices: string[] = [];
    let begun = (): void => {};
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let reason: unknown;
    const slow = participant({
      secret: SECRET,
      rota,
      onNotice: ({ status }) => notices.push(status),
      handlers: {
        alpha: async (_workitem, { signal }) => {
          begun();
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          reason = signal.reason;
          return { late: true };
        },
      },
    });
    await slow.fetch(post(workitem()));
    await isBegun;
    expect((await slow.fetch(post(workitem({ status: 'timeout' })))).status).toBe(204);
    await slow.idle();
    expect(notices).toEqual(['timeout']);
    expect(reason).toMatchObject({ status: 'timeout' });
    expect(calls).toEqual([]);
  });

  test('refuses what is not signed, what nobody here is, what is no message, and other methods', async () => {
    const { rota } = kept();
    const alpha = participant({ secret: [SECRET], rota, handlers: { alpha: async () => ({}) } });
    const statusOf = async (request: Request): Promise<number> => (await alpha.fetch(request)).status;
    expect(await statusOf(post(workitem(), {}))).toBe(401);
    expect(await statusOf(post(workitem(), signed(JSON.stringify(workitem()), { secret: OTHER })))).toBe(401);
    expect(await statusOf(post(workitem({ participant: 'beta' })))).toBe(404);
    expect(await statusOf(post(workitem({ participant: 'toString' })))).toBe(404);
    expect(await statusOf(post({ ...workitem(), proceed_url: 7 as never }))).toBe(400);
    expect(await statusOf(new Request('http://here/'))).toBe(405);
  });

  test('whose accept throws is sent the message again', async () => {
    const { rota, calls } = kept();
    let times = 0;
    const queue: string[] = [];
    const alpha = participant({
      secret: SECRET,
      rota,
      onError: () => {},
      accept: async ({ workitem_id }) => {
        times += 1;
        if (times === 1) throw new Error('the disk is full');
        queue.push(workitem_id);
      },
    });
    const request = post(workitem());
    const again = request.clone();
    expect((await alpha.fetch(request)).status).toBe(500);
    expect((await alpha.fetch(again)).status).toBe(204);
    await alpha.idle();
    expect(queue).toEqual(['0_0!s!w']);
    expect(calls).toEqual([]);
  });

  test('wants a secret, or to be told that there is none', async () => {
    expect(() => participant({ handlers: {} })).toThrow(/ROTA_WEBHOOK_SECRET/);
    const { rota } = kept();
    const open = participant({ secret: null, rota, handlers: { alpha: async () => null } });
    expect((await open.fetch(post(workitem(), {}))).status).toBe(204);
  });
});

describe('with a server', { timeout: 120_000 }, () => {
  let server: Running;
  const listening: Server[] = [];
  beforeAll(async () => {
    server = await startServer();
  }, START_MS);
  afterAll(async () => {
    for (const one of listening) {
      one.close();
      one.closeAllConnections();
    }
    await server.stop();
  });

  const listen = async (one: Server): Promise<string> => {
    listening.push(one);
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(one.address() as AddressInfo).port}/any/path`;
  };

  test('node:http, koa with a body parser before it, and express take their turns in one workflow', async () => {
    const rota = new Rota({ url: server.url });
    const made = await rota.secrets.create({ kind: 'webhook' });
    const secret = String(made['secret']);
    const by = (name: string) =>
      participant({
        secret,
        rota,
        handlers: { [name]: async ({ fields }) => ({ path: `${fields['path'] ?? ''}${name}.` }) },
      });
    const node = by('node');
    const koa = by('koa');
    const express = by('express');
    const app = new Koa();
    app.use(async (context, next) => {
      const chunks: Buffer[] = [];
      for await (const chunk of context.req) chunks.push(chunk as Buffer);
      Object.assign(context.request, { rawBody: Buffer.concat(chunks).toString('utf8') });
      await next();
    });
    app.use(koa.koa);
    const callbacks = {
      node: await listen(createServer(node.node)),
      koa: await listen(createServer(app.callback())),
      express: await listen(
        createServer((request, response) => void express.express(request, response, () => response.end())),
      ),
    };
    const workflow = `define x\n  node\n  koa\n  express`;
    const { id } = await rota.launch({ workflow, callbacks });
    const over = await rota.wait(id, { timeout: 60 });
    expect(over.status).toBe('completed');
    expect(over.fields['path']).toBe('node.koa.express.');
    const kinds: string[] = [];
    for await (const { kind } of rota.history(id, { limit: 3 })) kinds.push(kind);
    expect(kinds[0]).toBe('workflow.launched');
    expect(kinds).toContain('workflow.completed');
    for await (const { kind } of rota.events(id, { kinds: 'workflow.*' })) if (kind === 'workflow.completed') break;
  });

  test('wait ends with an error that waits for somebody, replay tries it again', async () => {
    const rota = new Rota({ url: server.url });
    const { id } = await rota.launch({ workflow: 'define x\n  nobody', callbacks: {} });
    const stuck = await rota.wait(id, { timeout: 60 });
    expect(stuck.errors.map((one) => one.class)).toEqual(['MissingCallbackUrl']);
    await rota.replay(id);
    await rota.wait(id, { timeout: 60 });
    await rota.kill(id, { reason: 'it was a test' });
    await expect(rota.replay(id)).rejects.toMatchObject({ code: 'error_not_found' });
    await expect(rota.show('20151005-1247-kogadeso-gekunute')).rejects.toMatchObject({
      ...{ status: 404, code: 'workflow_not_found', retryable: false },
    });
    expect((await rota.wait(id)).status).toBe('killed');
  });

  test('a workitem is found, edited as it was read, and handed back by its id', async () => {
    const rota = new Rota({ url: server.url });
    const alice = participant({ secret: null, rota, handlers: { alice: () => null } });
    const { id } = await rota.launch({
      workflow: 'define x\n  alice',
      callback: await listen(createServer(alice.node)),
    });
    const found = [];
    for await (const one of rota.workitems.list({ workflow_id: id })) found.push(one);
    const [one] = found;
    if (one === undefined) throw new Error('there is no workitem');
    const patched = await rota.workitems.patch(one, { fields: { a: 1 } });
    expect(patched.fields['a']).toBe(1);
    await expect(rota.workitems.patch(one, { fields: { a: 2 } })).rejects.toMatchObject({ status: 412 });
    expect((await rota.workitems.get(one.id)).fields['a']).toBe(1);
    await rota.proceed(one.id, { fields: { b: 2 } });
    expect((await rota.wait(id, { timeout: 60 })).fields).toMatchObject({ a: 1, b: 2 });
  });
});
