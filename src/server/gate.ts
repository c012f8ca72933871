import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem, type ProblemAnswer, problemFor } from '../api/problem.ts';

/*
 * What stands before the app: requests that come before it is built, and bytes that are no request at all. Both get a
 * problem like everybody else.
 */

/** A gate in front of a handler that comes later. */
export type Gate = {
  readonly listener: RequestListener;
  /** For requests whose body comes when they are told to go on, and not before. Answered without that, their connection is closed. */
  readonly expectingListener: RequestListener;
  /** From now on requests go to this handler. */
  open(handler: RequestListener): void;
  /** From now on every answer, also to a request that is under way, asks its client to close the connection. */
  askToClose(): void;
  /**
   * From now on every answer asks its client to close the connection. Resolves when no request is under way. (The server's
   * own `close` waits for connections instead, among them those over which nothing was ever asked.)
   */
  closeConnections(): Promise<void>;
};

export function makeGate(): Gate {
  let handler: RequestListener = starting;
  let isClosing = false;
  const underWay = new Set<ServerResponse>();
  let allAnswered = (): void => {};
  /** Those under way, too: a client that may keep its connection sends its next request on it, just when it is closed. */
  const askToClose = (): void => {
    isClosing = true;
    for (const response of underWay) if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  const gate: Gate = {
    listener: (request, response) => {
      underWay.add(response);
      response.once('close', () => {
        underWay.delete(response);
        if (underWay.size === 0) allAnswered();
      });
      if (isClosing) response.setHeader('Connection', 'close');
      const trouble = readHost(request);
      if (trouble === null) handler(request, response);
      else refuse(response, trouble);
    },
    expectingListener: (request, response) => {
      // Whoever was not told to go on may send the body or not: what comes next on this connection could be either.
      response.setHeader('Connection', 'close');
      const goOn = response.writeContinue.bind(response);
      response.writeContinue = (done) => {
        if (!isClosing) response.removeHeader('Connection');
        goOn(done);
      };
      gate.listener(request, response);
    },
    open: (next) => {
      handler = next;
    },
    askToClose,
    closeConnections: () => {
      askToClose();
      return new Promise((resolve) => {
        allAnswered = resolve;
        if (underWay.size === 0) resolve();
      });
    },
  };
  return gate;
}

const NO_HOST = new Problem('request_malformed', 'A request of HTTP/1.1 has a Host header');
const TWO_HOSTS = new Problem('request_malformed', 'A request has one Host header');

/** What is wrong with the name a request was sent to; null: nothing. A whole address says it before the header does (RFC 9112, 3.2.2). */
function readHost(request: IncomingMessage): Problem | null {
  const { rawHeaders, headers, url = '' } = request;
  let hosts = 0;
  // Each request comes by here: lengths tell most names apart.
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]?.length === 4 && rawHeaders[i]?.toLowerCase() === 'host') hosts += 1;
  if (hosts > 1) return TWO_HOSTS;
  const [, authority = ''] = url.startsWith('/') ? [] : (/^https?:\/\/([^/?#]*)/i.exec(url) ?? []);
  // Of HTTP/1.0 nothing of the kind is asked.
  if ((headers.host ?? '') === '' && request.httpVersion === '1.1') return NO_HOST;
  if (authority !== '') headers.host = authority;
  return null;
}

function starting(request: IncomingMessage, response: ServerResponse): void {
  // What a client still sends is read and forgotten, so that it can read our answer.
  request.resume();
  if (request.url?.split('?')[0] === '/livez') {
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' }).end('ok');
    return;
  }
  refuse(response, new Problem('not_ready', 'The server is starting; try again in a moment'));
}

function refuse(response: ServerResponse, problem: Problem): void {
  const answer = problemFor(problem, randomUUID(), false);
  const body = JSON.stringify(answer.body);
  response.writeHead(answer.status, { ...headersOf(answer), 'Content-Length': Buffer.byteLength(body) }).end(body);
}

/** Answers a request with an Expect header that asks for something else than to go on. */
export function answerExpectation(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.setHeader('Connection', 'close');
  refuse(response, new Problem('expectation_failed', 'Only Expect: 100-continue is known here; leave the header out'));
}

/** Answers a request for a tunnel; we are no proxy. */
export function answerConnect(_request: IncomingMessage, socket: Duplex): void {
  answerRaw(socket, new Problem('method_not_allowed', 'CONNECT is for proxies; this is none'));
}

/** Answers what Node could not read as a request, then closes the connection. */
export function answerUnreadable(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new Problem('headers_too_large', 'The request line and the headers together are too large')
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? new Problem('request_timeout', 'The request did not arrive in time')
        : new Problem('request_malformed', 'What came is not an HTTP request');
  answerRaw(socket, problem);
}

function answerRaw(socket: Duplex, problem: Problem): void {
  const answer = problemFor(problem, randomUUID(), false);
  const body = JSON.stringify(answer.body);
  const head = Object.entries({
    ...headersOf(answer),
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  });
  socket.end(
    `HTTP/1.1 ${answer.status} ${STATUS_TEXT}\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  );
}

/** The reason phrase means nothing to anybody (RFC 9112, 4); it must only be there. */
const STATUS_TEXT = 'Refused';

const headersOf = (answer: ProblemAnswer): Record<string, string> => ({
  'Content-Type': 'application/problem+json; charset=utf-8',
  'Cache-Control': 'no-store',
  ...answer.headers,
});
