import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { PostResult } from '../../src/outbox/message.ts';
import { ANSWER_BYTES_MAX, makePost, type Post, retryAfterSeconds } from '../../src/outbox/post.ts';
import { realTime } from '../../src/runtime/process-time.ts';

const open: { close: () => void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function posting(allowPrivate = true): Post {
  const post = makePost({ policy: { allowPrivate }, socketsPerHostMax: 4 });
  open.push(post);
  return post;
}

async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callbacks`, server };
}

const request = (url: string, body = '{"a":1}') => ({
  url,
  headers: { 'content-type': 'application/json', 'user-agent': 'rota/test', 'webhook-id': 'msg_1', 'rota-try': '1' },
  body,
});
/** Long enough for a loaded machine; what must be quick says so itself. */
const PATIENT = 15_000;

test('of what was answered by whoever refuses the beginning is kept', async () => {
  const { url } = await serve((_request, response) => {
    response.writeHead(422, { 'Content-Type': 'text/plain' }).end(`token=s3cret ${'x'.repeat(3_000)}`);
  });
  const result = await posting().send(request(url), PATIENT);
  expect(result).toMatchObject({ kind: 'refused', status: 422, answer: { type: 'text/plain', bytes: 3_013 } });
  expect(JSON.stringify(result)).not.toContain('s3cret');
});

test('a POST carries the headers and the body as they are', async () => {
  let seen: unknown;
  const { url } = await serve((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { headers, method } = incoming;
      seen = { method, headers, body: Buffer.concat(chunks).toString('utf8') };
      response.writeHead(202).end('thanks');
    });
  });
  const body = '{"text":"größer als ASCII \u2028"}';
  expect(await posting().send(request(url, body), PATIENT)).toEqual({ kind: 'delivered', status: 202 });
  expect(seen).toMatchObject({
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'rota/test',
      'webhook-id': 'msg_1',
      'rota-try': '1',
    },
  });
});

test('what is known of an address is of that address and method alone, and headers of any letters go as they are', async () => {
  const seen: unknown[] = [];
  const { url } = await serve((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { headers, method, url: path } = incoming;
      seen.push([method, path, headers['x-city'], headers['content-length'], Buffer.concat(chunks).toString('utf8')]);
      response.writeHead(200).end();
    });
  });
  const post = posting();
  const calls = [
    { ...request(url, '{"a":"ö"}'), headers: { 'x-city': 'Köln' } },
    { ...request(url, '{"a":"ö"}'), headers: { 'x-city': 'Bonn' } },
    { ...request(url, ''), method: 'GET', headers: {} },
    { ...request(`${url}?to=1`, ''), headers: {} },
  ];
  for (const call of [...calls, ...calls]) expect(await post.send(call, PATIENT)).toMatchObject({ kind: 'delivered' });
  const once = [
    ['POST', '/callbacks', 'Köln', '10', '{"a":"ö"}'],
    ['POST', '/callbacks', 'Bonn', '10', '{"a":"ö"}'],
    ['GET', '/callbacks', undefined, undefined, ''],
    ['POST', '/callbacks?to=1', undefined, '0', ''],
  ];
  expect(seen).toEqual([...once, ...once]);
});

test.each([200, 201, 204, 299])('status %i is a delivery', async (status) => {
  const { url } = await serve((_, response) => response.writeHead(status).end());
  expect(await posting().send(request(url), PATIENT)).toEqual({ kind: 'delivered', status });
});

test.each([301, 302, 303, 307, 308])('status %i is a failure, and the redirect is not followed', async (status) => {
  let visits = 0;
  const { url } = await serve((_, response) => {
    visits += 1;
    response.writeHead(status, { location: '/elsewhere' }).end();
  });
  expect(await posting().send(request(url), PATIENT)).toEqual({ kind: 'refused', status, retryAfterSeconds: null });
  expect(visits).toBe(1);
});

test.each([400, 401, 404, 410, 429, 500, 502, 503, 504])(
  'status %i is a failure that is not retried here',
  async (status) => {
    let visits = 0;
    const { url } = await serve((_, response) => {
      visits += 1;
      response.writeHead(status, { 'retry-after': '120' }).end('no');
    });
    expect(await posting().send(request(url), PATIENT)).toEqual({
      ...{ kind: 'refused', status, retryAfterSeconds: 120 },
      answer: { type: null, bytes: 2, excerpt: 'no' },
    });
    expect(visits).toBe(1);
  },
);

test('Retry-After is a number of seconds or a date; anything else is nothing', () => {
  const now = Date.UTC(2015, 9, 21, 7, 28, 0);
  expect(retryAfterSeconds('120', now)).toBe(120);
  expect(retryAfterSeconds('Wed, 21 Oct 2015 07:28:30 GMT', now)).toBe(30);
  expect(retryAfterSeconds('Wed, 21 Oct 2015 07:00:00 GMT', now)).toBe(0);
  expect([undefined, 'soon', '-5', '99999999999'].map((value) => retryAfterSeconds(value, now))).toEqual([
    null,
    null,
    expect.anything(),
    null,
  ]);
});

test('silence ends with the timeout', async () => {
  const { url } = await serve(() => {});
  expect(await posting().send(request(url), 300)).toEqual({
    kind: 'unreachable',
    reason: 'no answer within 0.3 s',
    silent: true,
  });
});

test('an answer that never gets to its status ends with the timeout', async () => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 200 O');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(server);
  const { port } = server.address() as AddressInfo;
  expect(await posting().send(request(`http://127.0.0.1:${port}/`), 300)).toMatchObject({ kind: 'unreachable' });
});

test('a body that drips is cut off: the status was the answer', async () => {
  const { url } = await serve((_, response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write('.'), 10);
    response.on('close', () => clearInterval(drip));
  });
  expect(await posting().send(request(url), PATIENT)).toEqual({ kind: 'delivered', status: 200 });
});

test('a huge body is not read', async () => {
  let sent = 0;
  let closed = (): void => {};
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const { url } = await serve((_, response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(65_536, 'x');
    const push = (): void => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length;
    };
    response.on('drain', push);
    response.on('close', closed);
    push();
  });
  expect(await posting().send(request(url), PATIENT)).toEqual({ kind: 'delivered', status: 200 });
  await isClosed;
  // What the sockets between us hold is not read by us.
  expect(sent).toBeLessThan(ANSWER_BYTES_MAX + 16_000_000);
});

test.each([
  ['nobody listens', 'http://127.0.0.1:1/', 'refused'],
  ['the name is not known', 'http://participant.invalid/', 'host'],
])('%s', async (_, url, why) => {
  const result = await posting().send(request(url), PATIENT);
  expect(result).toMatchObject({ kind: 'unreachable', reason: expect.stringContaining(why) });
});

test('a connection that is reset, and an answer that is no HTTP, are failures', async () => {
  const tcp = async (talk: (socket: Socket) => void): Promise<PostResult> => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      talk(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(server);
    return posting().send(request(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), PATIENT);
  };
  expect(await tcp((socket) => socket.once('data', () => socket.resetAndDestroy()))).toMatchObject({
    kind: 'unreachable',
    reason: expect.stringContaining('closed'),
  });
  expect(await tcp((socket) => socket.end('SSH-2.0-OpenSSH\r\n'))).toEqual({
    kind: 'unreachable',
    reason: 'the answer was not good HTTP',
  });
});

test('connections are kept and used again', async () => {
  const sockets = new Set<unknown>();
  const { url } = await serve((incoming, response) => {
    sockets.add(incoming.socket);
    incoming.resume();
    incoming.on('end', () => response.end('ok'));
  });
  const post = posting();
  for (let i = 0; i < 5; i++) await post.send(request(url), PATIENT);
  expect(sockets.size).toBe(1);
});

test('a kept connection that the other side closed under our hands is no failed try', async () => {
  let visits = 0;
  const first = new Set<Socket>();
  const { url } = await serve((incoming, response) => {
    const { socket } = incoming;
    incoming.resume();
    // The first connection answers once, and slams the door when it is used again.
    if (first.has(socket)) {
      socket.resetAndDestroy();
      return;
    }
    if (first.size === 0) first.add(socket);
    visits += 1;
    incoming.on('end', () => response.end('ok'));
  });
  const post = posting();
  expect(await post.send(request(url), PATIENT)).toMatchObject({ kind: 'delivered' });
  expect(await post.send(request(url), PATIENT)).toMatchObject({ kind: 'delivered' });
  expect(visits).toBe(2);
});

test('an address the policy refuses is not connected to, by address or by name', async () => {
  let visits = 0;
  const { url, server } = await serve((_, response) => {
    visits += 1;
    response.end();
  });
  const { port } = server.address() as AddressInfo;
  const strict = posting(false);
  expect(await strict.send(request(url), PATIENT)).toEqual({
    kind: 'unreachable',
    reason: 'the URL leads to a private address, which ALLOW_PRIVATE_TARGETS=1 would allow',
    blocked: true,
  });
  expect(await strict.send(request(`http://localhost:${port}/`), PATIENT)).toMatchObject({ kind: 'unreachable' });
  expect(visits).toBe(0);
});

test('a name is called at the addresses that may be called only, whatever it led to a moment ago', async () => {
  let visits = 0;
  const { server } = await serve((incoming, response) => {
    visits += 1;
    incoming.resume();
    response.writeHead(200, { connection: 'close' }).end();
  });
  const url = `http://participant.test:${(server.address() as AddressInfo).port}/`;
  const named = (allowPrivate: boolean, ...answers: string[][]): Post => {
    const post = makePost({
      policy: { allowPrivate },
      socketsPerHostMax: 4,
      lookups: { most: 3, seconds: 5, rememberedMs: 0 },
      resolve: (_, __, done) =>
        done(
          null,
          (answers.shift() ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        ),
    });
    open.push(post);
    return post;
  };
  const blocked = { kind: 'unreachable', reason: 'the host leads to an address that must not be called' };
  expect(await named(false, ['127.0.0.1']).send(request(url), PATIENT)).toEqual(blocked);
  expect(await named(false, ['::ffff:127.0.0.1', '10.0.0.1']).send(request(url), PATIENT)).toEqual(blocked);
  expect(await named(true, ['169.254.169.254', '127.0.0.1']).send(request(url), PATIENT)).toMatchObject({
    kind: 'delivered',
  });
  const rebound = named(true, ['127.0.0.1'], ['169.254.169.254']);
  expect(await rebound.send(request(url), PATIENT)).toMatchObject({ kind: 'delivered' });
  expect(await rebound.send(request(url), PATIENT)).toEqual(blocked);
  expect(visits).toBe(2);
});

test('a name that may be called is called', async () => {
  const { server } = await serve((incoming, response) => {
    incoming.resume();
    response.end();
  });
  const { port } = server.address() as AddressInfo;
  expect(await posting().send(request(`http://localhost:${port}/`), PATIENT)).toEqual({
    kind: 'delivered',
    status: 200,
  });
});

test('time spent on what is only courtesy is bounded', () => {
  // The drain of an answer runs on process time; it must be cancelled with its try, or a thousand tries leave a thousand timers.
  const timers = new Set<number>();
  let made = 0;
  const post = makePost({
    policy: { allowPrivate: true },
    socketsPerHostMax: 1,
    time: {
      now: realTime.now,
      after: (ms, run) => {
        const id = ++made;
        timers.add(id);
        const cancel = realTime.after(ms, () => {
          timers.delete(id);
          run();
        });
        return () => {
          timers.delete(id);
          cancel();
        };
      },
    },
  });
  open.push(post);
  return serve((incoming, response) => {
    incoming.resume();
    response.end('ok');
  }).then(async ({ url }) => {
    await post.send(request(url), PATIENT);
    // The sweep of idle connections is the one timer left.
    expect(timers.size).toBeLessThanOrEqual(1);
  });
});
