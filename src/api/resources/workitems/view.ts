import type { LoggedTry } from '../../../engine/outcomes.ts';
import { isDelivered, partedFields } from '../../../engine/show.ts';
import { type WorkflowId, workitemId } from '../../../model/ids.ts';
import { type Fields, isObject, type JsonObject } from '../../../model/json.ts';
import { claimOf } from '../../../model/participants.ts';
import type { WorkitemRow } from '../../../model/rows.ts';
import type { Overdue } from '../../../store/store.ts';
import { type Abridged, abridged, largeView, over } from '../../abridged.ts';
import { isOverdue } from '../../overdue.ts';
import { timeOrNull, timeView } from '../../time.ts';

export const workitemView = (
  workflow: WorkflowId,
  row: WorkitemRow,
  fields: Fields,
  now: number,
  more: JsonObject = {},
  triesMax: number | null = null,
): JsonObject => ({
  id: workitemId(row.id, workflow),
  workflow_id: workflow,
  expression_id: row.id,
  participant: row.participant,
  ...elementIn(fields),
  status: row.state,
  fields,
  ...more,
  opened_at: timeView(row.openedAt),
  revision: row.revision,
  ...claimView(row, now),
  ...(row.heartbeatAt == null ? {} : { heartbeat_due_at: timeView(row.heartbeatAt) }),
  ...(row.progress == null ? {} : { progress: JSON.parse(row.progress) as JsonObject }),
  callback: {
    url: row.url,
    owed: row.send,
    tries: row.tries,
    ...(triesMax === null ? {} : { tries_max: triesMax }),
    next_at: row.send === null ? null : timeOrNull(row.dueAt),
  },
});

/** Of BPMN: the id of the element that asks. */
function elementIn({ params }: Fields): { readonly element?: string } {
  if (!isObject(params) || typeof params['element_type'] !== 'string') return {};
  const { element } = params;
  return typeof element === 'string' ? { element } : {};
}

function claimView(row: WorkitemRow, now: number): JsonObject {
  const claim = claimOf(row, now);
  return claim === null ? {} : { claim: { assignee: claim.assignee, until: timeView(claim.until) } };
}

/**
 * Makes the view of one workitem among many, as JSON: what they share is measured once.
 *
 * @param bare true: without fields. A page of one workflow may have a thousand of them, each with all that they share. `triesMax`: of its message,
 * where that is told
 */
export function makeItemTexts(
  overdue: Overdue,
  now: number,
  {
    bare = false,
    triesMax = () => null,
  }: { readonly bare?: boolean; readonly triesMax?: (row: WorkitemRow) => number | null } = {},
): (workflow: WorkflowId, row: WorkitemRow, base: string | null) => string {
  let last: { readonly fields: Fields; readonly abridged: Abridged } | null = null;
  return (workflow, row, base) => {
    const { shared, own } = partedFields(row, base);
    if (bare) {
      const more = { fields_omitted: true, ...(isOverdue(row, overdue) && { overdue: true }) };
      const view = workitemView(workflow, row, 'params' in own ? own : shared, now, more, triesMax(row));
      return JSON.stringify({ ...view, fields: {} });
    }
    if (last?.fields !== shared) last = { fields: shared, abridged: abridged(shared) };
    const { fields, large } = over(last.abridged, abridged(own), isDelivered);
    const more = isOverdue(row, overdue) ? { ...largeView(large), overdue: true } : largeView(large);
    return JSON.stringify(workitemView(workflow, row, fields, now, more, triesMax(row)));
  };
}

/** Host and port of a URL, in small letters; null: there is none. */
export const hostIn = (url: string | null): string | null =>
  /\/\/([^/?#]*)/.exec(url ?? '')?.[1]?.toLowerCase() ?? null;

/** One try of a message. */
export const tryView = (logged: LoggedTry): JsonObject => ({
  message: logged.send,
  try: logged.number,
  at: timeView(logged.at),
  status: logged.status,
  milliseconds: logged.milliseconds,
  error: logged.error,
  next_at: timeOrNull(logged.nextAt),
  ...(logged.by === undefined ? {} : { by: logged.by }),
  ...(logged.answer === undefined
    ? {}
    : {
        answer: {
          content_type: logged.answer.type,
          size: logged.answer.bytes,
          excerpt: logged.answer.excerpt,
        },
      }),
});
