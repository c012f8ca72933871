import { type WorkflowId, workitemId } from '../../../model/ids.ts';
import type { Fields, JsonObject } from '../../../model/json.ts';
import type { WorkitemRow } from '../../../model/rows.ts';
import { timeOrNull, timeView } from '../../time.ts';

export const workitemView = (workflow: WorkflowId, row: WorkitemRow, fields: Fields): JsonObject => ({
  id: workitemId(row.id, workflow),
  workflow_id: workflow,
  expression_id: row.id,
  participant: row.participant,
  status: row.state,
  fields,
  opened_at: timeView(row.openedAt),
  revision: row.revision,
  callback: {
    url: row.url,
    owed: row.send,
    tries: row.tries,
    next_at: row.send === null ? null : timeOrNull(row.dueAt),
  },
});
