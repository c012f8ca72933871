import { afterAll, expect, test } from 'vitest';
import { readCases } from './cases.ts';
import { bpmnInProcess } from './in-process.ts';
import { replayBpmn } from './replay.ts';

/* Every case against the pure step; the table by group is printed at the end. */

const table = new Map<string, { passed: number; total: number }>();
afterAll(() => {
  for (const [group, { passed, total }] of table) console.log(`bpmn: ${group} ${passed} / ${total}`);
});

test.each(readCases().map((one) => [`${one.group}/${one.name}`, one] as const))(
  '%s ends as it says',
  async (_, one) => {
    const row = table.get(one.group) ?? { passed: 0, total: 0 };
    table.set(one.group, { ...row, total: row.total + 1 });
    expect(await replayBpmn(one, bpmnInProcess())).toEqual([]);
    const now = table.get(one.group) ?? row;
    table.set(one.group, { ...now, passed: now.passed + 1 });
  },
);
