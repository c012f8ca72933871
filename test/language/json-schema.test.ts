import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { schemaComplaint, validate } from '../../src/language/json-schema.ts';
import { formatOf } from '../../src/language/json-schema-formats.ts';
import type { Json } from '../../src/model/json.ts';

/* JSON Schema, judged by a library that compiles it. */

const judge = new Ajv2020({
  strict: false,
  allErrors: true,
  validateFormats: false,
  ownProperties: true,
  logger: false,
});

/** Schemas, each with values of all kinds that it takes or not. */
const SCHEMAS: readonly Json[] = [
  true,
  false,
  {},
  { type: 'integer' },
  { type: ['string', 'null'] },
  { enum: [1, 'a', [1], { a: null }, null] },
  { const: { a: [1, { b: 2 }] } },
  { minimum: 1, exclusiveMaximum: 3 },
  { multipleOf: 0.5 },
  { minLength: 2, maxLength: 3 },
  { pattern: '^a+$' },
  { pattern: 'b' },
  { minItems: 1, maxItems: 2 },
  { uniqueItems: true },
  { prefixItems: [{ type: 'integer' }, { type: 'string' }], items: false },
  { items: { type: 'integer' } },
  { prefixItems: [{ type: 'integer' }], items: { type: 'string' } },
  { contains: { type: 'string' } },
  { contains: { const: 1 }, minContains: 2, maxContains: 2 },
  { contains: { const: 1 }, minContains: 0 },
  { minProperties: 1, maxProperties: 1 },
  { required: ['a', 'constructor'] },
  { properties: { a: { type: 'integer' }, __proto__x: false } },
  { properties: { a: true }, additionalProperties: false },
  { patternProperties: { '^a': { type: 'integer' } }, additionalProperties: { type: 'string' } },
  { propertyNames: { maxLength: 1 } },
  { dependentRequired: { a: ['b'] } },
  { dependentSchemas: { a: { required: ['b'] } } },
  { allOf: [{ required: ['a'] }, { properties: { a: { type: 'string' } } }] },
  { anyOf: [{ type: 'integer' }, { minimum: 2 }] },
  { oneOf: [{ type: 'integer' }, { minimum: 2 }] },
  { not: { type: 'string' } },
  { if: { required: ['a'] }, then: { required: ['b'] }, else: { required: ['c'] } },
  { if: { type: 'string' }, else: false },
  { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } },
  { $defs: { 'x/y~z': { type: 'integer' } }, $ref: '#/$defs/x~1y~0z' },
  { $defs: { n: { $anchor: 'node', type: 'object' } }, $ref: '#node' },
  { properties: { next: { $ref: '#' }, v: { type: 'integer' } }, additionalProperties: false },
  { properties: { a: true }, unevaluatedProperties: false },
  { allOf: [{ properties: { a: true } }], properties: { b: true }, unevaluatedProperties: false },
  {
    anyOf: [
      { properties: { a: { const: 1 } }, required: ['a'] },
      { properties: { b: true }, required: ['b'] },
    ],
    unevaluatedProperties: false,
  },
  {
    if: { properties: { a: { const: 1 } }, required: ['a'] },
    then: { properties: { b: true } },
    unevaluatedProperties: { type: 'string' },
  },
  { prefixItems: [true], unevaluatedItems: false },
  { allOf: [{ prefixItems: [true, true] }], contains: { const: 'a' }, unevaluatedItems: { type: 'integer' } },
  { not: { properties: { a: true }, unevaluatedProperties: false } },
  { $ref: '#/$defs/o', $defs: { o: { properties: { a: true } } }, unevaluatedProperties: false },
];
const VALUES: readonly Json[] = [
  ...[null, true, false, 0, 1, 1.5, 2, 3, 4, -1, '', 'a', 'aa', 'ab', '𝒳𝒳𝒳', 'a\nb', 'b\na'],
  ...[
    [],
    [1],
    [1, 'a'],
    [1, 1],
    ['a', 1],
    [1, 'a', 2],
    [[1], [1]],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    ['a', 'b', 3],
  ],
  ...[{}, { a: 1 }, { a: 'x' }, { b: 1 }, { a: 1, b: 2 }, { c: 1 }, { a: null }, { ab: 1 }],
  ...[
    { next: { next: { v: 1 } } },
    { next: { v: 'x' } },
    { v: 1, w: 2 },
    { a: [1, { b: 2 }] },
    { a: 1, b: 'x', c: 'y' },
  ],
];

test('values are judged as a compiler of schemas judges them', () => {
  let judged = 0;
  for (const schema of SCHEMAS) {
    expect(schemaComplaint(schema), JSON.stringify(schema)).toBe(null);
    const compiled = judge.compile(schema as object);
    for (const value of VALUES) {
      const verdict = validate(schema, value);
      expect(verdict.kind, `${JSON.stringify(schema)} ${JSON.stringify(value)}`).toBe(
        compiled(value) ? 'valid' : 'invalid',
      );
      judged += 1;
    }
  }
  expect(judged).toBeGreaterThan(1_500);
});

test('names that every object inherits are names like others', () => {
  expect(validate({ required: ['constructor'] }, {}).kind).toBe('invalid');
  expect(validate({ required: ['constructor'] }, { constructor: 1 }).kind).toBe('valid');
  const closed = { properties: { a: true }, unevaluatedProperties: false };
  expect(validate(closed, { a: 1, constructor: 1 }).kind).toBe('invalid');
  expect(validate({ additionalProperties: false }, { toString: 1 }).kind).toBe('invalid');
});

test('complaints say where, of a missing member where it should be', () => {
  const schema = {
    type: 'object',
    required: ['id', 'a/b'],
    properties: { amount: { exclusiveMinimum: 0 }, lines: { items: { type: 'integer' } } },
    additionalProperties: false,
  };
  const verdict = validate(schema, { amount: -1, lines: [1, 'x'], more: 1 });
  expect(verdict).toEqual({
    kind: 'invalid',
    complaints: [
      { pointer: '#/id', detail: 'is missing' },
      { pointer: '#/a~1b', detail: 'is missing' },
      { pointer: '#/amount', detail: 'must be > 0' },
      { pointer: '#/lines/1', detail: 'must be integer' },
      { pointer: '#/more', detail: 'is not allowed' },
    ].map(({ pointer, detail }) => ({ detail, pointer })),
  });
  const many = validate(
    { items: { type: 'string' } },
    Array.from({ length: 100 }, (_, i) => i),
  );
  expect(many.kind === 'invalid' && many.complaints.length).toBe(20);
});

test('defaults are filled in where members are missing, and nothing is made of another type', () => {
  const schema = {
    properties: {
      a: { type: 'integer', default: 5 },
      b: { properties: { c: { default: ['x'] } }, default: {} },
      d: { type: 'boolean' },
      e: { default: null },
    },
    allOf: [{ properties: { f: { default: 1 } } }, { $ref: '#/$defs/g' }],
    $defs: { g: { properties: { g: { default: 2 } } } },
  };
  expect(validate(schema, { e: 1 })).toEqual({ kind: 'valid', value: { e: 1, a: 5, b: { c: ['x'] }, f: 1, g: 2 } });
  expect(validate(schema, { d: 'true' }).kind).toBe('invalid');
  expect(validate({ properties: { a: { type: 'integer', default: 'x' } } }, {}).kind).toBe('invalid');
});

describe('a schema of a stranger', () => {
  test('ends when it is a bomb', () => {
    const bomb = (key: string): Json => ({
      $defs: Object.fromEntries(
        Array.from({ length: 22 }, (_, i) => [
          `d${i}`,
          { [key]: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
        ]).concat([['d22', { type: 'integer' } as never]]),
      ),
      $ref: '#/$defs/d0',
    });
    for (const key of ['allOf', 'anyOf', 'oneOf']) {
      expect(schemaComplaint(bomb(key))).toBe(null);
      expect(validate(bomb(key), key === 'anyOf' ? 'x' : 1).kind, key).toBe('exhausted');
    }
    expect(validate({ $ref: '#' }, 1).kind).toBe('exhausted');
    expect(validate({ allOf: [{ $ref: '#' }] }, {}).kind).toBe('exhausted');
    const long = 'a'.repeat(200_000);
    expect(['valid', 'invalid', 'exhausted']).toContain(validate({ pattern: '(a*)*b' }, long).kind);
    expect(
      validate(
        { items: { pattern: `(?:${'a?'.repeat(200)})b` } },
        Array.from({ length: 500 }, () => 'a'.repeat(1_000)),
      ).kind,
    ).toBe('exhausted');
  });

  test('is refused where it reaches out, is no schema, or is too large', () => {
    const deep = (levels: number): Json => (levels === 0 ? true : { not: deep(levels - 1) });
    const refused: readonly (readonly [Json, string])[] = [
      [7, '#'],
      [{ $ref: 'http://elsewhere.test/schema' }, '#/$ref'],
      [{ $ref: 'file:///etc/passwd' }, '#/$ref'],
      [{ $ref: '#/$defs/none' }, '#/$ref'],
      [{ $dynamicRef: '#a' }, '#/$dynamicRef'],
      [{ properties: { a: { $id: 'b' } } }, '#/properties/a/$id'],
      [{ types: 'string' }, '#/types'],
      [{ type: 'text' }, '#/type'],
      [{ pattern: '(?=a)' }, '#/pattern'],
      [{ patternProperties: { '(': true } }, '#/patternProperties/('],
      [{ minLength: -1 }, '#/minLength'],
      [{ multipleOf: 0 }, '#/multipleOf'],
      [{ required: 'a' }, '#/required'],
      [{ allOf: [] }, '#/allOf'],
      [{ allOf: [{ items: 1 }] }, '#/allOf/0/items'],
      [{ enum: Array.from({ length: 2_001 }, (_, i) => i) }, '#/enum/1998'],
      [{ description: 'x'.repeat(65_536) }, '#'],
    ];
    for (const [schema, pointer] of refused)
      expect(schemaComplaint(schema)?.pointer, JSON.stringify(schema).slice(0, 80)).toBe(pointer);
    expect(schemaComplaint(deep(33))).not.toBe(null);
    expect(schemaComplaint({ 'x-order': ['a'], deprecated: true, $comment: 'c' })).toBe(null);
  });
});

test('formats', () => {
  const good: Readonly<Record<string, readonly string[]>> = {
    date: ['2024-02-29', '2000-02-29', '2023-12-31'],
    time: ['12:00:00Z', '23:59:60Z', '08:30:06.28+01:00', '01:59:60+02:00'],
    'date-time': ['2024-02-29T12:00:00Z', '1990-12-31t15:59:60-08:00'],
    duration: ['P1D', 'PT1M', 'P4DT12H30M5S', 'P2W', 'P1Y2M'],
    email: ['a@b.example', 'a.b+c@x-y.org', '"joe b"@example.com', 'a@[127.0.0.1]'],
    uri: ['http://a.test/b?c#d', 'urn:oasis:names', 'mailto:a@b', 'http://[::1]:8/x', 'tel:+1-816'],
    uuid: ['2EB8AA08-aa98-11ea-b4aa-73b441d16380'],
    ipv4: ['192.168.0.1', '0.0.0.0'],
    ipv6: ['::1', '1::', '::ffff:192.168.0.1', '1:2:3:4:5:6:7:8', '12:34:56:78::'],
  };
  const bad: Readonly<Record<string, readonly string[]>> = {
    date: ['2023-02-29', '1900-02-29', '2023-13-01', '2023-1-1', '2023-01-32', '2023-01-00'],
    time: ['24:00:00Z', '12:00:60Z', '12:00:00', '12:60:00Z'],
    'date-time': ['2024-02-30T12:00:00Z', '2024-02-29', '2024-02-29T12:00:00'],
    duration: ['P', 'PT', 'P1', '1D', 'P1S', 'P1D2H', 'P1Y1W'],
    email: ['a', '@b', 'a@', 'a..b@c', 'a@-b.c', 'a b@c'],
    uri: ['//a', 'a', 'http://a b', 'http://a/%zz', 'http://[1::2::3]/', ':x'],
    uuid: ['2eb8aa08aa9811eab4aa73b441d16380', '2eb8aa08-aa98-11ea-b4aa-73b441d1638'],
    ipv4: ['256.0.0.1', '1.2.3', '01.2.3.4', '1.2.3.4.5'],
    ipv6: ['1', '1::2::3', '12345::', '1:2:3:4:5:6:7', '::1.2.3', '1:2:3:4:5:6:7:8:9', '::g'],
  };
  for (const [format, texts] of Object.entries(good))
    for (const text of texts) expect(formatOf(format)?.(text), `${format} ${text}`).toBe(true);
  for (const [format, texts] of Object.entries(bad))
    for (const text of texts) expect(formatOf(format)?.(text), `${format} ${text}`).toBe(false);
  expect(formatOf('hostname')).toBe(null);
});
