import { expidOf, type WorkflowId, workitemId } from '../../../model/ids.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { ErrorRow } from '../../../model/rows.ts';
import { timeView } from '../../time.ts';

export const errorView = (workflow: WorkflowId, row: ErrorRow): JsonObject => ({
  expression_id: row.id,
  expid: expidOf(row.id),
  workitem_id: row.workitem ? workitemId(row.id, workflow) : null,
  class: row.class,
  message: row.message,
  at: timeView(row.at),
});
