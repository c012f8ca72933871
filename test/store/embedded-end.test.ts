import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { manualTime } from '../../src/runtime/process-time.ts';
import { openEmbedded, REOPEN_MS_MAX } from '../../src/store/embedded.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { readyFolder } from '../support/ready-folder.ts';

/* What an error of the disk comes to: the client of the database says so once, and what runs in the process from then on is another database. */

const BROKEN = new Error('the disk is broken');
const insert = { name: 'insert', text: 'insert into kept values ($1)' };
const count = { name: 'count', text: 'select count(*)::int as n from kept' };

/** Files below a folder that this process holds open; none where the system does not tell. */
const openFiles = (folder: string): number =>
  process.platform !== 'linux'
    ? 0
    : readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
        } catch {
          return false; // the one that listed the others
        }
      }).length;

/* One database for all of it: making one takes longer than everything else here. */
test('an embedded database that has stopped is opened again in the process, or says what to do', {
  timeout: 300_000,
}, async () => {
  const dataDir = readyFolder(mkdtempSync(join(tmpdir(), 'rota-end-')));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const time = manualTime();
  const ends: Error[] = [];
  const troubles: string[] = [];
  let opened = (): void => {};
  const isOpenAgain = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const database = await openEmbedded(dataDir, true, {
    session: 'set enable_seqscan = off',
    onEnd: (error) => void ends.push(error),
    onTrouble: (message) => {
      troubles.push(message);
      if (message.includes('open again')) opened();
    },
    time,
  });
  onTestFinished(() => database.close());
  await database.client.query('create table kept (n int)');
  await database.run(insert, [1]);
  const holder = await database.take();
  await holder.say('begin');
  await holder.run(insert, [2]);
  const inLine = database.run(count).catch((error: unknown) => error);
  const stopped = database.client;
  stopped.connection.emit('error', BROKEN);
  // Once for all that follows from it.
  stopped.emit('error', new Error('and what follows from it'));
  expect(troubles).toHaveLength(1);
  expect(troubles[0]).toContain(`DATA_DIR (${dataDir})`);
  expect(troubles[0]).toContain(BROKEN.message);
  // What is deleted from now on gives its space back.
  expect(openFiles(dataDir)).toBe(0);
  // Who waited and who comes now are told at once; who held the connection has lost it.
  expect(await inLine).toBeInstanceOf(StoreUnavailable);
  await expect(database.run(count)).rejects.toBeInstanceOf(StoreUnavailable);
  expect(holder.isLost()).toBe(true);
  await expect(holder.run(insert, [3])).rejects.toThrow();
  holder.giveBack(true);

  time.pass(1_000);
  await isOpenAgain;
  expect(troubles[1]).toContain('open again');
  expect(await database.run(count)).toMatchObject({ rows: [{ n: 1 }] });
  const { rows } = await database.run({ name: 'setting', text: 'show enable_seqscan' });
  expect(rows).toEqual([{ enable_seqscan: 'off' }]);
  await database.run(insert, [4]);
  expect(ends).toEqual([]);

  // The folder is gone: there is nothing to open.
  database.client.emit('error', BROKEN);
  rmSync(dataDir, { recursive: true, force: true });
  time.pass(REOPEN_MS_MAX + 5_000);
  expect(ends).toHaveLength(1);
  expect(ends[0]?.message).toContain(`DATA_DIR (${dataDir})`);
  expect(ends[0]?.message).toContain(BROKEN.message);
  expect(ends[0]?.message).toContain('start the server again');
  expect(ends[0]?.cause).toBe(BROKEN);
});

test('one in memory has nothing to be opened from, and ends', async () => {
  const ends: Error[] = [];
  const database = await openEmbedded('memory:', true, { onEnd: (error) => void ends.push(error) });
  database.client.emit('error', BROKEN);
  expect(ends[0]?.message).toContain('in memory');
  await expect(database.run(count)).rejects.toBeInstanceOf(StoreUnavailable);
});

test('one that was closed in order says nothing', async () => {
  const ends: Error[] = [];
  const database = await openEmbedded('memory:', true, { onEnd: (error) => void ends.push(error) });
  await database.close();
  database.client.emit('error', BROKEN);
  expect(ends).toEqual([]);
});
