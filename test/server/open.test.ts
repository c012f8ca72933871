import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Log, silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { readConfig } from '../../src/server/config.ts';
import { NAMED_MS_AGAIN, NAMED_MS_FIRST, openConfigured, StartError } from '../../src/server/open.ts';
import type { openStore } from '../../src/store/open.ts';

const config = readConfig({ DATABASE_URL: 'postgres://rota:hunter2@db.example:5433/rota' });

test('a database that does not answer is named after a second, with the reason, and again', async () => {
  const lines: unknown[] = [];
  const log: Log = { ...silentLog, warn: (sentence, details) => void lines.push({ sentence, ...details }) };
  const time = manualTime();
  let give = (_error: Error): void => {};
  const open: typeof openStore = (settings) =>
    new Promise((_resolve, reject) => {
      give = reject;
      settings.onWaiting?.(new Error('connect ECONNREFUSED'));
    });
  const opening = openConfigured(config, log, open, time);
  time.pass(NAMED_MS_FIRST - 1);
  expect(lines).toEqual([]);
  time.pass(1);
  expect(lines).toEqual([
    {
      sentence:
        'Postgres at db.example:5433/rota does not answer yet; it is tried again. Check DATABASE_URL and that Postgres runs',
      event: 'database.waiting',
      reason: 'connect ECONNREFUSED',
    },
  ]);
  time.pass(NAMED_MS_AGAIN);
  expect(lines).toHaveLength(2);
  give(new Error('given up'));
  await expect(opening).rejects.toThrow('given up');
  time.pass(60_000);
  expect(lines).toHaveLength(2);
  expect(JSON.stringify(lines)).not.toContain('hunter2');
});

test('a database that refuses is named at once by a process that took longer than a second to ask it', async () => {
  const lines: unknown[] = [];
  const log: Log = { ...silentLog, warn: (sentence) => void lines.push(sentence) };
  const open: typeof openStore = async (settings) => {
    settings.onWaiting?.(new Error('connect ECONNREFUSED'));
    settings.onWaiting?.(new Error('connect ECONNREFUSED'));
    throw new Error('given up');
  };
  await expect(openConfigured(config, log, open, manualTime(NAMED_MS_FIRST))).rejects.toThrow('given up');
  expect(lines).toEqual([
    'Postgres at db.example:5433/rota does not answer yet; it is tried again. Check DATABASE_URL and that Postgres runs',
  ]);
});

test('what a look before has told is not told again before it is time', async () => {
  const lines: unknown[] = [];
  const log: Log = { ...silentLog, warn: (sentence) => void lines.push(sentence) };
  const time = manualTime(NAMED_MS_FIRST);
  let give = (_error: Error): void => {};
  const open: typeof openStore = (settings) =>
    new Promise((_resolve, reject) => {
      give = reject;
      settings.onWaiting?.(new Error('connect ECONNREFUSED'));
    });
  const opening = openConfigured(config, log, open, time, undefined, { named: () => true });
  time.pass(NAMED_MS_FIRST);
  expect(lines).toEqual([]);
  time.pass(NAMED_MS_AGAIN);
  expect(lines).toHaveLength(1);
  give(new Error('given up'));
  await expect(opening).rejects.toThrow('given up');
});

test('an embedded database that takes its time is said to be opened still, after five seconds', async () => {
  const lines: unknown[] = [];
  const log: Log = { ...silentLog, warn: (sentence) => void lines.push(sentence) };
  const time = manualTime();
  let give = (_error: Error): void => {};
  const open: typeof openStore = () =>
    new Promise((_resolve, reject) => {
      give = reject;
    });
  const opening = openConfigured(readConfig({ DATA_DIR: 'memory:' }), log, open, time);
  time.pass(NAMED_MS_AGAIN - 1);
  expect(lines).toEqual([]);
  time.pass(1);
  expect(lines).toEqual(['The embedded database in memory is still being opened']);
  give(new Error('given up'));
  await expect(opening).rejects.toThrow('given up');
});

test('a folder that cannot be used is named, with what to do', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rota-'));
  try {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const complaint = async (DATA_DIR: string): Promise<unknown> =>
      openConfigured(readConfig({ DATA_DIR }), silentLog).catch((error: unknown) => error);
    for (const [dataDir, what] of [
      [file, 'it is a file; name a folder'],
      [join(file, 'below'), 'it is a file; name a folder'],
      ['/proc/rota', 'it cannot be made there; name a folder that exists or can be made'],
    ] as const) {
      const error = await complaint(dataDir);
      expect(error).toBeInstanceOf(StartError);
      expect(String(error)).toContain(`DATA_DIR ${dataDir} cannot be used: ${what}`);
    }
    // Who may do everything may write there as well.
    if (process.getuid?.() === 0) return;
    chmodSync(folder, 0o500);
    expect(String(await complaint(join(folder, 'data')))).toContain('this user may not write there');
  } finally {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true });
  }
});
