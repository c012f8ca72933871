import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fewOrAll } from '../support/all.ts';
import { readyFolder } from '../support/ready-folder.ts';
import { crash, type Deaths, IN_FLIGHT_MIN, inEachWay, inTotal } from './crash.ts';

/** A dozen starts, on a machine that does other things too. */
const LIMIT_MS = 400_000;

/**
 * Once in each way, or twice. What a server does between two deaths is the same on both databases, and it dies more often on Postgres; here a folder is
 * recovered as well, at each of them.
 */
const DEATHS: Deaths = fewOrAll(inEachWay(1), inEachWay(2));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rota-crash-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a server on the embedded database, killed in every way, loses nothing and does nothing twice', {
  timeout: LIMIT_MS,
}, async () => {
  const settings = { DATA_DIR: readyFolder(join(folder, 'data')) };
  const { seed, kills, verdict } = await crash(settings, DEATHS, Date.now() % 1_000_000);
  console.log(`Killed ${kills.length} times, seed ${seed}: ${JSON.stringify(verdict)}`);
  expect(verdict.violations).toEqual([]);
  expect(kills).toHaveLength(inTotal(DEATHS));
  expect(Math.min(...kills.map(({ inFlight }) => inFlight))).toBeGreaterThanOrEqual(IN_FLIGHT_MIN);
});
