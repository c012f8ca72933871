import { expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import { step } from '../../src/interpreter/step.ts';
import { unpackHistory } from '../../src/model/history.ts';
import type { ExpressionId } from '../../src/model/ids.ts';
import type { Happening } from '../../src/model/stimulus.ts';
import { type Driver, drive } from '../properties/driver.ts';

/* Whatever somebody does to a workflow is told in its history, with who did it and why, before what it led to. */

let said: { readonly actor: string; readonly reason: string } | null = null;

function run(text: string): Driver {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return drive(read.tree, {
    step: (loaded, stimulus, context) => step(loaded, said === null ? stimulus : { ...stimulus, ...said }, context),
  });
}

const TEXT = 'define\n  sequence\n    alpha\n    bravo\n';
const expression = (driver: Driver): ExpressionId => driver.open()[0]?.id as ExpressionId;

type Act = (driver: Driver) => Happening;
const acts: [kind: string, expected: string, act: Act, before?: Act][] = [
  ['proceed', 'workitem.proceeded', (driver) => ({ kind: 'proceed', workitem: expression(driver), fields: {} })],
  [
    'fail',
    'workitem.failed',
    (driver) => ({ kind: 'fail', workitem: expression(driver), class: 'RuntimeError', message: 'no' }),
  ],
  ['edit', 'workitem.edited', (driver) => ({ kind: 'edit', workitem: expression(driver), fields: {}, revision: null })],
  ['cancel', 'workflow.cancelling', () => ({ kind: 'cancel' })],
  ['cancel while it is paused', 'workflow.cancelling', () => ({ kind: 'cancel' }), () => ({ kind: 'pause' })],
  ['pause', 'workflow.paused', () => ({ kind: 'pause' })],
  ['resume', 'workflow.resumed', () => ({ kind: 'resume' }), () => ({ kind: 'pause' })],
  [
    'cancel_expression',
    'expression.cancelling',
    (driver) => ({ kind: 'cancel_expression', expression: expression(driver) }),
  ],
  ['kill_expression', 'expression.dying', (driver) => ({ kind: 'kill_expression', expression: expression(driver) })],
  [
    'reapply',
    'expression.reapplying',
    (driver) => ({ kind: 'reapply', expression: expression(driver), fields: null, tree: null }),
  ],
  [
    'reply',
    'workitem.proceeded',
    (driver) => ({ kind: 'reply', expression: expression(driver), fields: { done: true } }),
  ],
  [
    'pause_expression',
    'expression.paused',
    (driver) => ({ kind: 'pause_expression', expression: expression(driver), breakpoint: null }),
  ],
  [
    'resume_expression',
    'expression.resumed',
    (driver) => ({ kind: 'resume_expression', expression: expression(driver), breakpoint: null }),
    (driver) => ({ kind: 'pause_expression', expression: expression(driver), breakpoint: null }),
  ],
  [
    'replay',
    'expression.replayed',
    (driver) => ({ kind: 'replay', expression: expression(driver), fields: null, tree: null }),
    (driver) => ({ kind: 'fail', workitem: expression(driver), class: 'RuntimeError', message: 'no' }),
  ],
];

test.each<[string, string, Act, Act?]>(acts)(
  '%s is told as %s, with the actor and the reason',
  (_, expected, act, before) => {
    const driver = run(TEXT);
    said = null;
    if (before !== undefined) driver.stimulate(before(driver));
    const known = driver.world.history(driver.id).length;
    said = { actor: 'ops', reason: 'the order was withdrawn' };
    expect(driver.stimulate(act(driver))).toMatchObject({ ok: true });
    said = null;
    const entries = driver.world
      .history(driver.id)
      .slice(known)
      .flatMap((row) => unpackHistory(row.entries, driver.id));
    expect(entries[0]).toMatchObject({ kind: expected, actor: 'ops', reason: 'the order was withdrawn' });
    expect(entries.slice(1).some((entry) => 'reason' in entry)).toBe(false);
  },
);

test('a kill is told with the actor and the reason, whatever its size', () => {
  for (const paused of [false, true]) {
    const driver = run(TEXT);
    if (paused) driver.stimulate({ kind: 'pause' });
    const known = driver.world.history(driver.id).length;
    said = { actor: 'ops', reason: 'no more' };
    driver.stimulate({ kind: 'kill' });
    said = null;
    const entries = driver.world
      .history(driver.id)
      .slice(known)
      .flatMap((row) => unpackHistory(row.entries, driver.id));
    expect(entries[0]).toMatchObject({ actor: 'ops', reason: 'no more' });
    expect(entries.map(({ kind }) => kind)).toContain('workflow.killed');
  }
});
