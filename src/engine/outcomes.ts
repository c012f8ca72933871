import type { HistoryEntry } from '../model/history-kinds.ts';
import { type WorkflowId, workitemId } from '../model/ids.ts';
import { LOST_TRY, type Op, type Send, type WorkitemRow } from '../model/rows.ts';
import type { AnswerExcerpt, Failing, TryOutcome } from './engine.ts';
import { type RetryRules, retryDelayMs, rulesFor, type Schedule } from './retry-rules.ts';

/*
 * What the end of a try means for the message owed (docs/api-v1.md, callbacks and retries). Pure: a row and an outcome in, a changed
 * row out.
 */

/** Tries a workitem's log keeps; the oldest go first. */
export const LOG_TRIES_MAX = 20;

/** One try as kept in `WorkitemRow.log`, oldest first. */
export type LoggedTry = {
  readonly number: number;
  readonly send: Send;
  /** When it began. */
  readonly at: number;
  readonly milliseconds: number;
  /** The HTTP status, or null when there was no answer. */
  readonly status: number | null;
  readonly error: string | null;
  /** When the next try is due; null when there is none. */
  readonly nextAt: number | null;
  /** The name of the node that made it; left out where none did, or it is not known. */
  readonly by?: string;
  /** The beginning of what was answered; left out where it was taken, had no body, or is not among the last of those. */
  readonly answer?: AnswerExcerpt;
};

/** Tries of which the beginning of the answer is kept. */
const EXCERPTS_KEPT = 3;

/** What becomes of the row. */
export type Consequence = {
  readonly op: Op<WorkitemRow>;
  readonly entries: readonly HistoryEntry[];
  /** The tries of an open workitem are spent: it fails. */
  readonly fail: { readonly class: string; readonly message: string } | null;
  /** A message is due now that was not before. */
  readonly dueAt: number | null;
  /** For the log; null when the try was delivered. */
  readonly failedTry: FailedTry | null;
};

/** What the log may say of a failed try: no word of its participant's. */
export type FailedTry = {
  readonly number: number;
  readonly send: Send;
  readonly status: number | null;
  readonly reason: string | null;
  readonly nextAt: number | null;
  readonly milliseconds: number;
  /** No delay is left. */
  readonly isLast: boolean;
};

export type Circumstances = {
  readonly workflow: WorkflowId;
  readonly schedule: Schedule;
  readonly rules: RetryRules;
  /** The name of this node. */
  readonly by?: string | undefined;
  /** 0 ≤ f < 1, for jitter. */
  readonly fraction: number;
};

/**
 * Decides about a row when a try has ended.
 *
 * @returns null when the outcome is of a message the row no longer owes: only the claim is given back
 */
export function afterTry(found: WorkitemRow, outcome: TryOutcome, around: Circumstances): Consequence | null {
  const { result } = outcome;
  const row = outcome.counted === true ? notCounted(found, outcome.number) : found;
  if (result.kind === 'dropped' || row.send !== outcome.send) return null;
  if (outcome.openedAt !== undefined && outcome.openedAt !== row.openedAt) return null;
  if (result.kind === 'postponed') {
    const dueAt = (row.heldAt ?? outcome.endedAt) + result.ms;
    return { op: { kind: 'patch', set: { dueAt } }, entries: [], fail: null, dueAt, failedTry: null };
  }
  // Of two tries under one number (a lease had run out) the one that was delivered counts, the other does not count twice.
  if (result.kind === 'delivered' ? outcome.number > row.tries + 1 : outcome.number !== row.tries + 1) return null;
  const tries = Math.max(row.tries, outcome.number);
  const failed: Failed | null =
    result.kind === 'delivered'
      ? null
      : result.kind === 'refused'
        ? { status: result.status, error: null, retryAfterSeconds: result.retryAfterSeconds }
        : { status: null, error: result.reason, retryAfterSeconds: null };
  const fails = result.kind === 'delivered' ? undefined : result.fails;
  const delayMs =
    failed === null || (fails !== undefined && outcome.send === 'active')
      ? null
      : retryDelayMs({ send: outcome.send, tries, ...failed, ...patience(row, outcome.send, outcome, around) });
  // While the workflow is paused time stands still for it: after the pause the whole delay is still to come.
  const nextAt = delayMs === null || row.then !== null ? null : (row.heldAt ?? outcome.endedAt) + delayMs;
  const logged: LoggedTry = {
    number: outcome.number,
    send: outcome.send,
    at: outcome.startedAt,
    milliseconds: Math.max(0, Math.round(outcome.endedAt - outcome.startedAt)),
    status: result.kind === 'unreachable' ? null : result.status,
    error: failed?.error ?? null,
    nextAt,
    ...(around.by === undefined ? {} : { by: around.by }),
    ...(result.kind === 'refused' && result.answer !== undefined ? { answer: result.answer } : {}),
  };
  return consequence(
    row,
    { tries, failed, nextAt, logged, endedAt: outcome.endedAt, ...(fails === undefined ? {} : { fails }) },
    around,
  );
}

/** The row as it was before a claim took this try for one whose node had stopped; the row itself where none has. */
function notCounted(row: WorkitemRow, number: number): WorkitemRow {
  if (!countsAsLost(row, number)) return row;
  return { ...row, tries: row.tries - 1, log: JSON.stringify(readLog(row.log).slice(0, -1)) };
}

/** The claim has counted this try as one whose node stopped (store/claimed.ts). */
export function countsAsLost({ tries, log, send }: WorkitemRow, number: number): boolean {
  if (tries !== number) return false;
  const last = readLog(log).at(-1);
  return last?.number === number && last.send === send && last.error === LOST_TRY;
}

/**
 * Decides about a row when its participant asks to be tried again: one failed try (docs/api-v1.md, `…/fail` with `retry`).
 * The delivery that brought the workitem there is that try; a try that is still under way becomes stale.
 */
export function afterRefusal(
  row: WorkitemRow,
  refusal: { readonly class: string; readonly message: string; readonly at: number },
  around: Circumstances,
): Consequence {
  const tries = row.send === null ? Math.max(1, row.tries) : row.tries + 1;
  const failed: Failed = {
    status: null,
    error: `${refusal.class}: ${refusal.message}`,
    told: 'its participant asked for another try',
    retryAfterSeconds: null,
  };
  const tried = { startedAt: refusal.at, endedAt: refusal.at };
  const delayMs = retryDelayMs({ send: 'active', tries, ...failed, ...patience(row, 'active', tried, around) });
  const nextAt = delayMs === null ? null : (row.heldAt ?? refusal.at) + delayMs;
  const logged: LoggedTry = {
    number: tries,
    send: 'active',
    at: refusal.at,
    milliseconds: 0,
    status: null,
    error: failed.error,
    nextAt,
  };
  return consequence({ ...row, send: 'active' }, { tries, failed, nextAt, logged, endedAt: refusal.at }, around);
}

/** How long a row's participant is tried, and for how long it has been. */
function patience(
  row: WorkitemRow,
  send: Send,
  tried: { readonly startedAt: number; readonly endedAt: number },
  { rules: all, schedule, fraction }: Circumstances,
): Pick<Parameters<typeof retryDelayMs>[0], 'rules' | 'schedule' | 'fraction' | 'sinceFirstMs'> {
  const rules = rulesFor(all, row.participant);
  if (rules.maxSeconds === null) return { rules, schedule, fraction, sinceFirstMs: 0 };
  const before = readLog(row.log).filter((one) => one.send === send);
  // The first may have gone from the log; of the message that opened the workitem it was made when that was.
  const first = before.findLast(({ number }) => number === 1)?.at ?? (send === 'active' ? row.openedAt : before[0]?.at);
  const firstAt = row.tries === 0 ? tried.startedAt : (first ?? tried.startedAt);
  return { rules, schedule, fraction, sinceFirstMs: Math.max(0, tried.endedAt - firstAt) };
}

/** The row with its message due at once: the one it owes, or else the `active` one once more. */
export function redelivered(row: WorkitemRow, now: number): Op<WorkitemRow> {
  return { kind: 'patch', set: { send: row.send ?? 'active', dueAt: row.heldAt ?? now } };
}

/** What the history says of a message that needs no acknowledgement any more: its participant has proceeded. */
export const overtaken = (workflow: WorkflowId, row: WorkitemRow): HistoryEntry => ({
  kind: 'callback.delivered',
  ...about(workflow, row, row.send ?? 'active'),
  try: row.tries + 1,
  overtaken: true,
});

type Failed = {
  readonly status: number | null;
  readonly error: string | null;
  /** For the log, instead of `error`. */
  readonly told?: string;
  readonly retryAfterSeconds: number | null;
};

type Ended = {
  readonly tries: number;
  readonly failed: Failed | null;
  readonly nextAt: number | null;
  readonly logged: LoggedTry;
  readonly endedAt: number;
  /** Instead of the error that says that all tries failed. */
  readonly fails?: Failing;
};

function consequence(row: WorkitemRow, ended: Ended, around: Circumstances): Consequence {
  const send = row.send ?? 'active';
  const base = { ...about(around.workflow, row, send), at: ended.endedAt, try: ended.logged.number };
  const { failed, nextAt, tries } = ended;
  const entries: HistoryEntry[] = [
    failed === null
      ? { kind: 'callback.delivered', ...base, status: ended.logged.status, milliseconds: ended.logged.milliseconds }
      : {
          kind: 'callback.refused',
          ...base,
          ...(failed.status === null ? { error: failed.error } : { status: failed.status }),
          milliseconds: ended.logged.milliseconds,
          next_at: nextAt === null ? null : new Date(nextAt).toISOString(),
        },
  ];
  const log = withTry(row.log, ended.logged);
  const isBetween = send === 'active' && row.then !== null;
  const failedTry: FailedTry | null =
    failed === null
      ? null
      : {
          number: ended.logged.number,
          send,
          status: failed.status,
          reason: failed.told ?? failed.error,
          nextAt,
          milliseconds: ended.logged.milliseconds,
          isLast: nextAt === null && !isBetween,
        };

  // Opened and closed in one step: the participant has had its one try, now it learns that it may stop.
  if (isBetween)
    return {
      op: {
        kind: 'patch',
        set: { send: row.then, then: null, tries: 0, dueAt: row.heldAt ?? ended.endedAt, log },
      },
      entries,
      fail: null,
      dueAt: ended.endedAt,
      failedTry,
    };
  if (nextAt !== null)
    return {
      op: { kind: 'patch', set: { send, tries, dueAt: nextAt, log } },
      entries,
      fail: null,
      dueAt: nextAt,
      failedTry,
    };
  if (failed !== null && ended.fails === undefined) entries.push({ kind: 'callback.exhausted', ...base, tries });
  // A notice that was delivered or given up is over, and with it the workitem.
  if (send !== 'active') return { op: { kind: 'delete' }, entries, fail: null, dueAt: null, failedTry };
  return {
    op: { kind: 'patch', set: { send: null, tries, dueAt: null, log } },
    entries,
    fail: failed !== null && row.state === 'open' ? (ended.fails ?? spent(row, tries, failed)) : null,
    dueAt: null,
    failedTry,
  };
}

const spent = (row: WorkitemRow, tries: number, failed: Failed): Consequence['fail'] => ({
  class: 'RetriesExceeded',
  message: `${row.participant} was not reached: ${tries === 1 ? '1 try' : `${tries} tries`} failed, the last with ${
    failed.status === null ? failed.error : `status ${failed.status}`
  }`,
});

const about = (workflow: WorkflowId, row: WorkitemRow, send: Send) => ({
  workitem_id: workitemId(row.id, workflow),
  expression_id: row.id,
  participant: row.participant,
  send,
});

function withTry(log: string, logged: LoggedTry): string {
  const tries = readLog(log).map((one, i, all) => (i > all.length - EXCERPTS_KEPT ? one : withoutAnswer(one)));
  return JSON.stringify([...tries.slice(Math.max(0, tries.length + 1 - LOG_TRIES_MAX)), logged]);
}

const withoutAnswer = ({ answer: _, ...one }: LoggedTry): LoggedTry => one;

/** The tries of a workitem that are kept, oldest first. */
export const readLog = (log: string): readonly LoggedTry[] =>
  log === '' ? [] : (JSON.parse(log) as readonly LoggedTry[]);
