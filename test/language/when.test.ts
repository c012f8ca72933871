import { describe, expect, test } from 'vitest';
import { isCron, nextOccurrence, parseSchedule, parseWhen, utcStamp } from '../../src/language/when.ts';
import type { Json } from '../../src/model/json.ts';

const now = Date.UTC(2026, 2, 28, 12, 0, 0, 500);

test.each<[Json, string]>([
  [1, '2026-03-28 12:00:01.500000 UTC'],
  [0.25, '2026-03-28 12:00:00.750000 UTC'],
  [-1, '2026-03-28 11:59:59.500000 UTC'],
  ['', '2026-03-28 12:00:00.500000 UTC'],
  ['10', '2026-03-28 12:00:10.500000 UTC'],
  ['1h30m', '2026-03-28 13:30:00.500000 UTC'],
  [' 1s ', '2026-03-28 12:00:01.500000 UTC'],
  ['2001-01-01 12:00:00', '2001-01-01 12:00:00.000000 UTC'],
  ['2030-12-12 10:00', '2030-12-12 10:00:00.000000 UTC'],
  ['2030-12-12', '2030-12-12 00:00:00.000000 UTC'],
  ['2030/12/12', '2030-12-12 00:00:00.000000 UTC'],
  ['2030/12/12 10:00:01', '2030-12-12 10:00:01.000000 UTC'],
  ['2030-12-12T10:00:00Z', '2030-12-12 10:00:00.000000 UTC'],
  ['2030-12-12T10:00:00.1234Z', '2030-12-12 10:00:00.123000 UTC'],
  ['2030-12-12T10:00+02:00', '2030-12-12 08:00:00.000000 UTC'],
  ['2030-12-12 10:00:00 -0530', '2030-12-12 15:30:00.000000 UTC'],
  ['2030-12-12 10:00 UTC', '2030-12-12 10:00:00.000000 UTC'],
  ['2030-12-31 24:00', '2031-01-01 00:00:00.000000 UTC'],
  ['2028-02-29 00:00', '2028-02-29 00:00:00.000000 UTC'],
  ['0030-01-01 00:00', '0030-01-01 00:00:00.000000 UTC'],
  ['* * * * *', '2026-03-28 12:01:00.000000 UTC'],
  ['*/10 * * * * *', '2026-03-28 12:00:10.000000 UTC'],
  ['0 9 * * 1-5 Europe/Paris', '2026-03-30 07:00:00.000000 UTC'],
])('%j is due at %s', (value, stamp) => {
  const when = parseWhen(value, now);
  expect('at' in when ? utcStamp(when.at) : when.error).toBe(stamp);
});

test.each<[Json, string]>([
  ['soon', 'invalid time duration "soon"'],
  ['not a date at all', 'cannot parse "not"'],
  ['2d 10h', 'cannot parse the date'],
  ['10:00', 'cannot parse the date'],
  ['2030-02-31', 'cannot parse the date'],
  ['2029-02-29 10:00', 'cannot parse the date'],
  ['2030-13-01', 'cannot parse the date'],
  ['2030-12-12 25:00', 'cannot parse the date'],
  ['2030-12-12 24:01', 'cannot parse the date'],
  ['2030-12-12 10:60', 'cannot parse the date'],
  ['2030-12/12', 'invalid time duration'],
  ['2030-12-12 10:00 CET', 'cannot parse the date'],
  ['2030-12-12T10:00+99:00', 'cannot parse the date'],
  ['0 0 30 2 *', 'never comes'],
  ['60 * * * *', 'cannot parse "60"'],
  [1e30, 'too many'],
  [null, 'cannot read a time'],
  [true, 'cannot read a time'],
  [[1], 'cannot read a time'],
])('%j is an error: %s', (value, message) => {
  const when = parseWhen(value, now);
  expect('error' in when ? when.error : '').toContain(message);
});

describe('schedules', () => {
  test.each<[string, number | null]>([
    ['0.5s', now + 500],
    ['10', now + 10_000],
    ['* * * * *', now + 59_500],
    ['0s', null],
    ['-1s', null],
    ['', null],
    ['soon', null],
    ['x y z', null],
    ['2030-12-12', null],
    ['0 0 30 2 *', null],
  ])('%j comes next at %j', (schedule, at) => {
    expect(nextOccurrence(schedule, now)).toBe(at);
  });

  test('a number is an interval in seconds', () => {
    expect(parseSchedule(2)).toEqual({ kind: 'interval', everyMs: 2_000 });
  });

  test.each<[Json]>([[0], [-1], [null], [true], [[1]], ['1 2 3'], [1e300]])(
    '%j is none, and the error says why',
    (value) => {
      expect(parseSchedule(value)).toEqual({ error: expect.stringMatching(/schedule|cron line/) as string });
    },
  );

  test('only what can be read is a cron line', () => {
    expect(['* * * * *', '0 0 * * * Europe/Paris', '60 * * * *', '10s'].map(isCron)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
