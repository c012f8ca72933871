import { expect, test } from 'vitest';
import { encodeValue } from '../../src/interpreter/state/encoding.ts';
import { deliveredFields, deliveredText } from '../../src/interpreter/state/fields.ts';
import type { ExpressionId } from '../../src/model/ids.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { WorkitemRow } from '../../src/model/rows.ts';

const rowOf = (given: Partial<WorkitemRow>): WorkitemRow =>
  ({
    fields: null,
    params: '{"ref":"alpha"}',
    inherits: '0_1!x' as ExpressionId,
    added: null,
    ...given,
  }) as WorkitemRow;

const timedOut = '{"__timed_out__":["0_1",5]}';
const bases: readonly JsonObject[] = [
  { list: ['ä', 1, null], said: 'hello' },
  {},
  { t: 1, __result__: true },
  { t: 1, kept: 2 },
  { params: { old: true }, kept: 2 },
  { __timed_out__: null, kept: 2 },
  JSON.parse('{"__proto__": 1, "constructor": 2}') as JsonObject,
];

test.each(bases.map((base) => [JSON.stringify(base), base]))(
  'fields inherited from %s: the text says what the fields are',
  (_, base) => {
    const value = encodeValue(base);
    for (const row of [rowOf({}), rowOf({ params: '{}' }), rowOf({ added: timedOut })]) {
      const { shared, own } = deliveredText(row, value);
      expect(JSON.parse(shared + own)).toEqual(deliveredFields(row, value));
    }
  },
);

test('the part that workitems of one base share is one and the same text', () => {
  const value = encodeValue({ list: ['a'.repeat(5_000)] });
  const texts = ['one', 'two'].map((ref) => deliveredText(rowOf({ params: JSON.stringify({ ref }) }), value));
  expect(texts[0]?.shared).toBe(texts[1]?.shared);
  expect(texts[0]?.shared.length).toBeGreaterThan(5_000);
  for (const { own } of texts) expect(own.length).toBeLessThan(50);
});

test('a workitem with fields of its own is delivered as it is stored', () => {
  const row = rowOf({ fields: '{"a":1}', inherits: null });
  expect(deliveredText(row, null)).toEqual({ shared: '', own: '{"a":1}' });
  const notice = { ...row, added: timedOut };
  expect(JSON.parse(deliveredText(notice, null).own)).toEqual(deliveredFields(notice, null));
});
