import { Agent, request } from 'node:http';
import { expect, test } from 'vitest';
import { startServer } from '../support/server.ts';

/* A stop is announced on the connections before they are closed: no request that was sent is lost. */

const CALLERS = 16;
const BODY = JSON.stringify({ workflow: 'define\n  wait "1d"', callback: 'http://127.0.0.1:1/' });

type Told = { readonly kind: 'answered'; readonly status: number } | { readonly kind: 'failed'; readonly code: string };

const launch = (port: number, agent: Agent): Promise<Told> =>
  new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(BODY) };
    const sent = request(
      { host: '127.0.0.1', port, agent, method: 'POST', path: '/v1/workflows', headers },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve({ kind: 'answered', status: answer.statusCode ?? 0 }));
        answer.on('error', (error: NodeJS.ErrnoException) => resolve({ kind: 'failed', code: error.code ?? '' }));
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) => resolve({ kind: 'failed', code: error.code ?? '' }));
    sent.end(BODY);
  });

test('a stop under load resets no connection that carries a request', async () => {
  const server = await startServer();
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
  const failed = new Set<string>();
  let launched = 0;
  let warm = (): void => {};
  const isWarm = new Promise<void>((resolve) => {
    warm = resolve;
  });
  const callers = Array.from({ length: CALLERS }, async () => {
    for (;;) {
      const told = await launch(server.port, agent);
      if (told.kind === 'failed') {
        failed.add(told.code);
        return;
      }
      expect(told.status).toBe(201);
      launched += 1;
      if (launched === 4 * CALLERS) warm();
    }
  });
  await isWarm;
  expect(await server.stop()).toBe(true);
  await Promise.all(callers);
  agent.destroy();
  // Nobody listens any more: that is the one way in which a caller may hear of it.
  expect([...failed]).toEqual(['ECONNREFUSED']);
}, 120_000);
