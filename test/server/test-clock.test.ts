import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { readyFolder } from '../support/ready-folder.ts';
import { type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';

/** Seconds between the tries of an active callback (docs/api-v1.md). */
const DELAYS = [30, 31, 62, 273, 1054, 3155, 7806, 16837, 32798, 59079, 100030];

type Delivery = { readonly try: number; readonly status: number; readonly at: string };

let folder = '';
let servers: Running[] = [];
let participants: Participant[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rota-'));
  readyFolder(join(folder, 'data'));
});
afterEach(async () => {
  for (const server of servers) await server.stop();
  for (const participant of participants) await participant.stop();
  servers = [];
  participants = [];
  rmSync(folder, { recursive: true, force: true });
});

async function serve(): Promise<Running> {
  const server = await startServer({ DATA_DIR: join(folder, 'data'), TEST_CLOCK: '1' });
  servers.push(server);
  return server;
}

async function listenAndRefuse(): Promise<Participant> {
  const participant = await startParticipant(() => 500);
  participants.push(participant);
  return participant;
}

async function advance(server: Running, seconds: number): Promise<void> {
  const answer = await postJson(server.url, '/v1/test/clock', { advance: seconds });
  expect(answer.status, answer.text).toBe(200);
}

async function statusOf(server: Running, id: string): Promise<unknown> {
  return (await send(server.url, 'GET', `/v1/workflows/${id}`)).json()['status'];
}

describe('with a test clock', { timeout: 240_000 }, () => {
  test('a participant that always refuses is tried twelve times and never early, before and after a restart, then the workflow is in error', async () => {
    const participant = await listenAndRefuse();
    let server = await serve();
    const body = { workflow: 'define\n  alpha', callback: participant.url };
    const { id } = (await postJson(server.url, '/v1/workflows', body)).json<{ id: string }>();
    await advance(server, 0);
    expect(participant.waiting()).toBe(1);
    // Six tries, a new process in the middle of the wait for the seventh, then all the rest.
    await advance(server, 2000);
    expect(participant.waiting()).toBe(6);
    await server.stop();
    server = await serve();
    expect(await statusOf(server, id)).toBe('running');
    await advance(server, 210_000);
    expect([participant.waiting(), await statusOf(server, id)]).toEqual([11, 'running']);
    await advance(server, 100_000);
    expect([participant.waiting(), await statusOf(server, id)]).toEqual([12, 'error']);
    await advance(server, 10_000_000);
    expect(participant.waiting()).toBe(12);

    let path = '';
    for (let i = 1; i <= 12; i++) {
      const { headers, body: sent } = await participant.next();
      expect([headers['rota-try'], sent.status]).toEqual([String(i), 'active']);
      path = new URL(sent.proceed_url).pathname.replace('/proceed', '/deliveries');
    }
    const { deliveries } = (await send(server.url, 'GET', path)).json<{ deliveries: readonly Delivery[] }>();
    expect(deliveries.map((delivery) => [delivery.try, delivery.status])).toEqual(
      DELAYS.concat(0).map((_, i) => [i + 1, 500]),
    );
    // Business time goes on with the machine's between two advances, so a try may be late by that; never early.
    for (const [i, delay] of DELAYS.entries()) {
      const [before, after] = [deliveries[i], deliveries[i + 1]];
      const waited = Date.parse(after?.at ?? '') - Date.parse(before?.at ?? '');
      expect(waited / 1000, `between try ${i + 1} and ${i + 2}`).toBeGreaterThanOrEqual(delay);
    }
  });

  test('what cannot be advanced is refused', async () => {
    const server = await serve();
    for (const body of [{}, { advance: -1 }, { advance: '5' }, { advance: 1e12 }])
      expect((await postJson(server.url, '/v1/test/clock', body)).status).toBe(422);
  });
});
