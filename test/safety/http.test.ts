import { connect, type Socket } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REQUESTS_MAX } from '../../src/api/middleware/admit.ts';
import { BODY_BYTES_MAX } from '../../src/api/reading/body.ts';
import { BODIES_BYTES_MAX, BODY_BYTES_FREE, makeIntake } from '../../src/api/reading/intake.ts';
import type { Running } from '../../src/server/start.ts';
import { type Answer, postForm, postJson, send, startServer } from '../support/server.ts';

/* HTTP at its edges: whatever comes is answered with a problem, and a connection that was spoilt is closed. */

let server: Running;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server.stop(), 60_000);

const LAUNCH = '/v1/workflows';
const JSON_HEAD = `POST ${LAUNCH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;

/** Sends bytes as they are; resolves with what has come back once `enough` of it is there, or the connection has ended. */
function raw(bytes: string | Buffer, enough: (heard: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes));
    const done = (): void => {
      socket.destroy();
      resolve(heard);
    };
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      if (enough(heard)) done();
    });
    socket.on('error', () => {});
    socket.on('close', done);
  });
}

/** The last problem in what was heard. */
const problemIn = (heard: string): Record<string, unknown> =>
  JSON.parse(heard.slice(heard.lastIndexOf('{"type"'))) as Record<string, unknown>;
const isWhole = (heard: string): boolean => heard.endsWith('}');

describe('a request that is none', () => {
  test.each([
    ['half an address', 'GET http:// HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['an address that is never closed', 'GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['no Host', 'GET /v1/ping HTTP/1.1\r\n\r\n', 400],
    ['an expectation nobody knows', 'GET /v1/ping HTTP/1.1\r\nHost: x\r\nExpect: foo\r\n\r\n', 417],
    ['a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['a method nobody knows', 'BREW /v1/ping HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['two lengths', `${JSON_HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}`, 400],
    ['a length and chunks', `${JSON_HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ])('%s is answered with a problem', async (_name, bytes, status) => {
    const heard = await raw(bytes, isWhole);
    expect(heard).toContain('application/problem+json');
    expect(problemIn(heard)).toMatchObject({ status });
  });

  test('with a whole address, as proxies are sent, is answered', async () => {
    expect(await raw('GET http://x/v1/ping HTTP/1.1\r\nHost: x\r\n\r\n', (heard) => heard.includes('pong'))).toContain(
      '200 OK',
    );
  });

  test.each([
    ['two names', 'GET /v1/workflows HTTP/1.1\r\nHost: 127.0.0.1\r\nhost: evil.example\r\n\r\n', 400],
    ['the same name twice', 'GET /v1/workflows HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\r\n', 400],
    ['an empty name', 'GET /v1/workflows HTTP/1.1\r\nHost: \r\n\r\n', 400],
    ['a whole address of a stranger', 'GET http://evil.example/v1/workflows HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 421],
  ])('sent to %s is refused', async (_name, bytes, status) => {
    expect(problemIn(await raw(bytes, isWhole))).toMatchObject({ status });
  });

  test('whose body waits to be told is told to go on where it is read, and else refused at once and closed', async () => {
    const head = (length: number, path = LAUNCH): string =>
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
    expect(await raw(head(2), (heard) => heard.includes('\r\n\r\n'))).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    for (const [bytes, status] of [
      [head(999_999_999), 413],
      [head(2, '/v1/nowhere'), 404],
    ] as const) {
      const heard = await raw(bytes, isWhole);
      expect(heard).not.toContain('100 Continue');
      expect(heard).toMatch(/connection: close/i);
      expect(problemIn(heard)).toMatchObject({ status });
    }
    const whole = await raw(`${head(2)}{}`, (heard) => heard.includes('problem+json') && isWhole(heard));
    expect(whole).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 400 /);
    expect(whole).not.toMatch(/connection: close/i);
  });
});

test.each(['2147483648', '999999999999999', '9'.repeat(30), '-1', '1.5'])(
  'history after %s is refused',
  async (after) => {
    const { id } = (
      await postJson(server.url, LAUNCH, { workflow: 'define\n  a\n', callback: 'http://127.0.0.1:1/' })
    ).json<{ id: string }>();
    const answer = await send(server.url, 'GET', `/v1/workflows/${id}/history?after=${after}`);
    expect(answer.json()).toMatchObject({ status: 400, code: 'query_invalid' });
  },
);

describe('after a body that was refused', () => {
  const post = (body: Buffer, head: string): Buffer =>
    Buffer.concat([Buffer.from(`${JSON_HEAD}${head}Content-Length: ${body.length}\r\n\r\n`), body]);
  const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1 << 20, 32), Buffer.from('\r\n')]);
  test.each([
    ['junk said to be gzip', post(Buffer.alloc(1_100_000, 120), 'Content-Encoding: gzip\r\n')],
    ['junk said to be brotli', post(Buffer.alloc(150_000, 120), 'Content-Encoding: br\r\n')],
    ['a gzip bomb', post(gzipSync(Buffer.alloc(60_000_000, 32)), 'Content-Encoding: gzip\r\n')],
    ['a brotli bomb', post(brotliCompressSync(Buffer.alloc(60_000_000, 32)), 'Content-Encoding: br\r\n')],
    [
      'too many chunks',
      Buffer.concat([
        Buffer.from(`${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n`),
        ...Array(6).fill(chunk),
        Buffer.from('0\r\n\r\n'),
      ]),
    ],
    [
      'a type nobody reads',
      Buffer.concat([
        Buffer.from(`POST ${LAUNCH} HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 1000000\r\n\r\n`),
        Buffer.alloc(1_000_000, 32),
      ]),
    ],
    ['bytes that are no JSON', post(Buffer.from('{"a"'), '')],
    [
      'an address there is not',
      Buffer.concat([
        Buffer.from('POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n'),
        Buffer.alloc(1_000_000, 32),
      ]),
    ],
  ])('%s the connection is good for the next request, or closed', async (_name, bytes) => {
    const next = Buffer.from('GET /v1/ping HTTP/1.1\r\nHost: x\r\n\r\n');
    const heard = await raw(Buffer.concat([bytes, next]), (so) => so.includes('pong'));
    expect(heard).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(heard.includes('pong') || /connection: close/i.test(heard)).toBe(true);
  });
});

describe('a body', () => {
  test.each([
    ['Latin-1', [0xe9]],
    ['a byte UTF-8 never has', [0xff]],
    ['half a character', [0xc3]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
  ])('with %s is refused, not mangled', async (_name, bytes) => {
    const body = Buffer.concat([
      Buffer.from('{"workflow":"define","callback":"http://127.0.0.1:1/","fields":{"a":"'),
      Buffer.from(bytes),
      Buffer.from('"}}'),
    ]);
    const answer = await send(server.url, 'POST', LAUNCH, { headers: { 'Content-Type': 'application/json' }, body });
    expect(answer.json()).toMatchObject({ status: 400, code: 'body_malformed' });
  });

  test.each(['application/x-www-form-urlencoded', ''])(
    'of JSON that comes as a form (type "%s") is recognised',
    async (type) => {
      const answer = await send(server.url, 'POST', LAUNCH, {
        headers: type === '' ? {} : { 'Content-Type': type },
        body: '{"workflow":"define","callback":"http://127.0.0.1:1/"}',
      });
      expect(answer.json()).toMatchObject({ status: 400, code: 'body_malformed' });
      expect(answer.text).toContain('Content-Type: application/json');
    },
  );

  const wide = '12345678901234567890';
  test('with a number a double would change is refused with its place', async () => {
    const launch = (text: string): Promise<Answer> =>
      postJson(server.url, LAUNCH, `{"workflow":"define","callback":"http://127.0.0.1:1/","fields":${text}}`);
    expect((await launch(`{"a":{"b~c":[1,${wide}]}}`)).json()).toMatchObject({
      status: 400,
      error: 'fields is invalid',
      errors: [{ pointer: '#/fields/a/b~0c/1' }],
    });
    for (const text of [`{"a":"${wide}"}`, '{"a":0.1,"b":1e3,"c":9007199254740991}'])
      expect((await launch(text)).status).toBe(201);
    const path = `/v1/workflows/x/errors/0_0!${'0'.repeat(32)}/replay`;
    expect((await postJson(server.url, path, `{"fields":{"a":${wide}}}`)).json()).toMatchObject({
      status: 422,
      code: 'request_invalid',
    });
    expect((await postForm(server.url, path, `fields[a]=${wide}`)).status).toBe(404);
  });
});

describe('what bodies hold together', () => {
  test('is bounded, but for the first part of each', () => {
    const intake = makeIntake(1_000_000);
    const large = intake.begin();
    large.add(BODY_BYTES_FREE + 1_000_000);
    const other = intake.begin();
    other.add(BODY_BYTES_FREE);
    expect(() => other.add(1)).toThrow(expect.objectContaining({ code: 'overloaded' }));
    large.release();
    large.release();
    other.add(1);
    expect(intake.held()).toBe(1);
  });

  test('leaves room for the small ones and for probes while large ones never end', async () => {
    const each = BODY_BYTES_MAX - 100;
    const sockets: Socket[] = [];
    let refused = 0;
    const enough = Math.ceil(BODIES_BYTES_MAX / (each - BODY_BYTES_FREE)) + 4;
    await new Promise<void>((resolve) => {
      for (let i = 0; i < enough; i++) {
        const socket = connect(server.port, '127.0.0.1', () => {
          socket.write(`${JSON_HEAD}Content-Length: ${each + 1}\r\n\r\n`);
          socket.write(Buffer.alloc(each, 32));
        });
        socket.on('error', () => {});
        socket.on('data', (chunk) => {
          expect(chunk.toString()).toMatch(/^HTTP\/1\.1 503 /);
          refused += 1;
          if (refused === 4) resolve();
        });
        sockets.push(socket);
      }
    });
    expect(
      (await postJson(server.url, LAUNCH, { workflow: 'define\n  a\n', callback: 'http://127.0.0.1:1/' })).status,
    ).toBe(201);
    expect((await send(server.url, 'GET', '/livez')).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  }, 60_000);

  test('is not in the way of probes when the house is full', async () => {
    const sockets: Socket[] = [];
    const full = new Promise<void>((resolve) => {
      for (let i = 0; i < REQUESTS_MAX + 20; i++) {
        const socket = connect(server.port, '127.0.0.1', () => socket.write(`${JSON_HEAD}Content-Length: 10\r\n\r\n{`));
        socket.on('error', () => {});
        socket.on('data', (chunk) => {
          if (chunk.toString().startsWith('HTTP/1.1 503')) resolve();
        });
        sockets.push(socket);
      }
    });
    await full;
    expect((await send(server.url, 'GET', LAUNCH)).json()).toMatchObject({ status: 503, code: 'overloaded' });
    expect((await send(server.url, 'GET', '/livez')).status).toBe(200);
    expect((await send(server.url, 'GET', '/readyz')).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  }, 60_000);
});
