import pg from 'pg';
import { expect, test } from 'vitest';
import { isConflict, isEnding, isHopeless, isLoss, isRefuted, told } from '../../src/store/refusals.ts';
import { DataRefused, OutcomeUnknown, StoreUnavailable, TookTooLong } from '../../src/store/store.ts';

const answer = (code: string, message: string): Error =>
  Object.assign(new pg.DatabaseError(message, 0, 'error'), { code, severity: 'ERROR' });

test.each([
  ['08P01', 'pgbouncer cannot connect to server'],
  ['08P01', 'server login has been failing, cached error: connect failed (server_login_retry)'],
  ['08P01', 'query_wait_timeout'],
  ['08006', 'connection failure'],
  ['57P01', 'terminating connection due to administrator command'],
  ['57P03', 'the database system is starting up'],
  ['53300', 'sorry, too many clients already'],
  ['25006', 'cannot execute UPDATE in a read-only transaction'],
  ['25P03', 'terminating connection due to idle-in-transaction timeout'],
])('%s (%s) is the loss of a connection, and the caller is told that the store is away', (code, message) => {
  const error = answer(code, message);
  expect([isLoss(error), isConflict(error), isHopeless(error)]).toEqual([true, false, false]);
  expect(told(error, 'testing')).toBeInstanceOf(StoreUnavailable);
});

test.each(['Connection terminated unexpectedly', 'Query read timeout', 'timeout exceeded when trying to connect'])(
  'the driver saying "%s" means the same',
  (message) => {
    expect(isLoss(new Error(message))).toBe(true);
    expect(told(new Error(message), 'testing')).toBeInstanceOf(StoreUnavailable);
  },
);

test.each(['40001', '40P01', '55P03'])('%s goes away when the same is done again, and is never 500', (code) => {
  expect(isConflict(answer(code, 'others'))).toBe(true);
  expect(told(answer(code, 'others'), 'testing')).toBeInstanceOf(StoreUnavailable);
});

test('that a session is over is believed of Postgres itself, and not of a pooler before it', () => {
  const fatal = (of: object): Error => Object.assign(answer('57P01', 'terminating'), { severity: 'FATAL', ...of });
  expect(isEnding(fatal({ routine: 'ProcessInterrupts' }))).toBe(true);
  expect(isEnding(fatal({}))).toBe(false);
  expect(isEnding(answer('25006', 'cannot execute UPDATE in a read-only transaction'))).toBe(false);
});

test('what others have written meanwhile refutes a save for ever', () => {
  for (const code of ['22012', '23505']) expect(isRefuted(answer(code, 'taken'))).toBe(true);
  expect(isRefuted(answer('40001', 'others'))).toBe(false);
});

test.each(['42P05', '26000'])('%s is told with what to do about a pooler that mixes up named statements', (code) => {
  const error = told(answer(code, 'prepared statement'), 'testing');
  expect(error).toBeInstanceOf(StoreUnavailable);
  expect(error.message).toMatch(/DATABASE_PREPARED=0.*max_prepared_statements/);
});

test('each other answer stays what it is', () => {
  expect(told(answer('57014', 'canceling statement'), 'testing')).toBeInstanceOf(TookTooLong);
  expect(told(answer('22P05', 'untranslatable character'), 'testing')).toBeInstanceOf(DataRefused);
  const unknown = new OutcomeUnknown('nobody knows');
  expect(told(unknown, 'testing')).toBe(unknown);
  const bug = answer('42601', 'syntax error');
  expect(told(bug, 'testing')).toBe(bug);
});
