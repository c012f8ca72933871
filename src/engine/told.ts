import { workitemId } from '../model/ids.ts';
import type { ErrorRow, WorkitemRow } from '../model/rows.ts';
import { urlOf } from '../model/url.ts';
import type { Log } from '../runtime/log.ts';
import type { FailedTry } from './outcomes.ts';
import type { Turn } from './turn.ts';

/*
 * What the log says of messages and workflows that need somebody, once it is committed: one line for a failed try, one for a schedule that
 * is spent, one for a workflow in error. Hosts are named; paths, queries, fields and the words of participants are not.
 */

/** Tells the log what a committed turn has come to. */
export function tell(log: Log, turn: Turn): void {
  for (const { row, failed } of turn.failed) tellTry(log, turn, row, failed);
  if (turn.changes !== null && turn.changes.errors.size > 0) tellError(log, turn, turn.changes.errors);
}

function tellTry(log: Log, turn: Turn, row: WorkitemRow, failed: FailedTry): void {
  const details = {
    workflow_id: turn.workflow,
    workitem_id: workitemId(row.id, turn.workflow),
    participant: row.participant,
    host: urlOf(row.url ?? '')?.host ?? null,
    send: failed.send,
    ...(failed.status === null ? { reason: failed.reason } : { status: failed.status }),
    try: failed.number,
    milliseconds: failed.milliseconds,
  };
  const nextAt = failed.nextAt === null ? null : new Date(failed.nextAt).toISOString();
  log.info('a try failed', { event: 'try.failed', ...details, next_at: nextAt });
  if (failed.isLast) log.warn('the tries of a message are spent', { event: 'tries.spent', ...details });
}

function tellError(log: Log, turn: Turn, errors: NonNullable<Turn['changes']>['errors']): void {
  const fresh: ErrorRow[] = [];
  // One that is written once more, for its place has moved, was told before.
  for (const [id, op] of errors)
    if (op.kind === 'put' && turn.base.errors.get(id)?.at !== op.row.at) fresh.push(op.row);
  const [first] = fresh;
  if (first === undefined) return;
  const workitem = turn.view.workitems.get(first.id) ?? turn.base.workitems.get(first.id);
  log.warn('a workflow is in error and waits for somebody', {
    event: 'workflow.error',
    workflow_id: turn.workflow,
    expression_id: first.id,
    ...(workitem === undefined
      ? {}
      : { workitem_id: workitemId(first.id, turn.workflow), participant: workitem.participant }),
    reason: first.class,
    errors: fresh.length,
  });
}
