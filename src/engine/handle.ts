import { pausedSince } from '../interpreter/inspect.ts';
import { bareChanges, joinChanges, overlay } from '../model/changes.ts';
import { invariant } from '../model/fault.ts';
import type { HistoryEntry } from '../model/history-kinds.ts';
import { type ExpressionId, expidOf, workitemId } from '../model/ids.ts';
import type { Fields } from '../model/json.ts';
import type { AgendaRow, Changes, Op, WorkflowRow, WorkitemRow } from '../model/rows.ts';
import {
  type Happening,
  type Loaded,
  type Need,
  needKey,
  type StepResult,
  type Stimulus,
  type StoredVersion,
  storedKey,
} from '../model/stimulus.ts';
import { storable } from '../model/storable.ts';
import { cut } from '../model/text.ts';
import type { Tree } from '../model/tree.ts';
import { rulesOf, withHeartbeat } from './agreed.ts';
import type { EngineStimulus, OnlyIf, TryOutcome } from './engine.ts';
import { attemptKey, type Entry, nameOf, type Verdict } from './entry.ts';
import { recorded, withFirstEntry } from './history.ts';
import { afterRefusal, afterTry, type Circumstances, type Consequence, overtaken, redelivered } from './outcomes.ts';
import { rehearsed } from './rehearsal.ts';
import { killedApart, SET_APART, setApart } from './set-apart.ts';
import type { Running, Turn } from './turn.ts';

/* One entry: a stimulus goes through the pure step, the end of a try through outcomes.ts and then, perhaps, the step. It is one thing: the kinds of entries
 * and what becomes of one that throws. */

/** After so many attempts a stimulus of the server's own whose step always throws puts its workflow in error. */
export const ATTEMPTS_MAX = 3;
const TOO_OFTEN = 'its step has thrown too often to be tried on rows that are not locked';

export type Ran =
  | { readonly kind: 'need'; readonly needs: readonly Need[] }
  | {
      readonly kind: 'ran';
      readonly verdict: Verdict;
      readonly changes: Changes | null;
      /** The history written holds outcomes only, whose entries carry their own time. */
      readonly folds: boolean;
    };

/** One entry; a step that throws leaves nothing behind and spoils no neighbour. */
export function guarded(running: Running, turn: Turn, entry: Entry): Ran {
  if (isForeign(turn, entry)) return noSuchWorkflow(turn);
  const key = attemptKey(entry);
  if (key !== null && running.attempts.get(key) >= ATTEMPTS_MAX) {
    if (!running.isGuess) return broken(running, turn, entry);
    return { kind: 'ran', verdict: { kind: 'threw', error: new Error(TOO_OFTEN) }, changes: null, folds: false };
  }
  try {
    return entry.kind === 'stimulus' ? runStimulus(running, turn, entry) : runOutcome(running, turn, entry);
  } catch (error) {
    const { workflow } = entry;
    if (running.isGuess) return { kind: 'ran', verdict: { kind: 'threw', error }, changes: null, folds: false };
    running.log.error('a step threw', {
      event: 'step.threw',
      workflow_id: workflow,
      stimulus: nameOf(entry),
      err: error,
    });
    if (key !== null) {
      if (running.attempts.count(key) >= ATTEMPTS_MAX) return broken(running, turn, entry);
      return { kind: 'ran', verdict: { kind: 'threw', error }, changes: null, folds: false };
    }
    return unsteppable(running, turn, entry, error);
  }
}

/**
 * A caller's stimulus whose step threw. When a step that only says that something is broken throws as well, it is not the stimulus: the rows
 * cannot be stepped, and the workflow is set apart. A kill takes effect all the same.
 */
function unsteppable(running: Running, turn: Turn, entry: Entry, error: unknown): Ran {
  const threw = { kind: 'ran', verdict: { kind: 'threw', error }, changes: null, folds: false } as const;
  if (turn.view.workflow === null || entry.kind !== 'stimulus') return threw;
  const message = `An internal error: no step can work with the rows of this workflow: ${reasonOf(error)}`;
  try {
    runStep(running, turn.view, entry, { kind: 'broken', message });
    return threw;
  } catch {
    // What it throws is the same, and in the log already.
  }
  if (entry.stimulus.event.kind === 'kill') {
    if (!turn.view.answered.has(needKey(OPEN_WORKITEMS))) return { kind: 'need', needs: [OPEN_WORKITEMS] };
    const changes = killedApart(turn.view, turn.workflow, running.now);
    if (changes !== null)
      return { kind: 'ran', verdict: { kind: 'answer', answer: { ok: true, value: null } }, changes, folds: false };
  }
  if (!turn.view.answered.has(needKey(SET_APART))) return { kind: 'need', needs: [SET_APART] };
  const changes = setApart(turn.view, message, running.now);
  if (changes !== null)
    running.log.error(
      'a workflow is set apart: no step can work with its rows; kill it, or repair what the error names',
      {
        event: 'workflow.set_apart',
        workflow_id: turn.workflow,
        err: error,
      },
    );
  return { ...threw, changes };
}

const OPEN_WORKITEMS: Need = { kind: 'open_workitems' };
/** Errors of ours may quote what they could not read. */
const REASON_CHARACTERS_MAX = 200;
const reasonOf = (error: unknown): string =>
  cut(storable(error instanceof Error ? error.message : String(error)), REASON_CHARACTERS_MAX);

/**
 * Whether a caller reaches for a workflow of another tenant. The one place that decides it: before anything else is asked, so that what
 * belongs to another looks like what never was. A tenant never changes, so a remembered row may tell.
 */
const isForeign = ({ view }: Turn, entry: Entry): boolean =>
  entry.kind === 'stimulus' &&
  entry.stimulus.origin.by === 'caller' &&
  view.workflow !== null &&
  view.workflow.tenant !== entry.stimulus.origin.tenant;

const noSuchWorkflow = ({ workflow }: Turn): Ran => ({
  kind: 'ran',
  verdict: { kind: 'answer', answer: { ok: false, code: 'workflow_not_found', message: `No workflow ${workflow}` } },
  changes: null,
  folds: false,
});

function runStimulus(running: Running, turn: Turn, entry: Entry & { kind: 'stimulus' }): Ran {
  const { event, onlyIf } = entry.stimulus;
  if (onlyIf !== undefined && !holds(turn.view, onlyIf)) return movedOn(turn);
  if (event.kind === 'redeliver' || event.kind === 'refuse') return touchMessage(running, turn, entry, event);
  if (event.kind === 'give_up') return giveUp(running, turn, entry, event);
  keepLaunched(running, event);
  const result = runStep(running, turn.view, entry, event);
  if (result.kind === 'need') return result;
  if (entry.stimulus.rehearsal === true) return rehearsal(turn, result);
  const changes =
    event.kind === 'proceed' ? withOvertaken(running, turn, event.workitem, result.changes) : result.changes;
  return { kind: 'ran', verdict: { kind: 'answer', answer: result.answer }, changes, folds: false };
}

/** The answer of a step that is not saved. */
const rehearsal = ({ view }: Turn, { answer, changes }: Extract<StepResult, { readonly kind: 'stepped' }>): Ran => ({
  kind: 'ran',
  verdict: {
    kind: 'answer',
    answer: answer.ok && view.workflow !== null ? { ok: true, value: rehearsed(view.workflow, changes) } : answer,
  },
  changes: null,
  folds: false,
});

/** What is not there is for the step to answer. */
function holds({ workflow, workitems }: Loaded, onlyIf: OnlyIf): boolean {
  if (onlyIf.kind === 'unedited') {
    const row = workitems.get(onlyIf.workitem);
    return row === undefined || row.revision === onlyIf.revision;
  }
  const { lastN, statuses } = onlyIf;
  return workflow === null || (workflow.lastN === lastN && (statuses?.includes(workflow.status) ?? true));
}

const movedOn = ({ workflow }: Turn): Ran => ({
  kind: 'ran',
  verdict: {
    kind: 'answer',
    answer: { ok: false, code: 'precondition_failed', message: `${workflow} has moved on since it was looked at` },
  },
  changes: null,
  folds: false,
});

/** A launch brings its tree along: whoever steps next need not fetch it. The hash tells the content, so it is true even if nothing is saved. */
function keepLaunched(running: Running, event: EngineStimulus['event']): void {
  if (event.kind !== 'launch' || running.definitions.get(event.launch.hash) !== undefined) return;
  running.definitions.keep(event.launch.hash, event.launch.tree, event.launch.text.length);
}

function runStep(running: Running, view: Loaded, entry: Entry, event: Happening): StepResult {
  const stimulus: Stimulus = {
    now: running.now,
    seed: entry.seed,
    event,
    ...sayings(entry),
  };
  return running.step(view, stimulus, {
    limits: running.limits,
    definition: (hash) => definitionFor(running, entry, hash),
    hears: running.hears,
    ...(running.participants === undefined ? {} : { participant: running.participants.find }),
    ...(running.participants?.own === undefined ? {} : { ownParticipant: running.participants.own.find }),
    ...(running.named === undefined ? {} : { named: (tenant, reference) => storedIn(running, tenant, reference) }),
  });
}

/** What was loaded for this batch and is not at hand yet is not there. */
function storedIn({ named, trees }: Running, tenant: string, reference: string): StoredVersion | null | undefined {
  const found = named?.atHand(tenant, reference);
  return found === undefined && trees.has(storedKey(tenant, reference)) ? null : found;
}

/** What history keeps of a caller; a try that ended has none. */
function sayings(entry: Entry): Pick<Stimulus, 'actor' | 'reason' | 'batch'> {
  const origin = entry.kind === 'stimulus' ? entry.stimulus.origin : null;
  if (origin?.by !== 'caller') return {};
  return {
    ...(origin.actor === null ? {} : { actor: origin.actor }),
    ...(origin.reason === null ? {} : { reason: origin.reason }),
    ...(origin.batch === undefined ? {} : { batch: origin.batch }),
  };
}

const inHistory = ({ batch, ...who }: ReturnType<typeof sayings>) => ({
  ...who,
  ...(batch === undefined ? {} : { batch: batch.id, batch_item: batch.item }),
});

function definitionFor(running: Running, entry: Entry, hash: string): Tree | undefined {
  const tree = running.definitions.get(hash) ?? running.trees.get(hash) ?? launchedTree(entry, hash);
  invariant(tree !== undefined || !running.trees.has(hash), `the definition ${hash} of a live workflow is stored`);
  return tree;
}

const launchedTree = (entry: Entry, hash: string): Tree | undefined => {
  const event = entry.kind === 'stimulus' ? entry.stimulus.event : null;
  return event?.kind === 'launch' && event.launch.hash === hash ? event.launch.tree : undefined;
};

/** What is owed by entries that one more has come before. */
const oneLater = (workitems: Changes['workitems']): Changes['workitems'] =>
  new Map(
    [...workitems].map(([id, op]): [string, Op<WorkitemRow>] => {
      if (op.kind === 'put' && op.row.entryN != null)
        return [id, { ...op, row: { ...op.row, entryN: op.row.entryN + 1 } }];
      if (op.kind === 'patch' && op.set.entryN != null)
        return [id, { ...op, set: { ...op.set, entryN: op.set.entryN + 1 } }];
      return [id, op];
    }),
  );

/** A participant that proceeds has been reached: when its message still waits for an acknowledgement, the same step records it. */
function withOvertaken(running: Running, turn: Turn, workitem: ExpressionId, changes: Changes | null): Changes | null {
  const row = turn.view.workitems.get(workitem);
  if (changes?.workitems.get(workitem)?.kind !== 'delete') return changes;
  if (row?.send !== 'active' || row.heldAt !== null || row.dueAt === null || row.dueAt > running.now) return changes;
  return {
    ...changes,
    ...withFirstEntry(changes.workflow, changes.history, overtaken(turn.workflow, row), running.now),
    workitems: oneLater(changes.workitems),
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
  // A pause holds what was owed when it began; a message that becomes owed during it has to be held by whoever owes it.
  const heldBack = (op: Op<WorkitemRow>): Op<WorkitemRow> =>
    op.kind === 'patch' && op.set.send && row.heldAt === null && pausedSince(workflow) !== null
      ? { kind: 'patch', set: { ...op.set, heldAt: running.now } }
      : op;
  if (event.kind === 'redeliver') {
    const op = heldBack(redelivered(row, running.now));
    const told: HistoryEntry = {
      kind: 'workitem.redelivering',
      expid: expidOf(row.id),
      workitem_id: workitemId(row.id, turn.workflow),
      participant: row.participant,
      ...inHistory(sayings(entry)),
    };
    const noted = recorded(workflow, [told], running.now);
    const changes = {
      ...bareChanges(noted.workflow),
      workitems: new Map([[row.id, op]]),
      history: [noted.history],
    };
    return { kind: 'ran', verdict, changes, folds: false };
  }
  const found = afterRefusal(row, { ...event, at: running.now }, circumstances(running, turn, entry));
  return consequently(running, turn, entry, row, { ...found, op: heldBack(found.op) }, verdict);
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
  const { result } = outcome;
  const proceeds = result.kind === 'delivered' && outcome.send === 'active' ? (result.fields ?? null) : null;
  const ran = consequently(running, turn, entry, row, found, { kind: 'done' }, proceeds);
  if (ran.kind === 'ran' && ran.verdict.kind === 'done') release(turn, outcome);
  return ran;
}

const release = (turn: Turn, outcome: TryOutcome): void => {
  turn.releases.push({ workflow: outcome.workflow, workitem: outcome.workitem, claim: outcome.claim });
};

/** Writes what a try has come to; when the tries are spent the workitem fails, and when the answer was its proceed it proceeds, in the same breath. */
function consequently(
  running: Running,
  turn: Turn,
  entry: Entry,
  row: WorkitemRow,
  found: Consequence,
  verdict: Verdict,
  proceeds: Fields | null = null,
): Ran {
  const told = messageChanges(running, turn, row, found);
  const changes = proceeds === null ? withHeartbeat(row, entry, told) : told;
  const happening: Happening | null =
    found.fail !== null
      ? { kind: 'fail', workitem: row.id, ...found.fail }
      : proceeds !== null
        ? { kind: 'proceed', workitem: row.id, fields: proceeds }
        : null;
  if (happening === null) {
    if (found.failedTry !== null) turn.failed.push({ row, failed: found.failedTry });
    return { kind: 'ran', verdict, changes, folds: true };
  }
  const result = runStep(running, overlay(turn.view, changes), entry, happening);
  if (result.kind === 'need') return result;
  if (found.failedTry !== null) turn.failed.push({ row, failed: found.failedTry });
  if (!result.answer.ok)
    running.log.warn('what a try has come to could not be told its workitem', {
      event: 'workitem.stuck',
      workflow_id: turn.workflow,
      expression_id: row.id,
      why: result.answer.message,
    });
  const all = result.changes === null ? changes : joinChanges(changes, result.changes);
  return { kind: 'ran', verdict, changes: all, folds: false };
}

function messageChanges(running: Running, turn: Turn, row: WorkitemRow, found: Consequence): Changes {
  const { workflow } = turn.view;
  invariant(workflow !== null, `the workflow of workitem ${row.id} exists`);
  const base = { ...bareChanges(workflow), workitems: new Map([[row.id, found.op]]) };
  if (found.entries.length === 0) return base;
  const noted = recorded(workflow, found.entries, running.now);
  return {
    ...base,
    workflow: noted.workflow,
    history: [noted.history],
  };
}

const circumstances = (running: Running, turn: Turn, entry: Entry): Circumstances => ({
  workflow: turn.workflow,
  schedule: running.settings.schedule,
  rules: rulesOf(running, turn, entry),
  by: running.settings.nodeName,
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
  const aside = setAside(running, turn, entry) ?? bareChanges(workflow);
  const message = `An internal error: the step for ${nameOf(entry)} failed ${ATTEMPTS_MAX} times`;
  return inError(running, turn, entry, { aside, message, verdict });
}

/**
 * Processes have died, again and again, while this row was being handled: it is put aside as one whose step throws. What is left of a long step
 * would be taken up by the very next one, so its workflow is paused as well.
 */
function giveUp(
  running: Running,
  turn: Turn,
  entry: Entry,
  { agenda, deaths }: Extract<EngineStimulus['event'], { kind: 'give_up' }>,
): Ran {
  const { workflow } = turn.view;
  const row = turn.view.agenda.get(agenda);
  const verdict: Verdict = { kind: 'answer', answer: { ok: true, value: null } };
  if (workflow === null || row === undefined || row.heldAt !== null)
    return { kind: 'ran', verdict, changes: null, folds: false };
  const pause = row.kind === 'continue';
  const message =
    `An internal error: the server ended ${deaths} times in the middle of a step (${pause ? 'the rest of a long one' : row.kind}, ${agenda}); ` +
    'it is not tried again until somebody resumes or replays, and can be killed';
  const aside = pause ? bareChanges(workflow) : held(workflow, agenda, running.now);
  return inError(running, turn, entry, { aside, message, pause, agenda, verdict });
}

type Broken = Extract<Happening, { kind: 'broken' }>;

/** Puts the workflow in error; where the step that says so throws as well, it is set apart. */
function inError(
  running: Running,
  turn: Turn,
  entry: Entry,
  { aside, verdict, ...why }: { readonly aside: Changes; readonly verdict: Verdict } & Omit<Broken, 'kind'>,
): Ran {
  let changes: Changes | null = null;
  try {
    const result = runStep(running, overlay(turn.view, aside), entry, { kind: 'broken', ...why });
    if (result.kind === 'need') {
      if (entry.kind === 'outcome') turn.releases.pop();
      return result;
    }
    if (result.changes !== null) changes = joinChanges(aside, result.changes);
  } catch (error) {
    running.log.error('the step that puts a workflow in error threw; it is set apart', {
      event: 'step.threw',
      workflow_id: turn.workflow,
      err: error,
    });
  }
  if (changes === null) {
    if (!turn.view.answered.has(needKey(SET_APART))) {
      if (entry.kind === 'outcome') turn.releases.pop();
      return { kind: 'need', needs: [SET_APART] };
    }
    const apart = setApart(overlay(turn.view, aside), why.message, running.now);
    changes = apart === null ? aside : joinChanges(aside, apart);
  }
  return { kind: 'ran', verdict, changes, folds: false };
}

function setAside(running: Running, turn: Turn, entry: Entry): Changes | null {
  const { workflow } = turn.view;
  if (workflow === null) return null;
  if (entry.kind === 'outcome') {
    const row = turn.view.workitems.get(entry.outcome.workitem);
    const found = row === undefined ? null : afterTry(row, entry.outcome, circumstances(running, turn, entry));
    return row === undefined || found === null ? null : messageChanges(running, turn, row, found);
  }
  const { event } = entry.stimulus;
  if (event.kind !== 'due' || !turn.view.agenda.has(event.agenda)) return null;
  return held(workflow, event.agenda, running.now);
}

function held(workflow: WorkflowRow, agenda: string, now: number): Changes {
  const hold: Op<AgendaRow> = { kind: 'patch', set: { heldAt: now } };
  return { ...bareChanges(workflow), agenda: new Map([[agenda, hold]]) };
}
