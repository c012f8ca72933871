import { setTimeout as wait } from 'node:timers/promises';
import type { WorkflowId } from '../model/ids.ts';
import type { Loaded } from '../model/stimulus.ts';
import { type Connection, type Connections, type Sent, unreplicated } from './connections.ts';
import { byReading, byToken, LOOKUP_MS } from './outcome.ts';
import { isAnswer, isConflict, isEnding, isLoss, isRefuted, isTooLong, told } from './refusals.ts';
import type { Proof } from './save-statements.ts';
import { OutcomeUnknown, type Save, StoreUnavailable } from './store.ts';
import { allOf, sendAll, type TransactionStyle } from './transaction.ts';
import { writingOf } from './write.ts';

/*
 * A save that locks and loads nothing: its steps worked with rows from memory, and the write itself proves that these still are what the
 * database holds. One round trip, and nearly always one statement (docs/decisions/0014-remembered-rows.md).
 */

/** Between two attempts of which the first had no answer. */
const BETWEEN_MS = 50;

/**
 * Writes `save` in a transaction of its own (store.ts, Store.saveAtOnce).
 *
 * When the answer is lost, the same is sent again until there is one: it cannot take effect twice, for every workflow's `ver` moves on,
 * and a launched one is there then. Whether the first attempt was the one, the token in the history tells.
 */
export async function saveAtOnce(
  connections: Pick<Connections, 'take' | 'run'>,
  style: TransactionStyle,
  save: Save,
  remembered: ReadonlyMap<WorkflowId, Loaded>,
): Promise<'committed' | 'stale'> {
  const statements = (proof: Proof): readonly Sent[] => {
    const known = {
      workflow: (id: WorkflowId) => remembered.get(id)?.workflow,
      strand: (id: WorkflowId, path: string) => remembered.get(id)?.strands.get(path),
    };
    const { changes, last } = writingOf(save, known, { ...style, numbersTransactions: false }, false, proof);
    return [...changes, ...last];
  };
  const first = await attempt(connections, style, statements('versions and silence'));
  if (first === 'committed') return first;
  if (first === 'conflict' || first === 'refuted') return 'stale';

  const deadline = performance.now() + LOOKUP_MS;
  let trouble: unknown = null;
  // Whether an attempt may still be at work where nobody hears of it.
  let atWork = first === 'unknown';
  while (performance.now() < deadline) {
    await wait(BETWEEN_MS);
    try {
      // Who began to listen since then need not hear of it (Transaction.hears), so that only a `ver` can refute it now.
      const again = await attempt(connections, style, statements('versions'));
      atWork ||= again === 'unknown';
      const isAnswered = again !== 'unknown' && again !== 'ended';
      if (again === 'committed' || (isAnswered && (await byToken(connections, save)) === 'committed'))
        return 'committed';
      if (again === 'refuted') return 'stale';
    } catch (error) {
      // Somebody works on it at this moment, perhaps our first attempt.
      if (!isLoss(error) && !isConflict(error) && !isTooLong(error)) throw error;
      trouble = error;
      if (!atWork && isRefusing(error)) {
        const read = await readOf(connections, save);
        if (read === 'committed') return read;
        if (read === 'lost') throw error;
      }
    }
  }
  throw new OutcomeUnknown(
    'The connection to the database was lost while a step was being saved, and it could not be learnt whether the step took effect',
    { cause: trouble },
  );
}

/** The database has answered that it takes nothing now: it is read-only, or has no room. */
const isRefusing = (error: unknown): boolean => error instanceof StoreUnavailable && isAnswer(error.cause);

/** Losing the connection over it once more tells nothing. */
async function readOf(
  connections: Pick<Connections, 'run'>,
  save: Save,
): Promise<Awaited<ReturnType<typeof byReading>>> {
  try {
    return await byReading(connections, save);
  } catch (error) {
    if (isLoss(error) || isTooLong(error)) return 'unknown';
    throw error;
  }
}

/**
 * @returns `refuted`: some workflow is not what was remembered, now and for ever; `conflict`: nothing was written, and the same might
 *   succeed another time; `ended`: the database has ended the connection, so that nothing goes on over it; `unknown`: no answer came
 */
async function attempt(
  connections: Pick<Connections, 'take'>,
  style: TransactionStyle,
  statements: readonly Sent[],
): Promise<'committed' | 'refuted' | 'conflict' | 'ended' | 'unknown'> {
  const connection: Connection = await connections.take();
  // A lone statement is a transaction by itself, unless the settings have to be told each time.
  const alone = statements.length === 1 && style.begin === 'begin';
  try {
    const [first] = statements;
    if (alone && first !== undefined) await connection.together(() => connection.run(first.statement, first.values));
    else await allOf(sendAll(connection, statements, ['commit'], [style.begin]));
    connection.giveBack(connection.isUnreplicated());
    if (!connection.isUnreplicated()) return 'committed';
  } catch (error) {
    if (connection.isUnreplicated()) {
      connection.giveBack(true);
      throw unreplicated('a step was being saved', error);
    }
    if (isLoss(error) && !isAnswer(error)) {
      connection.giveBack(true);
      return isEnding(error) ? 'ended' : 'unknown';
    }
    // The database has answered the commit behind the error by rolling back.
    connection.giveBack(isLoss(error));
    if (isRefuted(error)) return 'refuted';
    if (isConflict(error)) return 'conflict';
    throw told(error, 'saving a step');
  }
  throw unreplicated('a step was being saved');
}
