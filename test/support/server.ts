import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Between } from '../../src/server/between.ts';
import { readConfig } from '../../src/server/config.ts';
import { type Running, start } from '../../src/server/start.ts';
import { type Answered, checkDescribed } from './described.ts';

/**
 * A whole server in this process: real HTTP on a free port, an embedded database that keeps nothing. Every answer to `send` is held against the
 * description of the interface (described.ts).
 *
 * @param between what stands in the way of single calls
 */
export async function startServer(settings: Record<string, string> = {}, between: Between = {}): Promise<Running> {
  const config = readConfig({ DATA_DIR: 'memory:', PORT: '0', LOG_LEVEL: 'silent', ...settings });
  return described(await start(config, between));
}

/** Holds an answer of one of these servers against its description. @throws Error what of it is not described */
export function held(port: string, method: string, path: string, answer: Answered): void {
  if (ours.has(port)) checkDescribed(method, path, answer);
}

/** Ports of servers whose answers are held against their description. */
const ours = new Set<string>();
function described(running: Running): Running {
  const { port } = new URL(running.url);
  ours.add(port);
  return {
    ...running,
    stop: () => {
      ours.delete(port);
      return running.stop();
    },
  };
}

export type Received = {
  readonly path: string;
  readonly body: {
    readonly workflow_id: string;
    readonly workitem_id: string;
    readonly participant: string;
    readonly status: string;
    readonly fields: Readonly<Record<string, unknown>>;
    readonly proceed_url: string;
  };
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};

/** A participant: keeps what it is sent until somebody asks for it. */
export type Participant = {
  readonly url: string;
  readonly port: number;
  /** The next callback that nobody has asked for yet; waits for it (the test's own time limit bounds the wait). */
  next(): Promise<Received>;
  /** Callbacks that nobody has asked for yet. */
  readonly waiting: () => number;
  stop(): Promise<void>;
};

export async function startParticipant(
  answer: (received: Received) => number = () => 200,
  port = 0,
): Promise<Participant> {
  const received: Received[] = [];
  const askers: ((received: Received) => void)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one: Received = {
        path: request.url ?? '',
        body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as Received['body'],
        headers: request.headers,
      };
      response.writeHead(answer(one)).end();
      const asker = askers.shift();
      if (asker === undefined) received.push(one);
      else asker(one);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: listening } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${listening}/callbacks`,
    port: listening,
    next: () => {
      const first = received.shift();
      return first === undefined ? new Promise((resolve) => askers.push(resolve)) : Promise.resolve(first);
    },
    waiting: () => received.length,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  readonly json: <Shape = Record<string, unknown>>() => Shape;
};

/** One request, byte for byte as given: neither path nor headers nor body are improved on. */
export function send(
  base: string,
  method: string,
  path: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Buffer } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers: { ...options.headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const answer = { status: response.statusCode ?? 0, headers: response.headers, text };
        try {
          held(port, method, path, answer);
        } catch (error) {
          reject(error);
          return;
        }
        resolve({
          ...answer,
          json: <Shape>() => JSON.parse(text) as Shape,
        });
      });
    });
    sent.on('error', reject);
    sent.end(options.body);
  });
}

export const postJson = (
  base: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  send(base, 'POST', path, {
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

export const postForm = (
  base: string,
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  send(base, 'POST', path, { headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers }, body });
