import { describe, expect, test, vi } from 'vitest';
import { step } from '../../src/interpreter/step.ts';
import type { Changes } from '../../src/model/rows.ts';
import type { Loaded } from '../../src/model/stimulus.ts';
import { makeTree, type Tree } from '../../src/model/tree.ts';
import { type Driver, drive } from '../properties/driver.ts';
import type { Step } from '../support/world.ts';

/** A fork of ten thousand takes seconds on a machine that has other things to do. */
vi.setConfig({ testTimeout: 120_000 });

/* Forks of ten thousand: launched and cancelled in turns, and as cheap to answer as forks of ten. */

const WIDE = 10_000;

type Touched = { loaded: number; written: number; characters: number };

/** Counts what the last step was given and what it wrote. */
function counting(): { readonly step: Step; last: Touched; most: Touched } {
  const none = { loaded: 0, written: 0, characters: 0 };
  const counter = {
    last: none,
    most: none,
    step: ((loaded, stimulus, context) => {
      const result = step(loaded, stimulus, context);
      if (result.kind === 'stepped' && result.changes !== null) {
        counter.last = touched(loaded, result.changes);
        const [a, b] = [counter.most, counter.last];
        counter.most = {
          loaded: Math.max(a.loaded, b.loaded),
          written: Math.max(a.written, b.written),
          characters: Math.max(a.characters, b.characters),
        };
      }
      return result;
    }) satisfies Step as Step,
  };
  return counter;
}

const TABLES = ['strands', 'workitems', 'agenda', 'errors', 'listeners', 'variables'] as const;

function touched(loaded: Loaded, changes: Changes): Touched {
  const texts = TABLES.flatMap((table) => [...changes[table].values()]);
  const { header, state, fields } = changes.workflow;
  return {
    loaded: TABLES.reduce((sum, table) => sum + loaded[table].size, 0),
    written: texts.length,
    characters:
      JSON.stringify(texts).length +
      header.length +
      (fields === loaded.workflow?.fields ? 0 : fields.length) +
      state.length,
  };
}

const over = (width: number, attributes: readonly (readonly [string, string | number])[] = []): Tree =>
  makeTree(
    'define',
    [],
    [
      makeTree(
        'citerator',
        [['times', width], ...attributes],
        [makeTree('sequence', [], [makeTree('alpha'), makeTree('bravo')])],
      ),
    ],
  );

function launched(width: number, step: Step, attributes: readonly (readonly [string, string | number])[] = []): Driver {
  const driver = drive(over(width, attributes), {
    step,
    audit: false,
    firings: 400,
    fields: { text: 'x'.repeat(3_000) },
  });
  expect(driver.settle()).toBe(true);
  return driver;
}

function proceed(driver: Driver, at: number): void {
  const rows = driver.world.whole(driver.id).workitems;
  const id = [...rows.keys()][at];
  const row = id === undefined ? undefined : rows.get(id);
  if (row === undefined) throw new Error('no such workitem');
  expect(driver.stimulate({ kind: 'proceed', workitem: row.id, fields: { at } })).toMatchObject({ ok: true });
}

describe.each([
  ['override', 1_000],
  ['isolate', 1_000],
  ['union', WIDE],
] as const)('merge type %s', (type, many) => {
  test(`a proceed touches as few rows among ${many} branches as among ten`, () => {
    const costs = [10, many].map((width) => {
      const counter = counting();
      const driver = launched(width, counter.step, [['merge_type', type]]);
      proceed(driver, 3);
      const first = counter.last;
      proceed(driver, width - 1); // the workitem which the first answer opened
      return [first, counter.last] as const;
    });
    const [narrow, wide] = costs; // each: an answer that goes on to the next participant, one that ends its branch
    for (const at of [0, 1] as const) {
      const [few, lot] = [narrow?.[at], wide?.[at]];
      if (few === undefined || lot === undefined) throw new Error('two widths were measured');
      expect(lot.written).toBe(few.written);
      expect(lot.characters).toBeLessThan(few.characters + 2_000);
      expect(lot.loaded).toBeLessThanOrEqual(4);
      expect(lot.written).toBeLessThanOrEqual(4);
    }
  });
});

test('ten thousand branches over a list of 100 kB are born and cancelled in turns, each within its bounds', () => {
  const counter = counting();
  const list = Array.from({ length: WIDE }, (_, at) => `item ${at}`);
  const tree = makeTree(
    'define',
    [],
    [
      makeTree(
        'citerator',
        [
          ['on_f', 'list'],
          ['to_v', 'who'],
        ],
        [makeTree('alpha')],
      ),
    ],
  );
  const driver = drive(tree, { step: counter.step, audit: false, firings: 400, fields: { list } });
  expect(driver.settle()).toBe(true);
  expect(driver.world.whole(driver.id).workitems.size).toBe(WIDE);
  // A turn of a thousand messages makes at most so many strands, workitems and a few other rows; each far smaller than the list.
  expect(counter.most.written).toBeLessThan(2_100);
  expect(counter.most.characters).toBeLessThan(2_500_000);
  const stored = [...driver.world.whole(driver.id).strands.values()];
  expect(stored.reduce((sum, row) => sum + row.state.length + row.fields.length, 0) / WIDE).toBeLessThan(600);

  const before = driver.world.counts.steps;
  driver.stimulate({ kind: 'cancel' });
  expect(driver.world.whole(driver.id).workflow?.status).toBe('cancelling');
  expect(driver.settle()).toBe(true);
  expect(driver.world.counts.steps - before).toBeGreaterThan(10);
  expect(driver.status()).toBe('cancelled');
  expect(driver.world.whole(driver.id).strands.size).toBe(0);
});

test('a fork of thousands that is killed goes at once, with a notice owed for every workitem', () => {
  const driver = launched(3_000, step);
  driver.stimulate({ kind: 'kill' });
  expect(driver.status()).toBe('killed');
  const rows = driver.world.whole(driver.id);
  expect(rows.strands.size).toBe(0);
  expect([...rows.workitems.values()].filter((row) => row.send === 'cancel').length).toBe(3_000);
});

test('an expression that forks can be cancelled while its branches are still being born', () => {
  const driver = drive(over(WIDE), { audit: false, firings: 2 });
  expect(driver.settle()).toBe(false);
  driver.stimulate({ kind: 'cancel' });
  for (let turn = 0; turn < 400 && !driver.settle(); turn++);
  expect(driver.status()).toBe('cancelled');
  expect(driver.world.whole(driver.id).strands.size).toBe(0);
});
