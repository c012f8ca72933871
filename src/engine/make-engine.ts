import { Fault } from '../model/fault.ts';
import { shardOf, type WorkflowId } from '../model/ids.ts';
import type { Answer } from '../model/stimulus.ts';
import { makeBoundedMap, makeQueue, type Queue } from '../runtime/bounded.ts';
import { backoffMs, pause } from '../runtime/process-time.ts';
import { DataRefused, OutcomeUnknown, StoreUnavailable, TookTooLong } from '../store/store.ts';
import { type BatchResult, runBatch } from './batch.ts';
import { makeWatchers } from './committed.ts';
import { makeDefinitions } from './definitions.ts';
import type { AgendaSink, Engine, EngineStimulus, MessageSink, TryOutcome } from './engine.ts';
import { attemptKey, type Entry, grouped, internalFault } from './entry.ts';
import { DELIVERED_KEPT_MS, FAILED_KEPT_MS, makeKeptOutcomes } from './kept-outcomes.ts';
import { makeMemory } from './memory.ts';
import type { BatchParts, Settled } from './turn.ts';

/** Stimuli that may wait; the next one is told that the server has too much to do. */
export const QUEUE_STIMULI_MAX = 5_000;
/** A batch whose transaction is lost is run again so often. */
export const LOST_MAX = 10;
/** A workflow that is locked elsewhere is tried again for so long. */
export const BUSY_MS_MAX = 10_000;
const BACKOFF_MS_FIRST = 4;
const BACKOFF_MS_MAX = 500;
/** Workitems whose end is remembered, so that the outcome of a try that was overtaken costs nothing. */
const SETTLED_MAX = 10_000;
/** Counted attempts that are remembered. */
const ATTEMPTS_REMEMBERED_MAX = 1_000;

export type EngineParts = Omit<BatchParts, 'definitions' | 'memory' | 'sinks' | 'watchers' | 'attempts'>;

type Waiting = {
  readonly entry: Entry;
  /** Null for outcomes. */
  readonly caller: { readonly answer: (answer: Answer) => void; readonly fail: (fault: Fault) => void } | null;
};

type Lane = {
  readonly queue: Queue<Waiting>;
  /** Parked workflows whose turn has come, each to be taken alone. */
  readonly alone: Queue<WorkflowId>;
  running: boolean;
  /** Stimuli the next batch may take: halved when the database refuses what a batch wrote, until the culprit stands alone. */
  limit: number;
  /** Batches taken so far. */
  turns: number;
};

/** A workflow that was locked elsewhere, and what waits for it, in order. */
type Parked = { readonly since: number; failures: number; waiting: Waiting[] };

/**
 * Makes the engine: while a lane's transaction is under way stimuli gather, and the next one takes them all.
 *
 * A lane is a fixed part of the workflows (by shard), so that two transactions of one node never want the same workflow. A lone
 * stimulus waits for nobody.
 */
export function makeEngine(parts: EngineParts): Engine {
  const { store, time, ids, log } = parts;
  const sinks: { messages: MessageSink | null; agenda: AgendaSink | null } = { messages: null, agenda: null };
  const watchers = makeWatchers(log);
  let stopping = false;
  const attempts = makeBoundedMap<number>(ATTEMPTS_REMEMBERED_MAX);
  const settled = makeBoundedMap<Pick<Settled, 'as' | 'at'>>(SETTLED_MAX);
  const batchParts: BatchParts = {
    ...parts,
    definitions: makeDefinitions((hash) => store.definitions.text(hash)),
    memory: makeMemory(),
    sinks,
    watchers,
    attempts: {
      get: (key) => attempts.get(key) ?? 0,
      count: (key) => {
        const count = (attempts.get(key) ?? 0) + 1;
        attempts.set(key, count);
        return count;
      },
    },
  };
  const lanes: readonly Lane[] = Array.from({ length: Math.max(1, store.lanes) }, () => ({
    queue: makeQueue<Waiting>(),
    alone: makeQueue<WorkflowId>(),
    running: false,
    limit: store.batchMax,
    turns: 0,
  }));
  const parked = new Map<WorkflowId, Parked>();
  const figures = { queued: 0, commits: 0, steps: 0, overloaded: 0 };
  const kept = makeKeptOutcomes(parts, (outcomes) => {
    for (const outcome of outcomes) if (!isGone(outcome)) enqueue({ entry: outcomeEntry(outcome), caller: null });
    tellQuiet();
  });
  let quietCallers: (() => void)[] = [];

  /** The row is gone: there is nothing left to write, not even a claim to give back. */
  const isGone = ({ workflow, workitem, openedAt }: TryOutcome): boolean => {
    const known = settled.get(`${workflow} ${workitem}`);
    // One that was opened since then is another one: its error was replayed.
    return known?.as === 'gone' && (openedAt ?? 0) < known.at;
  };
  const laneOf = (workflow: WorkflowId): Lane => lanes[shardOf(workflow) % lanes.length] as Lane;
  const outcomeEntry = (outcome: TryOutcome): Entry => ({
    kind: 'outcome',
    workflow: outcome.workflow,
    outcome,
    seed: ids.hex(),
  });

  function enqueue(waiting: Waiting): void {
    figures.queued += 1;
    const group = parked.get(waiting.entry.workflow);
    if (group !== undefined) {
      // Its workflow is locked elsewhere: what came first goes first.
      group.waiting.push(waiting);
      return;
    }
    const lane = laneOf(waiting.entry.workflow);
    lane.queue.push(waiting);
    start(lane);
  }

  function start(lane: Lane): void {
    if (lane.running) return;
    lane.running = true;
    setImmediate(() => void run(lane));
  }

  async function run(lane: Lane): Promise<void> {
    for (let batch = take(lane); batch.length > 0; batch = take(lane)) {
      await handle(lane, batch);
      // Whatever has arrived meanwhile is read first and taken along. An embedded database answers without letting the event loop
      // go round, and every transaction would hold a single stimulus.
      await new Promise((resolve) => setImmediate(resolve));
    }
    lane.running = false;
    tellQuiet();
  }

  /** The next batch of a lane: the usual one, and a parked workflow, take turns. Empty when there is nothing to do. */
  function take(lane: Lane): readonly Waiting[] {
    lane.turns += 1;
    if (lane.turns % 2 === 0) return orElse(takeAlone(lane), () => takeMany(lane));
    return orElse(takeMany(lane), () => takeAlone(lane));
  }

  function takeMany(lane: Lane): readonly Waiting[] {
    const batch: Waiting[] = [];
    const workflows = new Set<WorkflowId>();
    while (batch.length < lane.limit && lane.queue.size > 0) {
      const waiting = lane.queue.shift() as Waiting;
      const { workflow } = waiting.entry;
      const group = parked.get(workflow);
      if (group !== undefined) {
        group.waiting.push(waiting);
        continue;
      }
      if (!workflows.has(workflow)) {
        workflows.add(workflow);
        // An outcome that waited for the next step of its workflow goes before it, in the same transaction; of a workflow with
        // thousands of participants some wait for another one.
        for (const outcome of kept.take(workflow, lane.limit)) {
          figures.queued += 1;
          batch.push({ entry: outcomeEntry(outcome), caller: null });
        }
      }
      batch.push(waiting);
    }
    return batch;
  }

  function takeAlone(lane: Lane): readonly Waiting[] {
    while (lane.alone.size > 0) {
      const group = parked.get(lane.alone.shift() as WorkflowId);
      if (group !== undefined && group.waiting.length > 0) return group.waiting.splice(0, lane.limit);
    }
    return [];
  }

  /** Runs a batch until every entry has its verdict, or is back in the queue. Never throws. */
  async function handle(lane: Lane, batch: readonly Waiting[]): Promise<void> {
    const byEntry = new Map(batch.map((waiting) => [waiting.entry, waiting]));
    const entries = batch.map((waiting) => waiting.entry);
    for (let lost = 0; ; ) {
      let result: BatchResult;
      try {
        result = await runBatch(batchParts, entries);
      } catch (error) {
        if (error instanceof DataRefused || error instanceof TookTooLong) return refuse(lane, batch, error);
        log.error('a batch could not be saved', { event: 'batch.failed', stimuli: batch.length, err: error });
        return fail(batch, faultOf(error));
      }
      if (result.kind === 'committed') {
        lane.limit = Math.min(store.batchMax, lane.limit * 2);
        return settle(lane, byEntry, result);
      }
      lost += 1;
      if (lost > LOST_MAX)
        return fail(batch, new Fault('unavailable', 'The database was too busy with others; try again'));
      await pause(time, waitMs(lost));
    }
  }

  const waitMs = (failures: number): number =>
    backoffMs({ failures, firstMs: BACKOFF_MS_FIRST, mostMs: BACKOFF_MS_MAX, fraction: ids.fraction() });

  function settle(
    lane: Lane,
    byEntry: ReadonlyMap<Entry, Waiting>,
    result: Extract<BatchResult, { kind: 'committed' }>,
  ): void {
    if (result.wrote) figures.commits += 1;
    figures.steps += result.steps;
    for (const { workflow, workitem, as, at } of result.settled) settled.set(`${workflow} ${workitem}`, { as, at });
    const again: Waiting[] = [];
    const busy: Waiting[] = [];
    const freed = new Set<WorkflowId>();
    for (const [entry, waiting] of byEntry) {
      const verdict = result.verdicts.get(entry) ?? { kind: 'next' };
      if (verdict.kind === 'busy') {
        busy.push(waiting);
        continue;
      }
      freed.add(entry.workflow);
      if (verdict.kind === 'next') {
        again.push(waiting);
        continue;
      }
      figures.queued -= 1;
      if (verdict.kind === 'threw') {
        if (waiting.entry.kind === 'outcome') kept.keep(waiting.entry.outcome, FAILED_KEPT_MS);
        else waiting.caller?.fail(internalFault(verdict.error));
        continue;
      }
      const key = attemptKey(entry);
      if (key !== null) attempts.delete(key);
      if (verdict.kind === 'answer') waiting.caller?.answer(verdict.answer);
    }
    for (const workflow of freed) unpark(lane, workflow);
    lane.queue.unshift(again);
    park(lane, busy);
  }

  /** A workflow that was locked elsewhere is free again: what gathered for it goes on, before what comes now. */
  function unpark(lane: Lane, workflow: WorkflowId): void {
    const group = parked.get(workflow);
    if (group === undefined) return;
    parked.delete(workflow);
    lane.queue.unshift(group.waiting);
  }

  function park(lane: Lane, busy: readonly Waiting[]): void {
    const groups = grouped(busy.map((waiting) => waiting.entry));
    const byEntry = new Map(busy.map((waiting) => [waiting.entry, waiting]));
    for (const [workflow, entries] of groups) {
      const came: Waiting[] = [];
      for (const entry of entries) {
        const waiting = byEntry.get(entry) as Waiting;
        // An acknowledgement never waits for a step: it comes along another time.
        if (entry.kind === 'outcome') {
          figures.queued -= 1;
          kept.keep(entry.outcome, DELIVERED_KEPT_MS);
        } else came.push(waiting);
      }
      const group = parked.get(workflow) ?? { since: time.now(), failures: 0, waiting: [] };
      group.waiting.unshift(...came);
      if (group.waiting.length === 0) {
        parked.delete(workflow);
        continue;
      }
      if (time.now() - group.since >= BUSY_MS_MAX) {
        parked.delete(workflow);
        fail(group.waiting, new Fault('unavailable', `Workflow ${workflow} is locked by another node; try again`));
        continue;
      }
      group.failures += 1;
      parked.set(workflow, group);
      time.after(waitMs(group.failures), () => {
        lane.alone.push(workflow);
        start(lane);
      });
    }
  }

  /** Something in the batch cannot be stored, or all of it takes too long: ever smaller batches, in the same order, until it stands alone. */
  function refuse(lane: Lane, batch: readonly Waiting[], error: DataRefused | TookTooLong): void {
    const [first] = batch;
    if (batch.length > 1 || first === undefined) {
      lane.limit = Math.max(1, Math.floor(Math.min(lane.limit, batch.length) / 2));
      for (const { entry } of batch) unpark(lane, entry.workflow);
      lane.queue.unshift(batch);
      return;
    }
    log.error('the database refused what a step wrote', {
      event: 'step.refused',
      workflow_id: first.entry.workflow,
      err: error,
    });
    // A database that is slow for everybody must put nobody in error.
    if (error instanceof TookTooLong) {
      fail(batch, new Fault('unavailable', 'The database took too long over this step; try again later'));
      return;
    }
    const key = attemptKey(first.entry);
    if (key !== null) batchParts.attempts.count(key);
    fail(batch, internalFault(error));
  }

  function fail(batch: readonly Waiting[], fault: Fault): void {
    for (const waiting of batch) {
      figures.queued -= 1;
      if (waiting.entry.kind === 'outcome') kept.keep(waiting.entry.outcome, DELIVERED_KEPT_MS);
      else waiting.caller?.fail(fault);
    }
    // What came for a workflow that was locked elsewhere takes the usual way again.
    for (const { entry } of batch) unpark(laneOf(entry.workflow), entry.workflow);
  }

  const isQuiet = (): boolean => figures.queued === 0 && kept.size() === 0 && lanes.every((lane) => !lane.running);
  function tellQuiet(): void {
    if (!isQuiet()) return;
    const callers = quietCallers;
    quietCallers = [];
    for (const resolve of callers) resolve();
  }

  function ask(stimulus: EngineStimulus): Promise<Answer> {
    return new Promise((answer, fail) => {
      enqueue({
        entry: { kind: 'stimulus', workflow: stimulus.workflow, stimulus, seed: ids.hex() },
        caller: { answer, fail },
      });
    });
  }

  async function quiet(): Promise<void> {
    while (!isQuiet()) {
      kept.flush();
      // What was kept may have been about rows that are gone: then nothing is under way that would tell us.
      if (!isQuiet()) await new Promise<void>((resolve) => quietCallers.push(resolve));
    }
  }

  return {
    advance: async (stimuli) => {
      if (stopping) throw new Fault('unavailable', 'The server is stopping; try again');
      if (figures.queued + stimuli.length > QUEUE_STIMULI_MAX) {
        figures.overloaded += stimuli.length;
        throw new Fault('overloaded', 'The server has too much to do at this moment; try again a little later');
      }
      return Promise.all(stimuli.map(ask));
    },
    outcome: (outcome) => {
      if (isGone(outcome)) return;
      const flipped = settled.get(`${outcome.workflow} ${outcome.workitem}`)?.as === 'flipped';
      const urgent = quietCallers.length > 0 || outcome.urgent === true || flipped || outcome.result.kind === 'dropped';
      kept.keep(outcome, urgent ? 0 : outcome.result.kind === 'delivered' ? DELIVERED_KEPT_MS : FAILED_KEPT_MS);
    },
    deliverTo: (sink) => {
      if (sinks.messages !== null) throw new Error('Messages have their sink already; onlookers use watch()');
      sinks.messages = sink;
    },
    agendaTo: (sink) => {
      if (sinks.agenda !== null) throw new Error('The agenda has its sink already; onlookers use watch()');
      sinks.agenda = sink;
    },
    watch: watchers.watch,
    quiet,
    stop: async () => {
      stopping = true;
      kept.flush();
      // One attempt only: with the store away, outcomes stay unwritten and their messages are tried again when the leases end.
      while (figures.queued > 0 || lanes.some((lane) => lane.running))
        await new Promise<void>((resolve) => {
          quietCallers.push(resolve);
          time.after(STOP_LOOK_MS, resolve);
        });
      kept.stop();
    },
    figures: () => ({ ...figures, outcomesKept: kept.size() }),
  };
}

/** How often a stopping engine looks whether it is done. */
const STOP_LOOK_MS = 20;

const orElse = (found: readonly Waiting[], otherwise: () => readonly Waiting[]): readonly Waiting[] =>
  found.length > 0 ? found : otherwise();

function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof StoreUnavailable || error instanceof OutcomeUnknown)
    return new Fault('unavailable', 'The database cannot be reached; try again', {}, { cause: error });
  return internalFault(error);
}
