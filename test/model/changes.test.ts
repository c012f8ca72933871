import { expect, test } from 'vitest';
import {
  asksForPart,
  bareChanges,
  bareView,
  endsBatch,
  foldedHistory,
  joinChanges,
  overlay,
  withLoaded,
} from '../../src/model/changes.ts';
import { type ExpressionId, expressionId, type WorkflowId } from '../../src/model/ids.ts';
import type { AgendaRow, Changes, HistoryRow, Op, StrandRow, WorkflowRow, WorkitemRow } from '../../src/model/rows.ts';
import { type Loaded, type Need, needKey } from '../../src/model/stimulus.ts';

const workflow = { id: 'w' as WorkflowId, ver: 3, lastN: 5, status: 'running' } as WorkflowRow;
const id = (n: number): ExpressionId => expressionId(`0_${n}`, String(n).padStart(32, '0'));
const workitem = (n: number, more: Partial<WorkitemRow> = {}): WorkitemRow =>
  ({ id: id(n), state: 'open', send: 'active', tries: 0, ...more }) as WorkitemRow;
const agenda = (name: string): AgendaRow => ({
  id: name,
  kind: 'timer',
  dueAt: 1,
  heldAt: null,
  path: null,
  payload: '',
});
const changing = (
  workitems: readonly (readonly [number, Op<WorkitemRow>])[],
  more: Partial<Changes> = {},
): Changes => ({
  ...bareChanges({ ...workflow, lastN: 6 }),
  workitems: new Map(workitems.map(([n, op]) => [id(n), op])),
  ...more,
});
const need = (n: number): Need => ({ kind: 'workitem', id: id(n) });
const having = (rows: readonly WorkitemRow[], needs: readonly Need[]): Loaded => ({
  ...bareView(workflow),
  workitems: new Map(rows.map((row) => [row.id, row])),
  answered: new Set(needs.map(needKey)),
});

test('a later step sees what an earlier one wrote, changed and deleted', () => {
  const base = having([workitem(1), workitem(2), workitem(3)], [need(1), need(2), need(3)]);
  const view = overlay(
    base,
    changing([
      [1, { kind: 'delete' }],
      [2, { kind: 'patch', set: { tries: 4 } }],
      [4, { kind: 'put', row: workitem(4) }],
    ]),
  );
  expect([...view.workitems.values()].map((row) => [row.id, row.tries])).toEqual([
    [id(2), 4],
    [id(3), 0],
    [id(4), 0],
  ]);
  expect(view.workflow?.lastN).toBe(6);
  expect(base.workitems.size).toBe(3);
});

test('a row written or deleted in the batch needs no loading; one that was changed unseen does', () => {
  const view = overlay(
    bareView(workflow),
    changing([
      [1, { kind: 'put', row: workitem(1) }],
      [2, { kind: 'delete' }],
      [3, { kind: 'patch', set: { tries: 1 } }],
    ]),
  );
  expect([1, 2, 3].map((n) => view.answered.has(needKey(need(n))))).toEqual([true, true, false]);
  const loaded = withLoaded(bareView(workflow), having([workitem(3)], [need(3)]));
  const later = overlay(loaded, changing([[3, { kind: 'patch', set: { tries: 1 } }]]));
  expect(later.workitems.get(id(3))?.tries).toBe(1);
});

test('part of a set of strands that was loaded counts as loaded no more once strands have changed', () => {
  const children: Need = { kind: 'children', path: '0', at: id(1), after: -1, limit: 10, finished: false };
  const base = having([], [children, need(1)]);
  expect(asksForPart(children)).toBe(true);
  expect(asksForPart({ kind: 'listeners' })).toBe(false);
  const strand = { path: '0.1' } as StrandRow;
  const grown = overlay(base, changing([], { strands: new Map([['0.1', { kind: 'put', row: strand }]]) }));
  expect(grown.answered.has(needKey(children))).toBe(false);
  expect(grown.answered.has(needKey(need(1)))).toBe(true);
  // children are strands: where none has changed, the part is what it was
  expect(overlay(base, changing([[1, { kind: 'delete' }]])).answered.has(needKey(children))).toBe(true);
});

test('what is loaded later does not undo what is known', () => {
  const base = having([workitem(1, { tries: 2 })], [need(1)]);
  const both = withLoaded(base, having([workitem(1, { tries: 0 }), workitem(2)], [need(1), need(2)]));
  expect([...both.workitems.values()].map((row) => row.tries).sort()).toEqual([0, 2]);
  expect(both.workitems.get(id(1))?.tries).toBe(2);
  expect(both.answered.size).toBe(2);
});

test('two changes of one row become one', () => {
  const first = changing([
    [1, { kind: 'put', row: workitem(1) }],
    [2, { kind: 'patch', set: { tries: 1 } }],
    [3, { kind: 'put', row: workitem(3) }],
  ]);
  const second = changing([
    [1, { kind: 'patch', set: { tries: 7 } }],
    [2, { kind: 'patch', set: { state: 'failed' } }],
    [3, { kind: 'delete' }],
  ]);
  expect(Object.fromEntries(joinChanges(first, second).workitems)).toEqual({
    [id(1)]: { kind: 'put', row: workitem(1, { tries: 7 }) },
    [id(2)]: { kind: 'patch', set: { tries: 1, state: 'failed' } },
    [id(3)]: { kind: 'delete' },
  });
});

test('of two changes of one workflow the second says how it stands, and both say what happened', () => {
  const row = (n: number): HistoryRow => ({ firstN: n, lastN: n, at: 0, entries: '[]' });
  const first = changing([], { history: [row(1)], definitions: new Map([['a', '1']]) });
  const second = changing([], { history: [row(2)], definitions: new Map([['b', '2']]), hold: 5 });
  const all = joinChanges(first, { ...second, workflow: { ...second.workflow, ver: 3, name: 'last' } });
  expect(all).toMatchObject({ workflow: { ver: 3, name: 'last' }, history: [row(1), row(2)], hold: 5, shift: null });
  expect([...all.definitions.keys()]).toEqual(['a', 'b']);
});

test('a sweep takes what was written before it, all but the notices owed', () => {
  const first = changing(
    [
      [1, { kind: 'put', row: workitem(1) }],
      [2, { kind: 'put', row: workitem(2, { state: 'closed', send: 'cancel' }) }],
    ],
    { agenda: new Map([['t', { kind: 'put', row: agenda('t') }]]) },
  );
  const all = joinChanges(first, changing([], { sweep: true }));
  expect([...all.workitems.keys()]).toEqual([id(2)]);
  expect(all.agenda.size).toBe(0);
  expect(all.sweep).toBe(true);
});

test('a pause, a resume and a sweep end the workflow’s part of a batch', () => {
  expect(endsBatch(changing([]))).toBe(false);
  for (const more of [{ hold: 1 }, { shift: 1 }, { sweep: true }]) expect(endsBatch(changing([], more))).toBe(true);
});

test('neighbouring history rows fold into one list of entries', () => {
  const one = { firstN: 1, lastN: 2, at: 10, entries: '[{"kind":"a","at":1},{"kind":"b","at":2}]' };
  const two = { firstN: 3, lastN: 3, at: 20, entries: '[{"kind":"c"}]' };
  const folded = foldedHistory(one, two);
  expect(folded).toMatchObject({ firstN: 1, lastN: 3, at: 20 });
  expect(JSON.parse(folded.entries)).toEqual([{ kind: 'a', at: 1 }, { kind: 'b', at: 2 }, { kind: 'c' }]);
});

test('a notice that was delivered in the batch of a kill is not owed again', () => {
  const tried = changing([
    [1, { kind: 'delete' }],
    [2, { kind: 'patch', set: { tries: 1, dueAt: 9 } }],
    [3, { kind: 'put', row: workitem(3) }],
  ]);
  const { workitems } = joinChanges(tried, changing([], { sweep: true }));
  expect([...workitems]).toEqual([
    [id(1), { kind: 'delete' }],
    [id(2), { kind: 'patch', set: { tries: 1, dueAt: 9 } }],
  ]);
});
