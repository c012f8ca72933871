import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineThrough, MINUTES, numberIn, pointsOf, toldOf } from '../../console/parts/spark-model.ts';
import { withinBudget } from '../../console/picture/budget.ts';
import { makeChronicle } from '../../console/picture/chronicle.ts';
import { figureOf, type Place } from '../../console/picture/figure.ts';
import {
  covered,
  densityOf,
  happeningsOf,
  pausesOf,
  spansOf,
  ticksOf,
  wordedTicks,
} from '../../console/picture/gantt.ts';
import { layout } from '../../console/picture/layout.ts';
import { mergesOf } from '../../console/picture/merges.ts';
import type { Entry } from '../../console/picture/standing.ts';
import { type Seen, statesOf } from '../../console/picture/states.ts';
import { svgOf } from '../../console/picture/svg.ts';
import { changesBetween } from '../../console/picture/told.ts';
import { readDefinition } from '../../src/definition/read.ts';
import { type MergeOrder, type MergeType, mergeReplies } from '../../src/language/merge.ts';
import type { HistoryKind } from '../../src/model/history-kinds.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { treeToJson } from '../../src/model/tree.ts';

/* What home and the page of one workflow make of what the server tells, without a page. */

const START = Date.UTC(2026, 0, 5, 12);
const second = (n: number): string => new Date(START + n * 1_000).toISOString();
/** An entry that happened as many seconds after noon as its number says. */
const entry = (n: number, kind: HistoryKind, more: JsonObject = {}): Entry => ({ n, at: second(n), kind, ...more });
const figure = (text: string): Place => {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(`It cannot be read: ${text}`);
  return figureOf(treeToJson(read.tree)) as Place;
};

test('a spark has a point a minute up to now, beyond an hour one for several, and lies on the ground where nothing happened', () => {
  const minute = (at: string, launched: number) => ({ at: `2026-01-05T${at}:00.000Z`, launched });
  const series = { of: (one: JsonObject) => numberIn(one, 'launched'), sum: 'sum' as const };
  const minutes = [minute('11:01', 4), minute('11:30', 1), minute('12:00', 2)];
  const points = pointsOf(series, minutes, '2026-01-05T12:00:30.000Z');
  expect(points.map(({ place, value }) => [place, value])).toEqual([
    [0, 4],
    [29, 1],
    [59, 2],
  ]);
  expect(toldOf(points, 'sum')).toBe(7);
  expect(toldOf(points, 'largest')).toBe(4);
  const line = lineThrough(points, 20).split(' ');
  expect(line).toHaveLength(MINUTES);
  expect([line[0], line[1], line[59]]).toEqual(['0,0', '1,20', '59,10']);
  expect(
    new Set(
      lineThrough([], 20)
        .split(' ')
        .map((one) => one.split(',')[1]),
    ),
  ).toEqual(new Set(['20']));
  // Two hours: both minutes of a point are one value.
  expect(pointsOf(series, [minute('11:58', 1), minute('11:59', 2)], '2026-01-05T12:00:30.000Z', 120)).toMatchObject([
    { place: 58, value: 3 },
  ]);
});

test('a pause is a band until it is resumed, cancelled or over; one that goes on reaches to the end', () => {
  const entries = [
    entry(1, 'workflow.launched'),
    entry(2, 'workflow.paused'),
    entry(5, 'workflow.resumed'),
    entry(7, 'workflow.paused'),
    entry(8, 'workflow.cancelling'),
    entry(9, 'workflow.paused'),
  ];
  const at = (n: number): number => START + n * 1_000;
  expect(pausesOf(entries, 9, at(20))).toEqual([
    { from: at(2), to: at(5) },
    { from: at(7), to: at(8) },
    { from: at(9), to: at(20) },
  ]);
  // In the past only those that had begun.
  expect(pausesOf(entries, 4, at(4))).toEqual([{ from: at(2), to: at(4) }]);
});

/** A participant that is reached with the second try, told to stop by a timeout, and the notice of that. */
function lateAlice(): { readonly entries: readonly Entry[]; readonly chronicle: ReturnType<typeof makeChronicle> } {
  const workitem_id = '0_0!aa!w';
  const asked = { expid: '0_0', expression_id: '0_0!aa', name: 'alice' };
  const item = { expid: '0_0', workitem_id, participant: 'alice' };
  const sent = { workitem_id, expression_id: '0_0!aa', participant: 'alice', send: 'active' };
  const entries = [
    entry(1, 'workflow.launched'),
    entry(2, 'expression.applied', { expid: '0', expression_id: '0!aa', name: 'define' }),
    entry(3, 'expression.applied', asked),
    entry(4, 'workitem.opened', item),
    entry(5, 'callback.refused', { ...sent, try: 1, status: 503, next_at: second(7) }),
    entry(6, 'callback.refused', { ...sent, try: 2, error: 'no answer', next_at: second(8) }),
    entry(7, 'callback.delivered', { ...sent, try: 3, status: 200 }),
    entry(8, 'signal.thrown', { expid: '0_0', name: 'hurry' }),
    entry(9, 'workitem.closed', { ...item, status: 'timeout' }),
    entry(10, 'expression.cancelled', asked),
    entry(11, 'callback.delivered', { ...sent, send: 'timeout', try: 1, status: 204 }),
  ];
  const chronicle = makeChronicle();
  chronicle.add(entries);
  return { entries, chronicle };
}

test('tries, notices and events of a place are ticks of their own, with words where there is room', () => {
  const { entries, chronicle } = lateAlice();
  const runs = chronicle.runsAt('0_0', 11);
  const ticks = ticksOf(runs, happeningsOf(entries, 11), 11, '0_0');
  expect(ticks.map(({ kind, ok, word }) => `${kind} ${ok} ${word}`)).toEqual([
    'try false ✖503',
    'try false ✖–',
    'try true ✓200',
    'event true hurry',
    'notice true timeout',
    'notice true ✓204',
  ]);
  // What no expression is known of belongs to the place alone.
  expect(ticksOf(runs, happeningsOf(entries, 11), 11, null)).toHaveLength(5);
  expect(ticksOf(runs, happeningsOf(entries, 5), 5, '0_0').map(({ n }) => n)).toEqual([5]);
  const worded = wordedTicks(ticks, (at) => (at - START) / 1_000, 2);
  expect([...worded]).toEqual([9, 11]);
});

test('a bar is not delivered until its first try, lies still between tries, and is with the participant from then on', () => {
  const { chronicle } = lateAlice();
  const [run] = chronicle.runsAt('0_0', 11);
  if (run === undefined) throw new Error('It was applied');
  const at = (n: number): number => START + n * 1_000;
  expect(spansOf(run, 11, at(20))).toEqual({
    delivery: { from: at(4), to: at(7) },
    answer: { from: at(7), to: at(10) },
    parts: [
      { from: at(4), to: at(5), kind: 'undelivered' },
      { from: at(5), to: at(6), kind: 'between' },
      { from: at(6), to: at(7), kind: 'between' },
    ],
  });
  // At a moment before the try that came through it is still under way.
  expect(spansOf(run, 6, at(6)).parts.at(-1)).toEqual({ from: at(6), to: at(6), kind: 'between' });
});

test('how many bars lie over each column is counted as if each were drawn', () => {
  const spans = fc.array(
    fc.tuple(fc.nat(99), fc.nat(99)).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(spans, (all) => {
      const counted = densityOf(all, (at) => at, 100, 50);
      expect(counted).toEqual(
        Array.from(
          { length: 50 },
          (_, i) => all.filter(({ from, to }) => Math.floor(from / 2) <= i && i <= Math.floor(to / 2)).length,
        ),
      );
      const seconds = new Set(all.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i)));
      expect(covered(all)).toBe(seconds.size);
    }),
  );
});

/** Two branches that were asked at once: the second replies first. */
function twoBranches(attributes: string): { readonly figure: Place; readonly entries: readonly Entry[] } {
  const applied = (n: number, expid: string, name: string): Entry =>
    entry(n, 'expression.applied', { expid, expression_id: `${expid}!a`, name });
  const gave = (n: number, expid: string, participant: string, given: JsonObject): Entry =>
    entry(n, 'workitem.proceeded', { expid, workitem_id: `${expid}!a!w`, participant, given });
  const replied = (n: number, expid: string): Entry =>
    entry(n, 'expression.replied', { expid, expression_id: `${expid}!a`, name: '' });
  return {
    figure: figure(`define two\n  concurrence${attributes}\n    sequence\n      alice\n    bob`),
    entries: [
      entry(1, 'workflow.launched', { given: { price: 1, list: ['x'], kept: 'as it was' } }),
      applied(2, '0', 'define'),
      applied(3, '0_0', 'concurrence'),
      applied(4, '0_0_0', 'sequence'),
      applied(5, '0_0_0_0', 'alice'),
      applied(6, '0_0_1', 'bob'),
      gave(7, '0_0_1', 'bob', { price: 3, list: ['b', 'x'], bob: { a: 1, b: { c: 1 } } }),
      replied(8, '0_0_1'),
      gave(9, '0_0_0_0', 'alice', { price: 2, list: ['a', 'x'], bob: { b: { d: 2 } } }),
      replied(10, '0_0_0_0'),
      replied(11, '0_0_0'),
      replied(12, '0_0'),
    ],
  };
}
const merged = (attributes: string, n = 12) => {
  const { figure: root, entries } = twoBranches(attributes);
  const chronicle = makeChronicle();
  chronicle.add(entries);
  return mergesOf(root, chronicle, n);
};

test('where two branches met it is told who gave which value in which, and what the merge made of them', () => {
  const [one] = merged(" merge: 'first', merge_type: 'mix'");
  expect(one).toMatchObject({ from: 3, to: 12, order: 'first', type: 'mix', isKnown: true });
  expect(one?.branches.map(({ name, arrival }) => [name, arrival])).toEqual([
    ['sequence', 2],
    ['bob', 1],
  ]);
  expect(
    one?.fields.map(({ name, values, merged: value }) => [name, ...values.map((by) => by?.n ?? null), value]),
  ).toEqual([
    ['bob', 9, 7, { a: 1, b: { c: 1 } }],
    ['list', 9, 7, ['b', 'x']],
    ['price', 9, 7, 3],
  ]);
  // Before the second has replied only the first counts; before both there is only what was there.
  expect(merged(" merge_type: 'union'", 8).length).toBe(0);
  expect(merged('', 9)[0]).toMatchObject({ to: null, branches: [{ arrival: null }, { arrival: 1 }] });
  expect(merged('', 9)[0]?.fields.find(({ name }) => name === 'price')?.merged).toBe(3);
  // A way that is computed is not guessed.
  expect(merged(" merge_type: '${how}'")[0]).toMatchObject({ type: '', isKnown: false });
});

test('what a merge is said to make is what the language makes of the same replies', () => {
  const before = { price: 1, list: ['x'], kept: 'as it was' };
  const alice = { ...before, price: 2, list: ['a', 'x'], bob: { b: { d: 2 } } };
  const bob = { ...before, price: 3, list: ['b', 'x'], bob: { a: 1, b: { c: 1 } } };
  const orders: readonly MergeOrder[] = ['first', 'last', 'highest', 'lowest'];
  const types: readonly MergeType[] = ['override', 'mix', 'isolate', 'stack', 'union', 'ignore', 'concat', 'deep'];
  for (const order of orders)
    for (const type of types) {
      const fields = mergeReplies({
        replies: [
          { index: 0, arrival: 2, fields: alice },
          { index: 1, arrival: 1, fields: bob },
        ],
        applied: before,
        merge: order,
        type,
      }) as { readonly [name: string]: Json };
      const said = merged(` merge: '${order}', merge_type: '${type}'`)[0]?.fields ?? [];
      expect(said.length).toBe(3);
      for (const { name, merged: value } of said) {
        // Those two have a place for each branch, which holds all of its fields.
        const each = Object.entries(type === 'isolate' ? fields : {}).map(([i, one]) => [i, (one as JsonObject)[name]]);
        const wanted =
          type === 'isolate'
            ? Object.fromEntries(each)
            : type === 'stack'
              ? (fields['stack'] as readonly JsonObject[]).map((one) => one[name])
              : fields[name];
        expect(value, `${name} by ${order}, ${type}`).toEqual(wanted);
      }
    }
});

test('fields of two moments are compared: what was given another value, what it was before, who gave it', () => {
  const { entries } = twoBranches('');
  const told = (a: number, b: number) =>
    changesBetween(entries, a, b)?.map(({ name, before, now }) => [name, before ?? null, now.value, now.who]);
  expect(told(1, 8)).toEqual([
    ['bob', null, { a: 1, b: { c: 1 } }, 'bob'],
    ['list', ['x'], ['b', 'x'], 'bob'],
    ['price', 1, 3, 'bob'],
  ]);
  expect(told(9, 12)).toEqual([]);
  expect(changesBetween([entry(1, 'workflow.launched')], 1, 1)).toBe(null);
});

test('what is opened beyond the boxes of a page folds what is over and farthest away, and what is around it stays', () => {
  const wide = (names: readonly string[]): string => names.map((name) => `    ${name}`).join('\n');
  const parts = Array.from({ length: 5 }, (_, i) => `  sequence tag: 't${i}'\n${wide(['a', 'b', 'c', 'd'])}`);
  const root = figure(`define many\n${parts.join('\n')}`);
  const all = new Set(['0', '0_0', '0_1', '0_2', '0_3', '0_4']);
  const live = { live: 1, waits: 0, failed: 0, done: 0 };
  const none = { ...live, live: 0 };
  const seen = new Map(
    [...all].map((expid) => [expid, { live: [], inside: expid === '0_0' ? live : none } as unknown as Seen]),
  );
  // 26 boxes, 4 in each part.
  expect(withinBudget(root, all, seen, '0_2', 26)).toEqual({ open: all, folded: [] });
  const { open, folded } = withinBudget(root, all, seen, '0_2', 18);
  expect(folded).toHaveLength(2);
  expect(open.has('0')).toBe(true);
  expect(open.has('0_2')).toBe(true);
  // What lives is folded last.
  expect(folded).not.toContain('0_0');
  expect(withinBudget(root, all, seen, '0_2', 10).folded.at(-1)).toBe('0_0');
});

test('what is not waited for leaves by a wire that says so, in the page and in the file', () => {
  const root = figure(
    'define side\n  alice forget: true\n  concurrence\n    bob flank: true\n    carol\n  dora forget: false',
  );
  const drawn = layout(root, () => true);
  const aside = drawn.wires.filter(({ kind }) => kind === 'aside');
  expect(aside.map(({ to, words }) => [to, words?.text])).toEqual([
    ['0_1', 'by itself'],
    ['0_1', 'by itself'],
  ]);
  expect(svgOf(drawn, new Map()).match(/>by itself</g)).toHaveLength(2);
});

test('while a handler runs in place of an expression its place says which, and not before or after', () => {
  const root = figure("define handled\n  alice on_error: 'boss'");
  const chronicle = makeChronicle();
  const asked = { expid: '0_0', name: 'alice' };
  chronicle.add([
    entry(1, 'workflow.launched'),
    entry(2, 'expression.applied', { expid: '0', expression_id: '0!a', name: 'define' }),
    entry(3, 'expression.applied', { ...asked, expression_id: '0_0!a' }),
    entry(4, 'expression.cancelled', { ...asked, expression_id: '0_0!a', handler: 'on_error' }),
    entry(5, 'expression.applied', { ...asked, expression_id: '0_0!b', name: 'boss' }),
    entry(6, 'expression.replied', { ...asked, expression_id: '0_0!b', name: 'boss' }),
  ]);
  const handlers = [3, 5, 6].map((n) => statesOf(root, chronicle.at(n), chronicle).get('0_0')?.handler);
  expect(handlers).toEqual([null, 'on_error', null]);
});
