import { expect, test } from 'vitest';
import { ALL_CASES_MS_MAX, playAll } from './server.ts';

test('every case over HTTP, on the embedded database', { timeout: ALL_CASES_MS_MAX }, async () => {
  expect(await playAll({ DATA_DIR: 'memory:' })).toEqual([]);
});
