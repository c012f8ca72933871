import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DATABASE_ENDED } from '../../src/server/open.ts';
import { type ChildServer, type ChildServers, makeChildServers } from '../support/child-server.ts';
import { freePort } from '../support/free-port.ts';
import { readyFolder } from '../support/ready-folder.ts';
import { until } from '../support/until.ts';

/* Servers in processes of their own that end in the middle of something: in a step that never ends, and on a disk that is full. */

/** Half a dozen starts, on a machine that does other things too. */
const LIMIT_MS = 400_000;

let servers: ChildServers;
let folder = '';
let port = 0;
/** Both tests are about one folder; the second goes on with the server of the first, where that ran. */
let server: ChildServer;
let isThere = false;
beforeAll(async () => {
  servers = makeChildServers();
  folder = mkdtempSync(join(tmpdir(), 'rota-middle-'));
  readyFolder(join(folder, 'data'));
  port = await freePort();
}, LIMIT_MS);
afterAll(async () => {
  await servers.close();
  rmSync(folder, { recursive: true, force: true });
});

const start = async (settings: Readonly<Record<string, string>> = {}): Promise<void> => {
  server = await servers.start({ PORT: String(port), DATA_DIR: join(folder, 'data'), ...settings });
  isThere = true;
};

async function call(method: string, path: string, body?: object) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  return { status: response.status, text, json: () => JSON.parse(text) };
}

async function launch(workflow: string): Promise<string> {
  const answer = await call('POST', '/v1/workflows', { workflow, callback: 'http://127.0.0.1:1/' });
  expect(answer.status, answer.text).toBe(201);
  return answer.json().id;
}
const statusOf = async (id: string): Promise<string> => (await call('GET', `/v1/workflows/${id}`)).json().status;

test('a step in whose middle three processes died is not tried a fourth time, and can be replayed', {
  timeout: LIMIT_MS,
}, async () => {
  const looping = { LOOP_IN: 'deadly' };
  const dies = async (): Promise<void> => {
    await server.loops;
    server.signal('SIGKILL');
    await server.ended;
  };
  await start(looping);
  const deadly = await launch("define deadly\n  wait '1s'\n");
  const other = await launch("define other\n  wait '2s'\n");
  await dies();
  for (let death = 2; death <= 3; death++) {
    await start(looping);
    await dies();
  }

  await start(looping);
  await until('the step is given up', async () => (await statusOf(deadly)) === 'error');
  await until('the other goes on', async () => (await statusOf(other)) === 'completed');
  const { errors } = (await call('GET', '/v1/errors')).json();
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatchObject({ workflow_id: deadly, class: 'InternalError' });
  expect(errors[0].message).toContain('ended 3 times');
  expect(server.output()).toContain('agenda.given_up');

  server.mend();
  const { expression_id } = errors[0];
  const replayed = await call('POST', `/v1/workflows/${deadly}/errors/${expression_id}/replay`, {});
  expect(replayed.status, replayed.text).toBe(201);
  await until('it is over', async () => (await statusOf(deadly)) === 'completed');
});

test('a server whose disk is full ends with a reason and a code of its own, and what it had acknowledged is there when it starts again', {
  timeout: LIMIT_MS,
}, async () => {
  if (!isThere) await start();
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push(await launch('define held\n  alpha\n'));
  server.fillTheDisk();
  // Refused, or not answered at all, but never acknowledged.
  const refused = await call('POST', '/v1/workflows', {
    workflow: 'define held\n  alpha\n',
    callback: 'http://127.0.0.1:1/',
  }).catch(() => null);
  expect(refused?.status).not.toBe(201);
  expect(await server.ended).toBe(DATABASE_ENDED);
  expect(server.output()).toContain('database.ended');

  await start();
  for (const id of ids) expect(await statusOf(id)).toBe('running');
  server.signal('SIGTERM');
  expect(await server.ended).toBe(0);
});
