import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/model/json.ts';
import { nextDue, readSchedule, readSchedules, type ScheduleSpec } from '../../src/registry/schedule-spec.ts';
import {
  afterFiring,
  CATCH_UP_MAX,
  decide,
  QUEUE_MAX,
  type Standing,
  timesBetween,
} from '../../src/registry/schedules.ts';

/* When schedules are due, and what becomes of it. */

const at = (text: string): number => Date.parse(text);
const NOW = at('2026-03-01T00:00:00Z');
function spec(written: Json): ScheduleSpec {
  const read = readSchedule(written, '0', NOW);
  if (!('when' in read)) throw new Error(`${read.pointer} ${read.detail}`);
  return read;
}
const timesOf = (one: ScheduleSpec, from: string, count: number): readonly string[] => {
  const found: string[] = [];
  let time: number | null = at(from);
  while (found.length < count && time !== null) {
    time = nextDue(one, time, at(from));
    if (time !== null) found.push(new Date(time).toISOString().slice(0, 16));
  }
  return found;
};

describe('local times that are skipped are due at the first instant behind the gap, those that come twice the first time', () => {
  const cases: readonly (readonly [string, string, string, readonly string[]])[] = [
    ['Europe/Rome', '30 2 * * *', '2026-03-28T00:00:00Z', ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30']],
    ['Europe/Rome', '30 2 * * *', '2026-10-24T00:00:00Z', ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30']],
    [
      'America/New_York',
      '30 2 * * *',
      '2026-03-07T00:00:00Z',
      ['2026-03-07T07:30', '2026-03-08T07:00', '2026-03-09T06:30'],
    ],
    [
      'America/New_York',
      '30 1 * * *',
      '2026-10-31T12:00:00Z',
      ['2026-11-01T05:30', '2026-11-02T06:30', '2026-11-03T06:30'],
    ],
    // Half an hour there: from 02:00 to 02:30, and back.
    [
      'Australia/Lord_Howe',
      '15 2 * * *',
      '2026-10-02T00:00:00Z',
      ['2026-10-02T15:45', '2026-10-03T15:30', '2026-10-04T15:15'],
    ],
    [
      'Australia/Lord_Howe',
      '45 1 * * *',
      '2026-04-03T00:00:00Z',
      ['2026-04-03T14:45', '2026-04-04T14:45', '2026-04-05T15:15'],
    ],
    ['UTC', '30 2 * * *', '2026-03-28T00:00:00Z', ['2026-03-28T02:30', '2026-03-29T02:30', '2026-03-30T02:30']],
  ];
  for (const [zone, cron, from, times] of cases)
    test(`${cron} in ${zone} from ${from.slice(0, 10)}`, () => {
      expect(timesOf(spec({ cron, zone }), from, times.length)).toEqual(times);
    });

  test('an interval counts what elapses, whatever the clock on the wall shows', () => {
    expect(timesOf(spec({ every: '24h', zone: 'Europe/Rome' }), '2026-03-28T12:00:00Z', 3)).toEqual([
      '2026-03-29T12:00',
      '2026-03-30T12:00',
      '2026-03-31T12:00',
    ]);
  });
});

test('a schedule begins and ends when it says so', () => {
  const bounded = spec({ every: '1h', start_at: '2026-03-02T00:00:00Z', end_at: '2026-03-02T02:00:00Z' });
  expect(timesOf(bounded, '2026-03-01T00:00:00Z', 9)).toEqual([
    '2026-03-02T00:00',
    '2026-03-02T01:00',
    '2026-03-02T02:00',
  ]);
  expect(timesOf(spec({ at: '2026-03-05T00:00:00Z' }), '2026-03-01T00:00:00Z', 9)).toEqual(['2026-03-05T00:00']);
});

test('what cannot be a schedule is refused with its place', () => {
  const wrong: readonly (readonly [Json, string])[] = [
    [7, '/0'],
    [{}, '/0'],
    [{ every: '1h', cron: '* * * * *' }, '/0'],
    [{ every: '500ms' }, '/0/every'],
    [{ every: 0.5 }, '/0/every'],
    [{ cron: 'soon' }, '/0/cron'],
    [{ cron: '0 0 30 2 *' }, '/0/cron'],
    [{ every: '1h', zone: 'Nowhere/Else' }, '/0/zone'],
    [{ every: '1h', overlap: 'maybe' }, '/0/overlap'],
    [{ every: '1h', catch_up: 'two' }, '/0/catch_up'],
    [{ every: '1h', name: 'a:b' }, '/0/name'],
    [{ every: '1h', at: 'x' }, '/0'],
    [{ at: 'tomorrow' }, '/0/at'],
    [{ every: '1h', colour: 1 }, '/0/colour'],
  ];
  for (const [one, pointer] of wrong) expect(readSchedules([one], NOW), JSON.stringify(one)).toMatchObject({ pointer });
  expect(readSchedules([{ every: '1h' }, { every: '1h', name: '0' }], NOW)).toMatchObject({ pointer: '/1/name' });
  const narrow = readSchedules([{ cron: '0 9 13 * fri' }], NOW);
  expect('warnings' in narrow && narrow.warnings).toHaveLength(1);
});

describe('what is due', () => {
  const hourly = (more: object = {}): ScheduleSpec => spec({ every: '1h', ...more });
  const empty: Standing = { firing: [], queued: [], recent: [] };
  const HOUR = 3_600_000;
  const row = { dueAt: NOW + HOUR, since: NOW, paused: false };
  const look = (one: ScheduleSpec, now: number, last: string | null = null, standing = empty, of: typeof row = row) => {
    let n = 0;
    return decide(of, one, standing, { now, last, freshId: () => `w${++n}`, chance: () => 0 });
  };

  test('starts once, and the next time is set', () => {
    const decision = look(hourly(), NOW + HOUR + 10);
    expect(decision).toEqual({
      dueAt: NOW + 2 * HOUR,
      wakeAt: NOW + 2 * HOUR,
      firing: [{ id: 'w1', dueAt: NOW + HOUR }],
      queued: [],
      recent: [],
    });
    const done = [{ due_at: NOW + HOUR, fired_at: NOW + HOUR + 10, workflow_id: 'w1' }];
    expect(afterFiring({ dueAt: NOW + 2 * HOUR, wakeAt: 0, paused: false }, empty, done, NOW)).toEqual({
      ...{ firing: [], wakeAt: NOW + 2 * HOUR, recent: done },
    });
    expect(look(hourly(), NOW + HOUR - 1)).toMatchObject({ firing: [], wakeAt: NOW + HOUR });
  });

  test('while the one before runs it is skipped, queued, let be, or cancels that one', () => {
    const now = NOW + HOUR;
    expect(look(hourly(), now, 'before')).toMatchObject({ firing: [], recent: [{ due_at: now, skipped: 'overlap' }] });
    expect(look(hourly({ overlap: 'allow' }), now, 'before').firing).toEqual([{ id: 'w1', dueAt: now }]);
    expect(look(hourly({ overlap: 'cancel' }), now, 'before').firing).toEqual([
      { id: 'w1', dueAt: now, cancels: 'before' },
    ]);
    const queue = hourly({ overlap: 'queue' });
    const queued = look(queue, now, 'before');
    expect(queued).toMatchObject({ firing: [], queued: [now], wakeAt: now + 5_000 });
    // Once that is over, the first that waits goes first.
    const standing = { ...empty, queued: [NOW - HOUR, NOW] };
    expect(look(queue, now + 1, null, standing)).toMatchObject({ firing: [{ dueAt: NOW - HOUR }], queued: [NOW, now] });
    const full = { ...empty, queued: Array.from({ length: QUEUE_MAX }, (_, i) => NOW - i) };
    expect(look(queue, now, 'before', full).recent).toMatchObject([{ due_at: now, skipped: 'limit' }]);
  });

  test('what was missed while nobody was there is left out, made up for once, or all of it', () => {
    const now = NOW + 5 * HOUR + 30_000;
    const [second, fourth, fifth] = [1, 4, 5].map((hours) => NOW + hours * HOUR);
    expect(look(hourly({ catch_up: 'none', overlap: 'allow' }), now)).toMatchObject({
      firing: [{ dueAt: fifth }],
      recent: [{ due_at: fourth, skipped: 'missed' }],
    });
    expect(look(hourly({ overlap: 'allow' }), now).firing.map(({ dueAt }) => dueAt)).toEqual([fourth, fifth]);
    const all = look(hourly({ catch_up: 'all', overlap: 'allow' }), now).firing.map(({ dueAt }) => dueAt);
    expect([all[0], all.length]).toEqual([second, 5]);
    const long = look(hourly({ catch_up: 'all', overlap: 'allow' }), NOW + 500 * HOUR);
    expect(long.firing).toHaveLength(CATCH_UP_MAX);
    // Far more than anybody looks at: the latest is found all the same.
    const seconds = look(spec({ every: 1, overlap: 'allow' }), NOW + 48 * HOUR, null, empty, {
      ...row,
      dueAt: NOW + 1_000,
    });
    expect(seconds.firing[0]?.dueAt).toBe(NOW + 48 * HOUR - 60_000);
    expect(seconds.dueAt).toBe(NOW + 48 * HOUR + 1_000);
  });

  test('what comes during a pause is left out, not missed', () => {
    const decision = look(hourly({ catch_up: 'all' }), NOW + 5 * HOUR, null, empty, { ...row, paused: true });
    expect(decision).toMatchObject({ firing: [], recent: [], dueAt: NOW + 6 * HOUR, wakeAt: null });
  });

  test('the times of a stretch of the past', () => {
    expect(timesBetween(hourly(), NOW, NOW, NOW + 3 * HOUR, 100)).toHaveLength(4);
    expect(timesBetween(hourly(), NOW, NOW, NOW + 9 * HOUR, 5)).toHaveLength(5);
  });
});
