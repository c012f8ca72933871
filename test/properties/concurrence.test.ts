import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Fields, Json } from '../../src/model/json.ts';
import { isObject } from '../../src/model/json.ts';
import { isOver } from '../../src/model/rows.ts';
import { makeTree, type Tree } from '../../src/model/tree.ts';
import { drive, settings, timeout } from './driver.ts';

/*
 * A concurrence ends with the merge that the order of its answers defines. What that is, is said here a second time: as plainly as
 * the table of the manual, without a thought for speed.
 */

const RUNS = settings(300);
vi.setConfig({ testTimeout: timeout(RUNS.numRuns) });
console.log(`SEED=${RUNS.seed} RUNS=${RUNS.numRuns}`);

type Reply = { readonly index: number; readonly fields: Fields };
const MERGES = ['first', 'last', 'highest', 'lowest'] as const;
const TYPES = ['override', 'mix', 'isolate', 'stack', 'union', 'ignore', 'concat', 'deep'] as const;
type Shape = { readonly merge: (typeof MERGES)[number]; readonly type: (typeof TYPES)[number] };

/** The fields after the merge. `arrived` in the order of arrival; `winner`: whoever ended it by a condition is on top. */
function merged(
  { merge, type }: Shape,
  arrived: readonly Reply[],
  winner: Reply | null,
  applied: Fields,
  attributes: Fields,
): Fields {
  const isByIndex = merge === 'highest' || merge === 'lowest';
  const order = isByIndex ? [...arrived].sort((a, b) => a.index - b.index) : [...arrived];
  // From here on, whoever stands later has the last word.
  if ((type === 'override' || type === 'mix') && (merge === 'first' || merge === 'highest')) order.reverse();
  if (winner !== null) order.push(...order.splice(order.indexOf(winner), 1));
  switch (type) {
    case 'ignore':
      return applied;
    case 'isolate':
      return Object.fromEntries(order.map(({ index, fields }) => [`${index}`, fields]));
    case 'stack':
      return { stack: order.map(({ fields }) => fields), stack_attributes: attributes };
    case 'override':
      return order.at(-1)?.fields ?? {};
    case 'mix':
      return Object.assign({}, ...order.map(({ fields }) => fields));
    default: {
      let result: Fields = {};
      for (const { fields } of order)
        for (const [key, value] of Object.entries(fields) as [string, Json][]) {
          const before = result[key];
          result = { ...result, [key]: before === undefined ? value : joined(type, before, value) };
        }
      return result;
    }
  }
}

function joined(type: 'union' | 'concat' | 'deep', old: Json, value: Json): Json {
  if (Array.isArray(old) && Array.isArray(value)) {
    const both = [...(old as Json[]), ...(value as Json[])];
    return type === 'union' ? unique(both) : both;
  }
  if (!isObject(old) || !isObject(value)) return value;
  return type === 'deep' ? deep(old, value) : { ...old, ...value };
}

function deep(old: Fields, value: Fields): Fields {
  let result = old;
  for (const [key, item] of Object.entries(value) as [string, Json][]) {
    const before = result[key];
    result = { ...result, [key]: isObject(before) && isObject(item) ? deep(before, item) : item };
  }
  return result;
}

const unique = (list: readonly Json[]): Json[] =>
  list.filter((item, at) => list.findIndex((other) => JSON.stringify(other) === JSON.stringify(item)) === at);

const value: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json[]>(1, 2, 'x', true, null),
  fc.array(fc.constantFrom<Json[]>('a', 'b', 1, ['n']), { maxLength: 3 }),
  fc.record({ k: fc.constantFrom<Json[]>(1, ['z'], { deep: 1 }), m: fc.constantFrom<Json[]>('m', { deep: 2, d: [1] }) }, { requiredKeys: [] }),
) as fc.Arbitrary<Json>; // biome-ignore format: a generator
const fieldsOf = fc.record({ a: value, b: value, l: value, h: value }, { requiredKeys: [] }) as fc.Arbitrary<Fields>;
const NAMES = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8', 'p9', 'p10', 'p11'] as const;

const setting = fc
  .record({
    merge: fc.constantFrom(...MERGES),
    type: fc.constantFrom(...TYPES),
    count: fc.oneof(
      fc.constant(null),
      fc.integer({ min: -3, max: 13 }).filter((count) => count !== 0),
    ),
    remaining: fc.constantFrom('cancel', 'forget', 'wait'),
    width: fc.integer({ min: 1, max: NAMES.length }),
    over: fc.boolean(),
    iterates: fc.boolean(),
    applied: fieldsOf,
    messages: fc.constantFrom(1, 2, 1_000),
  })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      order: fc.shuffledSubarray([...NAMES.keys()].slice(0, shape.width), { minLength: shape.width }),
      replies: fc.array(fieldsOf, { minLength: shape.width, maxLength: shape.width }),
      winner: fc.option(fc.nat(shape.width - 1), { nil: null }),
    }),
  );

function definition(attributes: Fields, width: number, iterates: boolean): Tree {
  const pairs = Object.entries(attributes) as [string, Json][];
  if (!iterates)
    return makeTree(
      'define',
      [],
      [
        makeTree(
          'concurrence',
          pairs,
          NAMES.slice(0, width).map((name) => makeTree(name)),
        ),
      ],
    );
  const list: [string, Json] = ['on', NAMES.slice(0, width).join(',')];
  return makeTree(
    'define',
    [],
    [makeTree('citerator', [list, ...pairs], [makeTree('participant', [['${v:i}', null]])])],
  );
}

test('any order of answers ends a concurrence, or one over a list, with the merge which that order defines', () => {
  fc.assert(
    fc.property(setting, ({ shape, order, replies, winner }) => {
      const { merge, type, count, remaining, width, over, iterates, applied } = shape;
      const attributes: Fields = {
        merge,
        merge_type: type,
        remaining,
        ...(count !== null && { count }),
        ...(over && { over_if: '${f:over} == yes' }),
      };
      const driver = drive(definition(attributes, width, iterates), {
        fields: applied,
        limits: { messages: shape.messages },
        firings: 2_000,
      });
      const expected = Math.max(1, count === null ? width : count > 0 ? Math.min(count, width) : width + count);
      const arrived: Reply[] = [];
      let won: Reply | null = null;
      for (const index of order) {
        const given = { ...(replies[index] ?? {}), ...(over && index === winner && { over: 'yes' }) };
        const open = driver.open().find(({ participant }) => participant === NAMES[index]);
        if (open === undefined)
          throw new Error(`${NAMES[index]} has no workitem, although the concurrence is not over`);
        driver.stimulate({ kind: 'proceed', workitem: open.id, fields: given });
        driver.settle();
        const reply = { index, fields: { ...applied, ...given } };
        if (reply.fields['over'] === 'yes' && over) won = reply;
        arrived.push(reply);
        if (won !== null || arrived.length >= expected) break;
      }
      // Those that are told to stop while they are waited for come back with what they were given.
      const stopped = [...NAMES.keys()]
        .slice(0, width)
        .filter((index) => !arrived.some((reply) => reply.index === index));
      if (remaining === 'wait') arrived.push(...stopped.map((index) => ({ index, fields: applied })));
      const compiled = { ...attributes, ...(over && { over_if: `${applied['over'] ?? ''} == yes` }), ...(iterates && { on: NAMES.slice(0, width).join(',') }) }; // biome-ignore format: attributes
      const root = driver.world.whole(driver.id).workflow;
      const shown = driver.result();
      if (remaining !== 'forget' || stopped.length === 0) expect(isOver(root?.status ?? 'running')).toBe(true);
      expect(shown).toEqual(merged({ merge, type }, arrived, won, applied, compiled));
    }),
    RUNS,
  );
});
