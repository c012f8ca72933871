import { describe, expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import { placeToBegin, whyNotFrom } from '../../src/interpreter/life/entering.ts';
import { step } from '../../src/interpreter/step.ts';
import { type ExpressionId, expidOf } from '../../src/model/ids.ts';
import type { Fields } from '../../src/model/json.ts';
import { reorganise } from '../../src/model/reorganise.ts';
import type { Limits } from '../../src/model/stimulus.ts';
import type { Tree } from '../../src/model/tree.ts';
import { type Driver, drive } from '../properties/driver.ts';

/* Workflows that go on from a step: what stands before it is not done again. */

function read(text: string): Tree {
  const found = readDefinition(text);
  if (!found.ok) throw new Error(JSON.stringify(found.errors));
  return found.tree;
}

/** Launched at a place; `enter` null: at its beginning. */
const launched = (
  text: string,
  enter: readonly number[] | null,
  limits: Partial<Limits> = {},
  fields: Fields = {},
): Driver =>
  drive(read(text), {
    ...{ limits, fields },
    step: (loaded, stimulus, context) => {
      const { event } = stimulus;
      if (event.kind !== 'launch' || enter === null) return step(loaded, stimulus, context);
      return step(loaded, { ...stimulus, event: { ...event, launch: { ...event.launch, enter } } }, context);
    },
  });

const turns = (driver: Driver): readonly string[] => driver.open().map(({ participant }) => participant);
const proceed = (driver: Driver, fields: Fields = {}): void => {
  driver.stimulate({ kind: 'proceed', workitem: driver.open()[0]?.id as ExpressionId, fields });
  driver.settle();
};
const asked = (driver: Driver): readonly string[] => driver.delivered().map(({ participant }) => participant);

const SHOP = `define shop
  stock
  sequence
    credit
    cursor
      label
      pack
    send
  bill
  define send
    carrier
    customs
`;

describe.each([200, 1])('a workflow that is launched at a step, with %i messages in a step,', (messages) => {
  test('has what stands before it neither done nor asked for, and goes on behind it as ever', () => {
    const driver = launched(SHOP, [2, 1, 1], { messages }, { order: 7 });
    expect(turns(driver)).toEqual(['pack']);
    while (driver.open().length > 0) proceed(driver, { [turns(driver)[0] ?? '']: true });
    // The definition in front was bound all the same.
    expect(asked(driver)).toEqual(['pack', 'carrier', 'customs', 'bill']);
    expect(driver.status()).toBe('completed');
    expect(driver.result()).toMatchObject({ order: 7, pack: true, bill: true });
  });
});

test('a loop begins in its middle once, and then at its first child', () => {
  const driver = launched('define\n  loop\n    alpha\n    bravo\n', [0, 1]);
  for (let i = 0; i < 3; i++) proceed(driver);
  expect(asked(driver)).toEqual(['bravo', 'alpha', 'bravo', 'alpha']);
});

const LIVE = `define
  set 'v:known': 'yes'
  alpha
  bravo
  sequence
    charly note: '\${v:known}'
    delta
`;

describe('a live expression that is applied again from a step', () => {
  const idAt = (driver: Driver, expid: string): ExpressionId => {
    const rows = driver.world.whole(driver.id);
    const [found] = (rows.workflow?.state ?? '').match(new RegExp(`"${expid}![0-9a-f]{32}"`)) ?? [];
    return JSON.parse(found ?? '""') as ExpressionId;
  };

  test.each([200, 1])(
    'goes on there with what is at hand, and the variables it had (%i messages in a step)',
    (messages) => {
      const driver = launched(LIVE, null, { messages });
      proceed(driver, { by: 'alpha', kept: 1 });
      expect(turns(driver)).toEqual(['bravo']);
      const again = {
        kind: 'reapply',
        expression: idAt(driver, '0'),
        fields: { by: 'us' },
        tree: null,
        merge: true,
      } as const;
      expect(driver.stimulate({ ...again, enter: [3, 0] })).toMatchObject({ ok: true });
      driver.settle();
      expect(turns(driver)).toEqual(['charly']);
      const [charly] = driver.delivered().filter(({ participant }) => participant === 'charly');
      expect(charly).toMatchObject({ fields: { by: 'us', kept: 1, params: { note: 'yes' } } });
      // And back to a step that was done.
      expect(driver.stimulate({ ...again, expression: idAt(driver, '0'), enter: [1] })).toMatchObject({ ok: true });
      driver.settle();
      expect(turns(driver)).toEqual(['alpha']);
      while (driver.open().length > 0) proceed(driver);
      expect(asked(driver).slice(-4)).toEqual(['alpha', 'bravo', 'charly', 'delta']);
      expect(driver.status()).toBe('completed');
    },
  );

  test('is told where nothing can begin, and stays as it is', () => {
    const driver = launched('define\n  concurrence\n    alpha\n    bravo\n', null);
    const again = { kind: 'reapply', fields: null, tree: null } as const;
    expect(driver.stimulate({ ...again, expression: idAt(driver, '0'), enter: [0, 1] })).toMatchObject({
      ...{ ok: false, code: 'conflict' },
      message: expect.stringMatching(/inside of concurrence.* From 0_0 on all of that can begin again/),
    });
    expect(driver.stimulate({ ...again, expression: idAt(driver, '0_0'), enter: [1] })).toMatchObject({
      ...{ ok: false, code: 'conflict' },
    });
    expect(driver.stimulate({ ...again, expression: idAt(driver, '0'), enter: [4] })).toMatchObject({
      message: expect.stringContaining('has no child 4'),
    });
    expect(turns(driver)).toEqual(['alpha', 'bravo']);
    expect(driver.open().map(({ id }) => expidOf(id))).toEqual(['0_0_0', '0_0_1']);
  });
});

test('an error is replayed with fields that are merged over those it had', () => {
  const driver = launched('define\n  alpha\n', null, {}, { kept: 1, wrong: 'x' });
  const [item] = driver.open();
  const workitem = item?.id as ExpressionId;
  driver.stimulate({ kind: 'fail', workitem, class: 'RuntimeError', message: 'no' });
  const replay = { kind: 'replay', expression: workitem, fields: { wrong: 'y' }, tree: null, merge: true } as const;
  expect(driver.stimulate(replay)).toMatchObject({ ok: true });
  driver.settle();
  expect(driver.delivered().at(-1)).toMatchObject({ participant: 'alpha', fields: { kept: 1, wrong: 'y' } });
});

test('nothing begins inside of what does not run its children in turn, nor inside of a definition', () => {
  const { tree } = reorganise(read('define\n  sub\n  if true\n    alpha\n  define sub\n    bravo\n'));
  expect(whyNotFrom(tree, [])).toBe(null);
  expect(whyNotFrom(tree, [1])).toBe(null);
  expect(whyNotFrom(tree, [0, 0])).toMatch(/inside of define/);
  expect(whyNotFrom(tree, [2, 0])).toMatch(/inside of if/);
});

test('where nothing can begin, the innermost place around it that something can begin at is told', () => {
  const { tree } = reorganise(
    read('define\n  alpha\n  sequence\n    concurrence\n      sequence\n        bravo\n        charly\n      delta\n'),
  );
  const whyNot = (path: readonly number[]) => whyNotFrom(tree, path);
  expect(placeToBegin('0', [1, 0, 0, 1], whyNot)).toBe('0_1_0');
  expect(placeToBegin('0', [1, 0, 1], whyNot)).toBe('0_1_0');
  expect(placeToBegin('0_1_0', [0], () => 'it is in the way')).toBe('0_1_0');
  expect(placeToBegin('0', [1, 9], whyNot)).toBe('0_1');
});
