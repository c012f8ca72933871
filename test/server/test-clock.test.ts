import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';

/** Seconds between the tries of an active callback (docs/api-v1.md). */
const DELAYS = [30, 31, 62, 273, 1054, 3155, 7806, 16837, 32798, 59079, 100030];

type Delivery = { readonly try: number; readonly status: number; readonly at: string };

let server: Running;
let participant: Participant;
beforeAll(async () => {
  participant = await startParticipant(() => 500);
  server = await startServer({ TEST_CLOCK: '1' });
}, 60_000);
afterAll(async () => {
  await server.stop();
  await participant.stop();
});

async function advance(seconds: number): Promise<void> {
  const answer = await postJson(server.url, '/v1/test/clock', { advance: seconds });
  expect(answer.status, answer.text).toBe(200);
}

const statusOf = async (id: string): Promise<unknown> =>
  (await send(server.url, 'GET', `/v1/workflows/${id}`)).json()['status'];

// The same with restarts: test/retries.
describe('with a test clock', { timeout: 120_000 }, () => {
  test('a participant that always refuses is tried twelve times and never early, and its tries are told; then the workflow is in error', async () => {
    const body = { workflow: 'define\n  alpha', callback: participant.url };
    const { id } = (await postJson(server.url, '/v1/workflows', body)).json<{ id: string }>();
    await advance(0);
    expect(participant.waiting()).toBe(1);
    await advance(2000);
    expect(participant.waiting()).toBe(6);
    await advance(210_000);
    expect([participant.waiting(), await statusOf(id)]).toEqual([11, 'running']);
    await advance(100_000);
    expect([participant.waiting(), await statusOf(id)]).toEqual([12, 'error']);
    await advance(10_000_000);
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
    for (const body of [{}, { advance: -1 }, { advance: '5' }, { advance: 1e12 }])
      expect((await postJson(server.url, '/v1/test/clock', body)).status).toBe(422);
  });
});
