import type { WorkflowId } from '../model/ids.ts';
import { shardOf } from '../model/ids.ts';
import type { StrandRow, WorkflowRow } from '../model/rows.ts';
import type { Loaded } from '../model/stimulus.ts';
import { type Connection, type Connections, type Result, type Sent, unreplicated } from './connections.ts';
import { forRequests, merged, sendLoads } from './gather.ts';
import { anyoneHears, lockWorkflows, lookAtWorkflows } from './load-statements.ts';
import type { Armed } from './meeting.ts';
import { placeOn } from './meeting-place.ts';
import { after, before, meetingOf } from './meeting-step.ts';
import { isAnswer, isConflict, isLoss, told } from './refusals.ts';
import type { LoadRequest, Save, Transaction } from './store.ts';
import { rowOf, WORKFLOW } from './tables/of-workflow.ts';
import { askingHearers, spreading, type Writing, writingOf } from './write.ts';

/** How a profile runs its transactions. */
export type TransactionStyle = {
  /** Text that begins one. */
  readonly begin: string;
  /** Rows are locked as they are read; else the isolation level finds conflicts, and `ver` proves it. */
  readonly locks: boolean;
  readonly numbersTransactions: boolean;
  /** What positions of history begin at (positions.ts); null: rows have none. */
  readonly historyBase: number | null;
  /** Every statement is about one shard and says which (sharding.ts). */
  readonly namesShard: boolean;
};

/** Learns what became of a commit whose answer was lost; throws OutcomeUnknown when it cannot. */
export type Lookup = (what: {
  readonly transaction: string | null;
  readonly save: Save;
}) => Promise<'committed' | 'lost'>;

/** A transaction that met a dead connection before anything was known is begun again, this often in all. */
const BEGIN_TRIES_MAX = 3;

export async function beginTransaction(
  connections: Pick<Connections, 'take'>,
  style: TransactionStyle,
  lookup: Lookup,
  list: readonly LoadRequest[],
): Promise<Transaction> {
  const requests = merged(list);
  for (let attempt = 1; ; attempt++) {
    const connection = await connections.take();
    try {
      return makeTransaction(connection, style, lookup, await lockAndLoad(connection, style, requests));
    } catch (error) {
      await abandon(connection, error);
      const again = isLoss(error) || isConflict(error);
      if (!again || attempt === BEGIN_TRIES_MAX) throw told(error, 'loading workflows');
    }
  }
}

/**
 * The rows as they are, without locks and without a transaction (store.ts, Store.look). The rows of the workflows are asked for first:
 * what is loaded behind them may be newer than they are, but then their `ver` has moved on.
 */
export async function lookAtRows(
  connections: Pick<Connections, 'take'>,
  list: readonly LoadRequest[],
): Promise<ReadonlyMap<WorkflowId, Loaded>> {
  const requests = merged(list);
  const wanted = requests.map(({ workflow }) => ({ s: shardOf(workflow), w: workflow }));
  for (let attempt = 1; ; attempt++) {
    const connection = await connections.take();
    try {
      const { looked, loads } = connection.together(() => ({
        looked: connection.run(lookAtWorkflows, [JSON.stringify(wanted)]),
        loads: sendLoads(connection, requests, false),
      }));
      const [found, ...results] = await allOf([looked, ...loads.results]);
      connection.giveBack();
      const rows = new Map<WorkflowId, WorkflowRow | null>();
      for (const record of found?.rows ?? [])
        rows.set(record['request'] as WorkflowId, record['id'] === null ? null : rowOf(WORKFLOW, record));
      return loads.gather(results, rows);
    } catch (error) {
      connection.giveBack(isLoss(error));
      const again = isLoss(error) || isConflict(error);
      if (!again || attempt === BEGIN_TRIES_MAX) throw told(error, 'loading workflows');
    }
  }
}

type Begun = {
  readonly rows: ReadonlyMap<WorkflowId, WorkflowRow | null>;
  readonly busy: readonly WorkflowId[];
  readonly loaded: ReadonlyMap<WorkflowId, Loaded>;
  readonly transaction: string | null;
  readonly hears: boolean;
};

/** One round trip: begin, lock, load. The rows are locked by a statement of their own, so that what is loaded is seen as of after the
 * lock: one statement that did both would see the other rows as they were before it waited. */
async function lockAndLoad(
  connection: Connection,
  style: TransactionStyle,
  requests: readonly LoadRequest[],
): Promise<Begun> {
  const wanted = requests.map(({ workflow }) => ({ s: shardOf(workflow), w: workflow }));
  const look = forRequests(style.locks ? lockWorkflows : lookAtWorkflows, wanted, style.namesShard);
  const { asked, begun, locked, loads } = connection.together(() => ({
    asked: style.namesShard ? [connection.run(anyoneHears)] : [],
    begun: connection.say(style.begin),
    locked: look.map(({ statement, values }) => connection.run(statement, values)),
    loads: sendLoads(connection, requests, style.namesShard),
  }));
  const [, ...answers] = await allOf([begun, ...locked, ...loads.results, ...asked]);
  const results = answers.slice(look.length);

  const rows = new Map<WorkflowId, WorkflowRow | null>();
  const busy: WorkflowId[] = [];
  let transaction: string | null = null;
  let hears: unknown = style.namesShard ? answers.at(-1)?.rows[0]?.['hears'] : null;
  for (const record of answers.slice(0, look.length).flatMap((answer) => answer.rows)) {
    const id = record['request'] as WorkflowId;
    transaction ??= record['transaction'] as string | null;
    hears ??= record['hears'];
    if (record['busy'] === true) busy.push(id);
    else rows.set(id, record['id'] === null ? null : rowOf(WORKFLOW, record));
  }
  return { rows, busy, loaded: loads.gather(results, rows), transaction, hears: hears !== false };
}

function makeTransaction(connection: Connection, style: TransactionStyle, lookup: Lookup, begun: Begun): Transaction {
  const { rows } = begun;
  const strands = new Map<WorkflowId, Map<string, StrandRow>>();
  const remember = (loaded: ReadonlyMap<WorkflowId, Loaded>): void => {
    for (const [id, part] of loaded) {
      const known = strands.get(id) ?? new Map<string, StrandRow>();
      for (const [path, row] of part.strands) known.set(path, row);
      strands.set(id, known);
    }
  };
  remember(begun.loaded);
  let over = false;
  const end = (): void => {
    if (over) throw new Error('This transaction is over; begin another one');
    over = true;
  };

  return {
    loaded: begun.loaded,
    busy: begun.busy,
    hears: begun.hears,
    load: async (list) => {
      if (over) throw new Error('This transaction is over; begin another one');
      const loads = sendLoads(
        connection,
        merged(list).filter(({ workflow }) => rows.has(workflow)),
        style.namesShard,
      );
      try {
        const loaded = loads.gather(await allOf(loads.results), rows);
        remember(loaded);
        return loaded;
      } catch (error) {
        over = true;
        await abandon(connection, error);
        throw told(error, 'loading more rows');
      }
    },
    commit: async (save) => {
      end();
      let writing: Writing;
      const meeting = meetingOf(save);
      let armed: ReadonlyMap<string, Armed> = new Map();
      if (meeting !== null && !connection.isLost())
        try {
          armed = await before(placeOn(connection, style), meeting);
        } catch (error) {
          await abandon(connection, error);
          if (isConflict(error) || (isLoss(error) && !isAnswer(error))) return 'lost'; // no commit was sent
          throw told(error, 'finding where to wait for events');
        }
      try {
        const known = {
          workflow: (id: WorkflowId) => rows.get(id),
          strand: (id: WorkflowId, path: string) => strands.get(id)?.get(path),
          armed: (id: WorkflowId, waiter: string) => armed.get(`${id} ${waiter}`),
        };
        writing = writingOf(save, known, style, begun.hears);
      } catch (error) {
        await abandon(connection, null);
        throw error;
      }
      if (connection.isLost()) {
        connection.giveBack(true);
        return 'lost'; // nothing was sent: the database undoes what the connection had begun
      }
      let statements: readonly Sent[];
      try {
        statements = await statementsOf(connection, writing, style);
        if (meeting !== null) {
          await allOf(sendAll(connection, statements));
          statements = [];
          await after(placeOn(connection, style), meeting, save.judge);
        }
      } catch (error) {
        await abandon(connection, error);
        if (isConflict(error) || (isLoss(error) && !isAnswer(error))) return 'lost'; // no commit was sent
        throw told(error, 'saving a step');
      }
      try {
        // After an error above, the database answers this commit by rolling back.
        await allOf(sendAll(connection, statements, ['commit']));
        connection.giveBack(connection.isUnreplicated());
        if (!connection.isUnreplicated()) return 'committed';
      } catch (error) {
        if (connection.isUnreplicated()) {
          connection.giveBack(true);
          throw unreplicated('a step was being committed', error);
        }
        if (isLoss(error) && !isAnswer(error)) {
          connection.giveBack(true);
          return lookup({ transaction: begun.transaction, save });
        }
        connection.giveBack(isLoss(error));
        if (isConflict(error)) return 'lost';
        throw told(error, 'saving a step');
      }
      throw unreplicated('a step was being committed');
    },
    rollback: async () => {
      end();
      await abandon(connection, null);
    },
  };
}

/** What is to be sent with the commit. Where the listeners of an event are on many machines, everything before was sent already, for they
 * have to be asked for first. */
async function statementsOf(
  connection: Connection,
  { changes, events, last }: Writing,
  style: TransactionStyle,
): Promise<readonly Sent[]> {
  if (!style.namesShard || events.length === 0) return [...changes, ...spreading(events), ...last];
  const { questions, heard } = askingHearers(events);
  const answers = await allOf(sendAll(connection, [...changes, ...questions]));
  return [...heard(answers.slice(changes.length).map(({ rows }) => rows)), ...last];
}

/** Sends the statements, `start` before and `end` behind them, in one piece. */
export const sendAll = (
  connection: Connection,
  statements: readonly Sent[],
  end: readonly string[] = [],
  start: readonly string[] = [],
): readonly Promise<Result>[] =>
  connection.together(() => [
    ...start.map((text) => connection.say(text)),
    ...statements.map(({ statement, values }) => connection.run(statement, values)),
    ...end.map((text) => connection.say(text)),
  ]);

/** Waits for all of them and throws the error of the first that failed: the others of a transaction fail only because of it. */
export async function allOf(promises: readonly Promise<Result>[]): Promise<readonly Result[]> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return settled.map((outcome) => (outcome as PromiseFulfilledResult<Result>).value);
}

/** Leaves the transaction without a trace; a connection that cannot even do that is thrown away. */
async function abandon(connection: Connection, error: unknown): Promise<void> {
  if (connection.isLost() || isLoss(error)) return connection.giveBack(true);
  try {
    await connection.say('rollback');
    connection.giveBack();
  } catch {
    connection.giveBack(true);
  }
}
