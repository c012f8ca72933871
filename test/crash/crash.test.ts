import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readyFolder } from '../support/ready-folder.ts';
import { crash, type Deaths, IN_FLIGHT_MIN } from './crash.ts';

/** A dozen starts, on a machine that does other things too. */
const LIMIT_MS = 400_000;

/**
 * Twice in each way. What a server does between two deaths is the same on both databases, and it dies twenty times on Postgres; here a folder is recovered as
 * well, at each of them.
 */
const DEATHS: Deaths = {
  ...{ 'before commit': 2, 'in commit': 2, 'after commit': 2 },
  ...{ 'during post': 2, 'after 2xx': 2, 'at random': 2 },
};

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rota-crash-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a server on the embedded database, killed twelve times, loses nothing and does nothing twice', {
  timeout: LIMIT_MS,
}, async () => {
  const settings = { DATA_DIR: readyFolder(join(folder, 'data')) };
  const { seed, kills, verdict } = await crash(settings, DEATHS, Date.now() % 1_000_000);
  console.log(`Killed ${kills.length} times, seed ${seed}: ${JSON.stringify(verdict)}`);
  expect(verdict.violations).toEqual([]);
  expect(kills).toHaveLength(12);
  expect(Math.min(...kills.map(({ inFlight }) => inFlight))).toBeGreaterThanOrEqual(IN_FLIGHT_MIN);
});
