import fc from 'fast-check';
import { afterAll, expect, test, vi } from 'vitest';
import { step } from '../../src/interpreter/step.ts';
import { isOver } from '../../src/model/rows.ts';
import type { StepResult } from '../../src/model/stimulus.ts';
import type { Tree } from '../../src/model/tree.ts';
import { fewOrAll } from '../support/all.ts';
import type { Step } from '../support/world.ts';
import { type Driver, drive, type Played, settings, timeout } from './driver.ts';
import {
  type Action,
  anyActions,
  anyFields,
  anyWorkflow,
  Histogram,
  mutatedWorkflow,
  withoutEndlessHandlers,
} from './workflows.ts';

/*
 * What holds for every workflow, tried on generated ones. The seed is printed; `SEED=… RUNS=… npx vitest run test/properties` has a
 * run again, or looks longer.
 */

const RUNS = settings(fewOrAll(200, 600));
/** The seed from which each name of the language is sure to have come: so many trees are enough. */
const HISTOGRAM_TREES = 4_000;

const workflow = fc.oneof(anyWorkflow, mutatedWorkflow);
const histogram = new Histogram();
let restless = 0;

vi.setConfig({ testTimeout: timeout(RUNS.numRuns) });
console.log(`SEED=${RUNS.seed} RUNS=${RUNS.numRuns}`);
afterAll(() => console.log(`${restless} workflows never came to rest; drawn were\n${histogram}`));

function play(tree: Tree, fields: Parameters<typeof drive>[1], actions: readonly Action[]): Driver {
  const driver = drive(tree, fields);
  for (const action of actions) driver.act(action);
  return driver;
}

test('no workflow makes a step throw or go past its budget, and after each step the rows add up', () => {
  let messages = 0;
  const counted: Step = (loaded, stimulus, context) => {
    const result = step(loaded, stimulus, context);
    if (result.kind === 'stepped') messages = Math.max(messages, stepsTaken(result));
    return result;
  };
  fc.assert(
    fc.property(workflow, anyFields, anyActions, fc.constantFrom(200, 50, 3), (tree, fields, actions, budget) => {
      histogram.add(tree);
      const driver = play(tree, { fields, step: counted, limits: { messages: budget } }, actions);
      if (driver.played().restless) restless++;
    }),
    RUNS,
  );
  expect(messages).toBeGreaterThan(0);
  expect(messages).toBeLessThan(20_000);
});

/** A measure of what one step did: what it told the history. */
const stepsTaken = (result: Extract<StepResult, { kind: 'stepped' }>): number =>
  (result.changes?.history ?? []).reduce((sum, row) => sum + row.lastN - row.firstN + 1, 0);

test('bounds on expressions, depth and fields become errors of the workflow, never more rows', () => {
  const limits = { expressions: 12, depth: 6, fieldsCharacters: 300, messages: 100 };
  fc.assert(
    fc.property(workflow, anyFields, anyActions, (tree, fields, actions) => {
      const seen = { expressions: 0 };
      const watched: Step = (loaded, stimulus, context) => {
        const result = step(loaded, stimulus, context);
        if (result.kind === 'stepped' && result.changes !== null)
          seen.expressions = Math.max(seen.expressions, JSON.parse(result.changes.workflow.header).expressions);
        return result;
      };
      play(tree, { fields, limits, step: watched }, actions);
      // One past the bound is the expression that failed for it, and a fork makes all it has begun to make.
      expect(seen.expressions).toBeLessThanOrEqual(limits.expressions + limits.messages);
    }),
    { ...RUNS, numRuns: Math.ceil(RUNS.numRuns / 3) },
  );
});

test('saving and loading between any two messages, or any split into turns, changes nothing', () => {
  fc.assert(
    fc.property(workflow, anyFields, anyActions, fc.integer({ min: 1, max: 6 }), (tree, fields, actions, messages) => {
      const whole = play(tree, { fields, audit: false, firings: 1, limits: { messages: 400 } }, actions).played();
      // Where one that never rests is interrupted depends on the budget.
      if (whole.restless) return;
      const turns = play(tree, { fields, audit: false, firings: 4_000, limits: { messages } }, actions).played();
      if (!turns.overtaken) expect(turns).toEqual<Played>(whole);
    }),
    RUNS,
  );
});

test('the same rows and the same stimulus give the same result', () => {
  const twice: Step = (loaded, stimulus, context) => {
    const first = step(loaded, stimulus, context);
    const second = step(loaded, stimulus, context);
    expect(shown(second)).toEqual(shown(first));
    return second;
  };
  fc.assert(
    fc.property(workflow, anyFields, anyActions, (tree, fields, actions) => {
      play(tree, { fields, step: twice, audit: false, limits: { messages: 60 }, firings: 10 }, actions);
    }),
    { ...RUNS, numRuns: Math.ceil(RUNS.numRuns / 3) },
  );
});

const shown = (result: StepResult): string =>
  JSON.stringify(result, (_, value: unknown) => (value instanceof Map ? [...value] : value));

test('a cancelled workflow ends, once its handlers are answered', () => {
  fc.assert(
    fc.property(workflow, anyFields, anyActions, (tree, fields, actions) => {
      const driver = play(
        withoutEndlessHandlers(tree),
        { fields, limits: { messages: 200 }, firings: 30 },
        before(actions),
      );
      for (let round = 0; round < 12 && !isOver(driver.status() ?? 'completed'); round++) {
        driver.stimulate({ kind: 'cancel' });
        driver.settle();
        for (const { id } of driver.open()) driver.stimulate({ kind: 'proceed', workitem: id, fields: {} });
        driver.settle();
      }
      expect(driver.status()).toSatisfy((status) => isOver(status));
    }),
    RUNS,
  );
});

test('a killed workflow ends at once, whatever it was doing', () => {
  fc.assert(
    fc.property(workflow, anyFields, anyActions, fc.constantFrom(1, 3, 1_000), (tree, fields, actions, messages) => {
      const driver = play(tree, { fields, limits: { messages }, firings: 5 }, before(actions));
      const wasOver = isOver(driver.status() ?? 'completed');
      const answer = driver.stimulate({ kind: 'kill' });
      expect(answer.ok).toBe(!wasOver);
      for (let turn = 0; turn < TURNS_MAX && !driver.settle(); turn++);
      expect(driver.status()).toSatisfy((status) => isOver(status));
    }),
    RUNS,
  );
});

/** A kill that walks through the expressions one by one takes turns like anything else. */
const TURNS_MAX = 200;
const before = (actions: readonly Action[]): readonly Action[] => actions.slice(0, 5);

test('the generators draw from every expression and every attribute of the language', () => {
  const drawn = new Histogram();
  for (const tree of fc.sample(workflow, { seed: 1, numRuns: HISTOGRAM_TREES })) drawn.add(tree);
  expect(drawn.missing()).toEqual({ expressions: [], attributes: [] });
});
