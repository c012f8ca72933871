import { describe, expect, test } from 'vitest';
import type { TryOutcome } from '../../src/engine/engine.ts';
import {
  afterRefusal,
  afterTry,
  type Circumstances,
  type Consequence,
  LOG_TRIES_MAX,
  readLog,
  redelivered,
} from '../../src/engine/outcomes.ts';
import { NO_RULES, plainRetry, readRetryRules, retryComplaint } from '../../src/engine/retry-rules.ts';
import { type ExpressionId, expressionId, type WorkflowId } from '../../src/model/ids.ts';
import { followedBy, LOST_TRY, type WorkitemRow } from '../../src/model/rows.ts';

const WORKFLOW = '20151005-1247-kogadeso-gekunute' as WorkflowId;
const ID: ExpressionId = expressionId('0_0', '0'.repeat(32));
const START = 1_444_049_220_000;
/** The contract's lists (RETRY_DELAYS, NOTICE_DELAYS). */
const schedule = {
  active: [30, 31, 62, 273, 1054, 3155, 7806, 16837, 32798, 59079, 100030],
  notice: [5, 30, 120, 420],
};
const around: Circumstances = { workflow: WORKFLOW, schedule, rules: NO_RULES, fraction: 0.5 };

const open: WorkitemRow = {
  id: ID,
  path: '0',
  participant: 'alpha',
  state: 'open',
  fields: '{}',
  params: '{}',
  inherits: null,
  added: null,
  openedAt: START,
  revision: 1,
  url: 'http://localhost/',
  send: 'active',
  then: null,
  tries: 0,
  dueAt: START,
  heldAt: null,
  log: '[]',
};
const notice: WorkitemRow = { ...open, state: 'closed', send: 'cancel' };

function ended(row: WorkitemRow, result: TryOutcome['result'], at: number, milliseconds = 0): TryOutcome {
  return {
    workflow: WORKFLOW,
    workitem: row.id,
    claim: 'c',
    send: row.send ?? 'active',
    number: row.tries + 1,
    startedAt: at - milliseconds,
    endedAt: at,
    result,
  };
}
const refusal: TryOutcome['result'] = { kind: 'refused', status: 500, retryAfterSeconds: null };
const delivery: TryOutcome['result'] = { kind: 'delivered', status: 204 };

const rowLeft = (row: WorkitemRow, found: Consequence | null): WorkitemRow | null => {
  expect(found).not.toBeNull();
  const op = followedBy({ kind: 'put', row }, (found as Consequence).op);
  return op.kind === 'put' ? op.row : null;
};
const kinds = (found: Consequence | null): unknown[] => (found?.entries ?? []).map((entry) => entry.kind);

/** Fails every try at the moment it is due, until there is no further one; seconds of the tries since the first. */
function schedulePlayed(first: WorkitemRow, circumstances: Circumstances): { at: number[]; last: Consequence } {
  const at: number[] = [];
  let row: WorkitemRow = first;
  for (;;) {
    const now = row.dueAt as number;
    at.push((now - START) / 1000);
    const found = afterTry(row, ended(row, refusal, now), circumstances) as Consequence;
    const next = rowLeft(row, found);
    if (next === null || next.dueAt === null) return { at, last: found };
    row = next;
  }
}

describe('the schedule', () => {
  test('an active callback is tried at exactly the seconds of the contract, and then no more', () => {
    const { at, last } = schedulePlayed(open, around);
    expect(at).toEqual([0, 30, 61, 123, 396, 1450, 4605, 12411, 29248, 62046, 121125, 221155]);
    expect(last.fail).toMatchObject({ class: 'RetriesExceeded' });
    expect(last.fail?.message).toBe('alpha was not reached: 12 tries failed, the last with status 500');
    expect(last.op).toMatchObject({ kind: 'patch', set: { send: null, dueAt: null, tries: 12 } });
    expect(kinds(last)).toEqual(['callback.refused', 'callback.exhausted']);
  });

  test('a notice is tried on its own short schedule, and then the workitem goes', () => {
    const { at, last } = schedulePlayed(notice, around);
    expect(at).toEqual([0, 5, 35, 155, 575]);
    expect(last).toMatchObject({ op: { kind: 'delete' }, fail: null });
    expect(kinds(last)).toEqual(['callback.refused', 'callback.exhausted']);
  });

  test('the delay runs from the end of the try', () => {
    const found = afterTry(open, ended(open, refusal, START + 15_000, 15_000), around);
    expect(rowLeft(open, found)).toMatchObject({ tries: 1, dueAt: START + 45_000 });
  });

  test('without any delays there is one try', () => {
    const none = { ...around, schedule: { active: [], notice: [] } };
    expect(schedulePlayed(open, none).at).toEqual([0]);
    expect(schedulePlayed(open, none).last.fail?.message).toContain('1 try failed');
  });
});

describe('a try that a claim has counted as one whose node stopped', () => {
  const lost = { number: 1, send: 'active', at: START, milliseconds: 0, status: null, error: LOST_TRY, nextAt: START };
  const counted: WorkitemRow = { ...open, tries: 1, log: JSON.stringify([lost]) };

  test('is no further one when its node tells how it ended: the delay is that after the first, and the log says how', () => {
    const found = afterTry(counted, { ...ended(open, refusal, START), counted: true }, around);
    const row = rowLeft(counted, found);
    expect(row).toMatchObject({ tries: 1, dueAt: START + 30_000 });
    expect(readLog(row?.log ?? '')).toMatchObject([{ number: 1, status: 500, error: null }]);
  });

  test('says nothing when it was not counted by this claim: another one may be under way', () => {
    expect(afterTry(counted, ended(open, refusal, START), around)).toBeNull();
    const further = { ...counted, tries: 2, log: JSON.stringify([lost, { ...lost, number: 2 }]) };
    expect(afterTry(further, { ...ended(open, refusal, START), counted: true }, around)).toBeNull();
  });
});

describe('a delivery', () => {
  test('of an active callback leaves nothing owed, and the workitem open', () => {
    const found = afterTry(open, ended(open, delivery, START + 7, 7), around);
    expect(rowLeft(open, found)).toMatchObject({ state: 'open', send: null, dueAt: null, tries: 1 });
    expect(found?.fail).toBeNull();
    expect(found?.entries).toEqual([
      {
        kind: 'callback.delivered',
        workitem_id: `${ID}!${WORKFLOW}`,
        expression_id: ID,
        participant: 'alpha',
        send: 'active',
        at: START + 7,
        try: 1,
        status: 204,
        milliseconds: 7,
      },
    ]);
  });

  test('of a notice ends the workitem', () => {
    expect(afterTry(notice, ended(notice, delivery, START), around)?.op).toEqual({ kind: 'delete' });
  });

  test('counts even when the same try failed on another node that had lost its lease', () => {
    const failedThere = { ...open, tries: 1, dueAt: START + 30_000 };
    const outcome = ended(open, delivery, START + 20_000);
    expect(rowLeft(failedThere, afterTry(failedThere, outcome, around))).toMatchObject({ send: null, tries: 1 });
  });
});

describe('an outcome that does not fit the row any more gives back its claim only', () => {
  test.each([
    ['the workitem owes a notice now', { ...open, send: 'cancel' as const }, ended(open, refusal, START)],
    ['the message was delivered', { ...open, send: null }, ended(open, delivery, START)],
    ['the same try was counted already', { ...open, tries: 1 }, ended(open, refusal, START)],
    ['it is of a try that never was', open, { ...ended(open, delivery, START), number: 2 }],
    ['nothing was sent', open, ended(open, { kind: 'dropped' }, START)],
  ])('%s', (_, row, outcome) => {
    expect(afterTry(row, outcome, around)).toBeNull();
  });
});

describe('a workitem opened and closed in one step', () => {
  const both: WorkitemRow = { ...open, state: 'closed', then: 'timeout' };
  test.each([
    ['delivered', delivery],
    ['refused', refusal],
    ['unreachable', { kind: 'unreachable' as const, reason: 'no answer within 15 s' }],
  ])('owes its notice at once when the one active try was %s', (_, result) => {
    const found = afterTry(both, ended(both, result, START + 100), around);
    expect(rowLeft(both, found)).toMatchObject({ send: 'timeout', then: null, tries: 0, dueAt: START + 100 });
    expect(found?.fail).toBeNull();
    const flipped = rowLeft(both, found) as WorkitemRow;
    expect(schedulePlayed({ ...flipped, dueAt: START }, around).at).toEqual([0, 5, 35, 155, 575]);
  });
});

describe('in a pause', () => {
  const held = { ...open, heldAt: START - 60_000 };
  test('a try that fails has its whole delay before it when the workflow is resumed', () => {
    const found = afterTry(held, ended(held, refusal, START), around);
    const row = rowLeft(held, found) as WorkitemRow;
    expect(row.heldAt).toBe(START - 60_000);
    // Resuming moves every due time by the length of the pause.
    const pausedFor = 3_600_000;
    expect((row.dueAt as number) + pausedFor).toBe(START - 60_000 + pausedFor + 30_000);
  });
});

describe('a participant that asks to be tried again', () => {
  const why = { class: 'Busy', message: 'tomorrow', at: START + 60_000 };
  test('has had the one try that was delivered', () => {
    const row = rowLeft(open, afterTry(open, ended(open, delivery, START), around)) as WorkitemRow;
    const found = afterRefusal(row, why, around);
    expect(rowLeft(row, found)).toMatchObject({ send: 'active', tries: 1, dueAt: START + 90_000 });
    expect(kinds(found)).toEqual(['callback.refused']);
  });

  test('while its try is under way makes that one stale', () => {
    const row = rowLeft(open, afterRefusal(open, why, around)) as WorkitemRow;
    expect(row).toMatchObject({ send: 'active', tries: 1, dueAt: START + 90_000 });
    expect(afterTry(row, ended(open, refusal, START), around)).toBeNull();
  });

  test('fails when that was the last try', () => {
    const last = { ...open, send: null, tries: 12 };
    expect(afterRefusal(last, why, around).fail?.message).toContain('Busy: tomorrow');
  });
});

test('a message can be made due by hand: the one owed, or the active one once more', () => {
  expect(redelivered({ ...open, tries: 3, dueAt: START + 1e6 }, START)).toMatchObject({
    set: { send: 'active', dueAt: START },
  });
  expect(redelivered({ ...open, send: null, tries: 1 }, START)).toMatchObject({
    set: { send: 'active', dueAt: START },
  });
  expect(redelivered(notice, START)).toMatchObject({ set: { send: 'cancel' } });
  expect(redelivered({ ...open, heldAt: START - 5 }, START)).toMatchObject({ set: { dueAt: START - 5 } });
});

test('a failed workitem that is tried once more does not fail a second time', () => {
  const failed: WorkitemRow = { ...open, state: 'failed', tries: 12 };
  expect(afterTry(failed, ended(failed, refusal, START), around)?.fail).toBeNull();
});

test('the log keeps the last tries, newest last', () => {
  let row: WorkitemRow = open;
  for (let i = 0; i < LOG_TRIES_MAX + 5; i++) {
    const result: TryOutcome['result'] = i % 2 === 0 ? refusal : { kind: 'unreachable', reason: 'no answer' };
    row = rowLeft(row, afterTry(row, ended(row, result, START + i), { ...around, rules: patient })) as WorkitemRow;
  }
  const log = readLog(row.log);
  expect(log).toHaveLength(LOG_TRIES_MAX);
  expect(log[0]?.number).toBe(6);
  expect(log.at(-1)).toEqual({
    number: 25,
    send: 'active',
    at: START + 24,
    milliseconds: 0,
    status: 500,
    error: null,
    nextAt: START + 24 + 1000,
  });
});
const patient = readRetryRules(JSON.stringify({ delays: Array.from({ length: 50 }, () => 1) }));

describe('rules opted into at launch', () => {
  const withRules = (rules: object): Circumstances => ({ ...around, rules: readRetryRules(JSON.stringify(rules)) });
  const nextDue = (result: TryOutcome['result'], rules: object): number | null => {
    const found = afterTry(open, ended(open, result, START), withRules(rules));
    const dueAt = rowLeft(open, found)?.dueAt ?? null;
    return dueAt === null ? null : (dueAt - START) / 1000;
  };
  test.each([
    ['other delays', refusal, { delays: [7] }, 7],
    ['delays of nothing', refusal, { delays: [] }, null],
    ['jitter only makes a delay longer', refusal, { jitter: 0.2 }, 33],
    ['Retry-After that asks for more', { ...refusal, retryAfterSeconds: 120 }, { retry_after: true }, 120],
    ['Retry-After that asks for less', { ...refusal, retryAfterSeconds: 1 }, { retry_after: true }, 30],
    ['Retry-After that asks for years', { ...refusal, retryAfterSeconds: 1e9 }, { retry_after: true }, 86_400],
    ['Retry-After that nobody opted into', { ...refusal, retryAfterSeconds: 120 }, {}, 30],
    ['410 as the end', { ...refusal, status: 410 }, { gone_ends: true }, null],
    ['410 that nobody opted into', { ...refusal, status: 410 }, {}, 30],
  ] as const)('%s', (_, result, rules, seconds) => {
    expect(nextDue(result, rules)).toBe(seconds);
  });

  test('notices have their own', () => {
    expect(schedulePlayed(notice, withRules({ notice_delays: [1, 1] })).at).toEqual([0, 1, 2]);
  });

  test('no try begins later than max_seconds after the first, whatever Retry-After says', () => {
    const rules = { delays: [10, 10, 10, 10, 10], max_seconds: 30 };
    expect(schedulePlayed(open, withRules(rules)).at).toEqual([0, 10, 20, 30]);
    expect(schedulePlayed(open, withRules({ ...rules, max_seconds: 29 })).at).toEqual([0, 10, 20]);
    expect(nextDue({ ...refusal, retryAfterSeconds: 31 }, { ...rules, retry_after: true })).toBe(null);
    expect(nextDue({ ...refusal, retryAfterSeconds: 30 }, { ...rules, retry_after: true })).toBe(30);
    expect(schedulePlayed(notice, withRules({ notice_delays: [5, 5, 5], max_seconds: 10 })).at).toEqual([0, 5, 10]);
    // Of the first try nothing is left in the log: the opening tells.
    const long = { delays: Array.from({ length: 60 }, () => 1), max_seconds: 40 };
    expect(schedulePlayed({ ...open, openedAt: START }, withRules(long)).at).toHaveLength(41);
  });

  test('a participant with rules of its own has those alone', () => {
    const rules = {
      delays: [7],
      jitter: 0.5,
      participants: { [open.participant]: { max_seconds: 1_000 }, other: { delays: [3] } },
    };
    expect(nextDue(refusal, rules)).toBe(30);
    expect(nextDue(refusal, { ...rules, participants: { other: { delays: [3] } }, jitter: 0 })).toBe(7);
    expect(nextDue(refusal, { delays: [7], participants: { [open.participant]: null } })).toBe(30);
  });

  test.each([
    [{ delays: 'soon' }, 'delays must be'],
    [{ max_seconds: -1 }, 'max_seconds must be'],
    [{ participants: [] }, 'participants must hold'],
    [{ participants: { a: { participants: {} } } }, 'once more'],
    [{ participants: { a: { delays: 'soon' } } }, 'delays must be'],
    [{ delays: [-1] }, 'delays must be'],
    [{ delays: Array.from({ length: 101 }, () => 1) }, 'delays must be'],
    [{ jitter: 2 }, 'jitter must be'],
    [{ gone_ends: 'yes' }, 'gone_ends must be'],
    [{ retries: 3 }, 'retry knows no retries'],
    [[], 'must be an object'],
  ])('%j is refused with a sentence', (rules, complaint) => {
    expect(retryComplaint(rules)).toContain(complaint);
    expect(readRetryRules(JSON.stringify(rules))).toEqual(NO_RULES);
  });

  test('good rules and none at all are not complained about', () => {
    expect(retryComplaint(null)).toBeNull();
    const all = { delays: [1, 2.5], notice_delays: [], jitter: 0.5, retry_after: true, gone_ends: false };
    expect(retryComplaint(all)).toBeNull();
  });

  test.each([
    ['default', null],
    [
      { max: 5, initial: 10, cap: 50, jitter: 0.1 },
      { delays: [10, 20, 40, 50], jitter: 0.1 },
    ],
    [{ max: 3, initial: 5, factor: 1 }, { delays: [5, 5] }],
    [{ max: 1, initial: 5 }, { delays: [] }],
    [{ max: 1 }, { delays: [] }],
    [{ delays: [3] }, { delays: [3] }],
    [{ delays: [31_622_400, 0] }, { delays: [31_622_400, 0] }],
    [null, null],
    [{ max_seconds: 60 }, { max_seconds: 60 }],
    [
      { delays: [1], participants: { a: { max: 2, initial: 5 }, b: 'default', c: { gone_ends: true } } },
      { delays: [1], participants: { a: { delays: [5] }, b: null, c: { gone_ends: true } } },
    ],
  ] as const)('%j is kept as %j', (retry, kept) => {
    expect(plainRetry(retry)).toEqual({ retry: kept });
  });

  test('the rules of the standard for webhooks have its waits, heed Retry-After and end with 410', () => {
    const plain = plainRetry('standard-webhooks');
    const rules = 'retry' in plain ? (plain.retry as object) : {};
    const without = withRules({ ...rules, jitter: 0 });
    expect(schedulePlayed(open, without).at).toEqual([
      0, 5, 305, 2_105, 9_305, 27_305, 63_305, 113_705, 185_705, 272_105,
    ]);
    expect(nextDue({ ...refusal, retryAfterSeconds: 7 }, { ...rules, jitter: 0 })).toBe(7);
    expect(nextDue({ ...refusal, status: 410 }, rules)).toBeNull();
  });

  test.each([
    ['standard', 'default and standard-webhooks'],
    [{ participants: { a: 'standard' } }, 'of the participant "a"'],
    [{ participants: { a: { max: 3 } } }, 'initial must be'],
    [{ participants: { a: { participants: {} } } }, 'once more'],
    [{ participants: Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`p${i}`, null])) }, 'at most 200'],
    [{ max: 3, initial: 1, delays: [1] }, 'give one of them'],
    [{ initial: 1 }, 'max must be'],
    [{ max: 102, initial: 1 }, 'max must be'],
    [{ max: 2.5, initial: 1 }, 'max must be'],
    [{ max: 3 }, 'initial must be'],
    [{ max: 3, initial: 1, factor: 0.5 }, 'factor must be'],
    [{ max: 3, initial: 1, cap: -1 }, 'cap must be'],
    [{ max: 101, initial: 86_400, cap: 864_000 }, 'longer than'],
    [{ max: 3, initial: 1, tries: 1 }, 'retry knows no tries'],
    [{ delays: [31_622_400, 1] }, 'delays are longer than 31622400 seconds in all'],
    [{ notice_delays: [31_622_400, 1] }, 'notice_delays are longer than'],
    [{ participants: { a: { delays: [31_622_400, 1] } } }, 'of the participant "a": delays are longer than'],
  ] as const)('%j is refused at the border', (retry, words) => {
    const plain = plainRetry(retry);
    expect('complaint' in plain ? plain.complaint : null).toContain(words);
  });
});
