import { describe, expect, test } from 'vitest';
import { readEvents } from '../../src/api/resources/signals/cloud-events.ts';
import { isObject, type Json } from '../../src/model/json.ts';

/* What an event may be, each bound from both sides. */

const good = { specversion: '1.0', id: 'e1', source: 's', type: 't' };
const read = (value: unknown, type = 'application/cloudevents+json') =>
  readEvents({ type, bytes: Buffer.from(JSON.stringify(value)), headers: {} } as unknown as Parameters<
    typeof readEvents
  >[0]);
/** The code and the pointers of the refusal; null: it is taken. */
function refusal(value: unknown, type?: string): { readonly code: string; readonly at: readonly string[] } | null {
  try {
    read(value, type);
    return null;
  } catch (error) {
    const { code, complaints = [] } = error as { code: string; complaints?: readonly { pointer: string }[] };
    return { code, at: complaints.map(({ pointer }) => pointer) };
  }
}
const batch = 'application/cloudevents-batch+json';

describe('an event', () => {
  test.each<[string, Json]>([
    ['an attribute of 4 kB', { some: 'x'.repeat(4_096) }],
    ['an attribute of 4 kB in two-byte characters', { some: 'é'.repeat(2_048) }],
    ['a name of 64 characters', { ['a'.repeat(64)]: 1 }],
    ['numbers, true and false as attributes', { a: 1, b: true, c: false }],
    ['a type of 255 characters', { type: 't'.repeat(255) }],
    ['a time with a zone', { time: '2026-01-05T12:00:00.123456789+02:00' }],
    ['data of 255 kB', { data: 'x'.repeat(255 * 1_024) }],
  ])('may have %s', (_what, more) => {
    expect(refusal({ ...good, ...(isObject(more) ? more : {}) })).toBeNull();
  });

  test.each<[string, Json, string]>([
    ['an attribute above 4 kB', { some: 'x'.repeat(4_097) }, '#/some'],
    ['the same in two-byte characters', { some: 'é'.repeat(2_049) }, '#/some'],
    ['a name of 65 characters', { ['a'.repeat(65)]: 1 }, `#/${'a'.repeat(64)}`],
    ['a name in capitals', { Some: 1 }, '#/Some'],
    ['an object as attribute', { some: {} }, '#/some'],
    ['a type of 256 characters', { type: 't'.repeat(256) }, '#/type'],
    ['a day as time', { time: '2026-01-05' }, '#/time'],
    ['a time that never was', { time: '2026-02-30T25:00:00Z' }, '#/time'],
    ['an empty id', { id: '' }, '#/id'],
    ['another version', { specversion: '0.3' }, '#/specversion'],
    ['data twice', { data: 1, data_base64: 'eA==' }, '#/data_base64'],
  ])('may not have %s', (_what, more, pointer) => {
    expect(refusal({ ...good, ...(isObject(more) ? more : {}) })).toEqual({ code: 'event_invalid', at: [pointer] });
  });

  test('has at most 256 kB', () => {
    const about = Buffer.byteLength(JSON.stringify({ ...good, data: '' }));
    expect(refusal({ ...good, data: 'x'.repeat(256 * 1_024 - about) })).toBeNull();
    expect(refusal({ ...good, data: 'x'.repeat(256 * 1_024 - about + 1) })).toMatchObject({ code: 'body_too_large' });
  });
});

test('a batch has at most a thousand events, each as large as one alone', () => {
  const events = Array.from({ length: 1_000 }, (_, i) => ({ ...good, id: `e${i}` }));
  expect(read(events, batch).events).toHaveLength(1_000);
  expect(refusal([...events, good], batch)).toMatchObject({ code: 'body_too_large' });
  expect(read([], batch)).toEqual({ isBatch: true, events: [] });
  expect(refusal([good, good, good, { ...good, id: null }], batch)).toEqual({ code: 'event_invalid', at: ['#/3/id'] });
  expect(refusal([good, { ...good, data: 'x'.repeat(256 * 1_024) }], batch)).toEqual({
    code: 'body_too_large',
    at: ['#/1'],
  });
});
