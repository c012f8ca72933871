import type { Committed } from '../engine/committed.ts';
import type { Engine } from '../engine/engine.ts';
import { unpackHistory } from '../model/history.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { JsonObject } from '../model/json.ts';
import type { HistoryRow } from '../model/rows.ts';
import { HISTORY_MAX_LEAST } from '../model/stimulus.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Store } from '../store/store.ts';

/*
 * A workflow that never ends would have a history without end. Beyond a number of entries its oldest tenth is folded away: what the
 * expressions did from moment to moment goes, and what somebody may ask for years later stays: the launch, errors, and what an
 * administrator did. Steps do not wait for it and do not know of it.
 */

export type HistoryFold = { stop(): Promise<void> };

/** A workflow is looked after whenever it has written so many entries more: a tenth of the least there may be. */
const LOOK_EVERY = HISTORY_MAX_LEAST / 10;
/** Rows read and thrown away in one go. */
const ROWS_AT_ONCE = 200;
/** Workflows that wait to be looked after; one that finds no place is looked after when it has written more. */
const WAITING_MAX = 10_000;

/** Entries that tell what a workflow did from moment to moment. What is not among them is kept. */
const FOLDED: ReadonlySet<string> = new Set([
  'expression.applied',
  'expression.replied',
  'expression.cancelled',
  'workitem.opened',
  'workitem.proceeded',
  'workitem.closed',
  'callback.delivered',
  'timer.set',
  'timer.fired',
  'event.received',
  'message.received',
  'message.sent',
  'signal.thrown',
  'definition.launched',
  'token.passed',
]);

/** Whether all of a row may go. A proceed has an actor, too: its participant. */
export const isFolded = (entries: readonly JsonObject[]): boolean =>
  entries.every(
    ({ kind, actor }) => FOLDED.has(String(kind)) && (actor === undefined || kind === 'workitem.proceeded'),
  );

/** The part of `history_max` by which a history may be longer before its oldest tenth goes. */
const excess = (max: number): number => Math.floor(max / 10);

/** Folds histories that a step of this node has made too long. */
export function foldHistories(parts: {
  readonly store: {
    readonly foldHistory: Store['foldHistory'];
    readonly read: Pick<Store['read'], 'history' | 'kept'>;
  };
  readonly engine: Pick<Engine, 'watch'>;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  /** Entries a workflow may have for which nothing else was said when it was launched. */
  readonly historyMax: number;
}): HistoryFold {
  const { store, log } = parts;
  const waiting = new Map<WorkflowId, Tenant>();
  let isStopped = false;

  async function maxOf(tenant: Tenant, workflow: WorkflowId): Promise<number> {
    const [first] = await store.read.history(tenant, workflow, 0, 1);
    const [launched] = first === undefined ? [] : unpackHistory(first.entries, workflow);
    return (launched?.kind === 'workflow.launched' ? launched.history_max : undefined) ?? parts.historyMax;
  }

  async function fold(tenant: Tenant, workflow: WorkflowId): Promise<void> {
    const kept = await store.read.kept(tenant, workflow);
    if (kept === null || kept.lastN < HISTORY_MAX_LEAST) return;
    const max = await maxOf(tenant, workflow);
    if (kept.lastN - kept.firstKept < max) return;
    const upTo = kept.lastN - max + excess(max);
    let folded = 0;
    for (let firstKept = kept.firstKept; firstKept <= upTo && !isStopped; ) {
      const rows = (await store.read.history(tenant, workflow, firstKept - 1, ROWS_AT_ONCE)).filter(
        ({ lastN }: HistoryRow) => lastN <= upTo,
      );
      const last = rows.at(-1);
      if (last === undefined) break;
      const gone = rows.filter(({ entries }) => isFolded(unpackHistory(entries, workflow)));
      firstKept = last.lastN + 1;
      folded += gone.reduce((sum, { firstN, lastN }) => sum + lastN - firstN + 1, 0);
      await store.foldHistory({ workflow, firstNs: gone.map(({ firstN }) => firstN), firstKept });
    }
    log.debug('the oldest entries of a long history are folded away', {
      event: 'history.folded',
      workflow_id: workflow,
      entries: folded,
    });
  }

  const loop = makeLoop({
    ...{ name: 'history', time: parts.time, ids: parts.ids, log },
    work: async () => {
      const [next] = waiting;
      if (next === undefined) return false;
      await fold(next[1], next[0]);
      waiting.delete(next[0]);
      return waiting.size > 0;
    },
  });

  const unwatch = parts.engine.watch('history', (batch: readonly Committed[]) => {
    for (const { workflow, tenant, firstN, lastN } of batch) {
      if (lastN < HISTORY_MAX_LEAST) continue;
      if (Math.floor(lastN / LOOK_EVERY) === Math.floor((firstN - 1) / LOOK_EVERY)) continue;
      if (waiting.size >= WAITING_MAX) continue;
      waiting.set(workflow, tenant);
      loop.wake();
    }
  });
  return {
    stop: async () => {
      isStopped = true;
      unwatch();
      await loop.stop();
    },
  };
}
