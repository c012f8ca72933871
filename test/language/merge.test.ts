import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type BranchReply,
  type MergeOptions,
  type MergeOrder,
  type MergeType,
  mergeReplies,
  readMergeOrder,
  readMergeType,
} from '../../src/language/merge.ts';
import type { Fields, Json } from '../../src/model/json.ts';

const applied: Fields = { base: 0 };
// They reply in the order 1, 2, 0.
const a: BranchReply = {
  index: 0,
  arrival: 2,
  fields: { x: 'a', a: 1, l: ['a', 'z'], h: { k: 'a', ha: 1, d: { a: 1, l: [1] } } },
};
const b: BranchReply = {
  index: 1,
  arrival: 0,
  fields: { x: 'b', b: 1, l: ['b', 'z'], h: { k: 'b', hb: 1, d: { b: 1, l: [2] } } },
};
const c: BranchReply = { index: 2, arrival: 1, fields: { x: 'c', c: 1, l: ['c'], h: 'text' } };

const merge = (order: MergeOrder, type: MergeType, more: Partial<MergeOptions> = {}): Fields =>
  mergeReplies({ replies: [a, b, c], applied, merge: order, type, ...more });

const orders = ['first', 'last', 'highest', 'lowest'] as const;

test.each<[MergeOrder, BranchReply]>([
  ['first', b],
  ['last', a],
  ['highest', a],
  ['lowest', c],
])('override, %s: one branch whole', (order, winner) => {
  expect(merge(order, 'override')).toBe(winner.fields);
});

test.each<[MergeOrder, readonly BranchReply[]]>([
  ['first', [a, c, b]],
  ['last', [b, c, a]],
  ['highest', [c, b, a]],
  ['lowest', [a, b, c]],
])('mix, %s: laid over each other key by key', (order, layers) => {
  expect(merge(order, 'mix')).toEqual(Object.assign({}, ...layers.map(({ fields }) => fields)));
});

test.each(orders)('isolate, %s: a field per branch and nothing else', (order) => {
  expect(merge(order, 'isolate')).toEqual({ 0: a.fields, 1: b.fields, 2: c.fields });
});

test.each<[MergeOrder, readonly BranchReply[]]>([
  ['first', [b, c, a]],
  ['last', [b, c, a]],
  ['highest', [a, b, c]],
  ['lowest', [a, b, c]],
])('stack, %s: a list of all', (order, list) => {
  const stack = list.map(({ fields }) => fields);
  expect(merge(order, 'stack', { stackAttributes: { merge: order } })).toEqual({
    stack,
    stack_attributes: { merge: order },
  });
  expect(merge(order, 'stack')).toEqual({ stack });
});

const joined: readonly (readonly [MergeType, MergeOrder, Fields])[] = [
  ['union', 'first', { x: 'a', a: 1, b: 1, c: 1, l: ['b', 'z', 'c', 'a'], h: a.fields['h'] as Json }],
  ['union', 'highest', { x: 'c', a: 1, b: 1, c: 1, l: ['a', 'z', 'b', 'c'], h: 'text' }],
  ['concat', 'first', { x: 'a', a: 1, b: 1, c: 1, l: ['b', 'z', 'c', 'a', 'z'], h: a.fields['h'] as Json }],
  ['concat', 'highest', { x: 'c', a: 1, b: 1, c: 1, l: ['a', 'z', 'b', 'z', 'c'], h: 'text' }],
  ['deep', 'first', { x: 'a', a: 1, b: 1, c: 1, l: ['b', 'z', 'c', 'a', 'z'], h: a.fields['h'] as Json }],
];

test.each(joined)('%s, %s', (type, order, result) => {
  expect(merge(order, type)).toEqual(result);
});

test.each(['union', 'concat', 'deep'] as const)('%s: last is as first, lowest as highest', (type) => {
  expect(merge('last', type)).toEqual(merge('first', type));
  expect(merge('lowest', type)).toEqual(merge('highest', type));
});

test('objects are laid over each other, by deep also those inside, whose lists are replaced', () => {
  const replies = [a, b];
  const lists = { x: 'b', a: 1, b: 1, l: ['a', 'z', 'b', 'z'] };
  expect(merge('highest', 'concat', { replies })).toEqual({
    ...lists,
    h: { k: 'b', ha: 1, hb: 1, d: { b: 1, l: [2] } },
  });
  expect(merge('highest', 'deep', { replies })).toEqual({
    ...lists,
    h: { k: 'b', ha: 1, hb: 1, d: { a: 1, b: 1, l: [2] } },
  });
});

test.each(orders)('ignore, %s: the fields from before', (order) => {
  expect(merge(order, 'ignore')).toBe(applied);
});

test('without replies the fields are those from before', () => {
  expect(merge('first', 'stack', { replies: [] })).toBe(applied);
});

describe('a winner', () => {
  test.each(orders)('is on top with %s', (order) => {
    expect(merge(order, 'override', { winner: 2 })).toBe(c.fields);
    expect(merge(order, 'mix', { winner: 2 })['x']).toBe('c');
    expect(merge(order, 'concat', { winner: 2 })['x']).toBe('c');
    expect((merge(order, 'stack', { winner: 2 })['stack'] as readonly Json[]).at(-1)).toBe(c.fields);
  });
});

test('union compares whole values, whatever the order of their keys, and removes what was double before', () => {
  const reply = (index: number, l: Json): BranchReply => ({ index, arrival: index, fields: { l } });
  const replies = [reply(0, [1, 1, { a: 1, b: [2] }, '1', null]), reply(1, [{ b: [2], a: 1 }, 1, null, [1]])];
  expect(merge('first', 'union', { replies })).toEqual({ l: [1, { a: 1, b: [2] }, '1', null, [1]] });
});

test('branches are sorted as numbers', () => {
  const replies = [10, 9, 2].map((index, arrival) => ({ index, arrival, fields: { index } }));
  expect(merge('lowest', 'override', { replies })).toEqual({ index: 10 });
  expect(merge('highest', 'stack', { replies })['stack']).toEqual([{ index: 2 }, { index: 9 }, { index: 10 }]);
});

test.each(['mix', 'concat', 'deep', 'union'] as const)('%s: __proto__ is a field like any other', (type) => {
  const fields = JSON.parse('{"__proto__":{"a":1}}') as Fields;
  const replies = [0, 1].map((index) => ({ index, arrival: index, fields }));
  expect(JSON.stringify(merge('first', type, { replies }))).toBe('{"__proto__":{"a":1}}');
});

test('merging leaves the replies as they are', () => {
  const before = structuredClone([a, b, c]);
  for (const type of ['union', 'concat', 'deep', 'mix', 'stack'] as const) merge('first', type);
  expect([a, b, c]).toEqual(before);
});

test('ten thousand branches are merged, all of them', () => {
  const replies = Array.from({ length: 10_000 }, (_, index) => ({
    index,
    arrival: 9_999 - index,
    fields: { l: [index, index % 10], h: { [`k${index}`]: { index } } },
  }));
  for (const type of ['concat', 'deep', 'union'] as const) {
    const merged = merge('highest', type, { replies });
    expect(merged['l']).toHaveLength(type === 'union' ? 10_000 : 20_000);
    expect(Object.keys(merged['h'] as Fields)).toHaveLength(10_000);
  }
});

test('names of orders and types are read, all else means the default', () => {
  expect([readMergeOrder('lowest'), readMergeOrder('best'), readMergeOrder(undefined)]).toEqual([
    'lowest',
    'first',
    'first',
  ]);
  expect([readMergeType('deep'), readMergeType('soup'), readMergeType(['deep'])]).toEqual([
    'deep',
    'override',
    'override',
  ]);
});

type Step = {
  readonly do: string;
  readonly after_dispatch: string;
  readonly participant?: string;
  readonly fields: Fields;
};
type Recorded = {
  readonly definition: string;
  readonly fields: Fields;
  readonly script: readonly Step[];
  readonly expect: { readonly final_fields: Fields };
};

const folder = new URL('../conformance/cases/concurrence/', import.meta.url);
const recordings = readdirSync(folder).filter((file) => file.startsWith('type-'));

test.each(recordings)('the branches of the recorded case %s merge as they did', (file) => {
  const recorded = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Recorded;
  const [, order, type] = /merge: '(\w+)', merge_type: '(\w+)'/.exec(recorded.definition) as unknown[];
  const replies = recorded.script
    .filter((step) => step.do === 'proceed')
    .map((step, arrival) => ({
      index: ['alpha', 'bravo', 'charly'].indexOf(step.participant ?? step.after_dispatch),
      arrival,
      fields: { ...recorded.fields, ...step.fields },
    }));
  const merged = mergeReplies({
    replies,
    applied: recorded.fields,
    merge: readMergeOrder(order as Json),
    type: readMergeType(type as Json),
    stackAttributes: { merge: order as Json, merge_type: type as Json },
  });
  expect(merged).toEqual(recorded.expect.final_fields);
});
