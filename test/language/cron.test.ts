import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import { type Cron, looksLikeCron, nextCron, parseCron, readCron } from '../../src/language/cron.ts';

/** The next `count` times after `after`, as ISO text to the minute. */
function times(line: string, after: string, count: number): (string | null)[] {
  const cron = parseCron(line) as Cron;
  const result: (string | null)[] = [];
  let at: number | null = Date.parse(after);
  for (let i = 0; i < count && at !== null; i++) {
    at = nextCron(cron, at);
    result.push(at === null ? null : new Date(at).toISOString().replace(':00.000Z', 'Z').replace('.000Z', 'Z'));
  }
  return result;
}

test.each<[line: string, after: string, ...next: (string | null)[]]>([
  ['* * * * *', '2026-02-01T00:00:00Z', '2026-02-01T00:01Z', '2026-02-01T00:02Z'],
  ['* * * * *', '2026-02-01T00:00:59.999Z', '2026-02-01T00:01Z'],
  ['* * * * * *', '2026-02-01T00:00:58.5Z', '2026-02-01T00:00:59Z', '2026-02-01T00:01Z'],
  ['15,45 0 0 * * *', '2026-02-01T00:00:20Z', '2026-02-01T00:00:45Z', '2026-02-02T00:00:15Z'],
  ['*/20 * * * *', '2026-02-01T00:10:00Z', '2026-02-01T00:20Z', '2026-02-01T00:40Z', '2026-02-01T01:00Z'],
  ['/30 0 * * *', '2026-02-01T00:10:00Z', '2026-02-01T00:30Z', '2026-02-02T00:00Z'],
  [
    '10-20/5 0 * * *',
    '2026-02-01T00:00:00Z',
    '2026-02-01T00:10Z',
    '2026-02-01T00:15Z',
    '2026-02-01T00:20Z',
    '2026-02-02T00:10Z',
  ],
  ['5/15 0 * * *', '2026-02-01T00:00:00Z', '2026-02-01T00:05Z', '2026-02-02T00:05Z'],
  [
    '0 22-1 * * *',
    '2026-02-01T12:00:00Z',
    '2026-02-01T22:00Z',
    '2026-02-01T23:00Z',
    '2026-02-02T00:00Z',
    '2026-02-02T01:00Z',
    '2026-02-02T22:00Z',
  ],
  ['0 22-3/2 * * *', '2026-02-01T12:00:00Z', '2026-02-01T22:00Z', '2026-02-02T00:00Z', '2026-02-02T02:00Z'],
  ['0 24 * * *', '2026-02-01T12:00:00Z', '2026-02-02T00:00Z'],
  [
    '58-1 0 * * *',
    '2026-02-01T00:01:00Z',
    '2026-02-01T00:58Z',
    '2026-02-01T00:59Z',
    '2026-02-02T00:00Z',
    '2026-02-02T00:01Z',
  ],
  ['0 0 L * *', '2026-02-01T00:00:00Z', '2026-02-28T00:00Z', '2026-03-31T00:00Z', '2026-04-30T00:00Z'],
  ['0 0 -1 2 *', '2027-12-01T00:00:00Z', '2028-02-29T00:00Z', '2029-02-28T00:00Z'],
  ['0 0 -3--2 * *', '2026-02-01T00:00:00Z', '2026-02-26T00:00Z', '2026-02-27T00:00Z', '2026-03-29T00:00Z'],
  ['0 0 1,L * *', '2026-02-01T00:00:00Z', '2026-02-28T00:00Z', '2026-03-01T00:00Z'],
  [
    '0 0 1 11-2 *',
    '2026-02-15T00:00:00Z',
    '2026-11-01T00:00Z',
    '2026-12-01T00:00Z',
    '2027-01-01T00:00Z',
    '2027-02-01T00:00Z',
  ],
  ['0 0 1 1 *', '2026-02-01T00:00:00Z', '2027-01-01T00:00Z'],
  ['0 0 * * 0', '2026-02-02T00:00:00Z', '2026-02-08T00:00Z'],
  ['0 0 * * 7', '2026-02-02T00:00:00Z', '2026-02-08T00:00Z'],
  ['0 0 * * sun', '2026-02-02T00:00:00Z', '2026-02-08T00:00Z'],
  [
    '0 0 * * FRI-mon',
    '2026-02-02T00:00:00Z',
    '2026-02-06T00:00Z',
    '2026-02-07T00:00Z',
    '2026-02-08T00:00Z',
    '2026-02-09T00:00Z',
    '2026-02-13T00:00Z',
  ],
  ['0 0 * * mon,wed', '2026-02-02T00:00:00Z', '2026-02-04T00:00Z', '2026-02-09T00:00Z'],
  ['0 0 * * mon#2', '2026-02-01T00:00:00Z', '2026-02-09T00:00Z', '2026-03-09T00:00Z'],
  ['0 0 * * fri#-1', '2026-02-01T00:00:00Z', '2026-02-27T00:00Z', '2026-03-27T00:00Z'],
  ['0 0 * * 5L', '2026-02-01T00:00:00Z', '2026-02-27T00:00Z', '2026-03-27T00:00Z'],
  ['0 0 * * mon#1,fri#-1', '2026-02-01T00:00:00Z', '2026-02-02T00:00Z', '2026-02-27T00:00Z'],
  ['0 0 13 * fri', '2026-02-01T00:00:00Z', '2026-02-13T00:00Z', '2026-03-13T00:00Z', '2026-11-13T00:00Z'],
  ['0 0 29 2 *', '2026-02-01T00:00:00Z', '2028-02-29T00:00Z', '2032-02-29T00:00Z'],
  ['0 0 29 2 mon', '2026-02-01T00:00:00Z', '2044-02-29T00:00Z'],
  ['0 0 30 2 *', '2026-02-01T00:00:00Z', null],
  ['0 0 31 4,6 *', '2026-02-01T00:00:00Z', null],
  ['0 9 * * * Europe/Paris', '2026-01-31T09:00:00Z', '2026-02-01T08:00Z'],
  ['0 0 9 * * * America/New_York', '2026-07-01T00:00:00Z', '2026-07-01T13:00Z'],
  ['0 9 * * 1 UTC', '2026-02-01T00:00:00Z', '2026-02-02T09:00Z'],
])('%s after %s', (line, after, ...next) => {
  expect(times(line, after, next.length)).toEqual(next);
});

describe('daylight saving', () => {
  test.each<[about: string, line: string, after: string, ...next: string[]]>([
    [
      'a skipped time fires after the gap',
      '30 2 * * * Europe/Paris',
      '2026-03-28T02:00:00Z',
      '2026-03-29T01:00Z',
      '2026-03-30T00:30Z',
    ],
    [
      'all skipped times fire together',
      '*/20 2 * * * Europe/Paris',
      '2026-03-28T12:00:00Z',
      '2026-03-29T01:00Z',
      '2026-03-30T00:00Z',
    ],
    [
      'a repeated time fires once',
      '30 2 * * * Europe/Paris',
      '2026-10-24T12:00:00Z',
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ],
    [
      'a repeated time does not fire in its second run',
      '30 2 * * * Europe/Paris',
      '2026-10-25T01:00:00Z',
      '2026-10-26T01:30Z',
    ],
    [
      'an interval goes on through the repeated hour',
      '*/30 * * * * Europe/Paris',
      '2026-10-25T00:00:00Z',
      '2026-10-25T00:30Z',
      '2026-10-25T01:00Z',
      '2026-10-25T01:30Z',
      '2026-10-25T02:00Z',
    ],
    [
      'an interval of an hour, too',
      '30 * * * * Europe/Paris',
      '2026-10-25T00:30:00Z',
      '2026-10-25T01:30Z',
      '2026-10-25T02:30Z',
    ],
    [
      'an interval goes on over the gap',
      '*/30 * * * * Europe/Paris',
      '2026-03-29T00:30:00Z',
      '2026-03-29T01:00Z',
      '2026-03-29T01:30Z',
    ],
    ['a gap of half an hour', '15 2 * * * Australia/Lord_Howe', '2026-10-03T12:00:00Z', '2026-10-03T15:30Z'],
    ['an ordinary time on such a day', '0 12 * * * Europe/Paris', '2026-03-29T00:00:00Z', '2026-03-29T10:00Z'],
  ])('%s', (_, line, after, ...next) => {
    expect(times(line, after, next.length)).toEqual(next);
  });
});

test.each([
  ['x y z', 'x y z'],
  ['not a date at all', 'not'],
  ['60 * * * *', '60'],
  ['* 25 * * *', '25'],
  ['* * 0 * *', '0'],
  ['* * 32 * *', '32'],
  ['* * -31 * *', '-31'],
  ['* * 20-10 * *', '20-10'],
  ['* * -5-5 * *', '-5-5'],
  ['* * * 0 *', '0'],
  ['* * * 13 *', '13'],
  ['* * * jan *', 'jan'],
  ['* * * * 8', '8'],
  ['* * * * mon#6', 'mon#6'],
  ['* * * * mon-wed#2', 'mon-wed#2'],
  ['*/0 * * * *', '*/0'],
  ['1,,2 * * * *', '1,,2'],
  ['1- * * * *', '1-'],
  ['-1 * * * *', '-1'],
  ['L * * * *', 'L'],
  ['* * * * * * *', '*'],
  ['* * * * * Nowhere/Else', 'Nowhere/Else'],
])('%j cannot be read because of %j', (line, part) => {
  expect(readCron(line)).toEqual({ error: part });
  expect(parseCron(line)).toBeNull();
});

test.each([
  ['* * * * *', true],
  ['0 * * * * *', true],
  ['0 * * * * UTC', true],
  ['0 0 * * * * Europe/Paris', true],
  ['0 0 * * * * mon', false],
  ['2030-12-12 10 11 12 13', false],
  ['* * * *', false],
  ['1h', false],
  ['', false],
])('%j has the shape of a cron line: %s', (text, result) => {
  expect(looksLikeCron(text)).toBe(result);
});

const field = (min: number, max: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min, max }).map(String),
    fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    fc.integer({ min: 2, max: 20 }).map((by) => `*/${by}`),
    fc.array(fc.integer({ min, max }), { minLength: 1, maxLength: 4 }).map((list) => list.join(',')),
  );
const simple = fc.tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6));
const start = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2035, 0) });

/** An own reading of a simple field, for comparison. */
function holds(text: string, value: number, min: number): boolean {
  return text.split(',').some((item) => {
    const [range = '', by] = item.split('/');
    if (range === '*') return by === undefined || (value - min) % Number(by) === 0;
    const [from, to = from] = range.split('-');
    return value >= Number(from) && value <= Number(to);
  });
}

test('the next time matches, comes later, and nothing before it matches', () => {
  fc.assert(
    fc.property(simple, start, fc.constantFrom('UTC', 'Asia/Kathmandu'), (fields, after, zone) => {
      const [minute, hour, day, month, weekday] = fields;
      const matches = (ms: number): boolean => {
        const at = DateTime.fromMillis(ms, { zone });
        return (
          holds(minute, at.minute, 0) &&
          holds(hour, at.hour, 0) &&
          holds(day, at.day, 1) &&
          holds(month, at.month, 1) &&
          holds(weekday, at.weekday % 7, 0)
        );
      };
      const next = nextCron(parseCron(`${fields.join(' ')} ${zone}`) as Cron, after) as number;
      expect(next).toBeGreaterThan(after);
      expect(next % 60_000).toBe(0);
      expect(matches(next)).toBe(true);
      const first = Math.ceil((after + 1) / 60_000) * 60_000;
      for (let ms = first; ms < Math.min(next, first + 300 * 60_000); ms += 60_000) expect(matches(ms)).toBe(false);
      for (let ms = next - 60_000; ms > Math.max(after, next - 300 * 60_000); ms -= 60_000)
        expect(matches(ms)).toBe(false);
    }),
    { numRuns: 150 },
  );
});

test('in every zone, a daily line fires once a day for years', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Pacific/Apia'),
      fc.integer({ min: 0, max: 59 }),
      fc.integer({ min: 0, max: 23 }),
      start,
      (zone, minute, hour, after) => {
        const cron = parseCron(`${minute} ${hour} * * * ${zone}`) as Cron;
        let at = after;
        for (let i = 0; i < 400; i++) {
          const next = nextCron(cron, at) as number;
          expect(next).toBeGreaterThan(at);
          expect(i === 0 || next - at >= 22 * 3_600_000).toBe(true);
          expect(next - at).toBeLessThanOrEqual(26 * 3_600_000);
          at = next;
        }
      },
    ),
    { numRuns: 10 },
  );
});
