import { expect, test } from 'vitest';
import { readConfig } from '../../src/server/config.ts';
import { start } from '../../src/server/start.ts';
import { send } from '../support/server.ts';

const CONNECTIONS = 50;

test('a stop under load resets no connection that carries a request: each is answered, and told to close', async () => {
  let held = 0;
  let letGo = (): void => {};
  let heldAll = (): void => {};
  const allHeld = new Promise<void>((resolve) => {
    heldAll = resolve;
  });
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const running = await start(readConfig({ DATA_DIR: 'memory:', PORT: '0', LOG_LEVEL: 'silent', DRAIN_SECONDS: '0' }), {
    store: (store) => ({
      ...store,
      read: {
        ...store.read,
        workflow: async (...asked) => {
          held += 1;
          if (held === CONNECTIONS) heldAll();
          await gate;
          return store.read.workflow(...asked);
        },
      },
    }),
  });
  const path = '/v1/workflows/20260101-0000-babababa-babababa?view=summary';
  const answers = Array.from({ length: CONNECTIONS }, () => send(running.url, 'GET', path));
  await allHeld;
  const stopped = running.stop();
  letGo();
  for (const answer of await Promise.all(answers)) {
    expect(answer.status).toBe(404);
    expect(answer.headers['connection']).toBe('close');
    expect(answer.json()).toMatchObject({ code: 'workflow_not_found' });
  }
  expect(await stopped).toBe(true);
});
