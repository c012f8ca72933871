import { describe, expect, test } from 'vitest';
import type { Fields, Json } from '../../src/model/json.ts';
import type { Case } from './cases.ts';
import { mentions, readCases } from './cases.ts';
import { differences, same } from './compare.ts';
import { fake } from './fake.ts';
import { playInProcess } from './harness.ts';
import { compareNaturally, normaliser } from './normal.ts';

/*
 * The harness itself, on an interpreter that knows nothing but "one participant after the other": what the real one does is the
 * business of conformance.test.ts.
 */

const message = (participant: string, expid: string, fields: Fields): Case['expect']['dispatches'][number] => ({
  participant,
  expid,
  fields: { ...fields, params: { ref: participant } },
});
const example: Case = {
  group: 'example',
  name: 'example',
  about: 'two participants',
  kind: 'same',
  format: 'radial',
  order: 'total',
  definition: 'alpha bravo',
  fields: { x: 0 },
  participants: { alpha: [{ reply: { a: 1 } }], bravo: [{ hold: true }] },
  script: [{ sleep: 0.1 }, { after_dispatch: 'bravo', do: 'proceed', fields: { b: 2 } }],
  expect: {
    dispatches: [message('alpha', '0_0', { x: 0 }), message('bravo', '0_1', { x: 0, a: 1 })],
    cancels: [],
    outcome: 'terminated',
    final_fields: { x: 0, a: 1, b: 2 },
    errors: [],
    remaining: [],
  },
};
const judge = async (changed: Partial<Case>): Promise<readonly string[]> =>
  (await playInProcess({ ...example, ...changed }, fake)).differences;

describe('the replay', () => {
  test('answers participants in rounds and follows the script', async () => {
    expect(await judge({})).toEqual([]);
  });
  test('repeats the last behaviour of a participant', async () => {
    const dispatches = [
      message('alpha', '0_0', {}),
      message('alpha', '0_1', { n: 1 }),
      message('alpha', '0_2', { n: 2 }),
    ];
    const expected = { ...example.expect, dispatches, final_fields: { n: 2 } };
    const participants = { alpha: [{ reply: { n: 1 } }, { reply: { n: 2 } }] };
    expect(
      await judge({ definition: 'alpha alpha alpha', fields: {}, participants, script: [], expect: expected }),
    ).toEqual([]);
  });
  test('says which dispatch the script waited for in vain', async () => {
    const script = [{ after_dispatch: 'charly' }];
    expect((await judge({ script }))[0]).toBe('script: dispatch 1 of charly never came');
  });
  test('a step that throws fails the case and nothing else', async () => {
    const script = [{ after_dispatch: 'bravo', do: 'cancel_workflow' } as const];
    expect((await judge({ script }))[0]).toContain('The fake knows no cancel');
  });
  test('a definition that is refused ends as launch_error', async () => {
    const expected: Case['expect'] = { ...example.expect, dispatches: [], outcome: 'launch_error', final_fields: null };
    expect(await judge({ definition: 'rubbish', script: [], expect: expected })).toEqual([]);
  });
});

describe('the comparison', () => {
  test('shows what was expected and what came', async () => {
    const expected = { ...example.expect, dispatches: example.expect.dispatches.slice(0, 1), final_fields: {} };
    const lines = await judge({ expect: expected });
    expect(lines[0]).toBe('dispatch 2: expected nothing');
    expect(lines[1]).toContain('got bravo 0_1');
    expect(lines[2]).toContain('final fields');
  });
  const result = {
    dispatches: [],
    outcome: 'terminated',
    status: 'completed',
    fields: example.expect.final_fields,
    errors: [],
    remaining: [],
    troubles: [],
  } as const;
  const notice = { workflow: 1, participant: 'alpha', expid: '0_0', status: 'cancel', fields: {} };
  const withCancels = (cancels: Case['expect']['cancels']): Case => ({
    ...example,
    expect: { ...example.expect, dispatches: [], cancels },
  });
  const owed = { participant: 'alpha', expid: '0_0', status: 'cancel', fields: {} };
  const optional = { participant: 'alpha', expid: '0_0', optional: true };
  test('an optional notice may be missing, an owed one may not', () => {
    expect(differences(withCancels([optional]), { ...result, notices: [] })).toEqual([]);
    expect(differences(withCancels([owed]), { ...result, notices: [] })).toHaveLength(1);
  });
  test('an optional notice never stands in for one that is owed', () => {
    expect(differences(withCancels([optional, owed]), { ...result, notices: [notice] })).toEqual([]);
    const other = { ...notice, status: 'timeout' };
    expect(differences(withCancels([optional, owed]), { ...result, notices: [other] })).toHaveLength(1);
  });
  test('a notice nobody expects is told', () => {
    expect(differences(withCancels([]), { ...result, notices: [notice] })).toHaveLength(1);
  });
  test('an error object is equal when its place is, and its class unless it is free', () => {
    const got = { expid: '0_1', class: 'RuntimeError', message: 'out of paper' };
    expect(same({ expid: '0_1', class: '*', message: '*' }, got)).toBe(true);
    expect(same({ expid: '0_1', class: 'RuntimeError', message: 'paper' }, got)).toBe(true);
    expect(same({ expid: '0_1', class: 'ArgumentError', message: 'paper' }, got)).toBe(false);
    expect(same({ expid: '0_2', class: '*', message: '*' }, got)).toBe(false);
  });
  test('keys may come in any order, lists may not', () => {
    expect(same({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
    expect(same({ b: [1, 2] }, { b: [2, 1] })).toBe(false);
    expect(same({ a: 1 }, { a: 1, b: 2 })).toBe(false);
  });
});

describe('normal forms', () => {
  const normal = normaliser(['20260105-1200-ba-be', '20260105-1200-ba-bi'], '"2012-01-01 10:00:00 UTC"');
  test.each<[Json, Json]>([
    ['20260105-1200-ba-be', '<wfid>'],
    ['0_4!00112233445566778899aabbccddeeff!20260105-1200-ba-bi', '0_4!<subid>!<wfid2>'],
    ['2026-01-05 12:00:00.250000 UTC', '<time>'],
    ['2012-01-01 10:00:00 UTC', '2012-01-01 10:00:00 UTC'],
    [{ engine_id: 'engine', wfid: 'x', subid: 'y', expid: '0_0' }, '<fei:0_0>'],
    [{ params: { callbacks: 1 }, dispatched_at: 'now', callbacks: {} }, { params: {} }],
    [
      { fei: { wfid: 'x', expid: '0_1' }, at: 'now', class: 'RuntimeError', message: 'no', details: null },
      { expid: '0_1', class: 'RuntimeError', message: 'no' },
    ],
  ])('%j becomes %j', (from, to) => {
    expect(normal(from)).toEqual(to);
  });
  test('digits compare as numbers', () => {
    expect(['a10', 'a9', 'a9b'].sort(compareNaturally)).toEqual(['a9', 'a9b', 'a10']);
  });
});

test('every case can be read, and has a group of its own name', () => {
  const cases = readCases();
  expect(cases).toHaveLength(919);
  expect(new Set(cases.map((one) => `${one.group}/${one.name}`)).size).toBe(919);
});

test('a case mentions an expression by either spelling of its name', () => {
  const one = { ...example, definition: 'define\n  add-branches a' };
  expect(mentions(one, ['add_branches'])).toBe(true);
  expect(mentions(one, ['branches'])).toBe(false);
});
