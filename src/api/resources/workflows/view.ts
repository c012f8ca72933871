import { unpackHistory } from '../../../model/history.ts';
import type { WorkflowId } from '../../../model/ids.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { HistoryRow } from '../../../model/rows.ts';
import type { WorkflowSummary } from '../../../store/store.ts';
import { timeOrNull, timeView } from '../../time.ts';

export const summaryView = (row: WorkflowSummary): JsonObject => ({
  id: row.id,
  name: row.name,
  status: row.status,
  launched_at: timeView(row.launchedAt),
  updated_at: timeView(row.updatedAt),
  ended_at: timeOrNull(row.endedAt),
});

/** The entries of a workflow's history rows that are numbered above `after`, at most `limit`. */
export function historyView(
  workflow: WorkflowId,
  rows: readonly HistoryRow[],
  after: number,
  limit: number,
): readonly JsonObject[] {
  const entries: JsonObject[] = [];
  for (const row of rows) {
    for (const [i, entry] of unpackHistory(row.entries, workflow).entries()) {
      const n = row.firstN + i;
      if (n <= after || entries.length === limit) continue;
      entries.push({ n, at: timeView(row.at), ...entryView(entry) });
    }
  }
  return entries;
}

/** Times are kept as numbers, under names that end in `at`. */
const entryView = (entry: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(entry).map(([key, value]) => [
      key,
      /(^|_)at$/.test(key) && typeof value === 'number' ? timeView(value) : value,
    ]),
  );
