import { liveExpressions } from '../interpreter/inspect.ts';
import { unpackHistory } from '../model/history.ts';
import type { Json } from '../model/json.ts';
import type { Changes, WorkflowRow } from '../model/rows.ts';

/** Workitems and handlers that are told one by one. */
const TOLD_MAX = 1_000;

/**
 * What a step would do that is not saved, as the history it would have written tells it.
 *
 * @returns `told`: workitems whose participants would be told that they end; `opened`: those that would be opened; `handlers`: what would be applied in the place of
 *   what is cancelled; `expressions_ended`: how many; `status`: how the workflow would stand; `complete`: false, when the step is so long that only its beginning is told
 */
export function rehearsed(before: WorkflowRow, changes: Changes | null): Json {
  if (changes === null)
    return { told: [], opened: [], handlers: [], expressions_ended: 0, status: before.status, complete: true };
  const entries = changes.history.flatMap((row) => unpackHistory(row.entries, before.id));
  const told = entries.flatMap((entry) =>
    entry.kind === 'workitem.closed'
      ? [{ workitem_id: entry.workitem_id, participant: entry.participant, status: entry.status }]
      : [],
  );
  const opened = entries.flatMap((entry) =>
    entry.kind === 'workitem.opened' ? [{ workitem_id: entry.workitem_id, participant: entry.participant }] : [],
  );
  const handlers = entries.flatMap((entry) =>
    entry.kind === 'expression.cancelled' && entry.handler !== undefined
      ? [{ expression_id: entry.expression_id, expid: entry.expid, handler: entry.handler }]
      : [],
  );
  const applied = entries.filter(({ kind }) => kind === 'expression.applied').length;
  const ended = liveExpressions(before) + applied - liveExpressions(changes.workflow);
  const goesOn = [...changes.agenda.values()].some((op) => op.kind === 'put' && op.row.kind === 'continue');
  return {
    told: told.slice(0, TOLD_MAX),
    opened: opened.slice(0, TOLD_MAX),
    handlers: handlers.slice(0, TOLD_MAX),
    expressions_ended: Math.max(0, ended),
    status: changes.workflow.status,
    complete: !goesOn && Math.max(told.length, opened.length, handlers.length) <= TOLD_MAX,
  };
}
