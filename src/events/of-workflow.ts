import type { Committed } from '../engine/committed.ts';
import type { Engine } from '../engine/engine.ts';
import type { WorkflowId } from '../model/ids.ts';
import { isOver } from '../model/rows.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Standing, Store } from '../store/store.ts';
import { entriesOf } from './entry.ts';
import { entryFrame, type Frame, heartbeatFrame, liveFrame, resetFrame, retryFrame } from './frames.ts';
import type { KindFilter } from './kinds.ts';
import { type EventSink, HEARTBEAT_MS, makePieces } from './reading.ts';

/*
 * Those who watch one workflow. Its entries are numbered without gaps, so a number is a place, whatever profile the store has. A workflow
 * is looked after once however many watch it: hints of this node's commits, one statement for all of them every now and then, and one
 * read for all readers that stand at the same number.
 */

export type WorkflowReader = {
  readonly tenant: Tenant;
  readonly workflow: WorkflowId;
  /** The last number the reader has seen; 0: none. */
  readonly after: number;
  readonly wants: KindFilter;
  /** The workflow as it was when the reader was let in. */
  readonly standing: Standing;
};

export type EventsOfWorkflows = {
  /** Writes the events of a workflow as they come. Resolves once it is over and nothing more has come for a while, or is not there any more,
   * or when `signal` is aborted. Rejects when the store cannot be read. */
  follow(reader: WorkflowReader, sink: EventSink, signal: AbortSignal): Promise<void>;
  /**
   * Resolves as soon as a workflow stands as `isSo` says, at the latest after `ms`; null: it did not by then, or is not there, or the server
   * stops.
   */
  settled(
    of: { readonly tenant: Tenant; readonly workflow: WorkflowId },
    isSo: (standing: Standing) => boolean,
    ms: number,
  ): Promise<Standing | null>;
  /** Workflows that are watched, and by how many. */
  /** `sent`: events since the start. */
  readonly figures: () => { readonly workflows: number; readonly readers: number; readonly sent: number };
  stop(): Promise<void>;
};

/** After the end of a workflow a notice may still be answered: its readers stay for so long without a new event. */
export const AFTERWARDS_MS = 5_000;
/** History rows of one read. */
const PAGE_ROWS = 200;

type Watched = {
  readonly tenant: Tenant;
  readonly workflow: WorkflowId;
  /** Null: it is not there any more. */
  standing: Standing | null;
  readers: number;
  readonly waiting: Set<() => void>;
  /** Reads under way, by the number they begin behind. */
  readonly reads: Map<number, Promise<readonly NumberedFrame[]>>;
};
type NumberedFrame = Frame & { readonly n: number };

export function makeEventsOfWorkflows(parts: {
  readonly store: { readonly read: Pick<Store['read'], 'standings' | 'history'> };
  readonly engine: Pick<Engine, 'watch'>;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  readonly pollSeconds: number;
}): EventsOfWorkflows {
  const { store, engine, time } = parts;
  const all = new Map<WorkflowId, Watched>();
  let unwatch: (() => void) | null = null;
  let cancelPoll = (): void => {};
  let sent = 0;
  let isStopped = false;
  /** Those who wait for a workflow, to be told when the server stops. */
  const stoppers = new Set<AbortController>();

  function learn(watched: Watched, standing: Standing | null): void {
    const before = watched.standing;
    if (before === null) return;
    // Hints and looks overtake each other; numbers only grow, and what is over stays so.
    if (standing !== null && standing.lastN < before.lastN) return;
    watched.standing = standing;
    if (standing === null || standing.lastN > before.lastN || standing.status !== before.status) wakeAll(watched);
  }
  const wakeAll = ({ waiting }: Watched): void => {
    const woken = [...waiting];
    waiting.clear();
    for (const wake of woken) wake();
  };

  const heard = (batch: readonly Committed[]): void => {
    for (const { workflow, after, lastN } of batch) {
      const watched = all.get(workflow);
      if (watched !== undefined) learn(watched, { status: after, lastN });
    }
  };

  const poll = makeLoop({
    name: 'events of workflows',
    time,
    ids: parts.ids,
    log: parts.log,
    work: async () => {
      const asked = [...all.values()];
      if (asked.length === 0) return false;
      const found = await store.read.standings(asked);
      // One that began to be watched meanwhile was not asked about.
      for (const watched of asked) learn(watched, found.get(watched.workflow) ?? null);
      pollLater();
      return false;
    },
  });
  function pollLater(): void {
    cancelPoll();
    if (all.size > 0 && !isStopped) cancelPoll = time.after(parts.pollSeconds * 1000, poll.wake);
  }

  function join({ tenant, workflow, standing }: Pick<WorkflowReader, 'tenant' | 'workflow' | 'standing'>): Watched {
    const known = all.get(workflow);
    if (known !== undefined) {
      learn(known, standing);
      known.readers += 1;
      return known;
    }
    const fresh: Watched = { tenant, workflow, standing, readers: 1, waiting: new Set(), reads: new Map() };
    all.set(workflow, fresh);
    if (all.size === 1) {
      unwatch = engine.watch('events of workflows', heard);
      pollLater();
    }
    return fresh;
  }

  function leave(watched: Watched): void {
    watched.readers -= 1;
    if (watched.readers > 0) return;
    all.delete(watched.workflow);
    if (all.size > 0) return;
    unwatch?.();
    unwatch = null;
    cancelPoll();
  }

  function read(watched: Watched, after: number): Promise<readonly NumberedFrame[]> {
    const { reads, tenant, workflow } = watched;
    const underWay = reads.get(after);
    if (underWay !== undefined) return underWay;
    const reading = store.read
      .history(tenant, workflow, after, PAGE_ROWS)
      .then((rows) =>
        rows
          .flatMap((row) => entriesOf(workflow, row, after))
          .map((entry) => ({ ...entryFrame(String(entry.n), workflow, entry), n: entry.n })),
      )
      .finally(() => reads.delete(after));
    reads.set(after, reading);
    return reading;
  }

  /** Until something is told of the workflow, at most `ms`. */
  const told = (watched: Watched, ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        watched.waiting.delete(done);
        resolve();
      };
      const cancel = time.after(ms, done);
      signal.addEventListener('abort', done, { once: true });
      watched.waiting.add(done);
      if (signal.aborted) done();
    });

  async function followOne(
    watched: Watched,
    reader: WorkflowReader,
    sink: EventSink,
    signal: AbortSignal,
  ): Promise<void> {
    const pieces = makePieces(sink);
    let n = reader.after;
    let isLive = false;
    let movedAt = time.now();
    let wroteAt = time.now();
    await sink.write(retryFrame());
    if (n > reader.standing.lastN) {
      // The database was put back to an earlier time.
      n = reader.standing.lastN;
      await sink.write(resetFrame(String(n), 'restored'));
    }
    while (!signal.aborted) {
      const { standing } = watched;
      if (standing === null) return;
      if (standing.lastN > n) {
        const frames = await read(watched, n);
        const last = frames.at(-1);
        // Thrown away between the look and the read.
        if (last === undefined) return;
        for (const { kind, text } of frames)
          if (reader.wants(kind)) {
            wroteAt = time.now();
            sent += 1;
            await pieces.add(text);
          }
        await pieces.flush();
        n = last.n;
        movedAt = time.now();
        continue;
      }
      if (!isLive) {
        isLive = true;
        wroteAt = time.now();
        await sink.write(liveFrame(String(n)));
        continue;
      }
      const now = time.now();
      const staysMs = isOver(standing.status) ? movedAt + AFTERWARDS_MS - now : Number.POSITIVE_INFINITY;
      if (staysMs <= 0) return;
      const silentMs = wroteAt + HEARTBEAT_MS - now;
      if (silentMs <= 0) {
        wroteAt = now;
        await sink.write(heartbeatFrame(String(n)));
        continue;
      }
      await told(watched, Math.min(staysMs, silentMs), signal);
    }
  }

  return {
    follow: async (reader, sink, signal) => {
      if (isStopped || signal.aborted) return;
      const watched = join(reader);
      try {
        await followOne(watched, reader, sink, signal);
      } finally {
        leave(watched);
      }
    },
    settled: async ({ tenant, workflow }, isSo, ms) => {
      const until = time.now() + ms;
      // Joined first, then looked at: what is committed in between is heard.
      const watched = join({ tenant, workflow, standing: { status: 'running', lastN: 0 } });
      const stopping = new AbortController();
      stoppers.add(stopping);
      try {
        learn(watched, (await store.read.standings([{ tenant, workflow }])).get(workflow) ?? null);
        for (;;) {
          const { standing } = watched;
          if (standing === null || isSo(standing)) return standing;
          const left = until - time.now();
          if (left <= 0 || isStopped) return null;
          await told(watched, left, stopping.signal);
        }
      } finally {
        stoppers.delete(stopping);
        leave(watched);
      }
    },
    figures: () => {
      let readers = 0;
      for (const watched of all.values()) readers += watched.readers;
      return { workflows: all.size, readers, sent };
    },
    stop: async () => {
      isStopped = true;
      for (const stopper of stoppers) stopper.abort();
      cancelPoll();
      await poll.stop();
    },
  };
}
