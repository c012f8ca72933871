import { expect, test } from 'vitest';
import { ALL_CASES_MS_MAX } from '../conformance/server.ts';
import { playBpmnSide } from './http.ts';

test('BPMN cases over HTTP, on the embedded database: half of them and some of each kind, or all', {
  timeout: ALL_CASES_MS_MAX,
}, async () => {
  expect(await playBpmnSide('embedded', { DATA_DIR: 'memory:' })).toEqual([]);
});
