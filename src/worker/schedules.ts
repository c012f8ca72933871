import { passesByItself } from '../model/fault.ts';
import type { WorkflowId } from '../model/ids.ts';
import { isOver } from '../model/rows.ts';
import type { Tenant } from '../model/tenant.ts';
import type { ScheduleSpec } from '../registry/schedule-spec.ts';
import { afterFiring, decide, FIRING_MS, type Firing, type Recent, specOf, standingOf } from '../registry/schedules.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { UntilUsed } from '../runtime/until-used.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { ScheduleRow } from '../store/tables/schedule.ts';

/*
 * Launches definitions when their schedules say so. Any node may: what it decides it writes into the row first, as it read it, with the ids it
 * will launch under. Who dies after that is followed by another, which launches under the same ids: once, however often it is done.
 */

export type SchedulesLoop = {
  /** Something may be due: the clock was moved, or a schedule was written. */
  wake(): void;
  /** When the next schedule has to be looked at, in business time; null: never. */
  nextDueAt(): Promise<number | null>;
  /** Does what is due now. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
};

export type LaunchStored = (order: {
  readonly tenant: Tenant;
  readonly definition: string;
  readonly version: number;
  readonly id: WorkflowId;
  readonly spec: ScheduleSpec;
  readonly schedule: { readonly id: string; readonly dueAt: number };
}) => Promise<WorkflowId>;

/** Rows of one look. */
const ROWS_MAX = 50;
/** Without any hint we look this often. */
const LOOK_MS = 5_000;

export function makeSchedules(parts: {
  readonly store: Pick<Store, 'schedules' | 'read'>;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  /** Launches, or finds that it was launched under this id already. @throws what a launch throws */
  readonly launch: LaunchStored;
  readonly cancel: (tenant: Tenant, workflow: WorkflowId) => Promise<void>;
  /** Where there are no schedules nothing is looked at before there is one: the node that is given the first one is told of it. */
  readonly untilUsed: UntilUsed;
}): SchedulesLoop {
  const { store, clock, time, ids, log } = parts;
  let cancelLook = (): void => {};
  let isStopped = false;
  const loop = makeLoop({ name: 'schedules', work: look, time, ids, log });

  async function look(): Promise<boolean> {
    cancelLook();
    if (isStopped) return false;
    const now = clock.now();
    let next = await store.schedules.nextWakeAt();
    let isMore = false;
    if (next !== null && next <= now) {
      const rows = await store.schedules.awake(now, ROWS_MAX);
      for (const row of rows) if (!isStopped) await handle(row);
      next = await store.schedules.nextWakeAt();
      isMore = rows.length === ROWS_MAX;
    }
    if (!isStopped)
      cancelLook =
        next === null
          ? parts.untilUsed(loop.wake)
          : time.after(Math.min(LOOK_MS, Math.max(0, next - clock.now())), loop.wake);
    return isMore;
  }

  async function handle(row: ScheduleRow): Promise<void> {
    const spec = specOf(row);
    let current = row;
    let standing = standingOf(row);
    if (standing.firing.length === 0) {
      const now = clock.now();
      const last = await running(row.tenant, standing.recent);
      const decision = decide(row, spec, standing, {
        ...{ now, last },
        freshId: () => ids.workflow(now),
        chance: ids.fraction,
      });
      const set = {
        dueAt: decision.dueAt,
        // Whoever decides has so long to do it.
        wakeAt: decision.firing.length === 0 ? decision.wakeAt : now + FIRING_MS,
        firing: JSON.stringify(decision.firing),
        queued: JSON.stringify(decision.queued),
        recent: JSON.stringify(decision.recent),
      };
      if (!(await store.schedules.change(row, set))) return;
      if (decision.firing.length === 0) return;
      current = { ...row, ...set, ver: row.ver + 1 };
      standing = standingOf(current);
    } else {
      // Somebody has decided it and did not do it: taken over, so that no third one does it beside.
      const set = { wakeAt: clock.now() + FIRING_MS };
      if (!(await store.schedules.change(row, set))) return;
      current = { ...row, ...set, ver: row.ver + 1 };
    }
    const done: Recent[] = [];
    for (const one of standing.firing) {
      const fired = await fire(current, spec, one);
      // Whoever looks when its time is over does it, under the same ids.
      if (fired === 'later') return;
      done.push(fired);
    }
    const after = afterFiring(current, standing, done, clock.now());
    await store.schedules.change(current, {
      wakeAt: after.wakeAt,
      firing: '[]',
      recent: JSON.stringify(after.recent),
    });
  }

  async function fire(row: ScheduleRow, spec: ScheduleSpec, { id, dueAt, cancels }: Firing): Promise<Recent | 'later'> {
    const tenant = row.tenant as Tenant;
    const at = { due_at: dueAt, fired_at: clock.now() };
    try {
      if (cancels !== undefined) await parts.cancel(tenant, cancels as WorkflowId);
      const workflow = await parts.launch({
        ...{ tenant, definition: row.definition, version: row.version, id: id as WorkflowId, spec },
        schedule: { id: row.id, dueAt },
      });
      return { ...at, workflow_id: workflow };
    } catch (err) {
      if (passesByItself(err) || err instanceof StoreUnavailable) {
        log.warn('a schedule launches its definition later', { event: 'schedule.later', schedule: row.id, err });
        return 'later';
      }
      log.warn('a schedule could not launch its definition', { event: 'schedule.failed', schedule: row.id, err });
      return { ...at, skipped: 'failed' };
    }
  }

  /** The workflow it launched last, while that is not over. */
  async function running(tenant: string, recent: readonly Recent[]): Promise<string | null> {
    const last = recent.find(({ workflow_id }) => workflow_id !== undefined)?.workflow_id;
    if (last === undefined) return null;
    const row = await store.read.workflow(tenant as Tenant, last as WorkflowId);
    return row === null || isOver(row.status) ? null : last;
  }

  return {
    wake: loop.wake,
    nextDueAt: () => store.schedules.nextWakeAt(),
    quiet: async () => {
      loop.wake();
      await loop.settled();
    },
    stop: async () => {
      isStopped = true;
      cancelLook();
      await loop.stop();
      cancelLook();
    },
  };
}
