import { Fault } from '../model/fault.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { Answer } from '../model/stimulus.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import { type Meter, NO_METER } from '../runtime/meter.ts';
import { backoffMs, pause } from '../runtime/process-time.ts';
import { makeRest } from '../runtime/rest.ts';
import { DataRefused, OutcomeUnknown, StoreUnavailable, TookTooLong } from '../store/store.ts';
import { type BatchResult, runBatch } from './batch.ts';
import { makeWatchers } from './committed.ts';
import type { AgendaSink, Engine, EngineStimulus, MessageSink, TryOutcome } from './engine.ts';
import { attemptKey, type Entry, internalFault, type Waiting } from './entry.ts';
import { DELIVERED_KEPT_MS, FAILED_KEPT_MS, makeKeptOutcomes } from './kept-outcomes.ts';
import { makeKnownEnds } from './known-ends.ts';
import { type Lane, makeLanes } from './lanes.ts';
import { makeMemory } from './memory.ts';
import { makeParking } from './parking.ts';
import type { BatchParts, Settled } from './turn.ts';

/** Stimuli that may wait; the next one is told that the server has too much to do. */
export const QUEUE_STIMULI_MAX = 5_000;
/** A batch whose transaction is lost is run again so often. */
export const LOST_MAX = 10;
const BACKOFF_MS_FIRST = 4;
const BACKOFF_MS_MAX = 500;
/** Workitems whose end is remembered, so that the outcome of a try that was overtaken costs nothing. */
const SETTLED_MAX = 10_000;
/** Counted attempts that are remembered. */
const ATTEMPTS_REMEMBERED_MAX = 1_000;

export type EngineParts = Omit<BatchParts, 'memory' | 'sinks' | 'watchers' | 'attempts' | 'meter'> & {
  readonly meter?: Meter;
  /** Nodes that share the database, this one among them; left out: it is alone. */
  readonly nodes?: () => number;
};

/** Makes the engine: what order stimuli are taken in (lanes.ts), and what becomes of each batch of them. */
export function makeEngine(parts: EngineParts): Engine {
  const { store, time, ids, log, meter = NO_METER } = parts;
  const sinks: { messages: MessageSink | null; agenda: AgendaSink | null } = { messages: null, agenda: null };
  const watchers = makeWatchers(log);
  let stopping = false;
  const attempts = makeBoundedMap<number>(ATTEMPTS_REMEMBERED_MAX);
  const settled = makeBoundedMap<Pick<Settled, 'as' | 'at'>>(SETTLED_MAX);
  const batchParts: BatchParts = {
    ...parts,
    meter,
    memory: makeMemory(() => (parts.nodes?.() ?? 1) > 1),
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
  const figures = { queued: 0, commits: 0, steps: 0, overloaded: 0 };
  const kept = makeKeptOutcomes(parts, (outcomes) => {
    for (const outcome of outcomes)
      if (isGone(outcome)) known.written(outcome);
      else enqueue(waitingOutcome(outcome));
    rest.tell();
  });
  const known = makeKnownEnds(parts);
  /** The row is gone: there is nothing left to write, not even a claim to give back. */
  const isGone = ({ workflow, workitem, openedAt }: TryOutcome): boolean => {
    const known = settled.get(`${workflow} ${workitem}`);
    // One that was opened since then is another one: its error was replayed.
    return known?.as === 'gone' && (openedAt ?? 0) < known.at;
  };
  const waitingOutcome = (outcome: TryOutcome): Waiting => ({
    entry: { kind: 'outcome', workflow: outcome.workflow, outcome, seed: ids.hex() },
    caller: null,
  });

  function enqueue(waiting: Waiting): void {
    figures.queued += 1;
    lanes.add(waiting);
  }

  const waitMs = (failures: number): number =>
    backoffMs({ failures, firstMs: BACKOFF_MS_FIRST, mostMs: BACKOFF_MS_MAX, fraction: ids.fraction() });
  const parking = makeParking({ time, waitMs, again: (workflow) => lanes.takeAlone(workflow) });
  const lanes = makeLanes({
    count: store.lanes,
    canJoin: store.profile !== 'distributed',
    nodes: parts.nodes ?? (() => 1),
    time,
    batchMax: store.batchMax,
    parking,
    // An outcome that waited for the next step of its workflow goes before it, in the same transaction; of a workflow with thousands of
    // participants some wait for another one.
    alongWith: (workflow, limit) => {
      const outcomes = kept.take(workflow, limit);
      figures.queued += outcomes.length;
      return outcomes.map(waitingOutcome);
    },
    handle,
    onIdle: () => rest.tell(),
  });

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
        lanes.widen(lane);
        return settle(lane, byEntry, result);
      }
      lost += 1;
      meter.rerun('lost');
      if (lost > LOST_MAX)
        return fail(batch, new Fault('unavailable', 'The database was too busy with others; try again'));
      await pause(time, waitMs(lost));
    }
  }

  function settle(
    lane: Lane,
    byEntry: ReadonlyMap<Entry, Waiting>,
    result: Extract<BatchResult, { kind: 'committed' }>,
  ): void {
    if (result.wrote) figures.commits += 1;
    meter.batch(byEntry.size, result.wrote);
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
      if (entry.kind === 'outcome') known.written(entry.outcome);
      if (verdict.kind === 'answer') waiting.caller?.answer(verdict.answer);
    }
    for (const workflow of freed) unpark(lane, workflow);
    lanes.putBack(lane, again);
    park(busy);
  }

  /** A workflow that was locked elsewhere is free again: what gathered for it goes on, before what comes now. */
  const unpark = (lane: Lane, workflow: WorkflowId): void => lanes.putBack(lane, parking.free(workflow));

  function park(busy: readonly Waiting[]): void {
    const byWorkflow = new Map<WorkflowId, Waiting[]>();
    for (const waiting of busy) {
      const { entry } = waiting;
      const came = byWorkflow.get(entry.workflow) ?? [];
      byWorkflow.set(entry.workflow, came);
      // An acknowledgement never waits for a step: it comes along another time.
      if (entry.kind === 'outcome') {
        figures.queued -= 1;
        kept.keep(entry.outcome, DELIVERED_KEPT_MS);
      } else came.push(waiting);
    }
    for (const [workflow, came] of byWorkflow) {
      meter.rerun('busy');
      const late = parking.park(workflow, came);
      fail(late, new Fault('unavailable', `Workflow ${workflow} is locked by another node; try again`));
    }
  }

  /** Something in the batch cannot be stored, or all of it takes too long: ever smaller batches, in the same order, until it stands alone. */
  function refuse(lane: Lane, batch: readonly Waiting[], error: DataRefused | TookTooLong): void {
    const [first] = batch;
    if (batch.length > 1 || first === undefined) {
      lanes.narrow(lane, batch.length);
      for (const { entry } of batch) unpark(lane, entry.workflow);
      lanes.putBack(lane, batch);
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
    for (const { entry } of batch) unpark(lanes.of(entry.workflow), entry.workflow);
  }

  const isQuiet = (): boolean => figures.queued === 0 && kept.size() === 0 && lanes.areIdle();
  const rest = makeRest(isQuiet);

  function ask(stimulus: EngineStimulus): Promise<Answer> {
    return new Promise((answer, fail) => {
      enqueue({
        entry: { kind: 'stimulus', workflow: stimulus.workflow, stimulus, seed: ids.hex(), at: time.now() },
        caller: { answer, fail },
      });
    });
  }

  async function quiet(): Promise<void> {
    while (!isQuiet()) {
      kept.flush();
      // What was kept may have been about rows that are gone: then nothing is under way that would tell us.
      if (!isQuiet()) await rest.next();
    }
  }

  function keep(outcome: TryOutcome): void {
    if (isGone(outcome)) return;
    known.ended(outcome);
    const flipped = settled.get(`${outcome.workflow} ${outcome.workitem}`)?.as === 'flipped';
    const urgent = rest.isAwaited() || outcome.urgent === true || flipped || outcome.result.kind === 'dropped';
    kept.keep(outcome, urgent ? 0 : outcome.result.kind === 'delivered' ? DELIVERED_KEPT_MS : FAILED_KEPT_MS);
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
    outcome: keep,
    knows: (message) => {
      const outcome = known.of(message);
      if (outcome !== null) keep(outcome);
      return outcome !== null;
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
      lanes.hurry();
      kept.flush();
      // One attempt only: with the store away, outcomes stay unwritten and their messages are tried again when the leases end.
      while (figures.queued > 0 || !lanes.areIdle())
        await Promise.race([rest.next(), new Promise<void>((resolve) => time.after(STOP_LOOK_MS, resolve))]);
      kept.stop();
    },
    figures: () => ({ ...figures, outcomesKept: kept.size() }),
  };
}

/** How often a stopping engine looks whether it is done. */
const STOP_LOOK_MS = 20;

function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof OutcomeUnknown)
    return new Fault(
      'outcome_unknown',
      'It could not be learnt whether the database has kept this step; look at the workflow, or send it again',
      {},
      { cause: error },
    );
  if (error instanceof StoreUnavailable)
    return new Fault('unavailable', 'The database cannot be reached; try again', {}, { cause: error });
  return internalFault(error);
}
