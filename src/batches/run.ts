import type { Engine } from '../engine/engine.ts';
import type { Search } from '../engine/search.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { Tenant } from '../model/tenant.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import { type Meter, NO_METER } from '../runtime/meter.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { UntilUsed } from '../runtime/until-used.ts';
import type { BatchItemRow, BatchRow, SettledItem, Store, WaitingBatch } from '../store/store.ts';
import { type Asked, BATCH_ITEMS_MAX, type BatchAction } from './asked.ts';
import { findItems } from './find.ts';
import { type Came, cameOfStopped, doOne } from './one.ts';

/* Goes on with batches: a hundred items of one, then of the next; tenants take turns. What came of the hundred is written at once. */

export type BatchRunner = {
  /** There may be a batch to go on with. */
  wake(): void;
  /** Begins nothing more, and puts back what it is at. */
  stop(): Promise<void>;
};

/** Batches that one node is at, at once. */
export const BATCHES_AT_ONCE = 2;
/** Items that are taken, done and counted together; how many of them wait for their step at once. */
export const ITEMS_AT_ONCE = 100;
const STEPS_AT_ONCE = 16;
/** Pages of a search before another batch has its turn. */
const PAGES_AT_ONCE = 10;
/** A node that is silent for so long has died, or sleeps. */
const LEASE_SECONDS = 60;
/** Batches are looked for so often, for others may have made some. */
const LOOK_MS = 2_000;
const WAITING_MAX = 1_000;
/** Items for which the database or the engine was not to be had are tried again after this. */
const LATER_SECONDS = 1;
/** Tenants whose last turn is remembered. */
const TENANTS_MAX = 10_000;

export type RunnerParts = {
  readonly store: Pick<Store, 'batches' | 'read'>;
  /** Finds workflows by what is inside of them. */
  readonly search: Pick<Search, 'list'>;
  readonly engine: Pick<Engine, 'advance'>;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  readonly meter?: Pick<Meter, 'batchItems'>;
  readonly nodeId: string;
  /** Why nothing more may be done in the name of this caller; null: it may. */
  readonly complaint: (actor: string | null) => string | null;
  /** With none at all they are not looked for before there is one: whoever makes one has its own node begin at once. */
  readonly untilUsed: UntilUsed;
  /** Left out: LOOK_MS. */
  readonly lookMs?: number;
  /** Left out: LEASE_SECONDS. */
  readonly leaseSeconds?: number;
};

export function makeBatchRunner(parts: RunnerParts): BatchRunner {
  const { store, engine, time, ids, log, nodeId } = parts;
  const { batchItems } = parts.meter ?? NO_METER;
  const { lookMs = LOOK_MS, leaseSeconds = LEASE_SECONDS } = parts;
  let isStopping = false;
  let cancel = (): void => {};
  let turn = 0;
  const lastTurns = makeBoundedMap<number>(TENANTS_MAX);
  const one = { engine, read: store.read, isStopping: () => isStopping };

  const loop = makeLoop({ name: 'batches', work: pass, time, ids, log });
  loop.wake();
  return {
    wake: loop.wake,
    stop: async () => {
      isStopping = true;
      cancel();
      await loop.stop();
      cancel();
    },
  };

  async function pass(): Promise<boolean> {
    cancel();
    try {
      const waiting = await store.batches.waiting(WAITING_MAX);
      const chosen = inTurns(waiting.filter(({ waitSeconds }) => waitSeconds === 0));
      // One that fails disturbs no other; the loop tells of it and comes back.
      const ended = await Promise.allSettled(chosen.map(({ id }) => goOn(id)));
      for (const each of ended) if (each.status === 'rejected') throw each.reason;
      if (chosen.length > 0) return true;
      if (waiting.length > 0) schedule(Math.min(lookMs, ...waiting.map(({ waitSeconds }) => waitSeconds * 1000)));
      else if (!isStopping) cancel = parts.untilUsed(loop.wake);
      return false;
    } catch (error) {
      schedule(lookMs);
      throw error;
    }
  }

  function schedule(ms: number): void {
    if (!isStopping) cancel = time.after(ms, loop.wake);
  }

  /** Those of tenants whose last turn is longest ago. */
  function inTurns(ready: readonly WaitingBatch[]): readonly WaitingBatch[] {
    const chosen: WaitingBatch[] = [];
    const left = [...ready];
    while (chosen.length < BATCHES_AT_ONCE && left.length > 0) {
      const next = left.reduce((a, b) => ((lastTurns.get(b.tenant) ?? 0) < (lastTurns.get(a.tenant) ?? 0) ? b : a));
      left.splice(left.indexOf(next), 1);
      chosen.push(next);
      turn += 1;
      lastTurns.set(next.tenant, turn);
    }
    return chosen;
  }

  async function goOn(id: string): Promise<void> {
    const batch = await store.batches.claim(id, nodeId, leaseSeconds);
    if (batch === null) return;
    let waitSeconds = LATER_SECONDS;
    try {
      waitSeconds = await turnOf(batch);
    } finally {
      await store.batches.release(id, nodeId, waitSeconds);
    }
  }

  /** @returns the seconds until its next turn, at least */
  async function turnOf(batch: BatchRow): Promise<number> {
    if (batch.state !== 'collecting' && batch.state !== 'running') {
      await tidyUp(batch);
      return 0;
    }
    const complaint = parts.complaint(batch.actor);
    if (complaint !== null) {
      if (await store.batches.stop(batch.id, complaint))
        log.warn('a batch is stopped', { event: 'batch.stopped', batch_id: batch.id, why: complaint });
      return 0;
    }
    return batch.state === 'collecting' ? collect(batch) : hundred(batch);
  }

  async function collect(batch: BatchRow): Promise<number> {
    const asked = JSON.parse(batch.asked) as Asked;
    if (asked.filter === null) {
      await fail(batch, 'interrupted: the node that was given its ids stopped before it had written them; ask again');
      return 0;
    }
    const about = { tenant: batch.tenant as Tenant, action: batch.action as BatchAction, search: asked.search };
    let { place, total } = batch;
    for (let page = 0; page < PAGES_AT_ONCE && !isStopping; page++) {
      const { items, next } = await findItems({ ...store.read, inside: parts.search }, about, place);
      total += items.length;
      if (total > BATCH_ITEMS_MAX) {
        await fail(batch, `limit_exceeded: there are more than ${BATCH_ITEMS_MAX} items; nothing was done`);
        return 0;
      }
      const isLast = next === null;
      if (!(await store.batches.collect(batch.id, place, { items, next, isLast })) || isLast) return 0;
      place = next;
    }
    return 0;
  }

  async function fail(batch: BatchRow, problem: string): Promise<void> {
    if (await store.batches.fail(batch.id, problem))
      log.warn('a batch has failed', { event: 'batch.failed', batch_id: batch.id, why: problem });
  }

  async function hundred(batch: BatchRow): Promise<number> {
    const startedAt = time.now();
    const items = await store.batches.next(batch.id, Math.min(ITEMS_AT_ONCE, batch.rate ?? ITEMS_AT_ONCE));
    if (items.length === 0) return 0;
    const tenant = batch.tenant as Tenant;
    const standings = await store.read.standings(
      items.map(({ workflow }) => ({ tenant, workflow: workflow as WorkflowId })),
    );
    const noted = await store.batches.take(
      batch.id,
      items.map(({ seq, workflow }) => ({ seq, lastN: standings.get(workflow as WorkflowId)?.lastN ?? 0 })),
    );
    const came: SettledItem[] = [];
    let isLater = false;
    await eachGroup(groupsOf(items.filter(({ seq }) => noted.has(seq))), async (group) => {
      for (const [i, item] of group.entries()) {
        if (isLater) return;
        const workflow = item.workflow as WorkflowId;
        // Those of one workflow move it on one after the other.
        const standing = i === 0 ? standings : await store.read.standings([{ tenant, workflow }]);
        const one: Came = await doOneOf(batch, item, standing.get(workflow), noted.get(item.seq) ?? 0);
        if (one === 'retry') isLater = true;
        else came.push(one);
      }
    });
    await settle(batch, came);
    if (isLater) return LATER_SECONDS;
    return batch.rate === null ? 0 : Math.max(0, items.length / batch.rate - (time.now() - startedAt) / 1000);
  }

  function doOneOf(...given: Parameters<typeof doOne> extends [unknown, ...infer Rest] ? Rest : never): Promise<Came> {
    return doOne(one, ...given);
  }

  async function settle(batch: BatchRow, came: readonly SettledItem[]): Promise<void> {
    if (came.length === 0) return;
    await store.batches.settle(batch.id, came);
    for (const outcome of ['done', 'failed', 'skipped'] as const) {
      const count = came.filter(({ state }) => state === outcome).length;
      if (count > 0) batchItems(batch.action, outcome, count);
    }
  }

  /** One that was stopped while a node was at it, which then died: what it had done is counted. */
  async function tidyUp(batch: BatchRow): Promise<void> {
    const items = (await store.batches.next(batch.id, ITEMS_AT_ONCE)).filter(({ taken }) => taken);
    const came: SettledItem[] = [];
    for (const item of items) came.push(await cameOfStopped(store.read, batch, item));
    await settle(batch, came);
  }
}

function groupsOf(items: readonly BatchItemRow[]): readonly (readonly BatchItemRow[])[] {
  const groups = new Map<string, BatchItemRow[]>();
  for (const item of items) {
    const group = groups.get(item.workflow);
    if (group === undefined) groups.set(item.workflow, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

async function eachGroup<Group>(groups: readonly Group[], act: (group: Group) => Promise<void>): Promise<void> {
  const waiting = [...groups];
  const lane = async (): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) await act(group);
  };
  await Promise.all(Array.from({ length: STEPS_AT_ONCE }, lane));
}
