import { expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import { auditRows } from '../../src/interpreter/audit.ts';
import { continuedAs, continuedFrom, tagsOf } from '../../src/interpreter/inspect.ts';
import { deliveredFields } from '../../src/interpreter/state/fields.ts';
import { step } from '../../src/interpreter/step.ts';
import { bareView, overlay } from '../../src/model/changes.ts';
import { unpackHistory } from '../../src/model/history.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { Fields } from '../../src/model/json.ts';
import type { Changes } from '../../src/model/rows.ts';
import { type Happening, type Launch, LIMITS, type Loaded, needKey } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { treeToStored } from '../../src/model/tree.ts';
import { makeWorld, type World } from '../support/world.ts';

/* Workflows that go on for each other: continue_as_new. */

const FIRST = '20260105-1200-kogadeso-gekunute' as WorkflowId;

function launched(text: string, fields: Fields, more: Partial<Launch> = {}): World {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  const world = makeWorld({ step, deliveredFields, startAt: Date.UTC(2026, 0, 5, 12), limits: LIMITS });
  const launch: Launch = {
    ...{ id: FIRST, tenant: DEFAULT_TENANT, tree: read.tree, hash: 'hash', name: 'watch', revision: null, fields },
    text: JSON.stringify(treeToStored(read.tree)),
    ...{ callbacks: 'http://participants.example/', retry: null },
    ...more,
  };
  world.stimulate(FIRST, { kind: 'launch', launch });
  return world;
}

/** What is due at once, until nothing is. */
function settle(world: World): void {
  for (let due = world.firstDue(); due !== null && due.row.dueAt <= world.now(); due = world.firstDue()) {
    world.stimulate(due.workflow, { kind: 'due', agenda: due.row.id });
    expect(auditRows(world.whole(due.workflow))).toEqual([]);
  }
}

const rowOf = (world: World, id: string) => {
  const row = world.whole(id as WorkflowId).workflow;
  if (row === null) throw new Error(`There is no workflow ${id}`);
  return row;
};
const kindsOf = (world: World, id: string): readonly string[] =>
  world
    .history(id as WorkflowId)
    .flatMap((row) => unpackHistory(row.entries, id as WorkflowId).map(({ kind }) => kind));
const errorsOf = (world: World): readonly string[] =>
  [...world.whole(FIRST).errors.values()].map((row) => `${row.class}: ${row.message}`);

const BRANCHES = `define watch
  concurrence
    alpha on_cancel: 'beta'
    sequence
      wait '1h'
      continue_as_new fields: 'a, gone'
`;

test('one that goes on as new is completed at once, and the new one has what its launch had', () => {
  const world = launched(
    BRANCHES,
    { a: 1, b: 2 },
    {
      ...{ businessKey: 'machine 7', tags: ['red'], timeout: '2d', historyMax: 2_000, retainDays: 3 },
      ...{ retry: { delays: [1] }, stored: { name: 'watch', version: 4 }, meta: { started_by: 'api' } },
    },
  );
  world.deliver();
  world.advanceTo(world.now() + 3_600_000);
  settle(world);
  const first = rowOf(world, FIRST);
  const next = continuedAs(first) ?? '';
  expect([first.status, continuedFrom(first)]).toEqual(['completed', null]);
  expect(kindsOf(world, FIRST).slice(-2)).toEqual(['workitem.closed', 'workflow.completed']);
  // Who is at work is told, and no handler of a cancel runs.
  expect(world.deliver().map(({ workflow, participant, status }) => [workflow, participant, status])).toEqual([
    [FIRST, 'alpha', 'cancel'],
    [next, 'alpha', 'active'],
  ]);
  const second = rowOf(world, next);
  expect(second).toMatchObject({
    ...{ status: 'running', name: 'watch', definition: first.definition, callbacks: first.callbacks },
    ...{ businessKey: 'machine 7', retry: first.retry, retainDays: 3, definitionName: 'watch', definitionVersion: 4 },
    meta: JSON.stringify({ started_by: 'api', continued_from: FIRST }),
  });
  expect([continuedFrom(second), continuedAs(second), tagsOf(second)]).toEqual([FIRST, null, ['red']]);
  expect(unpackHistory(world.history(next as WorkflowId)[0]?.entries ?? '[]', next as WorkflowId)[0]).toMatchObject({
    ...{ kind: 'workflow.launched', name: 'watch', history_max: 2_000, continued_from: FIRST },
  });
  const timers = [...world.whole(next as WorkflowId).agenda.values()].map(({ dueAt }) => dueAt - world.now());
  expect(timers.sort((a, b) => a - b)).toEqual([3_600_000, 172_800_000]);
  const [item] = world.whole(next as WorkflowId).workitems.values();
  expect(JSON.parse(item?.fields ?? '{}')).toEqual({ a: 1, params: { ref: 'alpha', on_cancel: 'beta' } });
});

test('two thousand rounds that nothing from outside holds up leave as many short histories', () => {
  const rounds = 2_000;
  const read = readDefinition(`define count\n  inc 'f:n'\n  continue_as_new if: '\${f:n} < ${rounds}'\n`);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  const context = { limits: LIMITS, definition: () => read.tree };
  const everything = new Set([needKey({ kind: 'everything' })]);
  const act = (loaded: Loaded, n: number, event: Happening): Changes => {
    const seed = n.toString(16).padStart(32, '0');
    const result = step({ ...loaded, answered: everything }, { now: 1, seed, event }, context);
    if (result.kind !== 'stepped' || result.changes === null) throw new Error('The step changes something');
    return result.changes;
  };
  const about = { tree: read.tree, hash: 'hash', text: '[]', name: null, revision: null, callbacks: {}, retry: null };
  let next: Launch | undefined = { ...about, id: FIRST, tenant: DEFAULT_TENANT, fields: { n: 0 } };
  let last: Changes | null = null;
  let made = 0;
  for (; next !== undefined; made++) {
    const begun = act(bareView(null), made * 2, { kind: 'launch', launch: next });
    last = act(overlay(bareView(null), begun), made * 2 + 1, { kind: 'due', agenda: 'continue' });
    if (last.workflow.status !== 'completed') throw new Error(`Round ${made} is ${last.workflow.status}`);
    next = last.successor;
  }
  expect(made).toBe(rounds);
  expect(last?.workflow.lastN).toBeLessThan(20);
  expect(last === null ? null : continuedFrom(last.workflow)).not.toBeNull();
});

test('those that follow each other for ever end in an error, and what happens from outside begins the count anew', () => {
  const text = "define watch\n  alpha if: '${f:ask}'\n  continue_as_new\n";
  const follows = { workflow: 'before' as WorkflowId, rounds: 100_000 };
  const looping = launched(text, { ask: false }, { follows });
  settle(looping);
  expect(errorsOf(looping)).toMatchObject([expect.stringMatching(/^LimitExceeded: 100000 workflows/)]);
  const asking = launched(text, { ask: true }, { follows });
  const [item] = asking.whole(FIRST).workitems.values();
  if (item === undefined) throw new Error('alpha is asked');
  asking.stimulate(FIRST, { kind: 'proceed', workitem: item.id, fields: { ask: true } });
  expect(errorsOf(asking)).toEqual([]);
  expect(continuedAs(rowOf(asking, FIRST))).not.toBeNull();
});

test('one that is being cancelled does not go on, and a participant of that name stays one', () => {
  const world = launched(
    "define watch\n  define 'again'\n    continue_as_new\n  sequence on_cancel: 'again'\n    alpha\n",
    {},
  );
  world.stimulate(FIRST, { kind: 'cancel' });
  settle(world);
  expect([rowOf(world, FIRST).status, continuedAs(rowOf(world, FIRST))]).toEqual(['cancelled', null]);
  const named = launched(
    'define watch\n  continue_as_new\n',
    {},
    { callbacks: { continue_as_new: 'http://x.example/' } },
  );
  expect(named.deliver().map(({ participant }) => participant)).toEqual(['continue_as_new']);
});

test('a definition that is not there, or does not take the fields, is an error where it stands', () => {
  const world = launched("define watch\n  continue_as_new definition: 'nobody'\n", {});
  settle(world);
  expect(rowOf(world, FIRST).status).toBe('error');
  expect(errorsOf(world)).toEqual(["ArgumentError: there is no stored definition 'nobody'"]);
});
