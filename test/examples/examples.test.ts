import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Rota } from '../../src/client/index.ts';
import type { Running } from '../../src/server/start.ts';
import { type Child, runProgram, runRota } from '../support/child.ts';
import { startServer } from '../support/server.ts';

/* What the documents show and the examples are, each a process, in the languages that are on this machine. */

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const participants: readonly (readonly [string, string, boolean])[] = [
  ['node.mjs', process.execPath, true],
  ['python.py', 'python3', has('python3')],
  ['ruby.rb', 'ruby', has('ruby')],
];
for (const [file, program, isHere] of participants)
  if (!isHere) console.warn(`examples/participants/${file} is not run: there is no ${program} here`);

let server: Running;
let rota: Rota;
let secret = '';
let folder = '';
const children: Child[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rota-examples-'));
  server = await startServer({ TEST_CLOCK: '1' });
  rota = new Rota({ url: server.url });
  secret = String((await rota.secrets.create({ kind: 'webhook' }))['secret']);
  // The example for node imports what is built.
  expect((await runRota(['--version']).ended).code).toBe(0);
}, 240_000);
afterAll(async () => {
  for (const child of children) {
    child.process.kill('SIGKILL');
    await child.ended;
  }
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const participate = async (program: string, file: string, settings: Record<string, string>): Promise<string> => {
  const child = runProgram(program, [`examples/participants/${file}`], { PORT: '0', ...settings });
  children.push(child);
  const [, url = ''] = await child.says(/listening at (http:\S+)/);
  return url;
};

test.for(participants.filter(([, , isHere]) => isHere))(
  'the participant %s takes what is signed, hands it back, and refuses what others send',
  { timeout: 120_000 },
  async ([file, program]) => {
    const url = await participate(program, file, { ROTA_WEBHOOK_SECRET: secret });
    const { id } = await rota.launch({ workflow: 'define x\n  alpha\n  beta', callback: url, fields: { who: 'Ada' } });
    const done = await rota.wait(id, { timeout: 60 });
    expect(done.fields).toMatchObject({ alpha_greeting: 'Hello, Ada', beta_greeting: 'Hello, Ada' });
    const forged = await fetch(url, {
      method: 'POST',
      body: '{}',
      headers: { 'webhook-id': 'm', 'webhook-timestamp': '1' },
    });
    expect(forged.status).toBe(401);
  },
);

test.for(
  [
    ['python.py', 'python3'],
    ['ruby.rb', 'ruby'],
  ].filter(([, program = '']) => has(program)),
)('the client %s launches a file and waits for its end', { timeout: 120_000 }, async ([file = '', program = '']) => {
  const url = await participate(process.execPath, 'node.mjs', { ROTA_WEBHOOK_SECRET: secret });
  const path = join(folder, 'order.radial');
  writeFileSync(path, 'define order\n  alpha\n');
  const client = runProgram(program, [`examples/clients/${file}`, path, url, 'who=Grace'], { ROTA_URL: server.url });
  children.push(client);
  expect((await client.ended).code, client.output()).toBe(0);
  expect(JSON.parse(client.output())).toMatchObject({
    status: 'completed',
    fields: { alpha_greeting: 'Hello, Grace' },
  });
});

test('the ordering service takes an order, shows it, and its payment', { timeout: 120_000 }, async () => {
  const child = runProgram(process.execPath, ['examples/ordering/server.mjs'], { ROTA_URL: server.url, PORT: '0' });
  children.push(child);
  const [, base = ''] = await child.says(/listening at (http:\S+)/);
  expect(await (await fetch(base)).text()).toContain('action="/api/order"');
  const created = await fetch(`${base}/api/order`, { method: 'POST', redirect: 'manual' });
  expect(created.status).toBe(302);
  const [, id = ''] = /^\/show-process\.html\?orderId=([\w-]+)$/.exec(created.headers.get('location') ?? '') ?? [];
  const show = async (): Promise<unknown> => (await fetch(`${base}/api/order?orderId=${id}`)).json();
  expect(await show()).toEqual({ orderId: id, state: 'ACTIVE', createdAt: expect.stringMatching(/Z$/) });
  expect(await (await fetch(`${base}/show-process.html?orderId=${id}`)).text()).toContain('<svg');
  const pay = (amount: string): Promise<Response> =>
    fetch(`${base}/api/receive-payment`, { method: 'POST', body: new URLSearchParams({ orderId: id, amount }) });
  expect((await pay('')).status).toBe(400);
  expect((await pay('5')).status).toBe(200);
  await rota.wait(id, { timeout: 60 });
  expect(await show()).toMatchObject({ state: 'COMPLETED' });
  expect(child.output()).toContain(`order ${id}: package-and-deliver`);
  const others = ['/api/order', '/api/order?orderId=nothing', '/ordering-items-workflow.bpmn', '/nowhere'];
  const statuses = await Promise.all(others.map(async (path) => (await fetch(`${base}${path}`)).status));
  expect(statuses).toEqual([400, 404, 200, 404]);
});

test.each([
  ['docs/start.md', 6],
  ['docs/questions.md', 1],
])('the commands of %s do what the page says', { timeout: 120_000 }, async (page, least) => {
  const blocks = [...readFileSync(page, 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  expect(blocks.length).toBeGreaterThanOrEqual(least);
  const script = ['set -euo pipefail', ...blocks, 'echo "all is well"'].join('\n');
  const shell = runProgram('bash', ['-c', script.replace(/^URL=.*$/m, '')], { URL: server.url });
  children.push(shell);
  expect((await shell.ended).code, shell.output()).toBe(0);
  expect(shell.output()).toContain('all is well');
});
