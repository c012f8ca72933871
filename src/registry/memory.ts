import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import { type ProcessTime, pause } from '../runtime/process-time.ts';
import type { Store } from '../store/store.ts';

/*
 * What lies in the memory of every node: stored definitions, participants, subscriptions. Each is rows of a table that are read at the start,
 * upon a hint, and now and then; a node says in its own row up to which moment it has read all of them. Whoever writes waits for all living
 * nodes to say so: what is sent after the answer meets the new state everywhere.
 */

/** One of the things that are kept: reads what has changed, everything the first time. */
export type Kept = { readonly refresh: () => Promise<void> };

export type Memory = {
  /**
   * After a write was committed.
   *
   * @returns whether every living node knows of it; false: some did not say so in time
   */
  spread(): Promise<boolean>;
  /** Reads what has changed, now. */
  refresh(): Promise<void>;
  stop(): Promise<void>;
};

/** A writer waits so long for the others. */
export const SPREAD_MS_MAX = 2_000;
/** Without any hint a node looks this often whether anything has changed: hints may get lost. */
export const LOOK_MS = 15_000;
/** A change may become visible so much later than one that bears a later time: so long after any, all is read once more. */
const LATE_MS_MAX = 60_000;
const ASK_MS_FIRST = 5;
const ASK_MS_MAX = 100;

/** Reads everything once. @throws StoreUnavailable when it cannot be read */
export async function makeMemory(parts: {
  readonly store: Pick<Store, 'nodes' | 'databaseTime' | 'onRegistry' | 'tellRegistry' | 'changeMark'>;
  readonly kept: readonly Kept[];
  readonly nodeId: string;
  /** No other process can have this database: rows of others are those of processes that have ended. */
  readonly isAlone?: boolean;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
}): Promise<Memory> {
  const { store, kept, nodeId, time, ids, log } = parts;
  let underWay: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  let isStopped = false;
  let cancelLook = (): void => {};
  let hinted = false;
  /** As of the last reading; null: it cannot be told whether something has changed. */
  let mark: string | null = null;
  let readAgainAt = Number.NEGATIVE_INFINITY;

  async function read(): Promise<void> {
    const startedAt = time.now();
    const markNow = await store.changeMark();
    const at = await store.databaseTime();
    for (const one of kept) await one.refresh();
    await store.nodes.knows(nodeId, at);
    if (markNow !== mark) readAgainAt = startedAt + LATE_MS_MAX;
    else if (startedAt >= readAgainAt) readAgainAt = Number.POSITIVE_INFINITY;
    mark = markNow;
  }

  /** What somebody else of this node has just learnt will do. */
  const isUnchanged = async (): Promise<boolean> =>
    mark !== null && time.now() < readAgainAt && (await store.changeMark(LOOK_MS)) === mark;

  /** A reading that begins after this call; several calls share one. */
  function refresh(): Promise<void> {
    if (next !== null) return next;
    const begun = underWay.then(() => {
      next = null;
      return read();
    });
    next = begun;
    // Its own callers hear of a failure.
    underWay = begun.catch(() => {});
    return begun;
  }

  const loop = makeLoop({
    name: 'registry',
    time,
    ids,
    log,
    work: async () => {
      const isHint = hinted;
      hinted = false;
      if (isHint || !(await isUnchanged())) await refresh();
      lookLater();
      return false;
    },
  });
  function lookLater(): void {
    cancelLook();
    if (!isStopped) cancelLook = time.after(LOOK_MS * (0.75 + ids.fraction() / 2), loop.wake);
  }

  const stopHearing = await store.onRegistry(() => {
    hinted = true;
    loop.wake();
  });
  await refresh();
  lookLater();

  /** Living nodes that have a registry, as of this moment, without this one. */
  const others = async () => {
    if (parts.isAlone === true) return { now: 0, nodes: [] };
    const now = await store.databaseTime();
    const nodes = await store.nodes.look(now);
    return { now, nodes: nodes.filter(({ id, alive, registry }) => alive && registry !== null && id !== nodeId) };
  };

  return {
    refresh,
    spread: async () => {
      const { now: written, nodes } = await others();
      if (nodes.length === 0) {
        await refresh();
        return true;
      }
      const until = time.now() + SPREAD_MS_MAX;
      // Times are whole milliseconds: whoever reads from the next one on has read what was written.
      await pause(time, 2);
      store.tellRegistry();
      await refresh();
      for (let ms = ASK_MS_FIRST; ; ms = Math.min(ms * 2, ASK_MS_MAX)) {
        if ((await others()).nodes.every(({ registry }) => registry !== null && registry > written)) return true;
        if (time.now() + ms > until) return false;
        await pause(time, ms);
      }
    },
    stop: async () => {
      isStopped = true;
      cancelLook();
      await stopHearing();
      await loop.stop();
      await underWay;
    },
  };
}
