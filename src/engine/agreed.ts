import { heartbeatRow } from '../interpreter/life/heartbeats.ts';
import type { ExpressionId } from '../model/ids.ts';
import { readReferenceText, readTerms } from '../model/participants.ts';
import type { Changes, WorkitemRow } from '../model/rows.ts';
import type { EngineStimulus } from './engine.ts';
import type { Entry } from './entry.ts';
import { type RetryRules, readRetryRules, saysSomething } from './retry-rules.ts';
import type { ParticipantLookups, Running, Turn } from './turn.ts';

/* What was agreed with a participant when its workitem was opened, where the end of a try depends on it. */

/** From the delivery on its participant owes signs of life, where they were agreed on. */
export function withHeartbeat(row: WorkitemRow, entry: Entry, changes: Changes): Changes {
  if (row.terms == null || entry.kind !== 'outcome' || entry.outcome.result.kind !== 'delivered') return changes;
  const { heartbeatMs } = readTerms(row.terms);
  const op = changes.workitems.get(row.id);
  if (heartbeatMs === undefined || op?.kind !== 'patch' || entry.outcome.send !== 'active' || op.set.send !== null)
    return changes;
  const heartbeatAt = (row.heldAt ?? entry.outcome.endedAt) + heartbeatMs;
  const waking = heartbeatRow(row, heartbeatAt);
  return {
    ...changes,
    workitems: new Map([[row.id, { kind: 'patch', set: { ...op.set, heartbeatAt } }]]),
    agenda: new Map([[waking.id, { kind: 'put', row: waking }]]),
  };
}

/** The launch's rules; where it has none for this participant, those it is registered with. */
export function rulesOf(running: Running, turn: Turn, entry: Entry): RetryRules {
  const { workflow } = turn.view;
  const launched = readRetryRules(workflow?.retry ?? null);
  const id = entry.kind === 'outcome' ? entry.outcome.workitem : workitemIn(entry.stimulus.event);
  const row = id === null ? undefined : turn.view.workitems.get(id);
  return workflow === null || row === undefined
    ? launched
    : rulesOfItem(launched, row, workflow.tenant, running.participants);
}

type Lookups = Pick<ParticipantLookups, 'find'> & {
  readonly own?: Pick<NonNullable<ParticipantLookups['own']>, 'find'>;
};

/** The same of one workitem, for who only looks. */
export function rulesOfItem(
  launched: RetryRules,
  row: Pick<WorkitemRow, 'terms' | 'participant'>,
  tenant: string,
  participants: Lookups | undefined,
): RetryRules {
  if (row.terms == null) return launched;
  const { entry: name, of } = readTerms(row.terms);
  if (name === undefined) return launched;
  if (saysSomething(launched) || launched.participants?.has(row.participant) === true) return launched;
  // One that is not at hand any more counts as without rules, for this try.
  const found =
    of === undefined
      ? participants?.find(tenant, row.participant)
      : participants?.own?.find(tenant, readReferenceText(of), row.participant);
  const retry = found?.retry ?? null;
  return retry === null ? launched : readRetryRules(JSON.stringify(retry));
}

const workitemIn = (event: EngineStimulus['event']): ExpressionId | null =>
  'workitem' in event ? event.workitem : null;
