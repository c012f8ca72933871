import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressOfId } from '../../console/address/ids.ts';
import * as pages from '../../console/address/pages.ts';
import { rangeOf } from '../../console/address/range.ts';
import { tenant, withoutTenant, withTenant } from '../../console/address/tenant.ts';
import { curlOf, curlOfSent, wantsKey } from '../../console/api/curl.ts';
import { lastsIn, withLast } from '../../console/app/lasts-model.ts';
import { keptZone, offsetText } from '../../console/app/zone-name.ts';
import { diffOf, mergeOf } from '../../console/parts/diff.ts';
import { findIn, heldIn, isLargerThan, notationOf, partAt, pointerOf } from '../../console/parts/json-model.ts';
import { LICENCES } from '../../console/parts/licences.ts';
import { firstValue, partOf } from '../../console/parts/schema-model.ts';
import {
  agedText,
  ageText,
  countedText,
  countText,
  shortId,
  spanText,
  timeText,
  visible,
} from '../../console/parts/texts.ts';
import { makeChronicle } from '../../console/picture/chronicle.ts';
import { captionIn, everyPlace, figureOf, grafted, type Place, placeAt } from '../../console/picture/figure.ts';
import { BOXES_MAX, type Box, layout, openAtFirst } from '../../console/picture/layout.ts';
import { columnsOf, entryAt, placeOf } from '../../console/picture/moments.ts';
import { plainText, sentenceOf } from '../../console/picture/sentence.ts';
import { type Entry, STATUSES, type Standing, withRest } from '../../console/picture/standing.ts';
import { statesOf } from '../../console/picture/states.ts';
import { storyOf } from '../../console/picture/story.ts';
import { svgOf } from '../../console/picture/svg.ts';
import { timeScale } from '../../console/picture/time-scale.ts';
import { fieldsAt, fieldsTold } from '../../console/picture/told.ts';
import {
  add,
  begin,
  differences,
  duplicate,
  type Edited,
  isTree,
  mergedOf,
  move,
  moveIn,
  moveOut,
  nodeAt,
  redo,
  remove,
  take,
  treeOfWord,
  undo,
  wordOf,
  wrap,
} from '../../console/picture/tree-edit.ts';
import { makeRecorder } from '../../console/rehearse/case.ts';
import { type Move, makeRehearsal, type Played } from '../../console/rehearse/play.ts';
import { playThrough, readScript } from '../../console/rehearse/script.ts';
import { readDefinition } from '../../src/definition/read.ts';
import type { HistoryKind } from '../../src/model/history-kinds.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { treeToJson } from '../../src/model/tree.ts';

test('any state of a page becomes an address and the same state again', () => {
  const word = fc.string({ maxLength: 30 });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.constantFrom(...STATUSES)),
      word,
      word,
      fc.option(fc.nat(), { nil: null }),
      fc.constantFrom(...pages.VIEWS),
      fc.array(fc.stringMatching(/^\d(_\d){0,4}$/), { maxLength: 20 }),
      (status, name, tag, at, view, open) => {
        const list = {
          ...pages.workflows.read('').state,
          status,
          name,
          tag,
          cols: [...pages.COLUMNS].slice(open.length % 7),
        };
        expect(pages.workflows.read(pages.workflows.write(list))).toEqual({ state: list, complaints: [] });
        const one = { ...pages.workflow.read('').state, at, view, open, q: name };
        expect(pages.workflow.read(pages.workflow.write(one))).toEqual({ state: one, complaints: [] });
      },
    ),
  );
});

test('an address says what of it is not understood', () => {
  const { state, complaints } = pages.workflows.read('statsu=error&status=lost&name=order');
  expect(state.name).toBe('order');
  expect(state.status).toEqual([]);
  expect(complaints).toEqual([
    'status=lost means nothing here: ignored',
    '`statsu` is no filter of this page: ignored',
  ]);
});

test('ids that are pasted lead to their place', () => {
  const sub = '023abf5d398319b1c8fcbfaf70e7c780';
  const id = '20151005-1247-kogadeso-gekunute';
  expect(addressOfId(id)?.to).toBe(`/workflows/${id}`);
  expect(addressOfId(`0_0!${sub}!${id}`)?.to).toBe(`/workflows/${id}?sel=0_0!${sub}`);
  expect(addressOfId(`http://a/v1/workflows/${id}/workitems/0_0%21${sub}%21${id}/proceed`)?.to).toBe(
    `/workflows/${id}?sel=0_0!${sub}`,
  );
  expect(addressOfId(`msg_0_0!${sub}!${id}_active`)?.to).toBe(`/deliveries/msg_0_0!${sub}!${id}_active`);
  expect(addressOfId(`/v1/workflows/${id}/expressions/0_0!${sub}`)?.to).toBe(`/workflows/${id}?sel=0_0!${sub}`);
  expect(addressOfId('hello')).toBe(null);
});

test('every filter of deliveries, timers and the worklist stands in the address; a range may end in the future', () => {
  const deliveries = { ...pages.deliveries.read('').state, message: 'timeout', answer: '5xx', since: '-2h..' } as const;
  expect(pages.deliveries.read(pages.deliveries.write(deliveries))).toEqual({ state: deliveries, complaints: [] });
  expect(pages.timers.read('due=..1h&action=timeout').state).toMatchObject({ due: '..1h', action: 'timeout' });
  expect(pages.worklist.read('').state.order).toBe('oldest');
  const at = Date.parse('2031-05-01T12:00:30Z');
  expect(rangeOf('..1h', at)).toEqual({ from: null, to: '2031-05-01T13:00:00.000Z' });
  expect(rangeOf('-30m..1d', at)).toEqual({ from: '2031-05-01T11:30:00.000Z', to: '2031-05-02T12:00:00.000Z' });
  expect([rangeOf('1h', at), rangeOf('..soon', at)]).toEqual([null, null]);
});

test('a call as curl means the same to a shell, whatever strangers have written into it', () => {
  for (const hostile of [
    "'; touch /tmp/pwned; '",
    '$(id)',
    '`id`',
    '@/etc/passwd',
    '\\',
    '"',
    '‮',
    '\u001b[2J',
    'a\nb',
    '%00',
    '!!',
    '-x',
  ]) {
    const line = curlOf('POST', `http://127.0.0.1/v1/workflows/${encodeURIComponent(hostile)}`, { text: hostile });
    const words = execFileSync('sh', ['-c', `printf '%s\\0' ${line.slice('curl '.length)}`])
      .toString('utf8')
      .split('\0');
    const body = words[words.indexOf('--data-raw') + 1] ?? '';
    expect(JSON.parse(body)).toEqual({ text: hostile });
    expect(body).toMatch(/^[ -~]*$/);
    expect(words.filter((one) => one.startsWith('http'))).toHaveLength(1);
  }
});

test('a line for a shell takes the key of whoever pastes it, where the server asks for one, and what was sent is sent as it was', () => {
  wantsKey.value = true;
  expect(curlOf('POST', 'http://x/v1/workflows', {})).toContain('-H "Authorization: Bearer $ROTA_API_KEY"');
  wantsKey.value = false;
  expect(curlOf('POST', 'http://x/v1/workflows', {})).not.toContain('ROTA_API_KEY');

  const hostile = "'$(id)`id` é\u202e@";
  const line = curlOfSent(
    `http://127.0.0.1/%ff/[a]/é '?q='`,
    { 'rota-try': '1', 'x-empty': '', 'x-hostile': "'$(id)" },
    `{"text":${JSON.stringify(hostile)},"big":12345678901234567890}`,
  );
  const words = execFileSync('sh', ['-c', `printf '%s\\0' ${line.slice('curl '.length)}`])
    .toString('utf8')
    .split('\0');
  expect(words.slice(-2, -1)).toEqual(['http://127.0.0.1/%ff/[a]/%C3%A9%20%27?q=%27']);
  expect(words).toEqual(expect.arrayContaining(['rota-try: 1', 'x-empty;', "x-hostile: '$(id)"]));
  const body = words[words.indexOf('--data-raw') + 1] ?? '';
  expect(body).toMatch(/^[ -~]*$/);
  expect(body).toContain('12345678901234567890');
  expect(JSON.parse(body)).toMatchObject({ text: hostile });
});

test('a body that is too long for a word of a shell is read by curl from the lines after it', () => {
  const body = { text: `END\nEND_${'x'.repeat(200_000)}'` };
  const line = curlOf('POST', 'http://x/v1/workflows', body);
  const script = `curl() { printf '%s\\n' "$*"; cat; }\n${line}\n`;
  const [words, sent] = execFileSync('sh', ['-s'], { input: script, maxBuffer: 1_000_000 })
    .toString('utf8')
    .split('\n');
  expect(words).toMatch(/--data-binary @- http:\/\/x\/v1\/workflows$/);
  expect(JSON.parse(sent ?? '')).toEqual(body);
});

test('times, ids and invisible characters are said so that they can be read', () => {
  expect(spanText(225_000_000)).toBe('2 d 14 h');
  expect(spanText(900)).toBe('0 s');
  expect(ageText(1_000, 13_000)).toBe('12 s ago');
  expect(ageText(253_000, 13_000)).toBe('in 4 m');
  // In a list one unit is enough; beside the time itself there are two.
  expect(agedText(0, 225_000_000, '')).toBe('2 d ago');
  expect(agedText(0, 225_000_000, 'Tue 13:58')).toBe('Tue 13:58, 2 d 14 h ago');
  expect([countedText({ since: 1_000 }, 133_000), countedText({ until: 9_000 }, 1_000)]).toEqual(['2 m 12 s', '8 s']);
  expect(shortId('20151005-1247-kogadeso-gekunute')).toBe('05 Oct kogadeso-gekunute');
  expect(visible('a\u202eb\u001b\u0000')).toBe('a‹202E›b␛␀');
});

test('clocks and counts are said as the browser says them in English, without asking it', () => {
  const clock = (timeZone?: string) =>
    new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone });
  const day = (timeZone?: string) => new Intl.DateTimeFormat('en-GB', { dateStyle: 'short', timeZone });
  const time = fc.integer({ min: 0, max: 4_102_444_800_000 });
  fc.assert(
    fc.property(time, fc.integer({ min: 0, max: 2 * 86_400_000 }), (at, later) => {
      for (const zone of ['UTC', undefined]) {
        const shown = timeText(at, at + later, zone === undefined ? 'local' : 'UTC');
        expect(shown.endsWith(clock(zone).format(at))).toBe(true);
        expect(shown.length === 8).toBe(day(zone).format(at) === day(zone).format(at + later));
      }
    }),
  );
  fc.assert(fc.property(fc.maxSafeInteger(), (count) => countText(count) === count.toLocaleString('en-US')));
});

const ORDER: Json = [
  'define',
  { name: 'order' },
  [
    [
      'concurrence',
      { merge_type: 'mix' },
      [
        ['stock', {}, []],
        [
          'sequence',
          {},
          [
            ['fraud', {}, []],
            ['credit', { task: 'look' }, []],
          ],
        ],
      ],
    ],
    [
      'cursor',
      {},
      [
        ['author', {}, []],
        ['rewind', { unless: '${ok}' }, []],
      ],
    ],
    [
      'if',
      { test: '${ok}' },
      [
        ['shipping', {}, []],
        ['sales', {}, []],
      ],
    ],
  ],
];

const tree: fc.Memo<Json> = fc.memo((depth) => {
  const head = fc.constantFrom(
    'sequence',
    'concurrence',
    'cursor',
    'if',
    'concurrent_iterator',
    'alice',
    'set',
    'define',
    'wait',
  );
  return depth <= 1
    ? fc.tuple(head, fc.constant({}), fc.constant([])).map((one) => one as Json)
    : fc.tuple(head, fc.constant({}), fc.array(tree(depth - 1), { maxLength: 4 })).map((one) => one as Json);
});

const inside = (outer: Box, inner: Box): boolean =>
  inner.x >= outer.x - 0.01 &&
  inner.y >= outer.y - 0.01 &&
  inner.x + inner.width <= outer.x + outer.width + 0.01 &&
  inner.y + inner.height <= outer.y + outer.height + 0.01;
const overlap = (a: Box, b: Box): boolean =>
  a.x + 0.01 < b.x + b.width &&
  b.x + 0.01 < a.x + a.width &&
  a.y + 0.01 < b.y + b.height &&
  b.y + 0.01 < a.y + a.height;

test('in the picture of any tree children are inside their box and nothing else overlaps', () => {
  fc.assert(
    fc.property(tree(4), (json) => {
      const root = figureOf(json) as Place;
      const { boxes, width, height } = layout(root, () => true);
      for (const a of boxes)
        for (const b of boxes) {
          if (a === b) continue;
          if (b.place.expid.startsWith(`${a.place.expid}_`)) expect(inside(a, b)).toBe(true);
          else if (!a.place.expid.startsWith(`${b.place.expid}_`)) expect(overlap(a, b)).toBe(false);
        }
      for (const box of boxes) expect(box.x + box.width <= width && box.y + box.height <= height).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('branches of a crowd stand side by side: its lane is drawn once for each, and nothing overlaps', () => {
  const lane: Json = ['sequence', { tag: 'lane' }, [['picker', {}, []] as Json, ['packer', {}, []] as Json]];
  const root = figureOf([
    'define',
    {},
    [
      ['concurrent_iterator', { on_f: 'lines' }, [lane]],
      ['driver', {}, []],
    ],
  ]);
  const { boxes } = layout(root as Place, () => true, { crowd: '0_0', count: 3 });
  const [crowd] = boxes.filter(({ place }) => place.expid === '0_0');
  const pickers = boxes.filter(({ place }) => place.expid === '0_0_0_0');
  expect(pickers.map((box) => box.lane)).toEqual([0, 1, 2]);
  for (const one of pickers) {
    expect(inside(crowd as Box, one)).toBe(true);
    for (const other of pickers) if (other !== one) expect(overlap(one, other)).toBe(false);
  }
  expect(boxes.filter(({ place }) => place.expid === '0_1')).toHaveLength(1);
});

test('the tenant is a part of every address, and of each call as curl', () => {
  expect(withoutTenant('status=error&tenant=acme&order=oldest')).toEqual({
    tenant: 'acme',
    rest: 'status=error&order=oldest',
  });
  expect(withoutTenant('tenant=%2e%2e').tenant).toBe(null);
  expect(withTenant('/workflows', null)).toBe('/workflows');
  expect(withTenant('/workflows?status=error#x', 'acme')).toBe('/workflows?status=error&tenant=acme#x');
  expect(withTenant('/workflows?tenant=acme', 'acme')).toBe('/workflows?tenant=acme');
  tenant.value = 'acme';
  expect(curlOf('GET', 'http://x/v1/workflows')).toContain("-H 'Rota-Tenant: acme'");
  tenant.value = null;
});

const standing = (change: Partial<Standing>): Standing => ({
  n: null,
  at: '2026-01-05T12:00:00.000Z',
  status: 'running',
  expressions: [],
  workitems: [],
  timers: [],
  failures: [],
  ...change,
});
const live = (expid: string, name = 'x') => ({
  id: `${expid}!1`,
  expid,
  name,
  state: 'active',
  since: null,
  parentId: null,
  element: null,
  progress: null,
  breakpoints: [],
  tree: null,
});

test('a change of state moves no box', () => {
  const root = figureOf(ORDER) as Place;
  const open = new Set([...everyPlace(root)].map((place) => place.expid));
  const before = layout(root, (place) => open.has(place.expid));
  const seen = statesOf(root, standing({ expressions: [live('0'), live('0_0'), live('0_0_0')] }), null);
  expect(openAtFirst(root, seen, new Set(), new Set()).size).toBeGreaterThan(3);
  expect(layout(root, (place) => open.has(place.expid))).toEqual(before);
});

test('of ten thousand places at most 400 boxes are open, and what lives is among them', () => {
  const branch = (i: number): Json => [
    'sequence',
    {},
    Array.from({ length: 20 }, (_, k): Json => [`p${i}_${k}`, {}, []]),
  ];
  const root = figureOf([
    'define',
    {},
    [
      [
        'concurrence',
        {},
        Array.from(
          { length: 10 },
          (_, i): Json => ['concurrence', { n: i }, Array.from({ length: 50 }, (_, k) => branch(k))],
        ),
      ],
    ],
  ]) as Place;
  expect(root.below).toBeGreaterThan(10_000);
  const seen = statesOf(
    root,
    standing({ expressions: ['0', '0_0', '0_0_9', '0_0_9_49', '0_0_9_49_7'].map((one) => live(one)) }),
    null,
  );
  const open = openAtFirst(root, seen, new Set(), new Set());
  const { boxes } = layout(
    root,
    (place) => open.has(place.expid),
    null,
    ({ expid }) => [Math.max(0, seen.get(expid)?.shown ?? 0)],
  );
  expect(boxes.length).toBeLessThanOrEqual(BOXES_MAX);
  expect(boxes.some(({ place }) => place.expid === '0_0_9_49_7')).toBe(true);
});

test('the sentence begins with errors, then says who is asked, then what comes next', () => {
  const root = figureOf(ORDER) as Place;
  const at = standing({
    status: 'error',
    expressions: [live('0'), live('0_0'), live('0_0_0'), live('0_0_1'), live('0_0_1_1')],
    workitems: [
      {
        id: '0_0_1_1!1!w',
        expressionId: '0_0_1_1!1',
        expid: '0_0_1_1',
        participant: 'credit',
        state: 'open',
        openedAt: '2026-01-05T11:00:00.000Z',
        isOverdue: false,
        url: null,
        owed: 'active',
        tries: 2,
        triesMax: 12,
        lastStatus: 503,
        nextAt: null,
      },
    ],
    failures: [
      { expressionId: '0_0_0!1', expid: '0_0_0', class: 'NoBox', message: 'none left', at: '2026-01-05T11:30:00.000Z' },
    ],
  });
  const seen = statesOf(root, at, null);
  expect(seen.get('0_0_0')?.state).toBe('failed');
  expect(seen.get('0_0_1_1')?.state).toBe('waits');
  expect(seen.get('0_2')?.state).toBe('to come');
  expect(plainText(sentenceOf(at, root, seen, (expid) => placeAt(root, expid)))).toBe(
    'stock failed with NoBox: none left; it waits for somebody. credit is asked since 2026-01-05T11:00:00.000Z: 2 tries have failed. Then: cursor, if.',
  );
});

test('a message that is too long for the sentence is cut between two words', () => {
  const root = figureOf(ORDER) as Place;
  const failure = { expressionId: '0_0_0!1', expid: '0_0_0', class: 'NoBox', at: '2026-01-05T11:30:00.000Z' };
  const said = (message: string): string => {
    const at = standing({ status: 'error', expressions: [live('0')], failures: [{ ...failure, message }] });
    return plainText(sentenceOf(at, root, statesOf(root, at, null), (expid) => placeAt(root, expid)));
  };
  expect(said(`${'no box is left, '.repeat(20)}none`)).toMatch(/NoBox: (no box is left, )+no box…; it waits/);
  // Where it has no words it is cut all the same.
  expect(said('x'.repeat(400))).toMatch(/NoBox: x{120}…; it waits/);
});

test('who gave up says why once, in the story of it', () => {
  const entry = (n: number, kind: string, more: object): Entry =>
    ({ n, step: 7, at: '2026-01-05T11:30:00.000Z', kind, ...more }) as Entry;
  const [line] = storyOf([
    entry(1, 'workitem.failed', { participant: 'stock', message: 'no box' }),
    entry(2, 'expression.failed', { expid: '0_0', class: 'NoBox', message: 'no box' }),
  ]);
  expect(line?.text).toBe('stock gave up: no box → it failed with NoBox');
});

test('who is asked is told with the names of the fields that are others than before, a few of them', () => {
  const entry = (n: number, kind: string, more: object): Entry =>
    ({ n, step: 7, at: '2026-01-05T11:30:00.000Z', kind, ...more }) as Entry;
  const told = (more: object): string | undefined =>
    storyOf([
      entry(1, 'workitem.proceeded', { participant: 'stock' }),
      entry(2, 'workitem.opened', { participant: 'packer', ...more }),
    ])[0]?.text;
  expect(told({})).toBe('stock proceeded → packer is asked');
  expect(told({ changed: ['a', 'b'] })).toBe('stock proceeded → packer is asked (changed: a, b)');
  expect(told({ changed: [...'abcdefg'] })).toMatch(/changed: a, b, c, d, e and 2 more\)$/);
  expect(told({ changed_count: 900 })).toMatch(/packer is asked \(900 fields changed\)$/);
});

test('a task in a branch of a crowd is said with the element of that branch, whatever is written in it', () => {
  const crowd = (attributes: object) =>
    figureOf(['define', {}, [['concurrent_iterator', attributes as JsonObject, [['packer', {}, []]]]]])?.children[0];
  const said = (attributes: object, caption: string): string => {
    const place = crowd(attributes);
    return place === undefined ? '' : captionIn(place, '$& lamp', caption);
  };
  expect(said({ on_f: 'lines', to_v: 'line' }, 'pack ${v:line} for ${v:liner}')).toBe('pack $& lamp for ${v:liner}');
  expect(said({ on_f: 'lines', to_f: 'line' }, '${line}, ${f:line}')).toBe('$& lamp, $& lamp');
  expect(said({ on_f: 'lines', to: 'f:line' }, '${f:line} ${v:line}')).toBe('$& lamp ${v:line}');
  expect(said({ times: 3 }, 'number ${v:i}')).toBe('number $& lamp');
});

test('what is alive at once is shown whole, however many pages it is told in, each once, as the first of them has it', () => {
  const first = {
    id: 'w',
    status: 'error',
    expressions: [{ id: 'a', state: 'failed' }],
    workitems: [],
    timers: [],
    errors: [],
  };
  const pages = [
    { status: 'running', expressions: [{ id: 'b' }], errors: [{ expression_id: 'b' }] },
    {
      expressions: [{ id: 'a', state: 'active' }, { id: 'c' }],
      workitems: [{ id: 'i' }],
      timers: [{ at: 1 }, { at: 2 }],
    },
  ];
  expect(withRest(first, pages)).toEqual({
    ...first,
    expressions: [{ id: 'a', state: 'failed' }, { id: 'b' }, { id: 'c' }],
    workitems: [{ id: 'i' }],
    timers: [{ at: 1 }, { at: 2 }],
    errors: [{ expression_id: 'b' }],
  });
  expect(withRest(first, [])).toBe(first);
});

test('the lane of a crowd shows the branch that needs somebody, or the one that was chosen', () => {
  const root = figureOf([
    'define',
    {},
    [
      [
        'concurrent_iterator',
        { on_f: 'lines' },
        [
          [
            'sequence',
            {},
            [
              ['picker', {}, []],
              ['packer', {}, []],
              ['driver', {}, []],
            ],
          ],
        ],
      ],
    ],
  ]) as Place;
  const one = (expid: string, branch: string, parentId: string | null) => ({
    ...live(expid),
    id: `${expid}!${branch}`,
    parentId,
  });
  const branches = ['a', 'b', 'c'];
  const failure = (id: string) => ({ expressionId: id, expid: '0_0_0_1', class: 'NoBox', message: '', at: '' });
  const at = standing({
    status: 'error',
    expressions: [
      live('0'),
      live('0_0'),
      ...branches.map((branch) => ({ ...one('0_0_0', branch, '0_0!1'), element: `lamp ${branch}` })),
      one('0_0_0_0', 'a', '0_0_0!a'),
      one('0_0_0_1', 'b', '0_0_0!b'),
      one('0_0_0_2', 'c', '0_0_0!c'),
    ],
    failures: [failure('0_0_0_1!b')],
  });
  const shownIn = (chosen: string) => {
    const seen = statesOf(root, at, null, chosen);
    const crowd = seen.get('0_0');
    return [
      crowd?.marks[crowd.shown]?.element,
      ...['0_0_0_0', '0_0_0_1', '0_0_0_2'].map((expid) => seen.get(expid)?.state),
    ];
  };
  expect(shownIn('')).toEqual(['lamp b', 'skipped', 'failed', 'to come']);
  expect(shownIn('0_0_0_0!a')).toEqual(['lamp a', 'live', 'to come', 'to come']);
  expect(shownIn('0_0_0!c')).toEqual(['lamp c', 'skipped', 'skipped', 'live']);
  const all = statesOf(root, at, null);
  expect(all.get('0_0')?.state).toBe('failed');
  expect(all.get('0')?.inside).toMatchObject({ failed: 1 });
});

test('of a crowd of ten thousand the worst are found, in few boxes, and the sentence counts them', () => {
  const MANY = 10_000;
  const root = figureOf(['define', {}, [['concurrent_iterator', { on_f: 'lines' }, [['packer', {}, []]]]]]) as Place;
  const lost = [17, 4_000, 9_999];
  const id = (i: number): string => `0_0_0!${i}`;
  const at = standing({
    status: 'error',
    expressions: [
      live('0'),
      live('0_0'),
      ...Array.from({ length: MANY }, (_, i) => ({
        ...live('0_0_0', 'packer'),
        id: id(i),
        parentId: '0_0!1',
        element: `lamp ${i}`,
      })),
    ],
    failures: lost.map((i) => ({ expressionId: id(i), expid: '0_0_0', class: 'NoBox', message: 'none', at: '' })),
  });
  const seen = statesOf(root, at, null);
  const crowd = seen.get('0_0');
  expect(crowd?.marks.length).toBe(MANY);
  expect(crowd?.marks.flatMap(({ state }, i) => (state === 'failed' ? [i] : []))).toEqual(lost);
  expect(crowd?.marks[crowd.shown]?.element).toBe('lamp 17');
  const open = openAtFirst(root, seen, new Set(), new Set());
  expect(layout(root, (place) => open.has(place.expid)).boxes.length).toBeLessThanOrEqual(BOXES_MAX);
  const said = plainText(sentenceOf(at, root, seen, (expid) => placeAt(root, expid)));
  expect(said).toMatch(/^3 of 10,?000 /);
  expect(said.length).toBeLessThanOrEqual(300);
});

test('a picture that is taken away has all boxes, and texts of strangers are only texts in it', () => {
  const hostile = '<script>alert(1)</script>"&\u0000\u001b';
  const root = figureOf(['define', {}, [['participant', { ref: hostile, task: hostile }, []]]]) as Place;
  const svg = svgOf(
    layout(root, () => true),
    new Map(),
  );
  expect(svg).not.toContain('<script');
  expect(svg).toContain('&lt;script&gt;');
  expect(svg.match(/<rect /g)).toHaveLength(2);
  // What XML cannot say is not in it.
  expect([svg.includes('\u0000'), svg.includes('\u001b')]).toEqual([false, false]);
});

test('a place that is one word is that word in Radial, and is read back as the same place', () => {
  for (const tree of [
    ['carol', {}, []],
    ['noop', {}, []],
  ] as const) {
    expect(wordOf(tree as unknown as Json)).toBe(tree[0]);
    expect(treeOfWord(` ${tree[0]}\n`)).toEqual(tree);
  }
  for (const tree of [
    ['carol', { task: 'x' }, []],
    ['two words', {}, []],
    ['sequence', {}, [['a', {}, []]]],
  ])
    expect(wordOf(tree as Json)).toBe(null);
  expect([treeOfWord('a b'), treeOfWord(''), treeOfWord('<a/>')]).toEqual([null, null, null]);
});

test('a line of time keeps the order of what happened, and cuts the stretches in which nothing did', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100_000), { minLength: 2, maxLength: 40 }), (times) => {
      const scale = timeScale(0, 100_000, times);
      const places = [0, ...times, 100_000].sort((a, b) => a - b).map(scale.x);
      for (const [i, x] of places.entries()) {
        expect(x).toBeGreaterThanOrEqual((places[i - 1] ?? 0) - 1e-9);
        expect(x).toBeLessThanOrEqual(100 + 1e-9);
      }
      expect(places.at(-1)).toBeCloseTo(100);
    }),
  );
  const week = timeScale(0, 1_000_000, [100, 200, 999_900]);
  expect(week.cuts).toEqual([{ from: 200, to: 999_900 }]);
  expect(week.x(200) - week.x(100)).toBeGreaterThan(20);
  expect(timeScale(0, 1_000_000, [100, 200, 999_900], (from) => from === 200).cuts).toEqual([]);
});

test('of each field it is told who set it, and what it was before, at any moment; a history that keeps none says so', () => {
  const entry = (n: number, kind: HistoryKind, more: { [key: string]: Json } = {}) => ({
    n,
    at: '2026-01-05T12:00:00.000Z',
    kind,
    ...more,
  });
  const entries = [
    entry(1, 'workflow.launched', { given: { amount: 1, customer: 'Ada' } }),
    entry(2, 'workitem.opened', { participant: 'alice' }),
    entry(3, 'workitem.proceeded', { participant: 'alice', given: { amount: 2 } }),
    entry(4, 'workitem.edited', { actor: 'key:ops', given: { amount: 3, shelf: null } }),
  ];
  const told = (n: number) =>
    fieldsTold(entries, n)?.map(({ name, life }) => [name, ...life.map((one) => `#${one.n} ${one.who} ${one.value}`)]);
  expect(told(4)).toEqual([
    ['amount', '#1 launch 1', '#3 alice 2', '#4 edited by key:ops 3'],
    ['customer', '#1 launch Ada'],
    ['shelf', '#4 edited by key:ops null'],
  ]);
  expect(told(2)).toEqual([
    ['amount', '#1 launch 1'],
    ['customer', '#1 launch Ada'],
  ]);
  expect(fieldsTold([entry(1, 'workflow.launched'), entry(2, 'workflow.completed')], 2)).toBe(null);
  // All of them together are what another workflow can begin with; of what was too large for the history nobody knows.
  expect(fieldsAt(entries, 3)).toEqual({ amount: 2, customer: 'Ada' });
  expect(fieldsAt([...entries, entry(5, 'workitem.edited', { given_size: 90_000 })], 5)).toBe(null);
});

test('a story tells a step in one line', () => {
  const entry = (n: number, kind: HistoryKind, more: { [key: string]: Json } = {}) => ({
    n,
    at: `2026-01-05T12:00:0${Math.floor(n / 4)}.000Z`,
    kind,
    ...more,
  });
  const lines = storyOf([
    entry(1, 'workflow.launched', { name: 'order' }),
    entry(2, 'expression.applied', { name: 'alice', expid: '0_0' }),
    entry(3, 'workitem.opened', { participant: 'alice' }),
    entry(4, 'workitem.proceeded', { participant: 'alice' }),
    entry(5, 'workflow.completed'),
  ]);
  expect(lines.map(({ text }) => text)).toEqual([
    'launched as order → alice is asked',
    'alice proceeded → the workflow is completed',
  ]);
});

test('a range of an address is two moments, relative ones cut to the minute', () => {
  const now = Date.UTC(2026, 0, 5, 12, 0, 30);
  expect(rangeOf('-2h..', now)).toEqual({ from: '2026-01-05T10:00:00.000Z', to: null });
  expect(rangeOf('2026-01-01..2026-01-02', now)).toEqual({
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-01-02T00:00:00.000Z',
  });
  for (const none of ['', '..', 'yesterday..', '2026-01-01', '5..', '-2w..'])
    expect(rangeOf(none, now), none).toBe(null);
});

test('what differs between two texts gives both of them back', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffOf(before, after);
      const side = (not: '+' | '-'): string =>
        lines
          .filter(({ kind }) => kind !== not)
          .map(({ text: line }) => line)
          .join('\n');
      expect([side('+'), side('-')]).toEqual([before, after]);
      if (before === after) expect(lines.every(({ kind }) => kind === ' ')).toBe(true);
    }),
  );
});

test('three states of fields are merged: a conflict is where both changed the same to something else', () => {
  const merged = mergeOf({ a: 1, b: 1, c: 1, d: 1 }, { a: 2, b: 1, c: 2, d: 2 }, { a: 1, b: 3, c: 3, d: 2 });
  expect(merged.map(({ name, conflict }) => [name, conflict])).toEqual([
    ['a', false],
    ['b', false],
    ['c', true],
    ['d', false],
  ]);
});

test('a schema becomes fields; what a form has no field for is JSON that says because of which word', () => {
  const kind = (schema: JsonObject, value?: Json): string => {
    const part = partOf(schema, 'x', value);
    return part.kind === 'json' ? `json ${part.because}` : part.kind;
  };
  expect(kind({ type: 'string', format: 'date' })).toBe('text');
  expect(kind({ oneOf: [{ const: 1, title: 'One' }] })).toBe('choice');
  expect(kind({ enum: ['a', 2] })).toBe('choice');
  expect(kind({ type: 'array', items: { type: 'string' } })).toBe('list');
  expect(kind({ type: 'object', patternProperties: {} })).toBe('json patternProperties');
  expect(kind({ oneOf: [{ type: 'string' }] })).toBe('json oneOf');
  expect(kind({ type: ['string', 'null'] })).toBe('json type');
  const conditional = {
    type: 'object',
    properties: { pay: { enum: ['card', 'bill'] } },
    if: { properties: { pay: { const: 'card' } } },
    then: { properties: { number: { type: 'string' } }, required: ['number'] },
  };
  const members = (value: Json): readonly string[] => {
    const part = partOf(conditional, 'x', value);
    return part.kind === 'object' ? part.members.map(([name, , needed]) => `${name}${needed ? '!' : ''}`) : [];
  };
  expect(members({ pay: 'bill' })).toEqual(['pay']);
  expect(members({ pay: 'card' })).toEqual(['pay', 'number!']);
  expect(firstValue({ type: 'object', properties: { a: { default: 1 }, b: {} } }, { b: 2 })).toEqual({ a: 1, b: 2 });
});

test('a rehearsal is played to its end: participants answer, fail and are replayed, timers fire when the clock is moved', () => {
  const read = readDefinition("define late\n  alice task: 'answer', timeout: '2d', on_timeout: 'boss'\n  clerk\n");
  if (!read.ok) throw new Error('The definition is good');
  let seeds = 0;
  const rehearsal = makeRehearsal(Date.UTC(2026, 0, 5), () => new Uint8Array(16).fill(++seeds));
  const asked = ({ shown }: Played): readonly string[] =>
    (shown['workitems'] as readonly JsonObject[]).map((one) => String(one['participant']));
  const item = ({ shown }: Played): string => String((shown['workitems'] as readonly JsonObject[])[0]?.['id']);
  const recorder = makeRecorder();
  const play = (move: Move): Played => {
    const played = rehearsal.play(move);
    recorder.take(move, played);
    return played;
  };
  const begun = play({ kind: 'launch', tree: treeToJson(read.tree), fields: { a: 1 } });
  expect(asked(begun)).toEqual(['alice']);
  expect(begun.nextDueAt).toBe(Date.UTC(2026, 0, 7));
  const late = play({ kind: 'next' });
  expect([late.now, ...asked(late)]).toEqual([Date.UTC(2026, 0, 7), 'boss']);
  const clerk = play({ kind: 'proceed', workitem: item(late), fields: { b: 2 } });
  const failed = play({ kind: 'fail', workitem: item(clerk), class: 'NoTime', message: 'not today' });
  expect(failed.shown['status']).toBe('error');
  expect(play({ kind: 'proceed', workitem: 'nobody!0', fields: {} }).refused).not.toBe(null);
  const again = play({ kind: 'replay', expression: item(clerk).split('!').slice(0, 2).join('!') });
  const ended = play({ kind: 'proceed', workitem: item(again), fields: {} });
  expect(ended.shown['status']).toBe('completed');
  expect(ended.shown['fields']).toMatchObject({ a: 1, b: 2 });
  expect(ended.entries.at(-1)?.['kind']).toBe('workflow.completed');
  // What was played is taken away as a case: what was done, and what came of it.
  const { script, expect: came } = recorder.caseOf({ name: 'late', format: 'radial', definition: '' });
  expect(script).toEqual([
    { sleep: 2 * 86_400 },
    { do: 'proceed', participant: 'boss', target_nth: 1, fields: { b: 2 } },
    { do: 'fail', participant: 'clerk', target_nth: 1, class: 'NoTime', message: 'not today' },
    { do: 'replay', expid: '0_1' },
    { do: 'proceed', participant: 'clerk', target_nth: expect.any(Number), fields: {} },
  ]);
  expect(came).toMatchObject({ outcome: 'terminated', final_fields: { a: 1, b: 2 }, errors: [], remaining: [] });
});

test('answers of a script are given in turn and when they are due; who is not in it is played by hand', async () => {
  const read = readDefinition(
    "define scripted\n  concurrence\n    stock on_error: 'redo'\n    credit timeout: '1d', on_timeout: 'boss'\n  shipping\n",
  );
  if (!read.ok) throw new Error('The definition is good');
  let seeds = 0;
  const rehearsal = makeRehearsal(Date.UTC(2026, 0, 5), () => new Uint8Array(16).fill(++seeds));
  const moves: string[] = [];
  const script = readScript({
    stock: [{ fail: 'no box', class: 'NoBox' }, { proceed: { shelf: 7 } }],
    credit: [{ proceed: { credit: 'good' }, after: 7_200 }],
    packer: 'proceed',
  });
  if (typeof script === 'string') throw new Error(script);
  let played: Played | null = null;
  const take = async (move: Move): Promise<Played> => {
    const one = async (each: Move): Promise<Played> => {
      moves.push(each.kind);
      return rehearsal.play(each);
    };
    ({ last: played } = await playThrough(move, { script, before: played, one }));
    if (played === null) throw new Error('It goes on');
    return played;
  };
  const asked = ({ shown }: Played): readonly string[] =>
    (shown['workitems'] as readonly JsonObject[]).map((one) => String(one['participant']));
  const begun = await take({ kind: 'launch', tree: treeToJson(read.tree), fields: {} });
  expect([moves, asked(begun)]).toEqual([['launch', 'fail', 'proceed'], ['credit']]);
  // The answer comes on the way of the clock, before the timeout would.
  const later = await take({ kind: 'advance', by: 3 * 86_400_000 });
  expect(moves.slice(3)).toEqual(['advance', 'proceed', 'advance']);
  expect([later.now, asked(later)]).toEqual([Date.UTC(2026, 0, 8), ['shipping']]);
  expect(later.shown['fields']).toMatchObject({ shelf: 7 });
  expect(readScript({ a: { proceed: {}, fail: 'x' } })).toBe('a: an answer has either proceed or fail');
  expect(readScript({ a: [{ proceed: {}, later: 1 }] })).toMatch(/"later" is none of/);
  expect(readScript([])).toMatch(/object/);
});

test('a script that would answer for ever is stopped', async () => {
  const read = readDefinition('define endless\n  loop\n    alpha\n');
  const script = readScript({ '*': 'proceed' });
  if (!read.ok || typeof script === 'string') throw new Error('Both are good');
  let seeds = 0;
  const rehearsal = makeRehearsal(Date.UTC(2026, 0, 5), () => {
    seeds++;
    return Uint8Array.from({ length: 16 }, (_, i) => (seeds >> (8 * (i % 4))) & 0xff);
  });
  const one = async (move: Move): Promise<Played> => rehearsal.play(move);
  const launch: Move = { kind: 'launch', tree: treeToJson(read.tree), fields: {} };
  expect(await playThrough(launch, { script, before: null, one })).toMatchObject({ isStopped: true });
});

test('what the pages contain of others is named with its licence', () => {
  const root = join(import.meta.dirname, '../..');
  const files = readdirSync(join(root, 'console'), { recursive: true, encoding: 'utf8' });
  const own = files
    .filter((file) => /\.tsx?$/.test(file) && file !== 'vite.config.ts')
    .flatMap((file) => [...readFileSync(join(root, 'console', file), 'utf8').matchAll(/from '([@a-z][^'.]*)'/g)])
    .map(([, name = '']) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    )
    .filter((name) => !name.startsWith('node:'));
  type Package = { readonly license: string; readonly dependencies?: { readonly [name: string]: string } };
  const found = new Map<string, string>();
  // The rehearsal computes times with what the server does.
  for (const waiting = [...own, 'luxon']; waiting.length > 0; ) {
    const name = waiting.pop() ?? '';
    if (found.has(name)) continue;
    const read = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as Package;
    found.set(name, read.license);
    waiting.push(...Object.keys(read.dependencies ?? {}));
  }
  expect(LICENCES).toEqual(Object.fromEntries(found));
});

test('a part of JSON is found by its key or its text, and is called as a definition and a pointer call it', () => {
  const value = { order: { lines: [{ name: 'lamp' }, { name: 'chair' }], 'a.b': 1, 'x/~': null }, note: 'a Lamp' };
  expect(findIn(value, 'lamp', 10)).toEqual([['order', 'lines', 0, 'name'], ['note']]);
  expect(findIn(value, 'NAME', 1)).toEqual([['order', 'lines', 0, 'name']]);
  expect(findIn(value, '', 10)).toEqual([]);
  for (const way of findIn(value, 'a', 100)) expect(partAt(value, way)).not.toBe(undefined);
  expect(notationOf(['order', 'lines', 0, 'name'])).toBe('${order.lines.0.name}');
  expect(notationOf(['order', 'a.b'])).toBe(null);
  expect(pointerOf(['order', 'x/~'])).toBe('/order/x~1~0');
  expect(heldIn('{"a":[1]}')).toEqual({ a: [1] });
  expect([heldIn('{"a"'), heldIn('1'), heldIn('{ not json }')]).toEqual([undefined, undefined, undefined]);
  expect([isLargerThan({ a: 'x'.repeat(100) }, 50), isLargerThan({ a: [1, 2] }, 50)]).toEqual([true, false]);
});

test('the find box remembers the last ten it led to, each once, and nothing else that lies there', () => {
  let lasts = lastsIn('[{"word":"x","to":"https://elsewhere.example"},7,{"word":"a","to":"/a"}]');
  expect(lasts).toEqual([{ word: 'a', to: '/a' }]);
  for (let i = 0; i < 12; i++) lasts = withLast(lasts, { word: `page ${i}`, to: `/page/${i}` });
  lasts = withLast(lasts, { word: 'again', to: '/page/5' });
  expect(lasts.map(({ to }) => to)).toEqual([5, 11, 10, 9, 8, 7, 6, 4, 3, 2].map((n) => `/page/${n}`));
  expect(lastsIn(JSON.stringify(lasts))).toEqual(lasts);
  expect([lastsIn('{'), lastsIn(null)]).toEqual([[], []]);
});

test('a moment stands where its number or its time is, and is found there again', () => {
  const entries = [0, 0, 1, 50, 51, 100].map((second, i) => ({
    n: i + 1,
    at: new Date(second * 1_000).toISOString(),
    kind: (i === 0 ? 'workflow.launched' : i === 3 ? 'expression.failed' : 'expression.applied') as HistoryKind,
  }));
  for (const axis of ['entry', 'time'] as const)
    for (const { n, at } of entries)
      expect(entries[entryAt(entries, placeOf(entries, n, axis), axis) - 1]?.at).toBe(at);
  expect(placeOf(entries, 4, 'time')).toBe(0.5);
  expect(entryAt(entries, 0.5, 'time')).toBe(4);
  expect(columnsOf(entries, 'time', 10).map(({ mark }) => mark)).toEqual(['▸', '', '', '', '', '✖', '', '', '', '']);
});

test('a tree is changed by its structure into legal trees only, all of it can be undone, and what differs is told', () => {
  const way = fc.array(fc.nat(4), { maxLength: 4 });
  const commands = fc.array(
    fc.tuple(fc.constantFrom('before', 'after', 'inside', 'up', 'down', 'in', 'out', 'double', 'wrap', 'remove'), way),
    { maxLength: 12 },
  );
  const edited = (at: Json, name: string, to: readonly number[]): Edited | null => {
    switch (name) {
      case 'before':
      case 'after':
      case 'inside':
        return add(at, to, name, ['bob', {}, []]);
      case 'up':
      case 'down':
        return move(at, to, name === 'up' ? -1 : 1);
      case 'in':
        return moveIn(at, to);
      case 'out':
        return moveOut(at, to);
      case 'double':
        return duplicate(at, to);
      case 'wrap':
        return wrap(at, to, 'sequence');
      default:
        return remove(at, to);
    }
  };
  fc.assert(
    fc.property(tree(4), commands, (first, list) => {
      let doings = begin(first);
      for (const [name, to] of list) {
        const next = edited(doings.now.tree, name, to);
        if (next === null) continue;
        expect(isTree(next.tree)).toBe(true);
        expect(nodeAt(next.tree, next.at)).not.toBe(null);
        doings = take(doings, next);
      }
      const last = doings.now.tree;
      const rows = differences(first, last);
      expect(rows.filter(({ way: there }) => there !== null).map(({ node }) => (node as Json[])[0])).toEqual(
        [...everyPlace(figureOf(last) as Place)].map(({ head }) => head),
      );
      if (rows.every(({ mark }) => mark === '')) expect(last).toEqual(first);
      const merged = mergedOf(rows);
      expect(isTree(merged.tree)).toBe(true);
      // What is chosen on the picture of both is the very place in the new tree.
      for (const [expid, to] of merged.ways)
        expect(placeAt(figureOf(merged.tree) as Place, expid)?.head).toBe((nodeAt(last, to) as Json[])[0]);
      const count = doings.done.length;
      for (let i = 0; i < count; i++) doings = undo(doings);
      expect(doings.now.tree).toEqual(first);
      for (let i = 0; i < count; i++) doings = redo(doings);
      expect(doings.now.tree).toEqual(last);
    }),
    { numRuns: 60 },
  );
});

test('of a loop any round can be looked at: its children show what became of them in it', () => {
  const root = figureOf([
    'define',
    {},
    [
      [
        'cursor',
        {},
        [
          ['author', {}, []],
          ['reviewer', {}, []],
        ],
      ],
    ],
  ]) as Place;
  const chronicle = makeChronicle();
  let n = 0;
  const say = (kind: HistoryKind, id: string, more: { [key: string]: Json } = {}): void => {
    n += 1;
    const [expid = ''] = id.split('!');
    chronicle.add([{ n, at: new Date(n * 1_000).toISOString(), kind, expid, expression_id: id, name: 'x', ...more }]);
  };
  say('expression.applied', '0!a');
  say('expression.applied', '0_0!b');
  for (const round of ['1', '2', '3']) {
    say('expression.applied', `0_0_0!${round}`);
    say('expression.replied', `0_0_0!${round}`);
    // In the first round nobody comes to the reviewer.
    if (round === '1') continue;
    say('expression.applied', `0_0_1!${round}`);
    if (round === '2') say('expression.replied', `0_0_1!${round}`);
  }
  const shown = (chosen: string): unknown => {
    const seen = statesOf(root, chronicle.at(n), chronicle, chosen);
    const loop = seen.get('0_0');
    return [loop?.round, loop?.rounds.length, seen.get('0_0_0')?.state, seen.get('0_0_1')?.state];
  };
  expect(shown('')).toEqual([3, 3, 'done', 'live']);
  expect(shown('0_0_0!1')).toEqual([1, 3, 'done', 'skipped']);
  expect(shown('0_0_0!2')).toEqual([2, 3, 'done', 'done']);
  expect(shown('0_0_0!3')).toEqual([3, 3, 'done', 'live']);
});

test('what runs with another tree is drawn with it, and what is paused or is a stop says so', () => {
  const own: Json = ['sequence', {}, [['carol', {}, []]]];
  const tree = grafted(ORDER, [{ expid: '0_0_1', tree: own }]);
  const root = figureOf(tree) as Place;
  expect(placeAt(root, '0_0_1_0')?.head).toBe('carol');
  expect(grafted(ORDER, [{ expid: '0_9_1', tree: own }])).toEqual(ORDER);
  const at = standing({
    expressions: [
      { ...live('0'), breakpoints: ['0_1'] },
      live('0_0'),
      { ...live('0_0_1'), state: 'paused', tree: own },
      live('0_0_1_0'),
      live('0_0_0'),
    ],
  });
  const seen = statesOf(root, at, null);
  expect(['0_0', '0_0_0', '0_0_1', '0_0_1_0'].map((expid) => seen.get(expid)?.isHeld)).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect([seen.get('0_1')?.isStop, seen.get('0_2')?.isStop, seen.get('0_0_1')?.isChanged]).toEqual([true, false, true]);
});

test('what lives at any moment is what had begun and not ended, in a loop and in a crowd alike', () => {
  // Each number is an expression that begins or, the second time, ends; those of one place are many at once, or one after the other.
  const ids = fc.uniqueArray(fc.nat({ max: 60 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(ids, fc.infiniteStream(fc.nat({ max: 5 })), fc.boolean(), (all, chances, isCrowd) => {
      const live = new Set<string>();
      const entries: Entry[] = [];
      const expected: string[][] = [[]];
      const tell = (kind: HistoryKind, id: string): void => {
        if (kind === 'expression.applied') live.add(id);
        else live.delete(id);
        entries.push({ n: entries.length + 1, at: '2026-01-01T00:00:00Z', kind, expression_id: id, name: 'alice' });
        expected.push([...live]);
      };
      for (const one of all) {
        const id = `0_${one % 3}!${String(one).padStart(32, '0')}`;
        tell('expression.applied', id);
        const chance = chances.next().value;
        if (!isCrowd) tell('expression.replied', id);
        else if (chance === 0) for (const other of [...live]) tell('expression.cancelled', other);
        else if (chance < 3) tell('expression.replied', [...live][chance % live.size] ?? id);
      }
      const chronicle = makeChronicle();
      for (const entry of entries) chronicle.add([entry]);
      for (const [n, there] of expected.entries())
        expect(
          chronicle
            .at(n)
            .expressions.map(({ id }) => id)
            .sort(),
        ).toEqual(there.sort());
      for (const place of ['0_0', '0_1', '0_2'])
        for (const n of [0, entries.length >> 1, entries.length])
          expect(chronicle.runsAt(place, n).map((run) => run.n)).toEqual(
            entries.flatMap((entry) =>
              entry.n <= n &&
              entry.kind === 'expression.applied' &&
              String(entry['expression_id']).startsWith(`${place}!`)
                ? [entry.n]
                : [],
            ),
          );
    }),
  );
});

test('a history whose beginning is folded away is read from what is kept, and none may be missing after it', () => {
  const chronicle = makeChronicle();
  const entry = (n: number, kind: HistoryKind, id: string) => ({
    ...{ n, at: new Date(n * 1_000).toISOString(), kind, expid: id.split('!')[0] ?? '', expression_id: id, name: 'x' },
  });
  chronicle.add([entry(1, 'workflow.launched', '0!a'), entry(7, 'expression.failed', '0_0!b')], 40);
  chronicle.add([entry(40, 'expression.applied', '0_1!c'), entry(41, 'expression.replied', '0_1!c')], 40);
  expect([chronicle.last, chronicle.entries.length, chronicle.foldedTo]).toEqual([41, 41, 40]);
  expect(chronicle.entries.every(({ n }, i) => n === i + 1)).toBe(true);
  expect(chronicle.at(40).expressions.map(({ id }) => id)).toEqual(['0_1!c']);
  expect(chronicle.at(41).expressions).toEqual([]);
  expect(storyOf(chronicle.entries).map(({ text }) => text)).toContain('no longer kept');
  expect(() => chronicle.add([entry(43, 'expression.applied', '0_2!d')], 40)).toThrow('Entry 42 is missing');
});

test('a zone is known by the name it was kept with while the clock of the device goes as it did then, else by how far it is from UTC', () => {
  expect(keptZone('-120 Europe/Rome', -120)).toBe('Europe/Rome');
  expect(keptZone('-120 Europe/Rome', -60)).toBeNull();
  expect(keptZone('0 Etc/GMT+1', 0)).toBe('Etc/GMT+1');
  for (const kept of [null, '', 'Europe/Rome', '-120 <b>', `-120 ${'a'.repeat(200)}`])
    expect(keptZone(kept, -120)).toBeNull();
  expect([-120, 210, 0, -345].map(offsetText)).toEqual(['UTC+2', 'UTC−3:30', 'UTC+0', 'UTC+5:45']);
});
