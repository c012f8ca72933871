import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import type { WorkflowId } from '../../src/model/ids.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { DataDirLocked, lockDataDir } from '../../src/store/data-dir-lock.ts';
import { openStore } from '../../src/store/open.ts';
import { QUICK } from '../support/child.ts';
import { compiled } from '../support/compiled.ts';
import { readyFolder } from '../support/ready-folder.ts';
import { AT } from './samples.ts';

/** Six databases are opened one after the other, and a busy machine takes its time. */
const PATIENCE_MS = 240_000;

/* The directory of the embedded database: one server at a time, and nothing that was acknowledged is ever lost. */

const folders: string[] = [];
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'rota-data-'));
  folders.push(made);
  return made;
};

/** A server in a process of its own; `lines` is what it says. */
function startChild(
  task: 'lock' | 'write',
  dir: string,
): { readonly pid: number; readonly kill: () => Promise<void>; readonly lines: AsyncIterator<string> } {
  const child = spawn(process.execPath, [...QUICK, join(compiled(), 'test/support/embedded-child.js'), task, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return {
    pid: child.pid ?? 0,
    kill: () =>
      new Promise((resolve) => {
        child.once('close', () => resolve());
        child.kill('SIGKILL');
      }),
    lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
  };
}
const line = async (lines: AsyncIterator<string>): Promise<string> => {
  const { value, done } = await lines.next();
  if (done === true) throw new Error('The other server ended without a word');
  return value;
};

test(
  'a killed server loses nothing it had acknowledged, and its successor takes over directory and claims',
  async () => {
    const dir = readyFolder(folder());
    for (let round = 1; round <= 2; round++) {
      const child = startChild('write', dir);
      expect(await line(child.lines)).toBe('open');
      const acknowledged: string[] = [];
      while (acknowledged.length < 60) acknowledged.push(await line(child.lines));

      await expect(openStore({ databaseUrl: null, dataDir: dir, prepared: true })).rejects.toThrow(
        new RegExp(`${dir}.*process ${child.pid} .*DATA_DIR`),
      );
      await child.kill();
      for (let next = await child.lines.next(); next.done !== true; next = await child.lines.next())
        acknowledged.push(next.value);

      const store = await openStore({ databaseUrl: null, dataDir: dir, prepared: true });
      for (const id of acknowledged) {
        expect((await store.read.workflow(DEFAULT_TENANT, id as WorkflowId))?.id).toBe(id);
        expect((await store.read.history(DEFAULT_TENANT, id as WorkflowId, 0, 10)).length).toBe(1);
      }
      const claimed = await store.claimDue({ now: AT, owner: 'successor', limit: 1_000, leaseSeconds: 30 });
      expect(claimed.map(({ workflow }) => workflow)).toEqual(expect.arrayContaining(acknowledged));
      await store.close();
    }
  },
  PATIENCE_MS,
);

test('a store that was closed leaves the directory to the next, with all that was in it', async () => {
  const dir = readyFolder(folder());
  const settings = { databaseUrl: null, dataDir: dir, prepared: true };
  const first = await openStore(settings);
  await first.settings.write('offset', '7');
  await expect(openStore(settings)).rejects.toThrow(DataDirLocked);
  await first.close();
  const second = await openStore(settings);
  expect(await second.settings.read('offset')).toBe('7');
  await second.close();
  expect(readdirSync(dir)).toEqual(['database']);
});

test('of servers that start at the same moment exactly one gets the directory', async () => {
  const dir = folder();
  const starting = Array.from({ length: 4 }, () => startChild('lock', dir));
  const said = await Promise.all(starting.map(({ lines }) => line(lines)));
  expect(said.sort()).toEqual(['held', 'refused', 'refused', 'refused']);
});

/** Takes the lock, gives it back, and leaves behind a file as if another had written it. */
async function leftBehind(dir: string, different: { readonly [part: string]: unknown }): Promise<string> {
  const lock = await lockDataDir(dir);
  const [name = ''] = readdirSync(dir);
  const content = { ...JSON.parse(readFileSync(join(dir, name), 'utf8')), ...different };
  lock.release();
  const file = join(dir, 'server-00000000-0000-4000-8000-000000000000.lock');
  writeFileSync(file, JSON.stringify(content));
  return file;
}

test.each([
  ['by a process whose number another has by now', { started: '1' }],
  ['by a process that is gone', { pid: 2 ** 22 + 1 }],
  ['before the machine was started again', { boot: 'an earlier one' }],
  ['half written', undefined],
])('a lock left behind %s is taken over', async (_how, different) => {
  const dir = folder();
  const file = await leftBehind(dir, different ?? {});
  if (different === undefined) writeFileSync(file, '{"pid":');
  utimesSync(file, 0, 0);
  const lock = await lockDataDir(dir);
  expect(readdirSync(dir).length).toBe(1);
  lock.release();
  expect(readdirSync(dir)).toEqual([]);
});

test('a holder that cannot be seen keeps the directory while it gives signs of life', async () => {
  const dir = folder();
  const file = await leftBehind(dir, { space: 'another container', host: 'elsewhere', at: '2020-01-01T00:00:00Z' });
  let seconds = 1;
  const life = setInterval(() => {
    seconds += 1;
    utimesSync(file, seconds, seconds);
  }, 20);
  await expect(lockDataDir(dir, 10_000)).rejects.toThrow(DataDirLocked);
  clearInterval(life);
  const lock = await lockDataDir(dir, 300);
  lock.release();
});
