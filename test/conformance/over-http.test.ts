import { expect, test } from 'vitest';
import { ALL_CASES_MS_MAX, playSide } from './server.ts';

test('cases over HTTP, on the embedded database: half of them and some of each kind, or all', {
  timeout: ALL_CASES_MS_MAX,
}, async () => {
  expect(await playSide('embedded', { DATA_DIR: 'memory:' })).toEqual([]);
});
