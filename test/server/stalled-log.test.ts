import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { QUICK, runNode } from '../support/child.ts';
import { compiled } from '../support/compiled.ts';
import { freePort } from '../support/free-port.ts';
import { readyFolder } from '../support/ready-folder.ts';
import { send } from '../support/server.ts';
import { until } from '../support/until.ts';

/* Whoever reads the log may pause: nothing of the server may wait for that. */

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Lines of a request are some 250 bytes long; a pipe holds 64 KiB. */
const REQUESTS = 800;

test('a server whose log nobody reads answers and stops, and then says how many lines it dropped', {
  timeout: 240_000,
}, async () => {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'rota-'));
  const child = spawn(process.execPath, [...QUICK, 'scripts/start.mjs'], {
    cwd: root,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: readyFolder(join(folder, 'data')),
      LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  try {
    const url = `http://127.0.0.1:${port}`;
    await until('it is ready', async () => (await send(url, 'GET', '/readyz')).status === 200);
    for (let i = 0; i < REQUESTS; i++) expect((await send(url, 'GET', '/v1/nothing')).status).toBe(404);
    expect((await send(url, 'GET', '/livez')).status).toBe(200);
    // Somebody reads again: every line is whole, and none is missing without a word.
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    const lines = (): { event: string; lines?: number }[] =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { event: string; lines?: number });
    await until('all lines are read', () => {
      const dropped = lines().reduce((sum, line) => sum + (line.lines ?? 0), 0);
      return lines().filter((line) => line.event === 'request').length + dropped >= REQUESTS;
    });
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    await until('the last line is read', () => lines().at(-1)?.event === 'server.stopped');
  } finally {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a log that goes to a file is whole when the process has ended', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rota-'));
  const file = join(folder, 'log');
  const out = openSync(file, 'w');
  const child = spawn(process.execPath, ['--input-type=module', '-e', LOGS], {
    cwd: compiled(),
    stdio: ['ignore', out, 'inherit'],
  });
  closeSync(out);
  await new Promise((resolve) => child.once('exit', resolve));
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { i: number }).i)).toEqual(
    Array.from({ length: 5_000 }, (_, i) => i),
  );
  rmSync(folder, { recursive: true });
});

const LOGS = `
import { makeLog } from './src/runtime/log.js';
const log = makeLog({ level: 'info' });
for (let i = 0; i < 5000; i++) log.info('a line', { event: 'test', i });
process.exit(0);`;

test.each([
  ['an error that is thrown', "setTimeout(() => { throw new Error('planted'); }, 1);"],
  ['a promise nobody waits for', "void Promise.reject(new Error('planted'));"],
])('%s ends the process with a last line behind those before it', { timeout: 60_000 }, async (_, failing) => {
  const child = runNode([
    '--input-type=module',
    '-e',
    `import { makeLog } from '${compiled()}/src/runtime/log.js';
import { endWithLastLine } from '${compiled()}/src/server/last-line.js';
const log = makeLog({ level: 'info' });
endWithLastLine(log);
log.info('first', { event: 'first' });
log.info('second', { event: 'second' });
${failing}`,
  ]);
  expect((await child.ended).code).toBe(1);
  const lines = child
    .output()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; err?: { message: string } });
  expect(lines.map((line) => line.event)).toEqual(['first', 'second', 'server.crashed']);
  expect(lines.at(-1)?.err?.message).toBe('planted');
});
