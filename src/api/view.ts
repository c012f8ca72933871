import { unpackHistory } from '../model/history.ts';
import { expidOf, type WorkflowId, workitemId } from '../model/ids.ts';
import type { Fields, JsonObject } from '../model/json.ts';
import type { ErrorRow, HistoryRow, WorkitemRow } from '../model/rows.ts';
import type { NodeRow, WorkflowSummary } from '../store/store.ts';

/* Rows → what callers see (api/schemas.ts). Times become RFC 3339 in UTC. */

export const timeView = (at: number): string => new Date(at).toISOString();
const timeOrNull = (at: number | null): string | null => (at === null ? null : timeView(at));

export const summaryView = (row: WorkflowSummary): JsonObject => ({
  id: row.id,
  name: row.name,
  status: row.status,
  launched_at: timeView(row.launchedAt),
  updated_at: timeView(row.updatedAt),
  ended_at: timeOrNull(row.endedAt),
});

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

export const errorView = (workflow: WorkflowId, row: ErrorRow): JsonObject => ({
  expression_id: row.id,
  expid: expidOf(row.id),
  workitem_id: row.workitem ? workitemId(row.id, workflow) : null,
  class: row.class,
  message: row.message,
  at: timeView(row.at),
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

export const nodeView = (row: NodeRow): JsonObject => ({
  id: row.id,
  role: row.role,
  url: row.url,
  version: row.version,
  started_at: timeView(row.startedAt),
  seen_at: timeView(row.seenAt),
  alive: row.alive,
});
