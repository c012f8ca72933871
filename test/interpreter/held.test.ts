import { expect, test } from 'vitest';
import type { StepContext } from '../../src/interpreter/state/world.ts';
import { step } from '../../src/interpreter/step.ts';
import { LIMITS, type Loaded, type StepResult } from '../../src/model/stimulus.ts';
import { outcome, play } from './play.ts';

/* The fields of an open workitem of the root strand are in its own row alone. That they are the right ones after every step is what the
 * audit and all other tests say; here is where they are, and what asks for them. */

const large = 'x'.repeat(500);

/** What a workflow waits with at `spike`, after one participant. */
function waiting(definition = "define\n  sequence\n    first\n    spike task: 'weigh'\n    last") {
  const played = play(definition, { fields: { a: 1 }, answers: { first: [{ given: large }] } });
  const rows = played.driver.world.whole(played.driver.id);
  const [workitem] = [...rows.workitems.values()];
  if (rows.workflow === null || workitem === undefined) throw new Error('It waits for spike');
  return { ...played, rows, workflow: rows.workflow, workitem };
}

test('fields that are new with a participant are written once, in the row of its workitem', () => {
  const { workflow, workitem, fields } = waiting();
  expect(workitem.fields).toContain(large);
  expect(`${workflow.state}${workflow.fields}`).not.toContain(large);
  expect(`${workflow.state}${workflow.fields}`).not.toContain('weigh');
  expect(fields).toEqual({ a: 1, given: large });
});

test('the values of the strand are the same for one participant as for the next', () => {
  const before = waiting('define\n  sequence\n    spike\n    last');
  const after = waiting();
  expect(after.workflow.fields).toBe(before.workflow.fields);
});

const stepOf = (
  rows: Loaded,
  event: Parameters<typeof step>[1]['event'],
  world: Pick<StepContext, 'definition'>,
): StepResult =>
  step(
    { ...rows, workitems: new Map(), answered: new Set() },
    { now: 2e12, seed: '1'.repeat(32), event },
    {
      limits: LIMITS,
      definition: world.definition,
    },
  );

test('a step that has nothing to do with the participant does without its workitem, and leaves the fields where they are', () => {
  const { rows, driver, workflow } = waiting();
  const result = stepOf(rows, { kind: 'broken', message: 'no' }, driver.world);
  expect(result.kind).toBe('stepped');
  if (result.kind !== 'stepped') return;
  expect(result.changes?.workflow.fields).toBe(workflow.fields);
});

test('a cancel asks for the workitem', () => {
  const { rows, driver, workitem } = waiting();
  expect(stepOf(rows, { kind: 'cancel' }, driver.world)).toEqual({
    kind: 'need',
    needs: [{ kind: 'workitem', id: workitem.id }],
  });
});

test('an expression goes on with what it was applied with after its workitem was edited', () => {
  const { driver, workitem } = waiting();
  driver.stimulate({ kind: 'edit', workitem: workitem.id, fields: { a: 2 }, revision: null });
  const rows = driver.world.whole(driver.id);
  expect(rows.workflow?.fields).toContain(large);
  expect(driver.result()).toEqual({ a: 1, given: large });
  driver.stimulate({ kind: 'reapply', expression: workitem.id, fields: null, tree: null });
  driver.settle();
  const messages = driver.delivered().filter((message) => message.participant === 'spike');
  expect(messages.map(({ status, fields }) => [status, fields['a']])).toEqual([
    ['active', 1],
    ['cancel', 2],
    ['active', 1],
  ]);
});

test('what was edited is handed on with the proceed', () => {
  const { driver, workitem } = waiting();
  driver.stimulate({ kind: 'edit', workitem: workitem.id, fields: { a: 2 }, revision: null });
  driver.stimulate({ kind: 'proceed', workitem: workitem.id, fields: { b: 3 } });
  driver.settle();
  expect(driver.result()).toEqual({ a: 2, given: large, b: 3 });
});

test('fields that look like ours are kept by the strand itself', () => {
  const definition = "define\n  sequence\n    set 'params': 'mine'\n    spike task: 'weigh'";
  const { driver, workitem, fields } = waiting(definition);
  expect(fields['params']).toBe('mine');
  driver.stimulate({ kind: 'fail', workitem: workitem.id, class: 'RuntimeError', message: 'no' });
  expect(outcome(driver).errors).toEqual(['RuntimeError: no']);
  driver.stimulate({ kind: 'replay', expression: workitem.id, fields: null, tree: null });
  expect(driver.result()['params']).toBe('mine');
});

test('an answer that has to wait for its turn takes the fields back into the strand', () => {
  const { driver, workitem } = waiting();
  driver.stimulate({ kind: 'pause' });
  driver.stimulate({ kind: 'proceed', workitem: workitem.id, fields: { b: 3 } });
  expect(driver.result()).toEqual({ a: 1, given: large });
  driver.stimulate({ kind: 'resume' });
  driver.settle();
  expect(driver.result()).toEqual({ a: 1, given: large, b: 3 });
});

test('a workitem that failed, was edited and is replayed goes out as it was applied', () => {
  const { driver, workitem } = waiting();
  driver.stimulate({ kind: 'fail', workitem: workitem.id, class: 'RuntimeError', message: 'no' });
  driver.stimulate({ kind: 'replay', expression: workitem.id, fields: null, tree: null });
  driver.settle();
  expect(driver.delivered().at(-1)).toMatchObject({ participant: 'spike', fields: { a: 1, given: large } });
});
