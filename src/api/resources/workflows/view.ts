import type { JsonObject } from '../../../model/json.ts';
import { readKeptTrace } from '../../../runtime/trace-context.ts';
import type { WorkflowSummary } from '../../../store/store.ts';
import { timeOrNull, timeView } from '../../time.ts';

export const summaryView = (row: WorkflowSummary): JsonObject => ({
  id: row.id,
  name: row.name,
  status: row.status,
  launched_at: timeView(row.launchedAt),
  updated_at: timeView(row.updatedAt),
  ended_at: timeOrNull(row.endedAt),
  ...(row.businessKey === null ? {} : { business_key: row.businessKey }),
  ...traceIdOf(row),
});

/** The trace its launch belongs to. */
function traceIdOf({ trace }: WorkflowSummary): JsonObject {
  const context = readKeptTrace(trace);
  return context === null ? {} : { trace_id: context.traceId };
}
