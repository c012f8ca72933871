import type { AgendaSink, Engine, EngineEvent } from '../engine/engine.ts';
import { Fault } from '../model/fault.ts';
import { shardOf, type WorkflowId } from '../model/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import { backoffMs, type ProcessTime } from '../runtime/process-time.ts';
import { makeRest } from '../runtime/rest.ts';
import type { Store } from '../store/store.ts';
import { HORIZON_MS } from './due-watch.ts';
import { makeLeftRows } from './left-rows.ts';

/**
 * Feeds due agenda rows (timers, continuations, events, kept answers) to the engine. A row is deleted by the step that handles it: one
 * that is gone has fired, so feeding one twice does no harm.
 */
export type Timers = {
  /** Rows may be due. */
  wake(): void;
  /** Rows that were committed here. */
  take: AgendaSink['rows'];
  /** Resolves when nothing is due and nothing is under way. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
  readonly figures: () => { readonly underWay: number; readonly fed: number; readonly failing: number };
};

/** Rows that may be under way at once; the engine's queue is for everybody. */
export const AGENDA_UNDER_WAY_MAX = 200;
/** One look sees this many rows more than those that are known already. */
export const AGENDA_LOOK_MAX = 100;
/** Rows of other nodes' shares are taken once they are overdue by so much: their node is busy, or gone. */
export const OTHERS_AFTER_MS = 1_000;
/** The node whose share a row is learns by a hint of one that is due so soon; what is due later its polls find. */
const HINT_MS = HORIZON_MS;
/** Rows whose step failed are remembered up to this number; no others are taken until there are fewer. */
const FAILING_MAX = 1_000;
const FAILURE_MS_FIRST = 100;
const FAILURE_MS_MAX = 60_000;

type Row = { readonly workflow: WorkflowId; readonly id: string; readonly dueAt: number };

type Feeding = {
  readonly event?: EngineEvent;
  /** The row as it was marked; null: it was not. */
  readonly marked?: Row | null;
  readonly alone?: boolean;
};

/** Makes the agenda's loop; `take` is for what the engine of this node commits itself. */
export function makeTimers(parts: {
  readonly store: Pick<Store, 'peekAgenda' | 'attempts' | 'profile' | 'wakeOthers'>;
  readonly engine: Pick<Engine, 'advance'>;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  readonly settings: { readonly nodeId: string; readonly leaseSeconds: number };
  /** Which part of the shards is this node's: number `share` of `shares`. */
  readonly share: () => { readonly share: number; readonly shares: number };
  /** What has to be done before the step of a row; null: nothing. */
  readonly before?: (workflow: WorkflowId, agenda: string) => Promise<void> | null;
  /** Something will be due then. */
  readonly expect: (dueAt: number) => void;
}): Timers {
  const { store, engine, clock, time, ids, log } = parts;
  const underWay = new Set<string>();
  // Those under way whose row was written again meanwhile: the step that handled the rest of a long one has left a rest itself.
  const rewritten = new Set<string>();
  const failing = new Map<string, { failures: number; until: number }>();
  // Rows of other processes, dead or alive (left-rows.ts), and until when they are not looked at.
  const postponed = new Map<string, number>();
  let fed = 0;
  let stopped = false;
  // The last look did not see, or could not feed, everything that is due.
  let more = false;
  const rest = makeRest(() => underWay.size === 0);
  const loop = makeLoop({ name: 'agenda', work: look, time, ids, log });
  const left = makeLeftRows({ ...parts, beganAt: clock.now() });
  // One row that a process has died with is being handled: no other is, until it is over.
  let isAlone = false;
  const keyOf = (row: Pick<Row, 'workflow' | 'id'>): string => `${row.workflow} ${row.id}`;

  async function look(): Promise<boolean> {
    if (stopped || underWay.size >= AGENDA_UNDER_WAY_MAX || failing.size >= FAILING_MAX) return false;
    for (const [key, until] of postponed) if (until <= time.now()) postponed.delete(key);
    const limit = AGENDA_LOOK_MAX + underWay.size + failing.size + postponed.size;
    more = false;
    const rows = await store.peekAgenda({
      now: clock.now(),
      limit,
      ...parts.share(),
      othersAfterMs: OTHERS_AFTER_MS,
    });
    more = rows.length === limit;
    const seen = new Set(rows.map(keyOf));
    const old = rows.filter((row) => left.isLeft(row) && !isKnown(keyOf(row)));
    for (const row of rows) if (!left.isLeft(row) && !feed(row)) more = true;
    if (old.length > 0) await feedLeft(old);
    if (rows.length < limit)
      for (const key of failing.keys()) if (!seen.has(key) && !underWay.has(key)) failing.delete(key);
    return false;
  }

  /** Rows that were due before this process began: the process before may have died of one of them (left-rows.ts). */
  async function feedLeft(rows: readonly Row[]): Promise<void> {
    const some = rows.slice(0, Math.max(0, AGENDA_UNDER_WAY_MAX - underWay.size));
    if (some.length < rows.length) more = true;
    if (some.length === 0) return;
    const { together, alone, givenUp, later } = await left.look(some);
    for (const row of later) postpone(row);
    for (const row of together) feed(row, { marked: row });
    for (const row of givenUp) await giveUp(row);
    if (alone.length === 0) return;
    isAlone = true;
    try {
      for (const row of alone) {
        await drained();
        if (stopped) break;
        const standing = await left.markAlone(row);
        if (standing === 'marked') feed(row, { marked: row, alone: true });
        else if (standing === 'later') postpone(row);
        else await giveUp(row);
      }
      await drained();
    } finally {
      isAlone = false;
      more = true;
      loop.wake();
    }
  }

  async function giveUp(row: Row): Promise<void> {
    const event = await left.giveUp(row);
    if (event !== null) feed(row, { marked: row, event, alone: true });
  }

  function postpone(row: Row): void {
    const ms = left.laterMs();
    postponed.set(keyOf(row), time.now() + ms);
    time.after(ms, loop.wake);
  }

  const isKnown = (key: string): boolean =>
    underWay.has(key) || (failing.get(key)?.until ?? postponed.get(key) ?? 0) > time.now();
  const drained = async (): Promise<void> => {
    if (underWay.size > 0) await rest.next();
  };

  /** Hands a row to the engine, unless it is under way or has to wait after a failure; false when there is no room. */
  function feed(
    row: Pick<Row, 'workflow' | 'id'>,
    { event = { kind: 'due', agenda: row.id }, marked = null, alone = false }: Feeding = {},
  ): boolean {
    const key = keyOf(row);
    if (isKnown(key)) return true;
    if (stopped || (isAlone && !alone) || underWay.size >= AGENDA_UNDER_WAY_MAX) return false;
    underWay.add(key);
    fed += 1;
    const advance = () => engine.advance([{ workflow: row.workflow, origin: { by: 'server' }, event }]);
    const before = parts.before?.(row.workflow, row.id) ?? null;
    void (before === null ? advance() : before.then(advance))
      .then(
        ([answer]) => {
          if (answer?.ok === true) failing.delete(key);
          else failed(key, answer?.message);
          return answer?.ok === true;
        },
        (err: unknown) => {
          failed(key, err instanceof Fault ? err.code : String(err));
          return false;
        },
      )
      .then((isDone) => {
        underWay.delete(key);
        // One that could not even be given up keeps its mark.
        if (marked !== null && (isDone || event.kind === 'due')) left.survived(marked, underWay.size === 0);
        if (rewritten.delete(key) && !feed(row)) more = true;
        if (more && underWay.size <= AGENDA_UNDER_WAY_MAX / 2) loop.wake();
        rest.tell();
      });
    return true;
  }

  function failed(key: string, why: string | undefined): void {
    const failures = (failing.get(key)?.failures ?? 0) + 1;
    const ms = backoffMs({ failures, firstMs: FAILURE_MS_FIRST, mostMs: FAILURE_MS_MAX, fraction: ids.fraction() });
    failing.set(key, { failures, until: time.now() + ms });
    log.warn('an agenda row could not be handled and is tried again', {
      event: 'agenda.failed',
      row: key,
      failures,
      again_in_ms: ms,
      why,
    });
    time.after(ms, loop.wake);
  }

  return {
    take: (rows) => {
      const now = clock.now();
      const { share, shares } = parts.share();
      let others = false;
      for (const row of rows) {
        if (row.dueAt > now) {
          parts.expect(row.dueAt);
          others ||= shares > 1 && row.dueAt - now <= HINT_MS && shardOf(row.workflow) % shares !== share;
        } else if (underWay.has(keyOf(row))) rewritten.add(keyOf(row));
        // Straight on to the end of the engine's queue: behind everybody who waits there already.
        else if (!feed(row)) more = true;
      }
      if (others) store.wakeOthers();
    },
    wake: loop.wake,
    quiet: async () => {
      for (;;) {
        loop.wake();
        await loop.settled();
        if (underWay.size === 0 && failing.size === 0) return;
        if (underWay.size > 0) await rest.next();
        else await new Promise<void>((resolve) => time.after(FAILURE_MS_FIRST, resolve));
      }
    },
    stop: async () => {
      stopped = true;
      await loop.stop();
      await left.stop();
    },
    figures: () => ({ underWay: underWay.size, fed, failing: failing.size }),
  };
}
