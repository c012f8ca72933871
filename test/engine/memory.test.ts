import { expect, test } from 'vitest';
import type { Entry } from '../../src/engine/entry.ts';
import { DISTRUST_BATCHES_MAX, type Memory, makeMemory, REMEMBERED_CHARACTERS_MAX } from '../../src/engine/memory.ts';
import { bareChanges, bareView } from '../../src/model/changes.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { Changes } from '../../src/model/rows.ts';
import { type Loaded, type Need, needKey } from '../../src/model/stimulus.ts';
import { agenda, expression, strand, variable, workflow, workitem } from '../store/samples.ts';
import { SERVER } from '../support/origin.ts';

const ID = 'w1' as WorkflowId;
const proceed = (id = ID, expid = '0_0'): Entry => ({
  kind: 'stimulus',
  workflow: id,
  stimulus: { workflow: id, origin: SERVER, event: { kind: 'proceed', workitem: expression(expid), fields: {} } },
  seed: '0'.repeat(32),
  at: 0,
});
const launch = { kind: 'launch' } as const;
const launched = (id: WorkflowId): Entry => ({
  kind: 'stimulus',
  workflow: id,
  // Of a launch only the kind is looked at.
  stimulus: { workflow: id, origin: SERVER, event: launch as never },
  seed: '0'.repeat(32),
  at: 0,
});
const ended = (): Entry => ({
  kind: 'outcome',
  workflow: ID,
  // Of the end of a try only its workitem is looked at.
  outcome: { workflow: ID, workitem: expression('0_0') } as never,
  seed: '0'.repeat(32),
});
const viewOf = (id = ID, text = ''): Loaded => ({
  ...bareView(workflow(id)),
  workitems: new Map([[expression('0_0'), workitem('0_0', { fields: JSON.stringify({ text }) })]]),
});
const changesOf = (id = ID, given: Partial<Changes> = {}): Changes => ({ ...bareChanges(workflow(id)), ...given });
const recall = (memory: Memory, ...entries: readonly Entry[]) => {
  const batch = new Map<WorkflowId, Entry[]>();
  for (const entry of entries) batch.set(entry.workflow, [...(batch.get(entry.workflow) ?? []), entry]);
  return memory.recall(batch);
};
function quietMemory(): Memory {
  const memory = makeMemory();
  memory.heard(false);
  return memory;
}

test('nothing is recalled before it is known that nobody listens, nor while somebody does', () => {
  const memory = makeMemory();
  memory.remember(ID, viewOf(), changesOf());
  expect(recall(memory, proceed())).toBeNull();
  memory.heard(false);
  expect(recall(memory, proceed())?.get(ID)?.workflow?.id).toBe(ID);
  memory.heard(true);
  expect(recall(memory, proceed())).toBeNull();
});

test('a launch needs no rows; what is not remembered is left out', () => {
  const memory = quietMemory();
  const other = 'w2' as WorkflowId;
  expect(recall(memory, launched(ID), launched(other))?.get(other)).toEqual(bareView(null));
  expect([...(recall(memory, launched(ID), proceed(other)) ?? [])].map(([id]) => id)).toEqual([ID]);
  memory.remember(other, viewOf(other), changesOf(other));
  expect(recall(memory, launched(ID), proceed(other))?.size).toBe(2);
  memory.forget(other);
  expect(recall(memory, launched(ID), proceed(other))?.size).toBe(1);
});

test('a try of a higher number than the rows know of has them read: a claim has counted a lost one', () => {
  const memory = quietMemory();
  const outcome = (number: number): Entry => ({
    kind: 'outcome',
    workflow: ID,
    outcome: {
      ...{ workflow: ID, workitem: expression('0_0'), claim: 'c', send: 'active', number, startedAt: 0, endedAt: 0 },
      result: { kind: 'delivered', status: 200 },
    },
    seed: '0'.repeat(32),
  });
  const row = workitem('0_0', { tries: 1 });
  const view = { ...bareView(workflow(ID)), workitems: new Map([[row.id, row]]) };
  memory.remember(ID, view, changesOf(ID, { workitems: new Map([[row.id, { kind: 'put', row }]]) }));
  expect(recall(memory, outcome(2))?.size).toBe(1);
  expect(recall(memory, outcome(3))?.size).toBe(0);
});

test('what nothing would prove has its rows locked', () => {
  const memory = quietMemory();
  memory.remember(ID, viewOf(), changesOf());
  const [one, other] = [proceed(), launched('w2' as WorkflowId)];
  expect(recall(memory, one, other)?.size).toBe(2);
  memory.doubt(one);
  expect(recall(memory, one, other)).toBeNull();
  expect(recall(memory, other)?.size).toBe(1);
});

test('it answers for the rows it has and for no others, and for no sets of rows', () => {
  const memory = quietMemory();
  const needs: readonly Need[] = [
    { kind: 'workitem', id: expression('0_0') },
    { kind: 'strand', path: '0.1' },
    { kind: 'agenda', id: 't' },
    { kind: 'variable', scope: expression('0'), name: 'v' },
  ];
  const others: readonly Need[] = [
    { kind: 'workitem', id: expression('0_9') },
    { kind: 'listeners' },
    { kind: 'agenda_kind', of: 'timer' },
    { kind: 'everything' },
    { kind: 'find', expression: expression('0_0') },
  ];
  const view: Loaded = {
    ...viewOf(),
    strands: new Map([['0.1', strand('0.1')]]),
    agenda: new Map([['t', agenda('t')]]),
    variables: new Map([[`${expression('0')} v`, variable('0', 'v')]]),
    answered: new Set([...needs, ...others].map(needKey)),
  };
  memory.remember(ID, view, changesOf());
  const found = recall(memory, proceed())?.get(ID);
  for (const need of needs) expect(found?.answered.has(needKey(need)), needKey(need)).toBe(true);
  for (const need of others) expect(found?.answered.has(needKey(need)), needKey(need)).toBe(false);
  expect(recall(memory, proceed(ID, '0_9'))?.size).toBe(0);
});

test.each([
  ['a pause', { hold: 1 }],
  ['a resume', { shift: 1 }],
  ['a sweep', { sweep: true }],
  ['its end', { workflow: workflow(ID, { status: 'completed', endedAt: 1 }) }],
])('after %s a workflow is forgotten', (_, given) => {
  const memory = quietMemory();
  memory.remember(ID, viewOf(), changesOf());
  memory.remember(ID, viewOf(), changesOf(ID, given));
  expect(recall(memory, proceed())?.size).toBe(0);
});

test('it is bounded: a large workflow is not kept, and of many the least used go', () => {
  const memory = quietMemory();
  memory.remember(ID, viewOf(ID, 'x'.repeat(REMEMBERED_CHARACTERS_MAX / 2)), changesOf());
  expect(recall(memory, proceed())?.size).toBe(0);
  const ids = Array.from({ length: 100 }, (_, i) => `many ${i}` as WorkflowId);
  for (const id of ids) memory.remember(id, viewOf(id, 'x'.repeat(100_000)), changesOf(id));
  const kept = ids.filter((id) => recall(memory, proceed(id))?.size === 1);
  expect(kept.length).toBeGreaterThanOrEqual(20);
  expect(kept.length).toBeLessThan(45);
  expect(kept.at(-1)).toBe(ids.at(-1));
});

test('memories that prove stale are not looked at for a while, longer each time, and trusted again when they prove true', () => {
  const memory = quietMemory();
  const waits: number[] = [];
  for (let round = 0; round < 8; round++) {
    memory.proved('stale', 'remembered');
    memory.remember(ID, viewOf(), changesOf());
    let waited = 0;
    while (recall(memory, proceed(), launched('w2' as WorkflowId))?.size === 1) waited += 1;
    waits.push(waited);
  }
  expect(waits).toEqual([1, 3, 7, 15, 31, 63, DISTRUST_BATCHES_MAX, DISTRUST_BATCHES_MAX]);
  for (let i = 0; i < 10; i++) memory.proved('true', 'remembered');
  memory.proved('stale', 'remembered');
  expect([recall(memory, proceed()), recall(memory, proceed())].map((found) => found?.size)).toEqual([0, 1]);
});

test('when what was looked at proves stale, rows are locked for a while, however right memories are', () => {
  const memory = quietMemory();
  memory.remember(ID, viewOf(), changesOf());
  memory.proved('stale', 'looked at');
  memory.proved('true', 'remembered');
  expect([recall(memory, proceed()), recall(memory, proceed())].map((found) => found?.size ?? null)).toEqual([null, 1]);
});

test('the end of a try that comes alone is not trusted to memory where others step the same workflows', () => {
  let isShared = false;
  const memory = makeMemory(() => isShared);
  memory.heard(false);
  memory.remember(ID, viewOf(), changesOf());
  expect(recall(memory, ended())?.size).toBe(1);
  isShared = true;
  expect(recall(memory, ended())?.size).toBe(0);
  expect(recall(memory, ended(), proceed())?.size).toBe(1);
});
