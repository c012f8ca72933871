import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readyFolder } from '../support/ready-folder.ts';
import { crash, IN_FLIGHT_MIN } from './crash.ts';

/** Twenty starts, on a machine that does other things too. */
const LIMIT_MS = 400_000;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rota-crash-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a server on the embedded database, killed twenty times, loses nothing and does nothing twice', {
  timeout: LIMIT_MS,
}, async () => {
  const { seed, kills, verdict } = await crash({ DATA_DIR: readyFolder(join(folder, 'data')) }, Date.now() % 1_000_000);
  console.log(`Killed ${kills.length} times, seed ${seed}: ${JSON.stringify(verdict)}`);
  expect(verdict.violations).toEqual([]);
  expect(kills).toHaveLength(20);
  expect(Math.min(...kills.map(({ inFlight }) => inFlight))).toBeGreaterThanOrEqual(IN_FLIGHT_MIN);
});
