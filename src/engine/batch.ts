import { asksForPart, bareView, endsBatch, meetsEvents, overlay, weightOf, withLoaded } from '../model/changes.ts';
import { invariant } from '../model/fault.ts';
import type { WorkflowId } from '../model/ids.ts';
import { readReferenceText } from '../model/participants.ts';
import { type Loaded, type Need, needKey, readStoredKey } from '../model/stimulus.ts';
import type { Tree } from '../model/tree.ts';
import type { LoadRequest, Transaction } from '../store/store.ts';
import { afterwards } from './committed.ts';
import { attemptKey, type Entry, firstNeeds, grouped, nameOf, type Verdict } from './entry.ts';
import { guarded } from './handle.ts';
import { measure } from './measured.ts';
import type { Proven } from './memory.ts';
import { afterCommit, commit, type Prepared, prepare } from './saving.ts';
import { tell } from './told.ts';
import { traceSteps } from './traced.ts';
import {
  adopt,
  type BatchParts,
  newTurn,
  type Running,
  type Settled,
  settledBy,
  type Turn,
  viewAfter,
} from './turn.ts';

/*
 * One transaction for many stimuli (docs/architecture.md, "The engine"): lock and load, one pure step after the other, one write.
 */

export type BatchResult =
  | {
      readonly kind: 'committed';
      readonly verdicts: ReadonlyMap<Entry, Verdict>;
      readonly wrote: boolean;
      readonly steps: number;
      /** Messages that are over or became other ones: what is still under way for them has been overtaken. */
      readonly settled: readonly Settled[];
    }
  | { readonly kind: 'lost' };

/** A step asks for more rows at most this often; each time it is run again from its start. */
export const RERUNS_MAX = 200;
/** Definitions are fetched between two transactions, at most this often for one batch. */
export const DEFINITION_ROUNDS_MAX = 100;
/** Once a batch has this much text to write, the rest of it waits for the next. */
export const BATCH_CHARACTERS_MAX = 8_000_000;
/** A batch lets the event loop go round when it has been computing for so long. */
const YIELD_AFTER_MS = 5;
/** Nor are entries of one workflow handled in a row for longer: the next batch takes the rest. */
export const TURN_MS_MAX = 50;

/**
 * Handles the entries in one transaction, in order within each workflow.
 *
 * @returns `lost`: certainly nothing was written; run the same entries again
 * @throws DataRefused, OutcomeUnknown, StoreUnavailable as the store does (store.ts)
 */
export async function runBatch(parts: BatchParts, entries: readonly Entry[]): Promise<BatchResult> {
  // Definitions live outside the transaction: an embedded database has one connection, and ours would hold it.
  const trees = new Map<string, Tree | null>();
  for (let round = 0; round < DEFINITION_ROUNDS_MAX; round++) {
    const result = await attempt(parts, entries, trees);
    if (result.kind !== 'definitions') return result;
    const found = await parts.definitions.load(result.hashes.filter((hash) => readStoredKey(hash) === null));
    for (const hash of result.hashes) {
      const stored = readStoredKey(hash);
      if (stored !== null) await loadStored(parts, stored);
    }
    for (const hash of result.hashes) trees.set(hash, found.get(hash) ?? null);
  }
  throw new Error('Broken assumption: a batch wants a bounded number of definitions');
}

/** Of a version that is named the participants too, whose name may have been deleted since. */
async function loadStored(
  { named, participants }: BatchParts,
  { tenant, reference }: { readonly tenant: string; readonly reference: string },
): Promise<void> {
  await named?.load(tenant, reference);
  const of = readReferenceText(reference);
  if (Number.isInteger(of.version)) await participants?.own?.load(tenant, of);
}

type Attempt = BatchResult | { readonly kind: 'definitions'; readonly hashes: readonly string[] };

async function attempt(
  parts: BatchParts,
  entries: readonly Entry[],
  trees: ReadonlyMap<string, Tree | null>,
): Promise<Attempt> {
  const byWorkflow = grouped(entries);
  const guess = await unlocked(parts, byWorkflow);
  if (guess !== null) {
    const result = await withoutLocks(parts, byWorkflow, trees, guess);
    if (result !== 'unproven') return result;
  }
  return withLocks(parts, byWorkflow, trees);
}

type Batch = ReadonlyMap<WorkflowId, readonly Entry[]>;

/** The rows of a batch as they are remembered, or looked at where they are not; null when they should be locked. */
async function unlocked({ store, memory }: BatchParts, byWorkflow: Batch): Promise<Guess | null> {
  if (store.saveAtOnce === null) return null;
  const recalled = memory.recall(byWorkflow);
  if (recalled === null) return null;
  const missing = [...byWorkflow].filter(([workflow]) => !recalled.has(workflow));
  if (missing.length > 0 && store.look === null) return null;
  const looked = missing.length === 0 ? [] : ((await store.look?.(requestsOf(missing))) ?? []);
  // Of a launch there is nothing to remember.
  const remembers = [...recalled.values()].some(({ workflow }) => workflow !== null);
  const proven = remembers ? 'remembered' : missing.length > 0 ? 'looked at' : null;
  return { rows: new Map([...recalled, ...looked]), proven };
}

/** Rows that nobody has locked; `proven`: what a save with them tells of, null: nothing. */
type Guess = { readonly rows: ReadonlyMap<WorkflowId, Loaded>; readonly proven: Proven | null };

const requestsOf = (batch: Iterable<readonly [WorkflowId, readonly Entry[]]>): readonly LoadRequest[] =>
  [...batch].map(([workflow, own]) => ({ workflow, needs: own.flatMap(firstNeeds) }));

async function withLocks(
  parts: BatchParts,
  byWorkflow: Batch,
  trees: ReadonlyMap<string, Tree | null>,
): Promise<Attempt> {
  const verdicts = new Map<Entry, Verdict>();
  const tx = await parts.store.begin(requestsOf(byWorkflow));
  let finished = false;
  try {
    parts.memory.heard(tx.hears);
    for (const workflow of tx.busy)
      for (const entry of byWorkflow.get(workflow) ?? []) verdicts.set(entry, { kind: 'busy' });
    const turns = turnsOf(byWorkflow, tx.loaded);
    const now = parts.clock.now();
    const running = { ...parts, trees, now, hears: tx.hears, isGuess: false, verdicts };
    const { hashes } = await runTurns(running, (needs) => tx.load(needs), turns);
    if (hashes.length > 0) return { kind: 'definitions', hashes };
    const following = turns.flatMap(successorTurn(parts));
    for (const turn of following) {
      const wanted = await runTurns(running, (needs) => tx.load(needs), [turn]);
      if (wanted.hashes.length > 0) return { kind: 'definitions', hashes: wanted.hashes };
      invariant(turn.changes !== null, `the workflow that follows is launched as ${turn.workflow}`);
    }
    turns.push(...following);

    const steps = stepsOf(turns);
    const writes = turns.some((turn) => turn.changes !== null || turn.releases.length > 0);
    if (!writes) return { kind: 'committed', verdicts, wrote: false, steps, settled: [] };
    const prepared = prepare(parts, turns, now);
    finished = true; // commit ends the transaction whatever comes of it
    if ((await commit(parts, prepared, (save) => tx.commit(save))) === 'lost') {
      for (const { workflow } of turns) parts.memory.forget(workflow);
      return { kind: 'lost' };
    }
    return committed(parts, turns, prepared, { verdicts, steps, now, hears: tx.hears });
  } finally {
    if (!finished) await rolledBack(parts, tx);
  }
}

/**
 * The same with rows that nobody has locked: the save proves that they were right.
 *
 * What changes nothing waits for the next batch, which locks its rows: no save would prove what it is to be told.
 *
 * @returns `unproven` when the rows have to be locked: nothing changes at all; a step threw; it wants more rows than can be looked at; or
 *   others have stepped one of the workflows since
 */
async function withoutLocks(
  parts: BatchParts,
  byWorkflow: Batch,
  trees: ReadonlyMap<string, Tree | null>,
  { rows, proven }: Guess,
): Promise<Attempt | 'unproven'> {
  const { store, memory } = parts;
  const verdicts = new Map<Entry, Verdict>();
  const turns = turnsOf(byWorkflow, rows);
  const now = parts.clock.now();
  const ran = await runTurns({ ...parts, trees, now, hears: false, isGuess: true, verdicts }, store.look, turns);
  if (ran.hashes.length > 0) return { kind: 'definitions', hashes: ran.hashes };
  if (turns.every(isLongOver)) return { kind: 'committed', verdicts, wrote: false, steps: stepsOf(turns), settled: [] };
  // Without history nothing would tell whether a save took effect whose answer is lost.
  const isTold = turns.some(({ changes }) => changes !== null && changes.history.length > 0);
  const threw = [...verdicts.values()].some((verdict) => verdict.kind === 'threw');
  // Those who begin to wait for events have to meet what is kept, in a transaction that goes to and fro; and one that another goes on for ends in it.
  const meets = turns.some(
    ({ changes }) => changes !== null && (meetsEvents(changes) || changes.successor !== undefined),
  );
  if (threw || ran.wanting || !isTold || meets) return 'unproven';
  for (const turn of turns)
    if (turn.changes === null && !isLongOver(turn))
      for (const entry of turn.entries) {
        memory.doubt(entry);
        verdicts.set(entry, { kind: 'next' });
      }
  const written = turns.filter((turn) => turn.changes !== null);
  const prepared = prepare(parts, written, now);
  const outcome = await commit(parts, prepared, (save) => store.saveAtOnce?.(save, rows) ?? 'stale');
  if (proven !== null) memory.proved(outcome === 'committed' ? 'true' : 'stale', proven);
  if (outcome === 'committed')
    return committed(parts, written, prepared, { verdicts, steps: stepsOf(written), now, hears: false });
  parts.meter.rerun('stale');
  for (const workflow of byWorkflow.keys()) memory.forget(workflow);
  return 'unproven';
}

/** The ends of tries of workitems that are gone: they change nothing, and nothing has to prove it, for what is gone stays gone. */
const isLongOver = ({ changes, entries, view }: Turn): boolean =>
  changes === null && entries.every((entry) => entry.kind === 'outcome' && !view.workitems.has(entry.outcome.workitem));

function turnsOf(byWorkflow: Batch, rows: ReadonlyMap<WorkflowId, Loaded>): Turn[] {
  const turns: Turn[] = [];
  for (const [workflow, own] of byWorkflow) {
    const loaded = rows.get(workflow);
    if (loaded !== undefined) turns.push(newTurn(workflow, own, loaded));
  }
  return turns;
}

/** The launch of the workflow that goes on for one that has ended in this batch. */
const successorTurn =
  (parts: Pick<BatchParts, 'ids' | 'time'>) =>
  ({ changes }: Turn): readonly Turn[] => {
    const launch = changes?.successor;
    if (launch === undefined) return [];
    const { id: workflow } = launch;
    const stimulus = { workflow, origin: { by: 'server' }, event: { kind: 'launch', launch } } as const;
    const entry: Entry = { kind: 'stimulus', workflow, stimulus, seed: parts.ids.hex(), at: parts.time.now() };
    // Nobody has written anything of it yet.
    return [newTurn(workflow, [entry], { ...bareView(null), answered: new Set([needKey({ kind: 'everything' })]) })];
  };

const stepsOf = (turns: readonly Turn[]): number => turns.reduce((sum, turn) => sum + turn.at, 0);

function committed(
  parts: BatchParts,
  turns: readonly Turn[],
  prepared: Prepared,
  ran: {
    readonly verdicts: ReadonlyMap<Entry, Verdict>;
    readonly steps: number;
    readonly now: number;
    readonly hears: boolean;
  },
): BatchResult {
  for (const turn of turns)
    if (turn.changes !== null) {
      const { workflow, changes } = turn;
      afterwards(parts.log, 'memory', () => parts.memory.remember(workflow, viewAfter(turn), changes));
      tell(parts.log, turn);
    }
  const at = parts.time.now();
  afterwards(parts.log, 'meter', () => measure(parts.meter, turns, ran.verdicts, { now: ran.now, at }));
  const { tracing = null } = parts;
  if (tracing !== null)
    afterwards(parts.log, 'tracing', () => traceSteps(tracing, turns, ran.verdicts, { now: ran.now, at }));
  const settled = turns.flatMap(settledBy);
  afterCommit(parts, turns, prepared, settled, ran.now, ran.hears);
  return { kind: 'committed', verdicts: ran.verdicts, wrote: true, steps: ran.steps, settled };
}

/** A transaction that failed on the way may be over already; what it failed with is what counts. */
async function rolledBack(parts: BatchParts, tx: Transaction): Promise<void> {
  try {
    await tx.rollback();
  } catch (err) {
    parts.log.debug('a transaction was over before it was rolled back', { event: 'transaction.over', err });
  }
}

/**
 * Runs every turn to its end, loading for all of them together what they ask for.
 *
 * @param load null: nothing can be loaded
 * @returns the definitions that are missing, and whether rows were wanted that could not be loaded
 */
async function runTurns(
  running: Running,
  load: ((requests: readonly LoadRequest[]) => Promise<ReadonlyMap<WorkflowId, Loaded>>) | null,
  turns: readonly Turn[],
): Promise<{ readonly hashes: readonly string[]; readonly wanting: boolean }> {
  let waiting = turns;
  let weight = 0;
  let since = running.time.now();
  const hashes = new Set<string>();
  while (waiting.length > 0) {
    const asking: { readonly turn: Turn; readonly needs: readonly Need[] }[] = [];
    for (const turn of waiting) {
      if (weight > BATCH_CHARACTERS_MAX) turn.over = true;
      const needs = runTurn(running, turn);
      if (running.time.now() - since > YIELD_AFTER_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        since = running.time.now();
      }
      if (needs === null) {
        if (turn.changes !== null) weight += weightOf(turn.changes);
        continue;
      }
      const rows = needs.filter((need) => need.kind !== 'definition');
      for (const need of needs) if (need.kind === 'definition') hashes.add(need.hash);
      if (rows.length > 0) asking.push({ turn, needs: rows });
    }
    // Everything will be run again from its start once the definitions are here.
    if (hashes.size > 0) return { hashes: [...hashes], wanting: false };
    if (asking.length === 0) break;
    if (load === null) return { hashes: [], wanting: true };
    const more = await load(asking.map(({ turn, needs }) => ({ workflow: turn.workflow, needs })));
    for (const { turn } of asking) {
      const loaded = more.get(turn.workflow);
      invariant(loaded !== undefined, `rows of ${turn.workflow} were loaded under its lock`);
      turn.base = withLoaded(turn.base, loaded);
      turn.view = turn.changes === null ? turn.base : overlay(turn.base, turn.changes);
    }
    waiting = asking.map(({ turn }) => turn);
  }
  return { hashes: [], wanting: false };
}

/** Handles entries until none is left (null) or rows are wanted. */
function runTurn(running: Running, turn: Turn): readonly Need[] | null {
  const since = running.time.now();
  for (; turn.at < turn.entries.length && !turn.over; turn.at++) {
    const entry = turn.entries[turn.at] as Entry;
    const ran = guarded(running, turn, entry);
    if (ran.kind === 'need') {
      turn.reruns += 1;
      // What this batch has changed cannot be laid over a part of a set.
      const moved = turn.changes !== null && turn.changes.strands.size > 0 && ran.needs.some(asksForPart);
      if (turn.reruns <= RERUNS_MAX && !moved) return ran.needs;
      if (turn.changes !== null) break; // first in the next batch, with everything written
      const error = new Error(`The step for ${nameOf(entry)} asked for rows more than ${RERUNS_MAX} times`);
      if (!running.isGuess) {
        const key = attemptKey(entry);
        if (key !== null) running.attempts.count(key);
        running.log.error('a step never had enough', {
          event: 'step.restless',
          workflow_id: turn.workflow,
          err: error,
        });
      }
      turn.reruns = 0;
      running.verdicts.set(entry, { kind: 'threw', error });
      continue;
    }
    turn.reruns = 0;
    running.verdicts.set(entry, ran.verdict);
    if (ran.changes === null) continue;
    adopt(turn, ran.changes, ran.folds);
    if (endsBatch(ran.changes) || running.time.now() - since > TURN_MS_MAX) {
      turn.at += 1;
      break;
    }
  }
  for (const entry of turn.entries.slice(turn.at)) running.verdicts.set(entry, { kind: 'next' });
  return null;
}
