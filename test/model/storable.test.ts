import { expect, test } from 'vitest';
import { isStorable, storable, valueComplaint } from '../../src/model/storable.ts';

const face = '\u{1F600}';

test.each(['', 'plain', face, `${face}${face}`, '\ufffd'])('the text %j is kept as it is', (text) => {
  expect(isStorable(text)).toBe(true);
  expect(storable(text)).toBe(text);
  expect(valueComplaint({ [text]: [text] })).toBe(null);
});

test.each([
  ['a\0b', 'a\ufffdb'],
  [`${face.charAt(0)}x`, '\ufffdx'],
  [`x${face.charAt(1)}${face}`, `x\ufffd${face}`],
])('of the text %j only what no database holds is replaced', (text, kept) => {
  expect(isStorable(text)).toBe(false);
  expect(storable(text)).toBe(kept);
  expect(valueComplaint([text])).toContain('cannot be stored');
  expect(valueComplaint({ [text]: 1 })).toContain('cannot be stored');
});

test('a value may be nested a hundred deep, and no number is infinite', () => {
  const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
  expect(valueComplaint(nested(100))).toBe(null);
  expect(valueComplaint(nested(101))).toContain('nested more than 100 deep');
  expect(valueComplaint({ a: Number.POSITIVE_INFINITY })).toContain('too large');
});
