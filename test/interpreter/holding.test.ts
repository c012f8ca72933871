import { expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import { inspect } from '../../src/interpreter/inspect.ts';
import { unpackHistory } from '../../src/model/history.ts';
import type { HistoryEntry } from '../../src/model/history-kinds.ts';
import type { ExpressionId } from '../../src/model/ids.ts';
import type { Fields } from '../../src/model/json.ts';
import { type Driver, drive } from '../properties/driver.ts';

/* One part of a workflow is held while the others go on; a part is replied for; and what the history says of branches. */

function run(text: string, fields: Fields = {}): Driver {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return drive(read.tree, { fields });
}

const live = (driver: Driver) => inspect(driver.world.whole(driver.id), driver.world.definition).expressions;
const at = (driver: Driver, expid: string) => live(driver).find((one) => one.expid === expid);
const idAt = (driver: Driver, expid: string): ExpressionId => at(driver, expid)?.id as ExpressionId;
const asked = (driver: Driver): readonly string[] => driver.open().map(({ participant }) => participant);
const pause = (driver: Driver, expid: string, breakpoint: string | null = null) =>
  driver.stimulate({ kind: 'pause_expression', expression: idAt(driver, expid), breakpoint });
const resume = (driver: Driver, expid: string, breakpoint: string | null = null) =>
  driver.stimulate({ kind: 'resume_expression', expression: idAt(driver, expid), breakpoint });
function proceed(driver: Driver, participant: string, fields: Fields = {}): void {
  const item = driver.open().find((one) => one.participant === participant);
  driver.stimulate({ kind: 'proceed', workitem: item?.id as ExpressionId, fields });
  driver.settle();
}
const history = (driver: Driver): readonly HistoryEntry[] =>
  driver.world.history(driver.id).flatMap((row) => unpackHistory(row.entries, driver.id));

const LANES = `define
  concurrence
    sequence
      alpha
      bravo
    sequence
      charly
      delta
`;

test('a branch that is paused keeps what is answered in it, and the others go on', () => {
  const driver = run(LANES);
  expect(pause(driver, '0_0_0')).toMatchObject({ ok: true });
  expect(at(driver, '0_0_0')?.state).toBe('paused');
  expect(driver.status()).toBe('running');
  proceed(driver, 'alpha', { a: 1 });
  proceed(driver, 'charly');
  expect(asked(driver)).toEqual(['delta']);
  expect(resume(driver, '0_0_0')).toMatchObject({ ok: true });
  driver.settle();
  expect(asked(driver)).toEqual(['bravo', 'delta']);
  proceed(driver, 'bravo');
  proceed(driver, 'delta');
  expect(driver.status()).toBe('completed');
  expect(driver.result()).toMatchObject({ a: 1 });
});

test('a timer in a branch that is paused counts when it is resumed', () => {
  const driver = run("define\n  concurrence\n    sequence\n      alpha timeout: '1h'\n      bravo\n    charly\n");
  pause(driver, '0_0_0');
  driver.world.advanceTo(driver.world.now() + 2 * 3_600_000);
  driver.settle();
  expect(asked(driver)).toEqual(['alpha', 'charly']);
  resume(driver, '0_0_0');
  driver.settle();
  expect(asked(driver)).toEqual(['bravo', 'charly']);
});

test('whatever comes to a breakpoint is held before it sets out, again and again, until the breakpoint is lifted', () => {
  const driver = run("define\n  cursor\n    alpha\n    bravo\n    rewind unless: '${f:ok}'\n");
  expect(pause(driver, '0_0', '0_0_1')).toMatchObject({ ok: true });
  expect(at(driver, '0_0')?.breakpoints).toEqual(['0_0_1']);
  proceed(driver, 'alpha');
  expect([asked(driver), at(driver, '0_0_1')?.state]).toEqual([[], 'paused']);
  resume(driver, '0_0_1');
  driver.settle();
  expect(asked(driver)).toEqual(['bravo']);
  proceed(driver, 'bravo');
  proceed(driver, 'alpha', { ok: true });
  expect(at(driver, '0_0_1')?.state).toBe('paused');
  resume(driver, '0_0', '0_0_1');
  expect(at(driver, '0_0')?.breakpoints).toEqual([]);
  resume(driver, '0_0_1');
  driver.settle();
  proceed(driver, 'bravo');
  expect(driver.status()).toBe('completed');
});

test('what is paused can be cancelled, and leaves nothing behind', () => {
  const driver = run(LANES);
  pause(driver, '0_0_0');
  proceed(driver, 'alpha');
  driver.stimulate({ kind: 'cancel_expression', expression: idAt(driver, '0_0_0') });
  driver.settle();
  expect(asked(driver)).toEqual(['charly']);
  pause(driver, '0_0_1', '0_0_1_1');
  proceed(driver, 'charly');
  driver.stimulate({ kind: 'cancel' });
  driver.settle();
  expect(driver.status()).toBe('cancelled');
  expect(driver.world.whole(driver.id).agenda.size).toBe(0);
});

test('a workflow that is paused and resumed leaves a part of it paused', () => {
  const driver = run(LANES);
  pause(driver, '0_0_0');
  driver.stimulate({ kind: 'pause' });
  proceed(driver, 'alpha');
  proceed(driver, 'charly');
  driver.stimulate({ kind: 'resume' });
  driver.settle();
  expect(asked(driver)).toEqual(['delta']);
  resume(driver, '0_0_0');
  driver.settle();
  expect(asked(driver)).toEqual(['bravo', 'delta']);
});

test('an expression is replied for: what runs below it is told to stop, and its parent has the fields', () => {
  const driver = run(LANES, { before: 1 });
  expect(driver.stimulate({ kind: 'reply', expression: idAt(driver, '0_0_0'), fields: { given: 2 } })).toMatchObject({
    ok: true,
  });
  driver.settle();
  expect(asked(driver)).toEqual(['charly']);
  expect(driver.delivered().some((one) => one.status === 'cancel' && one.participant === 'alpha')).toBe(true);
  driver.stimulate({ kind: 'reply', expression: idAt(driver, '0_0'), fields: { given: 3 } });
  driver.settle();
  expect(driver.status()).toBe('completed');
  expect(driver.result()).toMatchObject({ before: 1, given: 3 });
});

test('the history says whose child an expression is where its place does not, and of which element', () => {
  const driver = run(
    "define\n  sequence\n    concurrent_iterator on_val: 'lamp, chair', to_v: 'line'\n      sequence\n        packer\n    nobody\n",
  );
  const applied = history(driver).filter((entry) => entry.kind === 'expression.applied');
  const rows = applied.filter(({ expid }) => expid === '0_0_0_0');
  expect(rows.map((entry) => 'branch' in entry && entry.branch)).toEqual([
    { index: 0, element: 'lamp' },
    { index: 1, element: 'chair' },
  ]);
  expect(rows.some((entry) => 'parent_id' in entry)).toBe(false);
  const packers = applied.filter(({ expid }) => expid === '0_0_0_0_0');
  expect(packers.map((entry) => 'parent_id' in entry && entry.parent_id)).toEqual(rows.map((row) => row.expression_id));
});

test('each expression says since when it is there, and what waits or runs out of time is told', () => {
  const driver = run(
    "define\n  sequence\n    alpha timeout: '1h'\n    concurrence\n      bravo await: 'left_tag:x'\n      charly\n",
  );
  const began = driver.world.now();
  driver.world.advanceTo(began + 3_600_000);
  driver.settle();
  expect(at(driver, '0')?.since).toBe(began);
  expect(at(driver, '0_0_1')?.since).toBe(began + 3_600_000);
  expect(history(driver).map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['expression.timing_out', 'expression.awaiting']),
  );
});
