import { setTimeout as wait } from 'node:timers/promises';
import { shardOf } from '../model/ids.ts';
import type { Changes } from '../model/rows.ts';
import type { Connections, Statement } from './connections.ts';
import { isConflict, isLoss, isTooLong } from './refusals.ts';
import { OutcomeUnknown, type Save } from './store.ts';
import type { Lookup } from './transaction.ts';

/* The answer to a commit was lost: did it take effect? Asked on a new connection, again and again while the database does not know. */

/** Then we say that we do not know; the caller's client may ask again. */
export const LOOKUP_MS = 10_000;
const BETWEEN_MS = 50;

const transactionStatus: Statement = {
  name: 'transaction_status',
  text: 'select pg_xact_status($1::text::xid8) as status',
};

/** What the transaction was to write. */
const written: Statement = {
  name: 'written',
  text: `
  select w.ver, h.transaction_id::text as transaction, h.entries from workflow w
  left join history h on h.shard = w.shard and h.workflow_id = w.id and h.first_n = $3
  where w.shard = $1 and w.id = $2`,
};

/** What is committed, read without a lock; a standby may not have heard of it yet. */
const tokenRead: Statement = {
  name: 'token_read',
  text: `
  select pg_is_in_recovery() as standby, h.token from (select 1) as one
  left join history h on h.shard = $1 and h.workflow_id = $2 and h.first_n = $3`,
};

/** Waits for whoever still works on the workflow, then looks for the row the batch was to write. */
const historyToken: Statement = {
  name: 'history_token',
  text: `
  select w.ver, h.token from workflow w
  left join history h on h.shard = w.shard and h.workflow_id = w.id and h.first_n = $3
  where w.shard = $1 and w.id = $2
  for update of w`,
};

export function makeLookup(connections: Connections): Lookup {
  return async ({ transaction, save }) => {
    const deadline = performance.now() + LOOKUP_MS;
    let trouble: unknown = null;
    while (performance.now() < deadline) {
      try {
        const told =
          transaction === null ? await byToken(connections, save) : await byNumber(connections, transaction, save);
        if (told === 'untraceable') break;
        if (told !== 'unknown') return told;
      } catch (error) {
        if (!isLoss(error) && !isConflict(error) && !isTooLong(error)) throw error;
        trouble = error;
      }
      await wait(BETWEEN_MS);
    }
    throw new OutcomeUnknown(
      'The connection to the database was lost while a step was being committed, and it could not be learnt whether the step took effect',
      { cause: trouble },
    );
  };
}

async function byNumber(
  connections: Connections,
  transaction: string,
  save: Save,
): Promise<'committed' | 'lost' | 'unknown'> {
  const { rows } = await connections.run(transactionStatus, [transaction]);
  const status = rows[0]?.['status'];
  if (status === 'aborted') return 'lost';
  if (status !== 'committed') return 'unknown';
  return (await isWritten(connections, transaction, save)) ? 'committed' : 'lost';
}

/** After a crash the database gives a number again whose transaction had left nothing on the disk: one that is committed may be
 * somebody else's, so what ours was to write must be there. */
async function isWritten(connections: Connections, transaction: string, save: Save): Promise<boolean> {
  const change = changeToLookUp(save);
  // Nothing but claims that were to be given back.
  if (change === undefined) return true;
  const [row] = change.history;
  const { id, ver } = change.workflow;
  const { rows } = await connections.run(written, [shardOf(id), id, row?.firstN ?? 0]);
  const found = rows[0];
  if (row !== undefined) return found?.['transaction'] === transaction && found['entries'] === row.entries;
  const now = found?.['ver'];
  return typeof now === 'number' && now >= ver;
}

/** Whether the history holds what a save that carries a token was to write; waits for whoever still works on the workflow. */
export async function byToken(
  connections: Pick<Connections, 'run'>,
  save: Save,
): Promise<'committed' | 'lost' | 'untraceable'> {
  const change = changeToLookUp(save);
  // Nothing but claims that were to be given back: doing it again does no harm.
  if (change === undefined) return 'lost';
  const [row] = change.history;
  const { id, ver } = change.workflow;
  const { rows } = await connections.run(historyToken, [shardOf(id), id, row?.firstN ?? 0]);
  if (row !== undefined) return rows[0]?.['token'] === save.token ? 'committed' : 'lost';
  // Without history only the number of the row tells: one that is lower proves that nothing was written.
  const found = rows[0]?.['ver'];
  return typeof found !== 'number' || found < ver ? 'lost' : 'untraceable';
}

/**
 * The same of a database that takes nothing at this moment, for saves whose connections the database itself has ended: none is still at work,
 * so that what is not there will not come.
 *
 * @returns `unknown`: it is a standby
 */
export async function byReading(
  connections: Pick<Connections, 'run'>,
  save: Save,
): Promise<'committed' | 'lost' | 'unknown'> {
  const change = changeToLookUp(save);
  const [row] = change?.history ?? [];
  if (change === undefined || row === undefined) return 'unknown';
  const { id } = change.workflow;
  const { rows } = await connections.run(tokenRead, [shardOf(id), id, row.firstN]);
  if (rows[0]?.['standby'] !== false) return 'unknown';
  return rows[0]['token'] === save.token ? 'committed' : 'lost';
}

/** Where the save would have left its mark: a workflow with history, if there is one. */
function changeToLookUp({ changes }: Save): Changes | undefined {
  let first: Changes | undefined;
  for (const change of changes.values()) {
    if (change.history.length > 0) return change;
    first ??= change;
  }
  return first;
}
