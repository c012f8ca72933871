import { type AddressInfo, createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { PostResult } from '../../src/outbox/message.ts';
import { makePost } from '../../src/outbox/post.ts';

/*
 * Every way in which a peer can misbehave: the try ends within its time, is what it should be, and its place is free again. Each post has
 * one socket for the host, so a socket that is not given back would keep the next try waiting until its own time is over.
 */

const open: { close: () => void }[] = [];
afterAll(() => {
  for (const one of open.splice(0)) one.close();
});

/** What one connection does once it has got the beginning of a request. */
type Manner = (socket: Socket) => void;

/** Has the manner once; a further request on the same connection is answered as it should be. */
function first(socket: Socket, manner: Manner): void {
  socket.once('data', () => {
    manner(socket);
    if (!socket.isPaused())
      socket.on('data', (chunk: Buffer) => {
        if (chunk.toString('latin1').startsWith('POST ')) socket.end(NO_CONTENT);
      });
  });
}
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n';

/** The first connection has the manner, all others answer as they should. */
async function peer(manner: Manner, scheme = 'http'): Promise<string> {
  const sockets = new Set<Socket>();
  let isFirst = true;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    if (isFirst) {
      isFirst = false;
      first(socket, manner);
    } else {
      socket.once('data', () => socket.end(NO_CONTENT));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const request = (url: string, body: string | Buffer) => ({
  url,
  headers: { 'content-type': 'application/json' },
  body,
});
/** What a try may take here. */
const TRY_MS = 1_500;
/** Long enough for a loaded machine. */
const PATIENT = 15_000;

/** Writes again and again until the socket is gone. */
const repeatedly = (socket: Socket, ms: number, text: string | Buffer): void => {
  const timer = setInterval(() => socket.write(text), ms);
  socket.on('close', () => clearInterval(timer));
};
const flood = (socket: Socket, text: string | Buffer): void => {
  const push = (): void => {
    while (!socket.destroyed && socket.write(text));
  };
  socket.on('drain', push);
  push();
};

const OK = 'HTTP/1.1 200 OK\r\n';
const UNREACHABLE = { kind: 'unreachable' } as const;
const DELIVERED = { kind: 'delivered', status: 200 } as const;
const refused = (status: number) => ({ kind: 'refused', status }) as const;

const CASES: readonly [string, Manner, Partial<PostResult>][] = [
  ['101 that was not asked for', (socket) => socket.end(UPGRADE), refused(101)],
  ['101 and a connection that stays open', (socket) => socket.write(UPGRADE), refused(101)],
  ['a flood of 1xx', (socket) => flood(socket, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)), UNREACHABLE],
  ['1xx that drip', (socket) => repeatedly(socket, 20, 'HTTP/1.1 103 Early Hints\r\n\r\n'), UNREACHABLE],
  ['100 and then nothing', (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), UNREACHABLE],
  [
    '100 and then an answer',
    (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    DELIVERED,
  ],
  [
    'trailers',
    (socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\nTrailer: x\r\n\r\n1\r\na\r\n0\r\nx: y\r\n\r\n`),
    DELIVERED,
  ],
  [
    'trailers without an end',
    (socket) => {
      socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n`);
      repeatedly(socket, 5, 'x: y\r\n');
    },
    DELIVERED,
  ],
  ['a close before any answer', (socket) => socket.end(), UNREACHABLE],
  ['a reset before any answer', (socket) => socket.resetAndDestroy(), UNREACHABLE],
  ['a close within the head', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-'), UNREACHABLE],
  ['a close within the body', (socket) => socket.end(`${OK}Content-Length: 100\r\n\r\nabc`), DELIVERED],
  [
    'a reset between head and body',
    (socket) => socket.write(`${OK}Content-Length: 100\r\n\r\n`, () => setImmediate(() => socket.resetAndDestroy())),
    DELIVERED,
  ],
  ['an answer and a half-open connection', (socket) => socket.write(`${OK}Content-Length: 9\r\n\r\n`), DELIVERED],
  ['silence', () => {}, UNREACHABLE],
  [
    'a head that drips',
    (socket) => {
      socket.write(OK);
      repeatedly(socket, 50, 'x: y\r\n');
    },
    UNREACHABLE,
  ],
  [
    'a body that drips',
    (socket) => {
      socket.write(`${OK}Content-Length: 1000000\r\n\r\n`);
      repeatedly(socket, 10, '.');
    },
    DELIVERED,
  ],
  [
    'headers without an end',
    (socket) => {
      socket.write(OK);
      flood(socket, 'x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(100));
    },
    UNREACHABLE,
  ],
  ['one header without an end', (socket) => flood(socket, `${OK}x: ${'y'.repeat(65_536)}`), UNREACHABLE],
  ['junk', (socket) => socket.end(Buffer.from('\x00\xff\x13 what?\n\n')), UNREACHABLE],
  ['HTTP/0.9', (socket) => socket.end('<html>hello</html>'), UNREACHABLE],
  ['HTTP/1.0', (socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nhello'), DELIVERED],
  ['another version', (socket) => socket.end('HTTP/9.9 200 OK\r\n\r\n'), UNREACHABLE],
  ['a status that is none', (socket) => socket.end('HTTP/1.1 9999 What\r\n\r\n'), UNREACHABLE],
  ['two lengths', (socket) => socket.end(`${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\na`), UNREACHABLE],
  [
    'a redirect to itself',
    (socket) => socket.write('HTTP/1.1 307 Temporary Redirect\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'),
    refused(307),
  ],
  [
    'a body without an end',
    (socket) => {
      socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`);
      flood(socket, `10000\r\n${'x'.repeat(65_536)}\r\n`);
    },
    DELIVERED,
  ],
  ['chunks that are none', (socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\nzzz\r\n`), DELIVERED],
  [
    'a compressed bomb',
    (socket) => socket.end(Buffer.concat([Buffer.from(`${OK}Content-Encoding: gzip\r\n\r\n`), BOMB])),
    DELIVERED,
  ],
  [
    'a second answer nobody asked for',
    (socket) => socket.write(`${OK}Content-Length: 0\r\n\r\n${OK}Content-Length: 0\r\n\r\n`),
    DELIVERED,
  ],
  ['a request to us', (socket) => socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), UNREACHABLE],
];
const UPGRADE = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
const BOMB = gzipSync(Buffer.alloc(50_000_000));

async function tried(url: string, next: string, body: string | Buffer = '{"a":1}'): Promise<PostResult> {
  const post = makePost({ policy: { allowPrivate: true }, socketsPerHostMax: 1 });
  open.push(post);
  const result = await post.send(request(url, body), TRY_MS);
  // The one place of this host is free: the next try is answered.
  expect(await post.send(request(next, '{}'), PATIENT)).toEqual({ kind: 'delivered', status: 204 });
  return result;
}

describe('a try ends, and its place is free again, after', () => {
  test.concurrent.each(CASES)('%s', async (_, manner, expected) => {
    const url = await peer(manner);
    expect(await tried(url, url)).toMatchObject(expected);
  });

  test.concurrent.each(CASES.filter(([name]) => name !== 'a second answer nobody asked for'))(
    '%s, on a kept connection',
    async (_, manner, expected) => {
      const post = makePost({ policy: { allowPrivate: true }, socketsPerHostMax: 1 });
      open.push(post);
      const url = await peer((socket) => {
        first(socket, manner);
        socket.write(`${OK}Content-Length: 0\r\n\r\n`);
      });
      expect(await post.send(request(url, '{}'), PATIENT)).toEqual(DELIVERED);
      const result = await post.send(request(url, '{}'), TRY_MS);
      // A kept connection that is reset or closed says nothing about the request: it is sent once more, and answered then.
      expect([expected, { kind: 'delivered', status: 204 }]).toContainEqual(
        expect.objectContaining({ kind: result.kind }),
      );
      expect(await post.send(request(url, '{}'), PATIENT)).toEqual({ kind: 'delivered', status: 204 });
    },
  );

  const large = Buffer.alloc(20_000_000, 'x');
  test.concurrent('an answer that came before the body was taken', async () => {
    const url = await peer((socket) => {
      socket.pause();
      socket.write(`${OK}Content-Length: 0\r\n\r\n`);
    });
    expect(await tried(url, url, large)).toEqual(DELIVERED);
  });

  test.concurrent('a body that nobody takes', async () => {
    const url = await peer((socket) => {
      socket.pause();
    });
    expect(await tried(url, url, large)).toMatchObject(UNREACHABLE);
  });

  test.concurrent('encryption asked of a peer that has none', async () => {
    const plain = await peer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await tried(plain.replace('http:', 'https:'), plain)).toMatchObject(UNREACHABLE);
    const silent = await peer(() => {});
    expect(await tried(silent.replace('http:', 'https:'), silent)).toMatchObject(UNREACHABLE);
  });

  test.concurrent('a request that cannot be made', async () => {
    const url = await peer(() => {});
    const post = makePost({ policy: { allowPrivate: true }, socketsPerHostMax: 1 });
    open.push(post);
    const result = await post.send({ url, headers: { 'x-odd': 'line\nbreak' }, body: '{}' }, TRY_MS);
    expect(result).toMatchObject(UNREACHABLE);
  });
});
