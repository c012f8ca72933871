import { expect, test } from 'vitest';
import { type Asked, judge, type Launch, type Seen } from './judge.ts';

const LAUNCH: Launch = { node: 'n', at: 100, ms: 10, status: 201, retryAfter: false, workflow: 'w' };
const ASKED: Asked = { workflow: 'w', participant: 'alpha', workitem: 'i', at: 110, answeredAt: 120 };
const GOOD: Seen = { launches: [LAUNCH], asked: [ASKED], statuses: new Map([['w', 'completed']]), promotedAt: 50 };

test('finds nothing where nothing is wrong', () => {
  expect(judge(GOOD)).toEqual({ lost: [], doubled: [], wrong: [], longestMs: 10, backMs: new Map([['n', 60]]) });
});

test('finds what was acknowledged and is gone, or never ended', () => {
  expect(judge({ ...GOOD, statuses: new Map() }).lost).toEqual(['w is gone']);
  expect(judge({ ...GOOD, statuses: new Map([['w', 'running']]) }).lost).toEqual(['w is running']);
});

test('finds a step that was opened twice, and one that was asked for again after its answer', () => {
  const twice = judge({ ...GOOD, asked: [ASKED, { ...ASKED, workitem: 'other', at: 130 }] });
  expect(twice.doubled).toEqual(['alpha of w was opened twice']);
  const again = judge({ ...GOOD, asked: [ASKED, { ...ASKED, at: 2_121 }] });
  expect(again.doubled).toEqual(['alpha of w was asked again 2001 ms after it had answered']);
  expect(judge({ ...GOOD, asked: [ASKED, { ...ASKED, at: 2_120 }] }).doubled).toEqual([]);
});

test('finds answers that are no 503 with Retry-After, and a connection that was closed', () => {
  const answered = (status: number, retryAfter: boolean): readonly string[] =>
    judge({ ...GOOD, launches: [{ ...LAUNCH, status, retryAfter, workflow: null }] }).wrong;
  expect(answered(503, true)).toEqual([]);
  expect(answered(503, false)).toEqual(['n answered 503']);
  expect(answered(500, true)).toEqual(['n answered 500']);
  expect(answered(0, false)).toEqual(['n answered 0']);
});
