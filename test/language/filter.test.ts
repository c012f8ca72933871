import { describe, expect, test } from 'vitest';
import {
  applyFilter,
  discardFields,
  readRecording,
  recordDeviations,
  takeFields,
  validationError,
} from '../../src/language/filter.ts';
import { LanguageError } from '../../src/language/language-error.ts';
import type { Fields, Json, JsonObject } from '../../src/model/json.ts';

const fields: Fields = {
  x: 1,
  y: { a: 'b', c: [1, 2] },
  s: 'hello',
  l: ['a', 'b'],
  e: [],
  es: '',
  n: null,
  t: true,
  o: { p: 1 },
  mixed: ['a', 1],
};

/** The fields afterwards; the deviations as a list of field names; the message of an error. */
function run(rules: Json, given: Fields = fields, base: Fields = given): Json {
  const before = structuredClone([rules, given, base]);
  try {
    const outcome = applyFilter({ rules, fields: given, base });
    return outcome.ok ? outcome.fields : outcome.deviations.map(([, field]) => field);
  } catch (error) {
    if (error instanceof LanguageError) return `${error.errorClass}: ${error.message}`;
    throw error;
  } finally {
    expect([rules, given, base]).toEqual(before);
  }
}

const checks: readonly (readonly [JsonObject, boolean])[] = [
  [{ f: 'x' }, true],
  [{ f: 'n' }, false],
  [{ f: 'nada' }, false],
  [{ f: 'x', unknown: 1 }, true],
  [{ f: 's', type: 'string' }, true],
  [{ f: 'x', type: 'string' }, false],
  [{ f: 'x', t: 'number' }, true],
  [{ f: 't', type: 'boolean' }, true],
  [{ f: 't', type: 'bool' }, true],
  [{ f: 'n', type: 'null' }, true],
  [{ f: 'nada', type: 'nil' }, true],
  [{ f: 'l', type: 'array' }, true],
  [{ f: 'y', type: 'array' }, false],
  [{ f: 'y', type: 'object' }, true],
  [{ f: 'y', type: 'hash' }, true],
  [{ f: 'n', type: 'object' }, false],
  [{ f: 'l', type: 'array<string>' }, true],
  [{ f: 'mixed', type: 'array<string>' }, false],
  [{ f: 'mixed', type: 'array<string, number>' }, true],
  [{ f: 'mixed', type: 'array<string>, array<number>' }, false],
  [{ f: 'y.c', type: 'array<string>,array<number>' }, true],
  [{ f: 'o', type: 'object<number>' }, true],
  [{ f: 'y', type: 'object<array<number>,string>' }, true],
  [{ f: 'y', type: 'array<string>' }, false],
  [{ f: 'x', type: 'string, number' }, true],
  [{ f: 'x', type: ['string', 'number'] }, true],
  [{ f: 's', match: '^hel' }, true],
  [{ f: 'x', match: '1' }, true],
  [{ f: 'x', m: '^2' }, false],
  [{ f: 'n', match: '' }, false],
  [{ f: 'l', match: '"a"' }, true],
  [{ f: 's', smatch: 'l+' }, true],
  [{ f: 'x', sm: '1' }, false],
  [{ f: 's', size: 5 }, true],
  [{ f: 's', size: '5' }, true],
  [{ f: 's', size: [5] }, true],
  [{ f: 's', sz: [3, 6] }, true],
  [{ f: 's', size: '3,4' }, false],
  [{ f: 's', size: [4, null] }, true],
  [{ f: 's', size: '4,' }, true],
  [{ f: 's', size: ',4' }, false],
  [{ f: 's', size: [null, 5] }, true],
  [{ f: 'l', size: 2 }, true],
  [{ f: 'y', size: 2 }, true],
  [{ f: 'x', size: 1 }, false],
  [{ f: 'n', size: 0 }, false],
  [{ f: 'e', empty: true }, true],
  [{ f: 'es', e: true }, true],
  [{ f: 'l', empty: true }, false],
  [{ f: 'l', empty: false }, true],
  [{ f: 'e', empty: 'true' }, true],
  [{ f: 'x', empty: true }, false],
  [{ f: 'x', empty: false }, true],
  [{ f: 'x', in: [1, 2] }, true],
  [{ f: 'x', in: '1, 2' }, false],
  [{ f: 's', i: 'hello, bye' }, true],
  [{ f: 'y', in: [{ c: [1, 2], a: 'b' }] }, true],
  [{ f: 'l', has: 'a' }, true],
  [{ f: 'l', h: ['b', 'a'] }, true],
  [{ f: 'l', has: 'a, c' }, false],
  [{ f: 'y', has: 'a, c' }, true],
  [{ f: 'y', has: 'b' }, false],
  [{ f: 's', has: 'h' }, false],
  [{ f: 'l', includes: 'b' }, true],
  [{ f: 'y', includes: 'b' }, true],
  [{ f: 'y', includes: [1, 2] }, true],
  [{ f: 'l', includes: 'z' }, false],
  [{ f: 's', includes: 'h' }, false],
  [{ f: 'x', is: 1 }, true],
  [{ f: 'x', is: '1' }, false],
  [{ f: 'y', is: { c: [1, 2], a: 'b' } }, true],
  [{ f: 'x', valid: true }, true],
  [{ f: 'x', v: 'true' }, true],
  [{ f: 'x', valid: 'false' }, false],
  [{ f: 'x', valid: '' }, false],
  [{ f: 'x', type: 'number', is: 2 }, false],
  [{ f: 'x', is: 2, type: 'number' }, false],
];

test.each(checks)('%j holds: %s', (rule, holds) => {
  expect(run([rule])).toEqual(holds ? fields : [rule['f']]);
});

describe('selectors', () => {
  test.each<[JsonObject, Json]>([
    [{ field: 'x, s', type: 'boolean' }, ['x', 's']],
    [{ fields: ['x', 's'], type: 'boolean' }, ['x', 's']],
    [{ fields: 's', field: 'x', f: 'nada' }, 'ok'],
    [{ f: 'a|x|n', type: 'number' }, 'ok'],
    [{ f: 'a|x|s', type: 'number' }, ['s']],
    [{ f: 'a | b', type: 'number' }, ['a | b']],
    [{ f: '/^y!/', type: 'string' }, ['y.c', 'y.c.0', 'y.c.1']],
    [{ f: '/^Y\\.A$/i', type: 'number' }, ['y.a']],
    [{ f: '/^nada/' }, ['/^nada/']],
    [{ f: '/^nada/', type: 'string' }, 'ok'],
    [{ f: '/x/' }, 'ok'],
    [{ f: 'y.c.-1', is: 2 }, 'ok'],
    [{ f: '.', type: 'object' }, 'ok'],
  ])('%j', (rule, result) => {
    expect(run([rule])).toEqual(result === 'ok' ? fields : result);
  });
});

const transformations: readonly (readonly [about: string, rules: Json, before: Fields, after: Fields])[] = [
  [
    'remove',
    [
      { f: 'x', remove: true },
      { f: 'y.a', rm: true },
      { f: 'l.0', del: true },
      { f: 'nada', delete: true },
    ],
    { x: 1, y: { a: 1, b: 2 }, l: [1, 2] },
    { y: { b: 2 }, l: [2] },
  ],
  ['remove by regex', [{ f: '/^[xs]$/', remove: true }], { x: 1, s: 2, xs: 3 }, { xs: 3 }],
  [
    'set',
    [
      { f: 'x', set: 'new' },
      { f: 'y.z', s: [1] },
      { f: 'p.q', set: 1 },
    ],
    { y: {} },
    { x: 'new', y: { z: [1] }, 'p.q': 1 },
  ],
  [
    'set null and false',
    [
      { f: 'x, y', set: null },
      { f: 'y', set: false },
    ],
    { x: 1 },
    { x: null, y: false },
  ],
  ['set the whole', [{ f: '.', set: { a: 1 } }], { x: 1 }, { a: 1 }],
  [
    'copy_to',
    [
      { f: 'x', copy_to: 'a' },
      { f: 'x', cp_to: 'y.z' },
    ],
    { x: 1, y: {} },
    { x: 1, a: 1, y: { z: 1 } },
  ],
  [
    'move_to',
    [
      { f: 'x', move_to: 'a' },
      { f: 'y.z', mv_to: 'b' },
    ],
    { x: 1, y: { z: 2 } },
    { a: 1, y: {}, b: 2 },
  ],
  [
    'copy_from',
    [
      { f: 'a', copy_from: 'y' },
      { f: 'b', cp_from: 'y.z' },
      { f: 'c', cp_from: 'nada' },
    ],
    { y: { z: 2 } },
    { y: { z: 2 }, a: { z: 2 }, b: 2, c: null },
  ],
  [
    'move_from',
    [
      { f: 'a', move_from: 'x' },
      { f: 'b', mv_from: 'y.z' },
    ],
    { x: 1, y: { z: 2 } },
    { a: 1, y: {}, b: 2 },
  ],
  ['copy_to with groups', [{ f: '/a!(.+)/', copy_to: 'b\\1' }], { a: ['x', 'y'] }, { a: ['x', 'y'], b0: 'x', b1: 'y' }],
  ['two groups', [{ f: '/^(a)(b)?$/', copy_to: '\\2-\\1-\\0-\\9' }], { a: 1 }, { a: 1, '-a-a-': 1 }],
  [
    'copy_from by regex',
    [{ f: '/^.$/', copy_from: 'source.0' }],
    { a: 1, c: 2, source: [7] },
    { a: 7, c: 7, source: [7] },
  ],
  [
    'merge_to',
    [
      { f: 'y', merge_to: 'z' },
      { f: 'x', mg_to: 'z' },
    ],
    { x: 1, y: { a: 1 }, z: { b: 2 } },
    { x: 1, y: { a: 1 }, z: { b: 2, a: 1, x: 1 } },
  ],
  ['merge_to the whole', [{ f: 'x', merge_to: '.' }], { x: { a: 1, b: 2 } }, { x: { a: 1, b: 2 }, a: 1, b: 2 }],
  [
    'merge_to nothing',
    [
      { f: 'x', merge_to: 'nada' },
      { f: 'x', migrate_to: 'y' },
    ],
    { x: 1, y: 2 },
    { x: 1, y: 2 },
  ],
  [
    'push_to',
    [
      { f: 's', push_to: 'l' },
      { f: 's', pu_to: 'y.l' },
    ],
    { s: 1, l: [], y: { l: [0] } },
    { s: 1, l: [1], y: { l: [0, 1] } },
  ],
  [
    'migrate_to',
    [
      { f: 'a.p', migrate_to: 'z' },
      { f: 's', mi_to: 'l' },
    ],
    { a: { p: 1 }, z: {}, s: 2, l: [] },
    { a: {}, z: { p: 1 }, l: [2] },
  ],
  [
    'merge_from',
    [
      { f: 'z', merge_from: 'y' },
      { f: 'z', mg_from: 'a.x' },
      { f: 'l', push_from: 's' },
      { f: 'l', pu_from: 's' },
    ],
    { y: { a: 1 }, z: {}, a: { x: 3 }, l: [], s: 2 },
    { y: { a: 1 }, z: { a: 1, x: 3 }, a: { x: 3 }, l: [2, 2], s: 2 },
  ],
  [
    'migrate_from',
    [
      { f: 'z', migrate_from: 'p' },
      { f: 'z', mi_from: 'q' },
    ],
    { z: {}, p: 1, q: { r: 2 } },
    { z: { p: 1, r: 2 } },
  ],
  ['merge_from the whole', [{ f: 'z', migrate_from: '.' }], { z: {}, p: 1 }, { z: { z: {}, p: 1 }, p: 1 }],
  [
    'a copy is a copy',
    [
      { f: 'l', copy_to: 'm' },
      { f: 's', push_to: 'l' },
      { f: 'm.0', set: 9 },
    ],
    { l: [1], s: 2 },
    { l: [1, 2], s: 2, m: [9] },
  ],
  [
    'a copy of what was changed is a copy',
    [
      { f: 'l.0.a', set: 1 },
      { f: 'l', copy_to: 'm' },
      { f: 'l.0.a', set: 2 },
    ],
    { l: [{}] },
    { l: [{ a: 2 }], m: [{ a: 1 }] },
  ],
  [
    'a copy of the whole is a copy',
    [
      { f: 'y.a', set: 1 },
      { f: 'z', copy_from: '.' },
      { f: 'y.a', set: 2 },
    ],
    { y: {} },
    { y: { a: 2 }, z: { y: { a: 1 } } },
  ],
  [
    '~',
    [
      { f: 'x', set: 0 },
      { f: 'x', copy_from: '~.x' },
    ],
    { x: 5 },
    { x: 5 },
  ],
  [
    'restore by regex',
    [
      { f: 'x', set: 'X' },
      { f: 'y', rm: true },
      { f: '/^.$/', restore: true },
    ],
    { x: 'a', y: 'b' },
    { x: 'a', y: 'b' },
  ],
  [
    'restore_from',
    [
      { f: 'A', set: {} },
      { f: '.', merge_to: 'A' },
      { f: 'x', set: 'X' },
      { f: '/^[a-z]$/', restore_from: 'A' },
      { f: 'A', delete: true },
    ],
    { x: 'a', y: 'b' },
    { x: 'a', y: 'b' },
  ],
  [
    'or for what fails',
    [
      { f: 'x', type: 'string', or: 'missing' },
      { f: 's', type: 'string', or: 'missing' },
    ],
    { x: 1, s: 's' },
    { x: 'missing', s: 's' },
  ],
  [
    'or without checks',
    [
      { f: 'x', or: 'o' },
      { f: 'n', or: 'o' },
      { f: 'nada', or: 0 },
    ],
    { x: 1, n: null },
    { x: 1, n: 'o', nada: 0 },
  ],
  [
    'and for what passes',
    [
      { f: 'x', type: 'number', and: 'n' },
      { f: 's', type: 'number', and: 'n' },
      { f: 'y', and: 'there' },
    ],
    { x: 1, s: 's', y: 1 },
    { x: 'n', s: 's', y: 'there' },
  ],
  ['and with or', [{ f: 'x,s', type: 'number', and: 'n', or: 'o' }], { x: 1, s: 's' }, { x: 'n', s: 'o' }],
  [
    'default',
    [
      { f: 'x', default: 'd' },
      { f: 'n', default: 'd' },
      { f: 'nada', default: 'd' },
    ],
    { x: 1, n: null },
    { x: 1, n: 'd', nada: 'd' },
  ],
  [
    'fields that begin with a tilde',
    [
      { f: 'x', set: 1 },
      { f: '/./', rm: true },
    ],
    { '~mine': 1 },
    { '~mine': 1 },
  ],
  [
    '__proto__',
    [
      { f: '__proto__', set: { p: 1 } },
      { f: '__proto__.q', set: 2 },
    ],
    {},
    JSON.parse('{"__proto__":{"p":1,"q":2}}') as Fields,
  ],
];

test.each(transformations)('%s', (_, rules, before, after) => {
  expect(run(rules, before)).toEqual(after);
});

describe('take, discard and restore look at the base', () => {
  const now = { a: 1, b: 2 };
  const base = { b: 0, c: 1 };
  test.each<[Json, Fields]>([
    [[{ f: 'a', take: true }], { b: 0, c: 1, a: 1 }],
    [[{ f: 'a, nada', take: true }], { b: 0, c: 1, a: 1, nada: null }],
    [[{ f: 'b', discard: true }], { c: 1, a: 1 }],
    [[{ f: '/.+/', discard: 'all' }], base],
    [[{ f: 'b', restore: true }], { a: 1, b: 0 }],
    [[{ f: 'nada', rs: true }], { a: 1, b: 2, nada: null }],
    [[{ f: 'd', copy_from: '~~.c' }], { a: 1, b: 2, d: 1 }],
  ])('%j', (rules, result) => {
    expect(run(rules, now, base)).toEqual(result);
  });

  test('as attributes', () => {
    expect(takeFields('a', base, now)).toEqual({ b: 0, c: 1, a: 1 });
    expect(takeFields(['b', 'nada'], base, now)).toEqual({ b: 2, c: 1, nada: null });
    expect(discardFields('b', base, now)).toEqual({ c: 1, a: 1 });
    expect(discardFields(['a', 'c'], base, now)).toEqual({ b: 2 });
    expect(discardFields(true, base, now)).toBe(base);
  });
});

describe('alternatives', () => {
  const isString = { f: 'x', type: 'string' };
  test.each<[Json, Json]>([
    [[isString, 'or', { f: 's', set: 'S' }], { ...fields, s: 'S' }],
    [[{ f: 's', set: 'lost' }, isString, 'or', { f: 's' }], fields],
    [
      [isString, 'or', { f: 's', type: 'number' }, { f: 'n' }],
      ['s', 'n'],
    ],
    [[[isString], [{ f: 's', set: 'S' }]], { ...fields, s: 'S' }],
    [[], fields],
  ])('%j', (rules, result) => {
    expect(run(rules)).toEqual(result);
  });
});

test.each<[Json, string]>([
  [null, 'ArgumentError: not a filter : '],
  ['text', 'ArgumentError: not a filter : text'],
  [{ in: 1 }, 'ArgumentError: not a filter : 1'],
  [[1], 'ArgumentError: not a rule of a filter: 1'],
  [[{ type: 'string' }], "ArgumentError: filter is missing a 'fields', 'field' or 'f' arg at {\"type\":\"string\"}"],
  [[{ f: 'x', type: 'thing' }], "ArgumentError: unknown type 'thing'"],
  [[{ f: 'l.99999999', set: 1 }], 'IndexError: cannot set "l.99999999": more than 10000 elements beyond the end'],
  [
    [{ f: '/(?=a)/' }],
    'ArgumentError: cannot use the regular expression /(?=a)/: invalid or unsupported Perl syntax: `(?=`',
  ],
])('%j is an error', (rules, message) => {
  expect(run(rules)).toBe(message);
});

test('one side of a filter for both directions is used', () => {
  const rules = { in: [{ f: 'x', set: 'in' }], reply: [{ f: 'x', set: 'out' }] };
  const side = (direction: 'in' | 'out', of: Json): Json => {
    const outcome = applyFilter({ rules: of, fields: {}, base: {}, direction });
    return outcome.ok ? outcome.fields : null;
  };
  expect(side('in', rules)).toEqual({ x: 'in' });
  expect(side('out', rules)).toEqual({ x: 'out' });
  expect(side('in', { out: [{ f: 'x' }] })).toEqual({});
});

describe('deviations', () => {
  const rules = [
    { f: 'x', type: 'string' },
    { f: 's', match: 'b' },
  ];

  test('are rule, field and value, and make an error with the number of them', () => {
    const outcome = applyFilter({ rules, fields, base: fields });
    const deviations = [
      [rules[0], 'x', 1],
      [rules[1], 's', 'hello'],
    ];
    expect(outcome).toEqual({ ok: false, deviations });
    if (outcome.ok) return;
    const error = validationError(outcome.deviations);
    expect([error.errorClass, error.message]).toEqual([
      'Ruote::ValidationError',
      'validation failed with 2 deviation(s)',
    ]);
    expect(error.deviations).toEqual(deviations);
  });

  test.each<[JsonObject, string | null, boolean]>([
    [{ f: 'x' }, null, false],
    [{ f: 'x', record: true }, '__validation_errors__', false],
    [{ f: 'x', record: 'true', flush: 'true' }, '__validation_errors__', true],
    [{ f: 'x', record: 'errs', flush: true }, 'errs', true],
    [{ f: 'x', record: false, flush: false }, null, false],
  ])('%j says where they are recorded', (rule, field, flush) => {
    expect(readRecording([rule, { f: 'y' }])).toEqual({ rules: [{ f: 'x' }, { f: 'y' }], field, flush });
  });

  test('are appended to those recorded before, or replace them', () => {
    const deviation = [{ f: 'x' }, 'x', null] as const;
    const recording = { rules: [], field: 'errs', flush: false };
    expect(recordDeviations({ errs: [1] }, recording, [deviation])).toEqual({ errs: [1, deviation] });
    expect(recordDeviations({}, recording, [deviation])).toEqual({ errs: [deviation] });
    expect(recordDeviations({ errs: [1] }, { ...recording, flush: true }, [deviation])).toEqual({ errs: [deviation] });
    expect(recordDeviations({ errs: [1] }, { ...recording, field: null }, [deviation])).toEqual({ errs: [1] });
  });
});
