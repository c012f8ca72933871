import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, test } from 'vitest';
import { readyFolder } from '../support/ready-folder.ts';
import { fiveNotices, twelveTriesThenError, twelveTriesThenHandler } from './scenarios.ts';

/** Starting takes seconds; a loaded machine takes longer. */
const LIMIT_MS = 180_000;

describe('the schedule of tries, on the embedded database', { timeout: LIMIT_MS }, () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'rota-retries-'));
    folders.push(made);
    return readyFolder(join(made, 'data'));
  };

  test('twelve tries at their times, none early, a thirteenth never; then the handler of the error', () =>
    twelveTriesThenHandler({ DATA_DIR: 'memory:' }));
  test('the same with a restart in the middle; without a handler the workflow is in error', () =>
    twelveTriesThenError({ DATA_DIR: folder() }, 6));
  test('notices have a short schedule of their own', () => fiveNotices({ DATA_DIR: 'memory:' }, null));
});
