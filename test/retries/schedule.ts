import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { readConfig } from '../../src/server/config.ts';
import { type Running, start } from '../../src/server/start.ts';
import { postJson, send } from '../support/server.ts';

/* The schedule of tries, walked through with the test clock, as a participant sees it that always answers 500. */

/** Seconds from the first try to each (docs/api-v1.md: RETRY_DELAYS). */
export const TRIES_AT: readonly number[] = [
  0, 30, 61, 123, 396, 1_450, 4_605, 12_411, 29_248, 62_046, 121_125, 221_155,
];
/** The same for notices (NOTICE_DELAYS). */
export const NOTICES_AT: readonly number[] = [0, 5, 35, 155, 575];

export type Heard = {
  readonly status: string;
  readonly number: number;
  readonly participant: string;
  /** Business time of the server while the try was under way, milliseconds. */
  readonly at: number;
};

export type Stage = {
  readonly server: () => Running;
  readonly heard: readonly Heard[];
  readonly callback: string;
  readonly advance: (seconds: number) => Promise<void>;
  /** Stops the server in order and starts it again on the same database. */
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A server with a test clock, and one listener that answers 500 to everybody but `bravo`. */
export async function stage(settings: Readonly<Record<string, string>>): Promise<Stage> {
  const launchServer = (): Promise<Running> =>
    start(readConfig({ TEST_CLOCK: '1', PORT: '0', LOG_LEVEL: 'silent', ...settings }));
  let server = await launchServer();
  const heard: Heard[] = [];

  const listener = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', async () => {
      const { status, participant } = JSON.parse(body) as { readonly status: string; readonly participant: string };
      const number = Number(request.headers['rota-try']);
      // The clock is read while the try hangs: a try that came too early shows, however late it is written down.
      heard.push({ status, participant, number, at: await businessTime(server) });
      response.writeHead(participant === 'bravo' ? 200 : 500).end();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;

  return {
    server: () => server,
    heard,
    callback: `http://127.0.0.1:${port}/`,
    advance: async (seconds) => {
      const answer = await postJson(server.url, '/v1/test/clock', { advance: seconds });
      expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
    },
    restart: async () => {
      await server.stop();
      server = await launchServer();
    },
    close: async () => {
      await server.stop();
      await new Promise<void>((resolve) => {
        listener.close(() => resolve());
        listener.closeAllConnections();
      });
    },
  };
}

/** A workflow that does nothing tells the time. */
async function businessTime(server: Running): Promise<number> {
  const launched = await postJson(server.url, '/v1/workflows', { workflow: ['define', {}, []], callback: server.url });
  const { id } = launched.json<{ id: string }>();
  const shown = await send(server.url, 'GET', `/v1/workflows/${id}`);
  return Date.parse(shown.json<{ launched_at: string }>().launched_at);
}

export async function launchOn(staged: Stage, participant: unknown): Promise<string> {
  const answer = await postJson(staged.server().url, '/v1/workflows', {
    workflow: ['define', {}, [participant]],
    callback: staged.callback,
  });
  expect(answer.status).toBe(201);
  return answer.json<{ id: string }>().id;
}

export const shown = async (staged: Stage, id: string): Promise<Record<string, unknown>> =>
  (await send(staged.server().url, 'GET', `/v1/workflows/${id}`)).json();

/**
 * Walks through a schedule: after each delay exactly one more try has come, and none came early.
 *
 * @param at seconds from the first try to each; the first has been made
 */
export async function walk(
  staged: Stage,
  tries: () => readonly Heard[],
  at: readonly number[],
  options: { readonly from?: number } = {},
): Promise<void> {
  for (let n = options.from ?? 1; n < at.length; n++) {
    const delay = (at[n] ?? 0) - (at[n - 1] ?? 0);
    await staged.advance(delay);
    expect(tries().map(({ number }) => number)).toEqual(at.slice(0, n + 1).map((_, i) => i + 1));
  }
  expectNoneEarly(tries(), at);
}

/** No try came a moment before its time. That none comes late shows in the walk: the clock is moved by each delay exactly. */
export function expectNoneEarly(tries: readonly Heard[], at: readonly number[]): void {
  expect(tries).toHaveLength(at.length);
  for (const [n, one] of tries.entries())
    expect((one.at - (tries[0]?.at ?? 0)) / 1000).toBeGreaterThanOrEqual(at[n] ?? 0);
}
