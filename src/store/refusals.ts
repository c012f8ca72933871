import { isMixedUp, MIXED_UP_WORDS } from './pooler.ts';
import { DataRefused, OutcomeUnknown, StoreUnavailable, TookTooLong } from './store.ts';

/* What an error of the database means to us. Codes are SQLSTATEs; errors of the connection have none, or a word of Node's. */

const codeOf = (error: unknown): string | null => {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : null;
};
const isSqlState = (code: string | null): code is string =>
  code !== null && /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code);

/** The write found another `ver` than the one loaded: raised by our own statement, as a division by zero. */
const STALE = '22012';
/** A key that is there already: a launch id, or a history number written by somebody else. */
const TAKEN = '23505';
/** Conflicts that go away when the steps are run again: serialization failure, deadlock, lock timeout. */
const CONFLICTS: ReadonlySet<string> = new Set(['40001', '40P01', '55P03', TAKEN, STALE]);
/** Those that have to do with others alone: the same again succeeds once these are done. */
const PASSING: ReadonlySet<string> = new Set(['40001', '40P01', '55P03']);
/** The server is going away, is starting, has no room, or is a standby. */
const UNAVAILABLE: ReadonlySet<string> = new Set([
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '53100',
  '53200',
  '25006',
  '25P03',
  '57P05',
]);
/** Nobody but an operator can help: wrong password, no such user, no such database. */
const HOPELESS: ReadonlySet<string> = new Set(['28000', '28P01', '3D000', '42501']);

/** The database broke off a transaction that met another; the same again will do. */
export const isCollision = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error) ?? '');

/** The write met a workflow that is not as it was when its steps began, or is there already; the same will never succeed. */
export const isRefuted = (error: unknown): boolean => [STALE, TAKEN].includes(codeOf(error) ?? '');

/** A statement was broken off because it took too long: the same again would take as long. */
const TOO_LONG = '57014';
export const isTooLong = (error: unknown): boolean => codeOf(error) === TOO_LONG;

export const isConflict = (error: unknown): boolean => CONFLICTS.has(codeOf(error) ?? '');

/** The connection broke or the server went away; what was under way is undone unless it was being committed. */
export function isLoss(error: unknown): boolean {
  const code = codeOf(error);
  if (error instanceof StoreUnavailable) return true;
  if (isSqlState(code)) return code.startsWith('08') || UNAVAILABLE.has(code);
  if (code !== null && /^E[A-Z]+$/.test(code)) return true; // ECONNRESET, EPIPE, ETIMEDOUT…
  return error instanceof Error && CONNECTION_WORDS.test(error.message);
}
/** The driver's own complaints, which carry no code. */
const CONNECTION_WORDS =
  /^Connection terminated|^timeout exce|^timeout expired|^Query read timeout|not queryable|^Cannot use a pool after|PGlite is closed/i;

/** The database itself answered with an error and goes on: what was under way is certainly undone. */
export const isAnswer = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'severity' in error && error.severity === 'ERROR';

/**
 * The database itself said that it ends the connection: what was under way is over, committed or not, and the next look tells which. A pooler says
 * FATAL, too, when it has lost the database, which may still be at work; it names no place in the source of Postgres.
 */
export const isEnding = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'severity' in error &&
  error.severity === 'FATAL' &&
  'routine' in error &&
  typeof error.routine === 'string';

/** The server has no connection left: who asks again at once is only one more. */
export const isFull = (error: unknown): boolean => codeOf(error) === '53300';

export const isHopeless = (error: unknown): boolean => HOPELESS.has(codeOf(error) ?? '');

/** A value that no database of ours can hold, or one that breaks a named rule of a table. */
export function isRefusal(error: unknown): boolean {
  const code = codeOf(error);
  if (error instanceof DataRefused) return true;
  return isSqlState(code) && !CONFLICTS.has(code) && /^(22|23|54)/.test(code);
}

/** The error as the store's callers know it: DataRefused, TookTooLong, StoreUnavailable, or itself (a bug of ours). */
export function told(error: unknown, doing: string): Error {
  if (error instanceof DataRefused || error instanceof StoreUnavailable || error instanceof OutcomeUnknown)
    return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (isTooLong(error))
    return new TookTooLong(`The database gave up a statement that took too long while ${doing}: ${reason}`, {
      cause: error,
    });
  if (isRefusal(error))
    return new DataRefused(`The database refused a value while ${doing}: ${reason}`, { cause: error });
  if (isMixedUp(error)) return new StoreUnavailable(`${MIXED_UP_WORDS} (${doing}: ${reason})`, { cause: error });
  if (PASSING.has(codeOf(error) ?? ''))
    return new StoreUnavailable(`Others held what was needed while ${doing}: ${reason}`, { cause: error });
  if (isLoss(error) || isHopeless(error))
    return new StoreUnavailable(`The database could not be used while ${doing}: ${reason}`, { cause: error });
  return error instanceof Error ? error : new Error(`${doing}: ${reason}`);
}

/**
 * Refuses text that Postgres cannot hold or that would come back changed: U+0000 and lone surrogates. Values that travel as JSON are
 * refused by the database itself; this is for those that travel bare.
 */
export function storable(value: string): string {
  if (value.includes('\u0000') || /\p{Surrogate}/u.test(value))
    throw new DataRefused('A text holds U+0000 or half a surrogate pair, which cannot be stored; remove it');
  return value;
}
