import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Participant, startParticipant, startServer } from '../support/server.ts';
import { manyProceedOne, manyProceedTogether } from './proceeds.ts';

describe('on the embedded database', () => {
  let server: Running;
  let participant: Participant;
  beforeAll(async () => {
    server = await startServer();
    participant = await startParticipant();
  }, 120_000);
  afterAll(async () => {
    await server.stop();
    await participant.stop();
  });

  test('of two sessions that proceed one workitem, one is told that it is gone', { timeout: 120_000 }, () =>
    manyProceedOne([server], participant, 2),
  );
  test('of fifty sessions that proceed one workitem, one is let through', { timeout: 120_000 }, () =>
    manyProceedOne([server], participant, 50),
  );
  test('fifty branches of one concurrence are proceeded at once', { timeout: 120_000 }, () =>
    manyProceedTogether([server], participant, 50),
  );
});
