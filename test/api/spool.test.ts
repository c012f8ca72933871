import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeSpool, SPOOLED_HELD_BYTES_MAX } from '../../src/api/reading/spool.ts';

/* A body that is larger than what is held in memory. */

const folder = mkdtempSync(join(tmpdir(), 'rota-spool-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readOf = async (pieces: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
};

test('a body is held up to a bound, and beyond it read from the disk as often as one likes, where no file is left', async () => {
  const spool = makeSpool(folder);
  const pieces = Array.from({ length: 10 }, (_, i) => Buffer.alloc(1_000_000, 97 + i));
  for (const piece of pieces) await spool.add(piece);
  expect([spool.bytes(), spool.held()]).toEqual([10_000_000, 8_000_000]);
  expect(spool.held()).toBeLessThanOrEqual(SPOOLED_HELD_BYTES_MAX);
  for (let i = 0; i < 2; i++) expect((await readOf(spool.pieces())).equals(Buffer.concat(pieces))).toBe(true);
  for await (const piece of spool.pieces()) if (piece[0] === 105) break;
  expect(readdirSync(folder)).toEqual([]);
  await spool.close();
});

test('where nothing can be written, what is too large to be held is refused with the reason', async () => {
  const spool = makeSpool(join(folder, 'nowhere'));
  await spool.add(Buffer.alloc(SPOOLED_HELD_BYTES_MAX));
  await expect(spool.add(Buffer.alloc(1))).rejects.toMatchObject({
    ...{ code: 'body_too_large', message: expect.stringContaining('ENOENT') },
  });
  await spool.close();
});
