import { Fault, invariant } from '../model/fault.ts';
import type { ExpressionId, WorkflowId } from '../model/ids.ts';
import type { Fields } from '../model/json.ts';
import type { AgendaRow, Changes, HistoryRow, Op, WorkitemRow } from '../model/rows.ts';
import type { Answer, Happening, Limits, Loaded, Need, StepResult, Stimulus } from '../model/stimulus.ts';
import type { Tree } from '../model/tree.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { LoadRequest, Save, Store, Transaction } from '../store/store.ts';
import type { Definitions } from './definitions.ts';
import type { EngineListener, EngineStimulus, ReadyMessage, TryOutcome } from './engine.ts';
import { recorded, withFirstEntry } from './history.ts';
import { afterRefusal, afterTry, type Circumstances, type Consequence, overtaken, redelivered } from './outcomes.ts';
import { readRetryRules, type Schedule } from './retry-rules.ts';
import { asksForPart, bareChanges, endsBatch, foldedHistory, joined, overlay, weightOf, withLoaded } from './view.ts';

/*
 * One transaction for many stimuli (design.md, "The engine"): lock and load, one pure step after the other, one write.
 */

/** The interpreter, as the engine sees it: pure, synchronous, deterministic. */
export type Step = (
  loaded: Loaded,
  stimulus: Stimulus,
  context: { readonly limits: Limits; readonly definition: (hash: string) => Tree | undefined },
) => StepResult;

export type EngineSettings = {
  /** Names this process among the owners of claims. */
  readonly nodeId: string;
  readonly leaseSeconds: number;
  /** RETRY_DELAYS and NOTICE_DELAYS, in seconds. */
  readonly schedule: Schedule;
};

export type BatchParts = {
  readonly store: Store;
  readonly step: Step;
  /** interpreter/fields.ts */
  readonly deliveredFields: (row: WorkitemRow, base: string | null) => Fields;
  readonly definitions: Definitions;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly limits: Limits;
  readonly log: Log;
  readonly settings: EngineSettings;
  readonly listener: () => EngineListener;
  /** How often the step for an agenda row or an outcome has thrown, by `attemptKey`. */
  readonly attempts: { readonly get: (key: string) => number; readonly count: (key: string) => number };
};

/** Something to be handled. Its seed is made once, so that a step that is run again makes the same ids. */
export type Entry =
  | {
      readonly kind: 'stimulus';
      readonly workflow: WorkflowId;
      readonly stimulus: EngineStimulus;
      readonly seed: string;
    }
  | { readonly kind: 'outcome'; readonly workflow: WorkflowId; readonly outcome: TryOutcome; readonly seed: string };

/** What became of one entry. */
export type Verdict =
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** An outcome has been dealt with. */
  | { readonly kind: 'done' }
  /** Its workflow is locked elsewhere. */
  | { readonly kind: 'busy' }
  /** It has to see what this batch wrote: first in the next one. */
  | { readonly kind: 'next' }
  /** Its step threw. */
  | { readonly kind: 'threw'; readonly error: unknown };

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
/** After so many attempts a stimulus of the server's own whose step always throws puts its workflow in error. */
export const ATTEMPTS_MAX = 3;
/** Once a batch has this much text to write, the rest of it waits for the next. */
export const BATCH_CHARACTERS_MAX = 8_000_000;
/** A batch lets the event loop go round when it has been computing for so long. */
const YIELD_AFTER_MS = 20;

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
    const found = await parts.definitions.load(result.hashes);
    for (const hash of result.hashes) trees.set(hash, found.get(hash) ?? null);
  }
  throw new Error('Broken assumption: a batch wants a bounded number of definitions');
}

/** The turn of one workflow within a batch. */
type Turn = {
  readonly workflow: WorkflowId;
  readonly entries: readonly Entry[];
  /** Of these, how many have been handled. */
  at: number;
  reruns: number;
  /** What the database holds, as far as it was loaded. */
  base: Loaded;
  /** The same with everything laid over it that this batch has changed. */
  view: Loaded;
  changes: Changes | null;
  /** The last history row holds outcomes only: the next step's row takes its entries in. */
  foldable: boolean;
  over: boolean;
  readonly releases: Save['releases'][number][];
  /** A claim is given back on a row that owes a message still: it can be claimed now. */
  freed: boolean;
};

type Attempt = BatchResult | { readonly kind: 'definitions'; readonly hashes: readonly string[] };

async function attempt(
  parts: BatchParts,
  entries: readonly Entry[],
  trees: ReadonlyMap<string, Tree | null>,
): Promise<Attempt> {
  const byWorkflow = grouped(entries);
  const verdicts = new Map<Entry, Verdict>();
  const requests: LoadRequest[] = [];
  for (const [workflow, own] of byWorkflow) requests.push({ workflow, needs: own.flatMap(firstNeeds) });
  const tx = await parts.store.begin(requests);
  let finished = false;
  try {
    for (const workflow of tx.busy)
      for (const entry of byWorkflow.get(workflow) ?? []) verdicts.set(entry, { kind: 'busy' });
    const turns: Turn[] = [];
    for (const [workflow, own] of byWorkflow) {
      const loaded = tx.loaded.get(workflow);
      if (loaded !== undefined) turns.push(newTurn(workflow, own, loaded));
    }
    const now = parts.clock.now();
    const hashes = await runTurns({ ...parts, trees, now, verdicts }, tx, turns);
    if (hashes.length > 0) return { kind: 'definitions', hashes };

    const steps = turns.reduce((sum, turn) => sum + turn.at, 0);
    const writes = turns.some((turn) => turn.changes !== null || turn.releases.length > 0);
    if (!writes) return { kind: 'committed', verdicts, wrote: false, steps, settled: [] };
    const prepared = prepare(parts, turns, now);
    finished = true; // commit ends the transaction whatever comes of it
    if ((await commit(parts, tx, prepared)) === 'lost') return { kind: 'lost' };
    const settled = turns.flatMap(settledBy);
    afterCommit(parts, turns, prepared, settled, now, tx.hears);
    return { kind: 'committed', verdicts, wrote: true, steps, settled };
  } finally {
    if (!finished) await rolledBack(parts, tx);
  }
}

/** A transaction that failed on the way may be over already; what it failed with is what counts. */
async function rolledBack(parts: BatchParts, tx: Transaction): Promise<void> {
  try {
    await tx.rollback();
  } catch (err) {
    parts.log.debug('a transaction was over before it was rolled back', { err });
  }
}

const newTurn = (workflow: WorkflowId, entries: readonly Entry[], loaded: Loaded): Turn => ({
  workflow,
  entries,
  at: 0,
  reruns: 0,
  base: loaded,
  view: loaded,
  changes: null,
  foldable: false,
  over: false,
  releases: [],
  freed: false,
});

type Running = BatchParts & {
  /** Definitions that were fetched for this batch; null: not stored, which is a bug. */
  readonly trees: ReadonlyMap<string, Tree | null>;
  readonly now: number;
  readonly verdicts: Map<Entry, Verdict>;
};

/** Runs every turn to its end, loading for all of them together what they ask for. Answers the definitions that are missing. */
async function runTurns(running: Running, tx: Transaction, turns: readonly Turn[]): Promise<readonly string[]> {
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
    if (hashes.size > 0) return [...hashes];
    if (asking.length === 0) break;
    const more = await tx.load(asking.map(({ turn, needs }) => ({ workflow: turn.workflow, needs })));
    for (const { turn } of asking) {
      const loaded = more.get(turn.workflow);
      invariant(loaded !== undefined, `rows of ${turn.workflow} were loaded under its lock`);
      turn.base = withLoaded(turn.base, loaded);
      turn.view = turn.changes === null ? turn.base : overlay(turn.base, turn.changes);
    }
    waiting = asking.map(({ turn }) => turn);
  }
  return [];
}

/** Handles entries until none is left (null) or rows are wanted. */
function runTurn(running: Running, turn: Turn): readonly Need[] | null {
  for (; turn.at < turn.entries.length && !turn.over; turn.at++) {
    const entry = turn.entries[turn.at] as Entry;
    const ran = guarded(running, turn, entry);
    if (ran.kind === 'need') {
      turn.reruns += 1;
      // What this batch has changed cannot be laid over a part of a set.
      const moved = turn.changes !== null && turn.changes.strands.size > 0 && ran.needs.some(asksForPart);
      if (turn.reruns <= RERUNS_MAX && !moved) return ran.needs;
      if (turn.changes !== null) break; // first in the next batch, with everything written
      const key = attemptKey(entry);
      if (key !== null) running.attempts.count(key);
      const error = new Error(`The step for ${nameOf(entry)} asked for rows more than ${RERUNS_MAX} times`);
      running.log.error('a step never had enough', { workflow_id: turn.workflow, err: error });
      turn.reruns = 0;
      running.verdicts.set(entry, { kind: 'threw', error });
      continue;
    }
    turn.reruns = 0;
    running.verdicts.set(entry, ran.verdict);
    if (ran.changes === null) continue;
    adopt(turn, ran.changes, ran.folds);
    if (endsBatch(ran.changes)) {
      turn.at += 1;
      break;
    }
  }
  for (const entry of turn.entries.slice(turn.at)) running.verdicts.set(entry, { kind: 'next' });
  return null;
}

type Ran =
  | { readonly kind: 'need'; readonly needs: readonly Need[] }
  | {
      readonly kind: 'ran';
      readonly verdict: Verdict;
      readonly changes: Changes | null;
      /** The history written holds outcomes only, whose entries carry their own time. */
      readonly folds: boolean;
    };

/** One entry; a step that throws leaves nothing behind and spoils no neighbour. */
function guarded(running: Running, turn: Turn, entry: Entry): Ran {
  const key = attemptKey(entry);
  if (key !== null && running.attempts.get(key) >= ATTEMPTS_MAX) return broken(running, turn, entry);
  try {
    return entry.kind === 'stimulus' ? runStimulus(running, turn, entry) : runOutcome(running, turn, entry);
  } catch (error) {
    const { workflow } = entry;
    running.log.error('a step threw', { workflow_id: workflow, event: nameOf(entry), err: error });
    if (key !== null && running.attempts.count(key) >= ATTEMPTS_MAX) return broken(running, turn, entry);
    return { kind: 'ran', verdict: { kind: 'threw', error }, changes: null, folds: false };
  }
}

function runStimulus(running: Running, turn: Turn, entry: Entry & { kind: 'stimulus' }): Ran {
  const { event } = entry.stimulus;
  if (event.kind === 'redeliver' || event.kind === 'refuse') return touchMessage(running, turn, entry, event);
  keepLaunched(running, event);
  const result = runStep(running, turn.view, entry, event);
  if (result.kind === 'need') return result;
  const changes =
    event.kind === 'proceed' ? withOvertaken(running, turn, event.workitem, result.changes) : result.changes;
  return { kind: 'ran', verdict: { kind: 'answer', answer: result.answer }, changes, folds: false };
}

/** A launch brings its tree along: whoever steps next need not fetch it. The hash tells the content, so it is true even if nothing is saved. */
function keepLaunched(running: Running, event: EngineStimulus['event']): void {
  if (event.kind !== 'launch' || running.definitions.get(event.launch.hash) !== undefined) return;
  running.definitions.keep(event.launch.hash, event.launch.tree, event.launch.text.length);
}

function runStep(running: Running, view: Loaded, entry: Entry, event: Happening): StepResult {
  const given = entry.kind === 'stimulus' ? entry.stimulus : null;
  const stimulus: Stimulus = {
    now: running.now,
    seed: entry.seed,
    event,
    ...(given?.actor === undefined ? {} : { actor: given.actor }),
    ...(given?.reason === undefined ? {} : { reason: given.reason }),
  };
  return running.step(view, stimulus, {
    limits: running.limits,
    definition: (hash) => definitionFor(running, entry, hash),
  });
}

function definitionFor(running: Running, entry: Entry, hash: string): Tree | undefined {
  const tree = running.definitions.get(hash) ?? running.trees.get(hash) ?? launchedTree(entry, hash);
  invariant(tree !== undefined || !running.trees.has(hash), `the definition ${hash} of a live workflow is stored`);
  return tree;
}

const launchedTree = (entry: Entry, hash: string): Tree | undefined => {
  const event = entry.kind === 'stimulus' ? entry.stimulus.event : null;
  return event?.kind === 'launch' && event.launch.hash === hash ? event.launch.tree : undefined;
};

/** A participant that proceeds has been reached: when its message still waits for an acknowledgement, the same step records it. */
function withOvertaken(running: Running, turn: Turn, workitem: ExpressionId, changes: Changes | null): Changes | null {
  const row = turn.view.workitems.get(workitem);
  if (changes?.workitems.get(workitem)?.kind !== 'delete') return changes;
  if (row?.send !== 'active' || row.heldAt !== null || row.dueAt === null || row.dueAt > running.now) return changes;
  return {
    ...changes,
    ...withFirstEntry(changes.workflow, changes.history, overtaken(turn.workflow, row), running.now),
  };
}

function touchMessage(
  running: Running,
  turn: Turn,
  entry: Entry,
  event: Extract<EngineStimulus['event'], { kind: 'redeliver' | 'refuse' }>,
): Ran {
  const { workflow } = turn.view;
  const row = turn.view.workitems.get(event.workitem);
  const refuse = (code: 'workitem_not_found' | 'conflict', message: string): Ran => ({
    kind: 'ran',
    verdict: { kind: 'answer', answer: { ok: false, code, message } },
    changes: null,
    folds: false,
  });
  if (workflow === null || row === undefined || (event.kind === 'refuse' && row.state !== 'open'))
    return refuse('workitem_not_found', `Workitem ${event.workitem} of ${turn.workflow} is not open`);
  if (row.url === null)
    return refuse('conflict', `The participant ${row.participant} has no callback URL, so nothing can be delivered`);
  const verdict: Verdict = { kind: 'answer', answer: { ok: true, value: null } };
  if (event.kind === 'redeliver') {
    const changes = { ...bareChanges(workflow), workitems: new Map([[row.id, redelivered(row, running.now)]]) };
    return { kind: 'ran', verdict, changes, folds: false };
  }
  const around = circumstances(running, turn, entry);
  return consequently(running, turn, entry, row, afterRefusal(row, { ...event, at: running.now }, around), verdict);
}

function runOutcome(running: Running, turn: Turn, entry: Entry & { kind: 'outcome' }): Ran {
  const { outcome } = entry;
  const row = turn.view.workitems.get(outcome.workitem);
  const found = row === undefined ? null : afterTry(row, outcome, circumstances(running, turn, entry));
  if (row === undefined || found === null) {
    if (row !== undefined) release(turn, outcome);
    if (row !== undefined && row.send !== null) turn.freed = true;
    return { kind: 'ran', verdict: { kind: 'done' }, changes: null, folds: false };
  }
  const ran = consequently(running, turn, entry, row, found, { kind: 'done' });
  if (ran.kind === 'ran' && ran.verdict.kind === 'done') release(turn, outcome);
  return ran;
}

const release = (turn: Turn, outcome: TryOutcome): void => {
  turn.releases.push({ workflow: outcome.workflow, workitem: outcome.workitem, claim: outcome.claim });
};

/** Writes what a try has come to; when the tries are spent, the workitem fails in the same breath. */
function consequently(
  running: Running,
  turn: Turn,
  entry: Entry,
  row: WorkitemRow,
  found: Consequence,
  verdict: Verdict,
): Ran {
  const changes = messageChanges(running, turn, row, found);
  if (found.fail === null) return { kind: 'ran', verdict, changes, folds: true };
  const result = runStep(running, overlay(turn.view, changes), entry, {
    kind: 'fail',
    workitem: row.id,
    ...found.fail,
  });
  if (result.kind === 'need') return result;
  if (!result.answer.ok)
    running.log.warn('a workitem whose tries are spent could not fail', {
      workflow_id: turn.workflow,
      expression_id: row.id,
      why: result.answer.message,
    });
  const all = result.changes === null ? changes : joined(changes, result.changes);
  return { kind: 'ran', verdict, changes: all, folds: false };
}

function messageChanges(running: Running, turn: Turn, row: WorkitemRow, found: Consequence): Changes {
  const { workflow } = turn.view;
  invariant(workflow !== null, `the workflow of workitem ${row.id} exists`);
  const noted = recorded(workflow, found.entries, running.now);
  return {
    ...bareChanges(noted.workflow),
    workitems: new Map([[row.id, found.op]]),
    history: [noted.history],
  };
}

const circumstances = (running: Running, turn: Turn, entry: Entry): Circumstances => ({
  workflow: turn.workflow,
  schedule: running.settings.schedule,
  rules: readRetryRules(turn.view.workflow?.retry ?? null),
  // From the seed, so that a batch that is run again decides the same.
  fraction: Number.parseInt(entry.seed.slice(0, 8), 16) / 2 ** 32,
});

/**
 * The step for something the server itself has to get done throws again and again: the workflow is put in error and kept, and what
 * set it off is put aside: an agenda row is held (pausing and resuming the workflow frees it), an outcome is written without its
 * consequence.
 */
function broken(running: Running, turn: Turn, entry: Entry): Ran {
  const { workflow } = turn.view;
  const verdict: Verdict =
    entry.kind === 'outcome'
      ? { kind: 'done' }
      : {
          kind: 'answer',
          answer: {
            ok: false,
            code: 'internal',
            message: `The step for ${nameOf(entry)} failed ${ATTEMPTS_MAX} times`,
          },
        };
  if (entry.kind === 'outcome') release(turn, entry.outcome);
  if (workflow === null) return { kind: 'ran', verdict, changes: null, folds: false };
  const aside = putAside(running, turn, entry) ?? bareChanges(workflow);
  const message = `An internal error: the step for ${nameOf(entry)} failed ${ATTEMPTS_MAX} times`;
  let changes = joined(aside, bareChanges({ ...aside.workflow, status: 'error' }));
  try {
    const result = runStep(running, overlay(turn.view, aside), entry, { kind: 'broken', message });
    if (result.kind === 'need') {
      if (entry.kind === 'outcome') turn.releases.pop();
      return result;
    }
    if (result.changes !== null) changes = joined(aside, result.changes);
  } catch (error) {
    running.log.error('the step that puts a workflow in error threw', { workflow_id: turn.workflow, err: error });
  }
  return { kind: 'ran', verdict, changes, folds: false };
}

function putAside(running: Running, turn: Turn, entry: Entry): Changes | null {
  const { workflow } = turn.view;
  if (workflow === null) return null;
  if (entry.kind === 'outcome') {
    const row = turn.view.workitems.get(entry.outcome.workitem);
    const found = row === undefined ? null : afterTry(row, entry.outcome, circumstances(running, turn, entry));
    return row === undefined || found === null ? null : messageChanges(running, turn, row, found);
  }
  const { event } = entry.stimulus;
  if (event.kind !== 'due' || !turn.view.agenda.has(event.agenda)) return null;
  const held: Op<AgendaRow> = { kind: 'patch', set: { heldAt: running.now } };
  return { ...bareChanges(workflow), agenda: new Map([[event.agenda, held]]) };
}

/** Takes what an entry changed into the turn. */
function adopt(turn: Turn, changes: Changes, folds: boolean): void {
  const before = turn.changes;
  let all = before === null ? changes : joined(before, changes);
  if (turn.foldable && before !== null && changes.history.length > 0) {
    const at = before.history.length - 1;
    const [outcomes, step] = [all.history[at] as HistoryRow, all.history[at + 1] as HistoryRow];
    all = {
      ...all,
      history: [...all.history.slice(0, at), foldedHistory(outcomes, step), ...all.history.slice(at + 2)],
    };
  }
  if (changes.history.length > 0) turn.foldable = folds;
  turn.changes = all;
  // The last one is followed by nobody who could look at it.
  if (turn.at + 1 < turn.entries.length) turn.view = overlay(turn.view, changes);
}

type Prepared = {
  readonly save: Save;
  readonly ready: readonly ReadyMessage[];
  /** Messages are due that nobody has claimed. */
  readonly unclaimed: boolean;
};

/** What to write, and which of the messages in it are claimed at birth. */
function prepare(parts: BatchParts, turns: readonly Turn[], now: number): Prepared {
  const { messages } = parts.listener();
  const { nodeId, leaseSeconds } = parts.settings;
  const leaseEndsAt = parts.time.now() + leaseSeconds * 1000;
  const ready: ReadyMessage[] = [];
  const changes: Changes[] = [];
  let unclaimed = false;
  for (const turn of turns) {
    if (turn.changes === null) continue;
    const ver = (turn.base.workflow?.ver ?? 0) + 1;
    changes.push({ ...turn.changes, workflow: { ...turn.changes.workflow, ver } });
    const nowHere = Math.max(now, turn.changes.workflow.updatedAt);
    for (const [id, op] of turn.changes.workitems) {
      const row = rowAfter(turn, id, op);
      if (row === undefined || row.send === null || row.url === null || row.heldAt !== null) continue;
      if (row.dueAt === null || row.dueAt > nowHere) continue;
      // A row that was there before may still be claimed by a try under way: it is claimed anew when that has ended.
      if (op.kind === 'put' && !turn.base.workitems.has(id) && messages?.reserve(row.url) === true)
        ready.push(readyMessage(parts, turn, row, leaseEndsAt));
      else unclaimed = true;
    }
  }
  const claims = ready.map(({ workflow, row, claim }) => ({ workflow, workitem: row.id, claim }));
  const releases = turns.flatMap((turn) => turn.releases);
  return {
    save: { token: parts.ids.hex(), changes, claims, owner: nodeId, leaseSeconds, releases },
    ready,
    unclaimed,
  };
}

async function commit(parts: BatchParts, tx: Transaction, prepared: Prepared): Promise<'committed' | 'lost'> {
  let committed = false;
  try {
    const outcome = await tx.commit(prepared.save);
    committed = outcome === 'committed';
    return outcome;
  } finally {
    if (!committed)
      for (const { row } of prepared.ready) if (row.url !== null) parts.listener().messages?.unreserve(row.url);
  }
}

function readyMessage(parts: BatchParts, turn: Turn, row: WorkitemRow, leaseEndsAt: number): ReadyMessage {
  const tenant = turn.changes?.workflow.tenant ?? '';
  const claim = parts.ids.hex();
  // The stored text is the text to send: parsing it here to print it again later would cost as much as the step.
  if (row.fields !== null && row.added === null)
    return { workflow: turn.workflow, tenant, claim, leaseEndsAt, row, fields: row.fields };
  const key = `${row.inherits} ^`;
  const born = turn.changes?.variables.get(key);
  const base = born?.kind === 'put' ? born.row : turn.base.variables.get(key);
  const fields = JSON.stringify(parts.deliveredFields(row, row.inherits === null ? null : (base?.value ?? null)));
  return { workflow: turn.workflow, tenant, claim, leaseEndsAt, row, fields };
}

/** The workitem as this batch leaves it; undefined when it is gone, or was changed without having been loaded. */
function rowAfter(turn: Turn, id: string, op: Op<WorkitemRow>): WorkitemRow | undefined {
  if (op.kind === 'put') return op.row;
  const row = turn.base.workitems.get(id);
  return op.kind === 'delete' || row === undefined ? undefined : { ...row, ...op.set };
}

/** Hands on what is claimed, and hints about the rest, to the loops of this node and of others. */
function afterCommit(
  parts: BatchParts,
  turns: readonly Turn[],
  prepared: Prepared,
  settled: readonly Settled[],
  now: number,
  hears: boolean,
): void {
  const listener = parts.listener();
  if (prepared.ready.length > 0) listener.messages?.take(prepared.ready);

  const agenda: { readonly workflow: WorkflowId; readonly id: string; readonly dueAt: number }[] = [];
  const dues: number[] = [];
  let emitted = false;
  let wake = prepared.unclaimed || turns.some((turn) => turn.freed);
  // Nobody listens: the events were not even written.
  const isHeard = hears || turns.some((turn) => turn.changes !== null && turn.changes.listeners.size > 0);
  for (const turn of turns) {
    if (turn.changes === null) continue;
    for (const [id, op] of turn.changes.agenda)
      if (op.kind === 'put' && op.row.heldAt === null)
        agenda.push({ workflow: turn.workflow, id, dueAt: op.row.dueAt });
    for (const op of turn.changes.workitems.values()) {
      const at = op.kind === 'put' ? op.row.dueAt : op.kind === 'patch' ? (op.set.dueAt ?? null) : null;
      if (at !== null && at > now) dues.push(at);
    }
    // Which rows a resume has freed is known to the database only.
    if (turn.changes.shift !== null) {
      dues.push(now);
      wake = true;
    }
    emitted ||= isHeard && turn.changes.events.length > 0;
    if (turn.changes.hold !== null) listener.messages?.withdraw(turn.workflow, 'all');
  }
  for (const { workflow, workitem } of settled) listener.messages?.withdraw(workflow, [workitem]);
  if (agenda.length > 0) listener.agenda?.(agenda);
  if (dues.length > 0) listener.dueAt?.(Math.min(...dues));
  if (wake) listener.messages?.wake();
  if (emitted) listener.events?.();
  const handled = listener.messages !== undefined && listener.agenda !== undefined;
  if (prepared.unclaimed || (!handled && (wake || emitted || agenda.length > 0 || dues.length > 0)))
    parts.store.wakeOthers();
}

type Settled = {
  readonly workflow: WorkflowId;
  readonly workitem: ExpressionId;
  readonly as: 'gone' | 'flipped';
};

/** Workitems whose `active` message is over although no try has ended in this batch. */
function settledBy(turn: Turn): readonly Settled[] {
  const settled: Settled[] = [];
  for (const [id, op] of turn.changes?.workitems ?? []) {
    const workitem = id as ExpressionId;
    if (op.kind === 'delete') settled.push({ workflow: turn.workflow, workitem, as: 'gone' });
    else if (
      turn.base.workitems.get(id)?.send === 'active' &&
      rowAfter(turn, id, op)?.send !== 'active' &&
      turn.releases.every((claim) => claim.workitem !== workitem)
    )
      settled.push({ workflow: turn.workflow, workitem, as: 'flipped' });
  }
  return settled;
}

/** Entries by workflow, in order of first arrival. */
export function grouped(entries: readonly Entry[]): Map<WorkflowId, Entry[]> {
  const groups = new Map<WorkflowId, Entry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.workflow);
    if (group === undefined) groups.set(entry.workflow, [entry]);
    else group.push(entry);
  }
  return groups;
}

/** What is loaded together with the workflow's row, so that the usual step runs once. */
function firstNeeds(entry: Entry): readonly Need[] {
  if (entry.kind === 'outcome') return [{ kind: 'workitem', id: entry.outcome.workitem }];
  const { event } = entry.stimulus;
  switch (event.kind) {
    case 'proceed':
    case 'fail':
    case 'edit':
    case 'redeliver':
    case 'refuse':
      return [{ kind: 'workitem', id: event.workitem }];
    case 'due':
      return [{ kind: 'agenda', id: event.agenda }];
    case 'cancel_expression':
    case 'kill_expression':
    case 'reapply':
      return [{ kind: 'find', expression: event.expression }];
    case 'replay':
      return [
        { kind: 'find', expression: event.expression },
        { kind: 'error', id: event.expression },
      ];
    default:
      return [];
  }
}

/** Names what is retried by the server itself, for counting its attempts; null for what a caller waits for. */
export function attemptKey(entry: Entry): string | null {
  if (entry.kind === 'outcome') return `${entry.workflow} try ${entry.outcome.workitem}`;
  const { event } = entry.stimulus;
  return event.kind === 'due' ? `${entry.workflow} due ${event.agenda}` : null;
}

const nameOf = (entry: Entry): string => (entry.kind === 'outcome' ? 'the end of a try' : entry.stimulus.event.kind);

/** What a caller is told about a step that threw. */
export const internalFault = (error: unknown): Fault =>
  new Fault(
    'internal',
    'An internal error; nothing was changed. The log of the server tells more',
    {},
    { cause: error },
  );
