import { eventInId } from '../model/events.ts';
import { Fault, unreachable } from '../model/fault.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { Answer, Need } from '../model/stimulus.ts';
import type { EngineStimulus, TryOutcome } from './engine.ts';

/* What waits to be handled, and what becomes of it. */

/** Something to be handled. Its seed is made once, so that a step that is run again makes the same ids. */
export type Entry =
  | {
      readonly kind: 'stimulus';
      readonly workflow: WorkflowId;
      readonly stimulus: EngineStimulus;
      readonly seed: string;
      /** When it arrived, on the process's own clock. */
      readonly at: number;
    }
  | { readonly kind: 'outcome'; readonly workflow: WorkflowId; readonly outcome: TryOutcome; readonly seed: string };

/** An entry with whom it is to be told. */
export type Waiting = {
  readonly entry: Entry;
  /** Null for outcomes. */
  readonly caller: { readonly answer: (answer: Answer) => void; readonly fail: (fault: Fault) => void } | null;
};

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
export function firstNeeds(entry: Entry): readonly Need[] {
  if (entry.kind === 'outcome') return [{ kind: 'workitem', id: entry.outcome.workitem }];
  const { event } = entry.stimulus;
  switch (event.kind) {
    case 'proceed':
    case 'fail':
    case 'edit':
    case 'heartbeat':
    case 'claim':
    case 'release':
    case 'redeliver':
    case 'refuse':
      return [{ kind: 'workitem', id: event.workitem }];
    case 'due':
    case 'give_up': {
      const eventId = eventInId(event.agenda);
      const row: Need = { kind: 'agenda', id: event.agenda };
      return eventId === null ? [row] : [row, { kind: 'event', id: eventId }];
    }
    case 'cancel_expression':
    case 'kill_expression':
    case 'pause_expression':
    case 'resume_expression':
    case 'move':
    case 'add_token':
    case 'reapply':
      return [{ kind: 'find', expression: event.expression }];
    case 'reply':
      return [
        { kind: 'find', expression: event.expression },
        { kind: 'workitem', id: event.expression },
      ];
    case 'replay':
      return [
        { kind: 'find', expression: event.expression },
        { kind: 'error', id: event.expression },
      ];
    case 'launch':
    case 'cancel':
    case 'kill':
    case 'pause':
    case 'resume':
    case 'message':
    case 'signal':
    case 'broken':
      return [];
    default:
      return unreachable(event);
  }
}

/** Names what is retried by the server itself, for counting its attempts; null for what a caller waits for. */
export function attemptKey(entry: Entry): string | null {
  if (entry.kind === 'outcome') return `${entry.workflow} try ${entry.outcome.workitem}`;
  const { event } = entry.stimulus;
  return event.kind === 'due' || event.kind === 'give_up' ? `${entry.workflow} due ${event.agenda}` : null;
}

export const nameOf = (entry: Entry): string =>
  entry.kind === 'outcome' ? 'the end of a try' : entry.stimulus.event.kind;

/** What a caller is told about a step that threw. */
export const internalFault = (error: unknown): Fault =>
  new Fault(
    'internal',
    'An internal error: the step failed. Look at the workflow before you repeat the request; the log of the server tells more',
    {},
    { cause: error },
  );
