import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openEmbedded } from '../../src/store/embedded.ts';

/* What an error of the disk comes to: the client of the database says so once, and nothing works any more. */

const BROKEN = new Error('the disk is broken');

test('an embedded database that cannot go on says so once: where it is, why, and what to do', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'rota-end-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const ends: Error[] = [];
  const database = await openEmbedded(dataDir, true, (error) => ends.push(error));
  database.client.emit('error', BROKEN);
  database.client.emit('error', new Error('and what follows from it'));
  expect(ends).toHaveLength(1);
  expect(ends[0]?.message).toContain(`DATA_DIR (${dataDir})`);
  expect(ends[0]?.message).toContain(BROKEN.message);
  expect(ends[0]?.message).toContain('start the server again');
  expect(ends[0]?.cause).toBe(BROKEN);
  await database.close();
});

test('one that was closed in order says nothing', async () => {
  const ends: Error[] = [];
  const database = await openEmbedded('memory:', true, (error) => ends.push(error));
  await database.close();
  database.client.emit('error', BROKEN);
  expect(ends).toEqual([]);
});
