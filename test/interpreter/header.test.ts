import { expect, test } from 'vitest';
import { decodeHeader, encodeHeader } from '../../src/interpreter/state/encoding.ts';
import { newHeader } from '../../src/interpreter/state/state.ts';

/* The header of a workflow as text: what differs from a new one. */

test('comes back as it was, whatever differs', () => {
  const header = { ...newHeader(), expressions: 3, errors: 1, pausedAt: 5, tags: { one: 2 }, reason: 'why' };
  expect(decodeHeader(encodeHeader(header))).toEqual(header);
  expect(encodeHeader(newHeader())).toBe('{"expressions":0}');
});

test('of a newer node is gone on with by this one, without what it does not know', () => {
  const text = JSON.stringify({ later: 7, expressions: 3, reason: 'why', much: { later: true } });
  expect(encodeHeader(decodeHeader(text))).toBe('{"expressions":3,"reason":"why"}');
});
