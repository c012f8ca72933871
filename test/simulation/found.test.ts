import { expect, test } from 'vitest';
import type { TryOutcome } from '../../src/engine/engine.ts';
import { afterTry } from '../../src/engine/outcomes.ts';
import { NO_RULES } from '../../src/engine/retry-rules.ts';
import { deliveredFields } from '../../src/interpreter/state/fields.ts';
import { step } from '../../src/interpreter/step.ts';
import { bareChanges, bareView, overlay } from '../../src/model/changes.ts';
import { unpackHistory } from '../../src/model/history.ts';
import type { ExpressionId, WorkflowId } from '../../src/model/ids.ts';
import type { WorkitemRow } from '../../src/model/rows.ts';
import { needKey } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { makeTree, type Tree } from '../../src/model/tree.ts';
import { makeDefinitions } from '../../src/server/definitions.ts';
import { AT, expression, patch, put, strand, workflow, workflowId, workitem } from '../store/samples.ts';
import { makeWorld, type World } from '../support/world.ts';

/* What the simulation has found, kept small: a seed means another world whenever the code changes. */

const definitions = makeDefinitions();

function launched(tree: Tree): { readonly world: World; readonly id: WorkflowId } {
  const world = makeWorld({ step, deliveredFields, startAt: AT });
  const id = workflowId();
  const launch = {
    id,
    tenant: DEFAULT_TENANT,
    ...definitions.prepare(tree),
    fields: {},
    callbacks: 'http://x/',
    retry: null,
  };
  world.stimulate(id, { kind: 'launch', launch });
  return { world, id };
}

const openOf = (world: World, id: WorkflowId, participant: string): ExpressionId => {
  const row = [...world.whole(id).workitems.values()].find(
    (one) => one.participant === participant && one.state === 'open',
  );
  if (row === undefined) throw new Error(`${participant} has no open workitem`);
  return row.id;
};

test('a kill frees the notices that a pause held back', () => {
  const { world, id } = launched(makeTree('sequence', [], [makeTree('ann'), makeTree('ben')]));
  world.deliver();
  world.stimulate(id, { kind: 'cancel_expression', expression: openOf(world, id, 'ann') });
  world.stimulate(id, { kind: 'pause' });
  expect(world.deliver()).toEqual([]);
  world.stimulate(id, { kind: 'kill' });
  const told = world.deliver().filter(({ participant }) => participant === 'ann');
  expect(told.map(({ status }) => status)).toEqual(['cancel']);
});

test('a cancel ends what was being re-applied', () => {
  const { world, id } = launched(makeTree('sequence', [], [makeTree('ann', [['on_cancel', 'ben']])]));
  world.deliver();
  const [root] = [...world.history(id)]
    .flatMap(({ entries }) => unpackHistory(entries, id))
    .flatMap((entry) => (entry.kind === 'expression.applied' ? [entry.expression_id] : []));
  world.stimulate(id, {
    kind: 'reapply',
    expression: root as ExpressionId,
    fields: null,
    tree: null,
  });
  expect(openOf(world, id, 'ben')).toBeTruthy();
  world.stimulate(id, { kind: 'cancel' });
  world.deliver();
  expect(world.whole(id).workflow?.status).toBe('cancelled');
});

test('children that were loaded stay known while no strand has changed', () => {
  const children = { kind: 'children', path: '0', at: expression('0'), after: -1, limit: 9, finished: false } as const;
  const row = workflow(workflowId());
  const view = { ...bareView(row), answered: new Set([needKey(children)]) };
  const noted = { ...bareChanges(row), workitems: new Map([[expression('0_0'), patch<WorkitemRow>({ tries: 1 })]]) };
  expect(overlay(view, noted).answered).toContain(needKey(children));
  const moved = { ...bareChanges(row), strands: new Map([['0.1', put(strand('0.1'))]]) };
  expect(overlay(view, moved).answered).not.toContain(needKey(children));
});

test('the end of a try says nothing about a workitem that was opened anew meanwhile', () => {
  const row = workitem('0_0', { openedAt: AT + 5 });
  const around = { workflow: workflowId(), schedule: { active: [1], notice: [1] }, rules: NO_RULES, fraction: 0 };
  const outcome: TryOutcome = {
    workflow: around.workflow, workitem: row.id, claim: 'c', send: 'active', number: 1, startedAt: AT, endedAt: AT + 9,
    openedAt: AT, result: { kind: 'delivered', status: 200 },
  }; // biome-ignore format: a list of parts
  expect(afterTry(row, outcome, around)).toBe(null);
  expect(afterTry(row, { ...outcome, openedAt: row.openedAt }, around)).not.toBe(null);
});

test('a handler of a cancel that asks for the same is cancelled as from outside: it does not wait for ever', () => {
  const { world, id } = launched(
    makeTree(
      'define',
      [],
      [
        makeTree('define', [['away', null]], [makeTree('cancel_process')]),
        makeTree('sequence', [['on_cancel', 'away']], [makeTree('participant', [['alpha', null]])]),
      ],
    ),
  );
  world.stimulate(id, { kind: 'cancel' });
  const { workflow: row } = world.whole(id);
  expect(row?.status).toBe('cancelled');
});
