import { expect, test } from 'vitest';
import { ALL_CASES_MS_MAX } from '../conformance/server.ts';
import { playAllBpmn } from './http.ts';

test('every BPMN case over HTTP, on the embedded database', { timeout: ALL_CASES_MS_MAX }, async () => {
  expect(await playAllBpmn({ DATA_DIR: 'memory:' })).toEqual([]);
});
