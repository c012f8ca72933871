import { CONTINUATION } from '../interpreter/queue.ts';
import { shardOf, type WorkflowId } from '../model/ids.ts';
import { makeBoundedMap, makeQueue, type Queue } from '../runtime/bounded.ts';
import { type ProcessTime, pause } from '../runtime/process-time.ts';
import type { Waiting } from './entry.ts';
import type { Parking } from './parking.ts';

/*
 * The order in which what waits is handled. A lane is a fixed part of the workflows (by shard), so that two transactions of one node never want
 * the same workflow; while its transaction is under way stimuli gather, and the next one takes them all. A lone stimulus waits for nobody.
 *
 * The rest of a long step fills a transaction by itself, and nobody waits for its answer. So it has one of its own, in turn with the others: who
 * comes while a workflow of thousands of branches is born waits for one part of that at most, and shares none.
 * The ends of tries that no step of their workflow took along have turns of their own, too: thousands may come at once.
 *
 * Where such a part holds everybody up for long (megabytes of fields are read, copied and written), its workflow then pauses the longer, as long as others
 * are at work: of a hundred steps of theirs one at most meets it. Alone it goes on at once.
 *
 * Every transaction costs the database something, whatever it holds. Many nodes that each take what has just come make many small ones; so they
 * gather instead: one lane where there would be several, and a pause after each of its batches that grows with their number.
 */

export type Lane = {
  readonly queue: Queue<Waiting>;
  readonly rests: Queue<Waiting>;
  /** How tries ended for which no step of their workflow has come: nobody waits for that to be written. */
  readonly ends: Queue<Waiting>;
  /** Parked workflows whose turn has come, each to be taken alone. */
  readonly alone: Queue<WorkflowId>;
  running: boolean;
  /** Stimuli the next batch may take: halved when the database refuses what a batch wrote, until the culprit stands alone. */
  limit: number;
  /** Whose turn it was last. */
  turn: number;
  /** Process time at which the last batch ended. */
  endedAt: number;
};

/** So many nodes share a database without paying for one another: each batch follows the one before at once. */
const NODES_AT_EASE = 2;
/** The pause after a batch, for each node more than that. */
const GATHER_MS = 16;
/** However many they are: a proceed never waits longer for a batch to begin. */
export const GATHER_MS_MAX = 100;

/** Rests of long steps that one batch takes. */
const RESTS_AT_ONCE = 4;
/** A part of a long step that took no longer, in milliseconds, is followed by the next at once. */
const LIGHT_MS = 20;
/** One that took longer is followed by a pause: this many milliseconds make it as long as the part itself, and each more make it longer by that, */
const HEAVY_MS = 10;
/** up to so many times its length. */
const PAUSE_TIMES_MAX = 16;
/** And never longer, in milliseconds: a part may have waited for a database that was away. */
const PAUSE_MS_MAX = 5_000;
/** Others are at work whose last step is no longer ago than this, in milliseconds, when such a part begins. */
const AT_WORK_MS = 1_000;
/** Workflows whose pauses are remembered; one that is forgotten goes on at once. */
const HEAVY_MAX = 1_000;

/** Any step takes up what is left of the one before it, so whether its turn comes early or late changes nothing for its workflow. */
const isRest = ({ entry }: Waiting): boolean =>
  entry.kind === 'stimulus' && entry.stimulus.event.kind === 'due' && entry.stimulus.event.agenda === CONTINUATION;

/** How a try ended, with nothing in it that sets the workflow going. */
const isEnd = ({ entry }: Waiting): boolean => entry.kind === 'outcome' && entry.outcome.urgent !== true;

export type Lanes = {
  /** Behind everything else of its workflow. */
  add(waiting: Waiting): void;
  /** What was taken, or gathered meanwhile, goes before everything else. */
  putBack(lane: Lane, waiting: readonly Waiting[]): void;
  of(workflow: WorkflowId): Lane;
  /** A parked workflow's turn has come. */
  takeAlone(workflow: WorkflowId): void;
  /** A batch was written: the next may be larger again. */
  widen(lane: Lane): void;
  /** Nobody pauses any more: the engine stops. */
  hurry(): void;
  /** A batch of `size` was refused: the next takes half of it at most. */
  narrow(lane: Lane, size: number): void;
  /** Whether no batch is under way. */
  areIdle(): boolean;
};

export function makeLanes(parts: {
  readonly count: number;
  /** Any lane can take any workflow, so that one may do the work of all. */
  readonly canJoin: boolean;
  /** Nodes that share the database, this one among them. */
  readonly nodes: () => number;
  readonly time: ProcessTime;
  readonly batchMax: number;
  readonly parking: Pick<Parking, 'gather' | 'take'>;
  /** What comes along with the next step of a workflow, and goes before it: at most `limit`. */
  readonly alongWith: (workflow: WorkflowId, limit: number) => readonly Waiting[];
  /** Handles a batch; never throws. */
  readonly handle: (lane: Lane, batch: readonly Waiting[]) => Promise<void>;
  /** A lane has nothing left to do. */
  readonly onIdle: () => void;
}): Lanes {
  const { batchMax, parking, time } = parts;
  const lanes: readonly Lane[] = Array.from({ length: Math.max(1, parts.count) }, () => ({
    queue: makeQueue<Waiting>(),
    rests: makeQueue<Waiting>(),
    ends: makeQueue<Waiting>(),
    alone: makeQueue<WorkflowId>(),
    running: false,
    limit: batchMax,
    turn: 0,
    endedAt: Number.NEGATIVE_INFINITY,
  }));
  // What lies in another lane when nodes come or go is handled there; of two lanes that want one workflow the database lets one wait.
  const of = (workflow: WorkflowId): Lane => lanes[isJoined() ? 0 : shardOf(workflow) % lanes.length] as Lane;
  const isJoined = (): boolean => parts.canJoin && parts.nodes() > NODES_AT_EASE;
  const gatherMs = (): number => Math.min(GATHER_MS_MAX, GATHER_MS * Math.max(0, parts.nodes() - NODES_AT_EASE));

  /** When the last part of a long step of a workflow began, and until when it pauses if others are at work. */
  const heavy = makeBoundedMap<{ readonly begunAt: number; readonly until: number }>(HEAVY_MAX);
  /** Whose steps were taken last: the latest, and the latest of another workflow. */
  let latest: { workflow: WorkflowId | null; at: number } = { workflow: null, at: Number.NEGATIVE_INFINITY };
  let other = latest;
  /** Rests that pause, and how to call off the end of that. */
  const pausing = new Map<Waiting, () => void>();
  let hurried = false;

  const seen = (workflow: WorkflowId, at: number): void => {
    if (latest.workflow !== workflow) other = latest;
    latest = { workflow, at };
  };
  const othersSince = (workflow: WorkflowId, at: number): boolean =>
    (latest.workflow === workflow ? other : latest).at >= at;

  /** How long a workflow pauses before the next part of its long step, in milliseconds. */
  function pauseOf(workflow: WorkflowId): number {
    const last = heavy.get(workflow);
    return hurried || last === undefined || !othersSince(workflow, last.begunAt - AT_WORK_MS)
      ? 0
      : last.until - time.now();
  }

  /** Sets a rest aside until the pause of its workflow is over; false when there is none. */
  function pauses(waiting: Waiting): boolean {
    const ms = isRest(waiting) ? pauseOf(waiting.entry.workflow) : 0;
    if (ms > 0)
      pausing.set(
        waiting,
        time.after(ms, () => goOn(waiting)),
      );
    return ms > 0;
  }

  function goOn(waiting: Waiting): void {
    pausing.get(waiting)?.();
    pausing.delete(waiting);
    const lane = of(waiting.entry.workflow);
    lane.rests.push(waiting);
    start(lane);
  }

  /** Remembers how long a batch took everybody, and that its workflows were at work. */
  function note(batch: readonly Waiting[], begunAt: number, endedAt: number): void {
    const first = batch[0] as Waiting;
    const last = batch.at(-1) as Waiting;
    if (!isRest(last)) {
      seen(first.entry.workflow, begunAt);
      seen(last.entry.workflow, begunAt);
      return;
    }
    const workflows = new Set(batch.map(({ entry }) => entry.workflow));
    const ms = (endedAt - begunAt) / workflows.size;
    if (ms <= LIGHT_MS) return;
    const until = endedAt + Math.min(PAUSE_MS_MAX, ms * Math.min(PAUSE_TIMES_MAX, ms / HEAVY_MS));
    for (const workflow of workflows) heavy.set(workflow, { begunAt, until });
  }

  function start(lane: Lane): void {
    if (lane.running) return;
    lane.running = true;
    const ms = lane.endedAt + gatherMs() - time.now();
    if (ms > 0) time.after(ms, () => void run(lane));
    else setImmediate(() => void run(lane));
  }

  async function run(lane: Lane): Promise<void> {
    for (let batch = take(lane); batch.length > 0; batch = take(lane)) {
      const begunAt = time.now();
      await parts.handle(lane, batch);
      lane.endedAt = time.now();
      note(batch, begunAt, lane.endedAt);
      // Whatever has arrived meanwhile is read first and taken along. An embedded database answers without letting the event loop
      // go round, and every transaction would hold a single stimulus.
      const ms = gatherMs();
      if (ms > 0 && hasWork(lane)) await pause(time, ms);
      else await new Promise((resolve) => setImmediate(resolve));
    }
    lane.running = false;
    parts.onIdle();
  }

  const queueOf = (lane: Lane, waiting: Waiting): Queue<Waiting> =>
    isRest(waiting) ? lane.rests : isEnd(waiting) ? lane.ends : lane.queue;
  const hasWork = ({ queue, rests, ends, alone }: Lane): boolean =>
    queue.size + rests.size + ends.size + alone.size > 0;

  /** The next batch of a lane: the usual one, a parked workflow, rests of long steps and ends of tries take turns. Empty when there is nothing to do. */
  function take(lane: Lane): readonly Waiting[] {
    for (let way = 1; way <= ways.length; way++) {
      const turn = (lane.turn + way) % ways.length;
      const batch = ways[turn]?.(lane) ?? [];
      if (batch.length === 0) continue;
      lane.turn = turn;
      return batch;
    }
    return [];
  }

  /** A batch of at most `most` workflows. */
  function takeFrom(lane: Lane, queue: Queue<Waiting>, most: number): readonly Waiting[] {
    const batch: Waiting[] = [];
    const workflows = new Set<WorkflowId>();
    while (batch.length < lane.limit && workflows.size < most && queue.size > 0) {
      const waiting = queue.shift() as Waiting;
      const { workflow } = waiting.entry;
      if (parking.gather(waiting) || pauses(waiting)) continue;
      if (!workflows.has(workflow)) {
        workflows.add(workflow);
        batch.push(...parts.alongWith(workflow, lane.limit));
      }
      batch.push(waiting);
    }
    return batch;
  }

  function parkedOf(lane: Lane): readonly Waiting[] {
    while (lane.alone.size > 0) {
      const batch = parking.take(lane.alone.shift() as WorkflowId, lane.limit);
      if (batch.length > 0) return batch;
    }
    return [];
  }

  const ways = [
    parkedOf,
    (lane: Lane) => takeFrom(lane, lane.rests, RESTS_AT_ONCE),
    (lane: Lane) => takeFrom(lane, lane.ends, lane.limit),
    (lane: Lane) => takeFrom(lane, lane.queue, lane.limit),
  ];

  return {
    add: (waiting) => {
      // Its workflow is locked elsewhere: what came first goes first.
      if (parking.gather(waiting)) return;
      const lane = of(waiting.entry.workflow);
      queueOf(lane, waiting).push(waiting);
      start(lane);
    },
    hurry: () => {
      hurried = true;
      for (const waiting of [...pausing.keys()]) goOn(waiting);
    },
    putBack: (lane, waiting) => {
      for (const queue of [lane.rests, lane.ends, lane.queue])
        queue.unshift(waiting.filter((one) => queueOf(lane, one) === queue));
    },
    of,
    takeAlone: (workflow) => {
      const lane = of(workflow);
      lane.alone.push(workflow);
      start(lane);
    },
    widen: (lane) => {
      lane.limit = Math.min(batchMax, lane.limit * 2);
    },
    narrow: (lane, size) => {
      lane.limit = Math.max(1, Math.floor(Math.min(lane.limit, size) / 2));
    },
    areIdle: () => lanes.every((lane) => !lane.running),
  };
}
