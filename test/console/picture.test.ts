import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bodiesAlive,
  calledOf,
  foreignTrees,
  placeOfChosen,
  shownAs,
  withBodies,
} from '../../console/picture/bodies.ts';
import { saidIn } from '../../console/picture/captions.ts';
import { makeChronicle } from '../../console/picture/chronicle.ts';
import { jumpsOf, jumpWires } from '../../console/picture/commands.ts';
import { everyPlace, figureOf, type Place, placeAt } from '../../console/picture/figure.ts';
import { joinWords } from '../../console/picture/joins.ts';
import { type Box, HANDLER, layout, openAtFirst } from '../../console/picture/layout.ts';
import { segmentsOf } from '../../console/picture/segments.ts';
import { type Entry, isForeignRoot, type Standing, standingOf } from '../../console/picture/standing.ts';
import { elementOf, statesOf } from '../../console/picture/states.ts';
import { svgOf } from '../../console/picture/svg.ts';
import { entriesFor, fieldsAt } from '../../console/picture/told.ts';
import { makeHomeRuns } from '../../console/picture/trees.ts';
import { type Move, makeRehearsal, type Played } from '../../console/rehearse/play.ts';
import { readDefinition } from '../../src/definition/read.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { treeToJson } from '../../src/model/tree.ts';

/* What the picture of a workflow shows beside its boxes: joins, handlers, arrows, bodies of calls, many branches. */

function treeOf(radial: string): Json {
  const read = readDefinition(radial);
  if (!read.ok) throw new Error('The definition is good');
  return treeToJson(read.tree);
}
const figure = (radial: string): Place => figureOf(treeOf(radial)) as Place;

/** A definition as it is played: the picture of it after each move. */
function played(radial: string, fields: JsonObject = {}) {
  const tree = treeOf(radial);
  let seeds = 0;
  const rehearsal = makeRehearsal(Date.UTC(2026, 0, 5), () => new Uint8Array(16).fill(++seeds));
  const chronicle = makeChronicle();
  let now = null as unknown as Played;
  const play = (move: Move): void => {
    now = rehearsal.play(move);
    expect(now.refused).toBe(null);
    chronicle.add(now.entries as unknown as readonly Entry[]);
  };
  play({ kind: 'launch', tree, fields });
  const launched = now.shown;
  const items = () => now.shown['workitems'] as readonly JsonObject[];
  return {
    chronicle,
    // As the server has it: definitions come first.
    root: figureOf(launched['tree'] ?? null) as Place,
    standing: (): Standing => standingOf(now.shown),
    /** The participants that are asked. */
    asked: (): readonly string[] => items().map((one) => String(one['participant'])),
    proceed(participant: string, given: JsonObject = {}): void {
      const item = items().find((one) => one['participant'] === participant);
      play({ kind: 'proceed', workitem: String(item?.['id']), fields: given });
    },
    fail(participant: string): void {
      const item = items().find((one) => one['participant'] === participant);
      play({ kind: 'fail', workitem: String(item?.['id']), class: 'NoTime', message: 'not today' });
    },
  };
}

test('the bar where branches join says how many are waited for, and how they are merged', () => {
  const words = (attributes: string, branches = 3): string => {
    const fork = figure(
      `define join\n  concurrence ${attributes}\n${Array.from({ length: branches }, (_, i) => `    p${i}`).join('\n')}`,
    );
    return joinWords(placeAt(fork, '0_0') as Place);
  };
  expect(words('')).toBe('all 3');
  expect(words("count: 2, merge_type: 'mix'")).toBe('2 of 3, merge mix');
  expect(words("c: -1, merge: 'last', mt: 'union'")).toBe('2 of 3, merge last union');
  expect(words('count: 0')).toBe('none waited for');
  expect(words("wait_for: 'a, b', remaining: 'forget'")).toBe('waits for a, b, forget the rest');
  expect(words("over_if: '${f:ok}', remaining: 'cancel'")).toBe('all 3, over if ${f:ok}');
  // It stands in the picture, and in the file of it; where one branch is alone there is nothing to join.
  const root = figure('define join\n  concurrence count: 1\n    alice\n    bob\n  concurrence\n    carol');
  const drawn = layout(root, () => true);
  expect(drawn.wires.flatMap(({ words: said }) => said?.text ?? [])).toEqual(['1 of 2']);
  expect(svgOf(drawn, new Map())).toContain('>1 of 2<');
});

const handled: fc.Memo<Json> = fc.memo((depth) => {
  const head = fc.constantFrom('sequence', 'concurrence', 'cursor', 'if', 'concurrent_iterator', 'alice', 'set');
  const attributes = fc.constantFrom(
    {},
    { on_error: 'boss' },
    { on_error: 'boss', on_timeout: 'clerk', on_cancel: 'undo' },
  );
  return fc
    .tuple(head, attributes, depth <= 1 ? fc.constant([]) : fc.array(handled(depth - 1), { maxLength: 4 }))
    .map((one) => one as Json);
});

test('handlers hang at the right edge of their box, and nothing lies over them', () => {
  fc.assert(
    fc.property(handled(4), (json) => {
      const root = figureOf(json) as Place;
      const { boxes, hangings, width, height } = layout(root, () => true);
      const all = hangings.map(({ place, x, y }) => ({ place, x, y, width: HANDLER.width, height: HANDLER.height }));
      expect(all).toHaveLength(
        [...everyPlace(root)].filter(({ kind }) => kind !== 'column').reduce((n, one) => n + one.handlers.length, 0),
      );
      for (const one of all) {
        const own = boxes.find(({ place }) => place === one.place);
        expect(one.x).toBe((own?.x ?? 0) + (own?.width ?? 0) + HANDLER.gap);
        expect(one.x + one.width <= width && one.y + one.height <= height).toBe(true);
        for (const other of [...boxes, ...all]) {
          if (other === one || one.place.expid.startsWith(`${other.place.expid}_`)) continue;
          const isOver =
            one.x < other.x + other.width &&
            other.x < one.x + one.width &&
            one.y < other.y + other.height &&
            other.y < one.y + one.height;
          expect(isOver).toBe(false);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('a handler is told with its place, and is in the file of the picture, which says when it runs', () => {
  const one = played("define handled\n  alice task: 'write', on_error: 'boss'");
  const place = placeAt(one.root, '0_0') as Place;
  expect([place.caption, place.tags, place.handlers]).toEqual(['write', [], [['on_error', 'boss']]]);
  const file = (): string =>
    svgOf(
      layout(one.root, () => true),
      statesOf(one.root, one.standing(), one.chronicle),
    );
  const inLive = /stroke="#1f5fbf" stroke-width="2"\/><text[^>]*>on error: boss</;
  expect(file()).toContain('>on error: boss<');
  expect(file()).not.toMatch(inLive);
  one.fail('alice');
  expect(one.asked()).toEqual(['boss']);
  expect(file()).toMatch(inLive);
});

test('of the commands of a cursor it is known where they lead', () => {
  const root = figure(`define led
  cursor tag: 'outer'
    alice
    bob tag: 'check'
    repeat
      carol
      rewind if: '\${f:again}'
      jump to: 'check', ref: 'outer'
      break ref: 'outer'
      skip 5
    jump to: 'check'
    jump to: -1
    jump to: '\${f:somewhere}'
    jump to: 'nobody'
    back 2
    skip
    concurrence
      break
  rewind`);
  expect(jumpsOf(root).map(({ from, to, isEnd }) => [from, isEnd ? `end of ${to}` : to])).toEqual([
    ['0_0_2_1', '0_0_2_0'],
    ['0_0_2_2', '0_0_1'],
    ['0_0_2_3', 'end of 0_0'],
    ['0_0_2_4', '0_0_2_0'],
    ['0_0_3', '0_0_1'],
    ['0_0_4', '0_0_9'],
    ['0_0_7', '0_0_6'],
    ['0_0_8', 'end of 0_0'],
    ['0_0_9_0', 'end of 0_0'],
  ]);
  // What is folded has no arrow.
  const wires = (open: (place: Place) => boolean) =>
    jumpWires(layout(root, open), jumpsOf(root)).map(({ from }) => from);
  expect(wires(() => true)).toHaveLength(9);
  expect(wires(({ expid }) => expid !== '0_0_2')).toEqual(['0_0_3', '0_0_4', '0_0_7', '0_0_8', '0_0_9_0']);
});

test('definitions lie on a shelf that says so, three in a row, and what is called stands below', () => {
  const root = figure(
    `define main\n${['a', 'b', 'c', 'd'].map((name) => `  define ${name}\n    alice`).join('\n')}\n  a`,
  );
  const { boxes, labels } = layout(root, ({ expid }) => expid === '0' || expid === '0_1');
  expect(labels.map(({ text }) => text)).toEqual(['Definitions']);
  const at = (expid: string) => boxes.find(({ place }) => place.expid === expid) as Box;
  expect([at('0_0').y, at('0_1').y, at('0_2').y]).toEqual([at('0_0').y, at('0_0').y, at('0_0').y]);
  expect(at('0_3').y).toBeGreaterThanOrEqual(at('0_1').y + at('0_1').height);
  expect(at('0_4').y).toBeGreaterThanOrEqual(at('0_3').y + at('0_3').height);
  expect(labels[0]?.y).toBeLessThan(at('0_0').y);
  expect(
    svgOf(
      layout(root, () => true),
      new Map(),
    ),
  ).toContain('>Definitions<');
});

test('a command was obeyed or passed over', () => {
  const one = played("define again\n  cursor\n    alice\n    rewind if: '${f:again}'\n    bob");
  const fired = (): boolean | undefined => statesOf(one.root, one.standing(), one.chronicle).get('0_0_1')?.hasFired;
  expect(fired()).toBe(false);
  one.proceed('alice', { again: true });
  expect([one.asked(), fired()]).toEqual([['alice'], true]);
  const file = svgOf(
    layout(one.root, () => true),
    statesOf(one.root, one.standing(), one.chronicle),
    one.root,
  );
  expect(file.match(/stroke="#1f5fbf" stroke-width="2" marker-end/g)).toHaveLength(1);
  // From deeper down, and to the end.
  const deep = played(
    "define again\n  cursor\n    alice\n    sequence\n      break if: '${f:enough}'\n      bob\n    carol",
  );
  deep.proceed('alice', { enough: true });
  expect(statesOf(deep.root, deep.standing(), deep.chronicle).get('0_0_1_0')?.hasFired).toBe(true);
  const other = played("define again\n  cursor\n    alice\n    rewind if: '${f:again}'\n    bob");
  other.proceed('alice');
  expect(other.asked()).toEqual(['bob']);
  expect(statesOf(other.root, other.standing(), other.chronicle).get('0_0_1')?.hasFired).toBe(false);
});

const CALLED = `define main
  define review
    author task: 'write for \${v:who}'
    reviewer
    define nothing
      nobody
  concurrence
    review who: 'alice'
    subprocess ref: 'review', who: 'bob'
  review who: 'carol'`;

test('what is called is drawn inside its call, each call with its own state', () => {
  const one = played(CALLED);
  const called = calledOf(one.root);
  expect(
    [...called].map(
      ([
        call,
        {
          root: { expid },
        },
      ]) => [call, expid],
    ),
  ).toEqual([
    ['0_1_0', '0_0'],
    ['0_1_1', '0_0'],
    ['0_2', '0_0'],
  ]);
  // Both calls that live are open by themselves.
  expect([...bodiesAlive(called, one.standing().expressions)].sort()).toEqual(['0_1_0', '0_1_1']);
  const root = withBodies(one.root, called, () => true);
  expect(placeAt(root, '0_1_1_c0')).toMatchObject({ expid: '0_1_1_c0', at: '0_0_1', title: 'author' });
  const shown = (call: string): readonly unknown[] => {
    const seen = statesOf(root, one.standing(), one.chronicle);
    return [call, `${call}_c0`, `${call}_c1`].map((expid) => seen.get(expid)?.state);
  };
  const authors = one.standing().workitems.map(({ id }) => id);
  expect(authors).toHaveLength(2);
  expect(shown('0_1_0')).toEqual(['live', 'waits', 'to come']);
  expect(shown('0_2')).toEqual(['to come', 'to come', 'to come']);
  one.proceed('author');
  const [first, second] = shown('0_1_0')[1] === 'done' ? ['0_1_0', '0_1_1'] : ['0_1_1', '0_1_0'];
  expect([shown(first), shown(second)]).toEqual([
    ['live', 'done', 'waits'],
    ['live', 'waits', 'to come'],
  ]);
  one.proceed('reviewer');
  expect(shown(first)).toEqual(['done', 'done', 'done']);
  one.fail('author');
  expect(shown(second)).toEqual(['live', 'failed', 'to come']);
  // A failure is followed down from the root, whether the body is open or not.
  const closed = withBodies(one.root, called, () => false);
  for (const each of [root, closed]) {
    const seen = statesOf(each, one.standing(), one.chronicle);
    expect([seen.get('0')?.inside.failed, seen.get('0_1')?.inside.failed, seen.get(second)?.inside.failed]).toEqual([
      1, 1, 1,
    ]);
  }
  // The address names an expression, the picture its place in that call.
  const seen = statesOf(root, one.standing(), one.chronicle);
  const [author] = one.standing().failures;
  expect(placeOfChosen(root, seen, author?.expressionId ?? '')?.expid).toBe(`${second}_c0`);
  expect(placeOfChosen(root, seen, '0_2_c1')?.title).toBe('reviewer');
  expect(shownAs(root, seen, '0_0_1')).toBe(`${second}_c0`);
  // It stands in its call; the definition stays folded on its shelf.
  const open = openAtFirst(root, seen, new Set(), new Set());
  expect([open.has(second), open.has('0_0')]).toEqual([true, false]);
  const { boxes } = layout(root, () => true);
  const [call, inside] = ['0_1_1', '0_1_1_c0'].map((expid) => boxes.find(({ place }) => place.expid === expid));
  expect(inside !== undefined && call !== undefined && inside.x > call.x && inside.y > call.y).toBe(true);
});

test('a definition may call another one, and is not drawn within itself', () => {
  const one = played(`define main
  define outer
    alice
    inner
    outer
  define inner
    bob
    outer
  outer`);
  const called = calledOf(one.root);
  expect([...called.keys()]).toEqual(['0_0_1', '0_1_1', '0_2']);
  one.proceed('alice');
  expect(one.asked()).toEqual(['bob']);
  const alive = bodiesAlive(called, one.standing().expressions);
  expect([...alive].sort()).toEqual(['0_2', '0_2_c1']);
  const root = withBodies(one.root, called, (call) => alive.has(call));
  const seen = statesOf(root, one.standing(), one.chronicle);
  expect(['0_2_c0', '0_2_c1', '0_2_c1_c0', '0_2_c1_c1'].map((expid) => seen.get(expid)?.state)).toEqual([
    'done',
    'live',
    'waits',
    'to come',
  ]);
  const all = withBodies(one.root, called, () => true);
  expect(['0_2_c2', '0_2_c1_c1'].map((expid) => placeAt(all, expid)?.calls)).toEqual(['', '']);
});

test('a sub-process that is a tree of its own has the places of nobody else, and is drawn in its call', () => {
  const one = played(`define main
  set 'v:other': [ 'define', {}, [ [ 'bob', {}, [] ], [ 'carol', {}, [] ] ] ]
  alice
  subprocess ref: 'other'
  dora`);
  const shown = (expids: readonly string[], root = one.root): readonly (string | undefined)[] => {
    const seen = statesOf(root, one.standing(), one.chronicle);
    return expids.map((expid) => seen.get(expid)?.state);
  };
  one.proceed('alice');
  expect(one.asked()).toEqual(['bob']);
  // Bob is at 0_0, as the first place of main is, and carol will be where alice was.
  expect(shown(['0_0', '0_1', '0_2', '0_3'])).toEqual(['done', 'done', 'live', 'to come']);
  const seen = statesOf(one.root, one.standing(), one.chronicle);
  expect([seen.get('0')?.live.length, seen.get('0_2')?.inside.waits, seen.get('0')?.inside.waits]).toEqual([1, 1, 1]);
  const told = one.standing().expressions.map((each) =>
    isForeignRoot(each)
      ? {
          ...each,
          tree: [
            'define',
            {},
            [
              ['bob', {}, []],
              ['carol', {}, []],
            ],
          ] as Json,
        }
      : each,
  );
  const called = calledOf(one.root, foreignTrees(told));
  expect([...bodiesAlive(called, told)]).toEqual(['0_2']);
  const root = withBodies(one.root, called, () => true);
  const all = ['0_0', '0_1', '0_2', '0_2_c0', '0_2_c1', '0_3'];
  expect(shown(all, root)).toEqual(['done', 'done', 'live', 'waits', 'to come', 'to come']);
  one.proceed('bob');
  expect(shown(all, root)).toEqual(['done', 'done', 'live', 'done', 'waits', 'to come']);
  one.proceed('carol');
  expect(shown(all, root)).toEqual(['done', 'done', 'done', 'done', 'done', 'waits']);
  // A line of time has none of them in rows of the workflow either.
  const runsAt = makeHomeRuns(one.chronicle, one.chronicle.last);
  expect(['0', '0_0', '0_1', '0_2'].map((expid) => runsAt(expid).length)).toEqual([1, 1, 1, 1]);
  expect(one.chronicle.runsAt('0_1', one.chronicle.last)).toHaveLength(2);
  // A definition that calls itself counts its places anew, too: they are not those of main.
  const self = played('define main\n  define again\n    alice\n    again\n  again\n  zoe');
  self.proceed('alice');
  const own = statesOf(self.root, self.standing(), self.chronicle);
  expect([own.get('0')?.live.length, own.get('0_0')?.live.length, own.get('0_0_0')?.state]).toEqual([1, 1, 'done']);
});

test('what a call gives to its sub-process is said where it is named, unless the sub-process sets it itself', () => {
  const root = withBodies(figure(CALLED), calledOf(figure(CALLED)), () => true);
  const said = (expid: string): string => saidIn(root, expid, placeAt(root, expid)?.caption ?? '', () => null);
  expect([said('0_1_0_c0'), said('0_2_c0'), said('0_0_0')]).toEqual([
    'write for alice',
    'write for carol',
    'write for ${v:who}',
  ]);
  const own = figure(
    "define main\n  define say\n    set 'v:who': 'me'\n    alice task: 'to ${v:who}'\n  say who: 'you'",
  );
  const bodies = withBodies(own, calledOf(own), () => true);
  expect(saidIn(bodies, '0_1_c1', 'to ${v:who}', () => null)).toBe('to ${v:who}');
});

test('a concurrence of thirteen branches is a crowd that shows one of them, and of twelve it has lanes', () => {
  const radial = (count: number): string =>
    `define wide\n  concurrence\n${Array.from({ length: count }, (_, i) => `    sequence\n      a${i}\n      b${i}`).join('\n')}`;
  expect(placeAt(figure(radial(12)), '0_0')?.kind).toBe('fork');
  const one = played(radial(13));
  const crowd = (chosen = '') => statesOf(one.root, one.standing(), one.chronicle, chosen).get('0_0');
  expect(placeAt(one.root, '0_0')?.kind).toBe('wide');
  expect([crowd()?.marks.length, crowd()?.shown, crowd()?.marks[0]?.state]).toEqual([13, 0, 'waits']);
  one.proceed('a0');
  one.proceed('b0');
  one.fail('a7');
  expect([
    crowd()?.state,
    crowd()
      ?.marks.map(({ state }) => state)
      .slice(0, 2),
    crowd()?.shown,
  ]).toEqual(['failed', ['done', 'waits'], 7]);
  // Chosen by its place, by what is in it, or by its expression.
  expect([crowd('0_0_3')?.shown, crowd('0_0_4_1')?.shown, crowd(crowd()?.marks[9]?.id)?.shown]).toEqual([3, 4, 9]);
  const shown = (...which: readonly number[]) =>
    layout(
      one.root,
      () => true,
      null,
      () => which,
    );
  const titles = (...which: readonly number[]) => shown(...which).boxes.map(({ place }) => place.title);
  expect(titles(7)).toEqual(['define', 'concurrence', 'a7', 'b7']);
  expect(titles(7, 2)).toEqual(['define', 'concurrence', 'a7', 'b7', 'a2', 'b2']);
  expect([shown(0).width, shown(0).height]).toEqual([shown(7).width, shown(7).height]);
});

test('an iterator says the element whose turn it is, and which of them came out badly', () => {
  const one = played("define each\n  iterator on: 'ann, bob, cid', to_v: 'who'\n    packer task: 'pack for ${v:who}'");
  const iterator = () => statesOf(one.root, one.standing(), one.chronicle).get('0_0');
  expect(elementOf(iterator())).toBe('ann');
  one.proceed('packer');
  expect(elementOf(iterator())).toBe('bob');
  expect(saidIn(one.root, '0_0_0', 'pack for ${v:who}', () => elementOf(iterator()))).toBe('pack for bob');
  one.fail('packer');
  const seen = iterator();
  expect(seen === undefined ? [] : segmentsOf(seen, 1, 3, 3)).toEqual(['done', 'failed', 'to come']);
  // Of more elements than there are segments each says the worst of its own.
  const many = { rounds: [], roundStates: [], inside: { live: 0, waits: 0, failed: 1, done: 0 } };
  expect(
    segmentsOf(many, 50, 120, 60)
      .map((state) => state.charAt(0))
      .join(''),
  ).toBe(`${'d'.repeat(25)}f${'t'.repeat(34)}`);
});

test('of the fields of an expression only what came to it counts: nothing of a branch beside it that it has not met', () => {
  const chronicle = makeChronicle();
  let n = 0;
  const say = (kind: Entry['kind'], id: string, more: { readonly [part: string]: Json } = {}): void => {
    n += 1;
    const [expid = ''] = id.split('!');
    const whose = kind.startsWith('workitem.') ? { workitem_id: `${id}!wf` } : { expression_id: id };
    chronicle.add([{ n, at: new Date(n * 1_000).toISOString(), kind, expid, name: 'x', ...whose, ...more }]);
  };
  say('workflow.launched', '', { given: { price: 1 } });
  say('expression.applied', '0!a');
  say('expression.applied', '0_0!f', { name: 'concurrence' });
  say('expression.applied', '0_0_0!s', { name: 'sequence' });
  say('expression.applied', '0_0_0_0!alice');
  say('expression.applied', '0_0_1!bob');
  say('workitem.proceeded', '0_0_0_0!alice', { given: { price: 2 } });
  say('expression.replied', '0_0_0_0!alice');
  say('expression.applied', '0_0_0_1!amy');
  say('workitem.proceeded', '0_0_1!bob', { given: { price: 3, box: 'B7' } });
  const fields = (id: string, moment = n) => fieldsAt(entriesFor(chronicle, id, moment), moment);
  expect(fields('0_0_0_1!amy')).toEqual({ price: 2 });
  expect(fields('0_0_1!bob')).toEqual({ price: 3, box: 'B7' });
  // Before alice had answered it was that of the launch.
  expect(fields('0_0_0_0!alice', 6)).toEqual({ price: 1 });
  say('expression.replied', '0_0_1!bob');
  say('expression.replied', '0_0_0_1!amy');
  say('expression.replied', '0_0_0!s');
  say('expression.replied', '0_0!f', { name: 'concurrence' });
  say('expression.applied', '0_1!carol');
  // Where they have met, all of them have come.
  expect(fields('0_1!carol')).toEqual({ price: 3, box: 'B7' });
});
