import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answerUnreadable, type Gate, makeGate } from '../../src/server/gate.ts';
import { send } from '../support/server.ts';

let server: Server;
let gate: Gate;
let url = '';
beforeEach(async () => {
  gate = makeGate();
  server = createServer(gate.listener);
  server.on('clientError', answerUnreadable);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** Sends bytes that need not be HTTP; everything that comes back until the server closes the connection. */
function sendBytes(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      heard += chunk.toString('utf8');
    });
    socket.on('end', () => {
      socket.end();
      resolve(heard);
    });
    socket.on('error', reject);
  });
}

describe('the gate', () => {
  test('sends everybody away until there is an app behind it, but says that the process is alive', async () => {
    const answer = await send(url, 'POST', '/v1/workflows', { body: 'x'.repeat(100_000) });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.json()).toMatchObject({ status: 503, code: 'not_ready', retryable: true });
    expect((await send(url, 'GET', '/readyz')).status).toBe(503);
    expect(await send(url, 'GET', '/livez')).toMatchObject({ status: 200, text: 'ok' });
    gate.open((_request, response) => response.end('the app'));
    expect((await send(url, 'GET', '/v1/ping')).text).toBe('the app');
  });

  test('waits for the requests under way, and no longer', async () => {
    let finish = (): void => {};
    const asked = new Promise<void>((resolve) => {
      gate.open((_request, response) => {
        finish = () => response.end('done');
        resolve();
      });
    });
    const answer = send(url, 'GET', '/');
    await asked;
    let isOver = false;
    const over = gate.closeConnections().then(() => {
      isOver = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    finish();
    await over;
    expect((await answer).text).toBe('done');
  });

  test.each([
    ['no HTTP at all', 'HELLO\r\n\r\n', 400, 'request_malformed'],
    ['a header without a name', 'GET / HTTP/1.1\r\n: x\r\n\r\n', 400, 'request_malformed'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      400,
      'request_malformed',
    ],
    [
      'a head that is too large',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
  ])('answers %s with a problem', async (_name, bytes, status, code) => {
    const heard = await sendBytes(bytes);
    const [head = '', body = ''] = heard.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toMatch(/content-type: application\/problem\+json/i);
    expect(JSON.parse(body)).toMatchObject({ status, code });
  });
});
