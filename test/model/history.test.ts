import { expect, test } from 'vitest';
import { type AnyEntry, joinHistory, packHistory, unpackHistory } from '../../src/model/history.ts';
import { type ExpressionId, type WorkflowId, workitemId } from '../../src/model/ids.ts';

const workflow = '20151005-1247-kogadeso-gekunute' as WorkflowId;
const id = (expid: string, digit: string): ExpressionId => `${expid}!${digit.repeat(32)}` as ExpressionId;
const applied = (expression: ExpressionId, more: object = {}): AnyEntry => ({
  kind: 'expression.applied',
  expid: expression.split('!')[0] ?? '',
  expression_id: expression,
  name: 'participant',
  ...more,
});
const opened = (expression: ExpressionId): AnyEntry => ({
  kind: 'workitem.opened',
  expid: expression.split('!')[0] ?? '',
  workitem_id: workitemId(expression, workflow),
  participant: 'alice',
});
const delivered = (expression: ExpressionId): AnyEntry => ({
  kind: 'callback.delivered',
  workitem_id: workitemId(expression, workflow),
  expression_id: expression,
  participant: 'alice',
  send: 'active',
  at: 1_444_049_220_000,
  try: 1,
  status: 200,
  milliseconds: 3,
});

/** What is read back, with the order of the parts. */
const roundTrip = (entries: readonly AnyEntry[]): string =>
  JSON.stringify(unpackHistory(packHistory(entries, workflow), workflow));

test('what is written is read back, part for part and in their order', () => {
  const [a, b] = [id('0_1', 'a'), id('0_2', 'b')];
  const entries: AnyEntry[] = [
    { kind: 'workflow.launched', name: null },
    delivered(a),
    { ...opened(a), kind: 'workitem.proceeded' },
    { ...applied(a), kind: 'expression.replied' },
    applied(b),
    opened(b),
    { ...opened(b), kind: 'workitem.closed', status: 'timeout' },
    { ...applied(b), kind: 'expression.cancelled' },
    { kind: 'workflow.completed' },
  ];
  expect(roundTrip(entries)).toBe(JSON.stringify(entries));
});

test('the usual step takes a third of what its entries say', () => {
  const [a, b] = [id('0_1', 'a'), id('0_2', 'b')];
  const entries = [
    delivered(a),
    { ...opened(a), kind: 'workitem.proceeded' },
    { ...applied(a), kind: 'expression.replied' },
    applied(b),
    opened(b),
  ];
  expect(packHistory(entries, workflow).length * 3).toBeLessThan(JSON.stringify(entries).length);
});

test.each<readonly [string, AnyEntry]>([
  ['has more parts than usual', applied(id('0', 'a'), { handler: 'on_error' })],
  ['names who asked for it', { kind: 'workflow.completed', actor: 'bob', reason: 'tired' }],
  ['has fewer parts than usual', { kind: 'expression.applied', expid: '0', expression_id: id('0', 'a') }],
  ['has its parts in another order', { kind: 'workitem.opened', participant: 'alice', expid: '0', workitem_id: 'x' }],
  ['has ids that contradict each other', applied(id('0_1', 'a'), { expid: '0_2' })],
  ['is about another workflow', { ...opened(id('0', 'a')), workitem_id: `${id('0', 'a')}!another` }],
  ['has no participant', { ...opened(id('0', 'a')), participant: null }],
  ['is of a kind that nobody foresaw', { kind: 'moon.risen', expid: '0', at: 7, list: [1, { x: null }] }],
])('an entry that %s is read back as it was', (_, entry) => {
  const entries = [applied(id('0_1', 'c')), entry, opened(id('0_1', 'c'))];
  expect(roundTrip(entries)).toBe(JSON.stringify(entries));
});

test.each<readonly [string, readonly AnyEntry[], readonly AnyEntry[]]>([
  ['about the same expression', [delivered(id('0_1', 'a'))], [opened(id('0_1', 'a')), applied(id('0_1', 'a'))]],
  ['about different ones', [delivered(id('0_1', 'a')), opened(id('0_9', 'd'))], [opened(id('0_1', 'a'))]],
  ['with something between that is kept whole', [opened(id('0_1', 'a')), { kind: 'x' }], [opened(id('0_1', 'a'))]],
  [
    'that begin with something about nobody',
    [opened(id('0_1', 'a'))],
    [{ kind: 'workflow.launched', name: id('0_1', 'a') }],
  ],
  ['of which the second is kept whole', [opened(id('0_1', 'a'))], [{ kind: 'x', of: id('0_1', 'a') }]],
])('texts %s can be joined', (_, first, second) => {
  const joined = joinHistory(packHistory(first, workflow), packHistory(second, workflow));
  expect(JSON.stringify(unpackHistory(joined, workflow))).toBe(JSON.stringify([...first, ...second]));
});

test('a joined text names an expression once', () => {
  const a = id('0_1', 'a');
  expect(joinHistory(packHistory([delivered(a)], workflow), packHistory([opened(a)], workflow)).split(a).length).toBe(
    2,
  );
});

test('texts of earlier versions, all objects, are read as they are', () => {
  const entries = [{ kind: 'workflow.launched', name: 'x' }, applied(id('0', 'a'))];
  expect(unpackHistory(JSON.stringify(entries), workflow)).toEqual(entries);
});

test('a text of a later version is refused instead of being misread', () => {
  expect(() => unpackHistory('[[99,"x"]]', workflow)).toThrow(/later version/);
});
