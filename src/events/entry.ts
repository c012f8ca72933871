import { unpackHistory } from '../model/history.ts';
import { type HistoryEntry, type HistoryKind, isTime } from '../model/history-kinds.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { HistoryRow } from '../model/rows.ts';

/** One entry of a workflow's history as callers see it: `n`, `at` (RFC 3339, UTC), `kind` and what belongs to the kind (model/history-kinds.ts). */
export type Entry = { readonly n: number; readonly at: string; readonly kind: HistoryKind } & JsonObject;

/** The entries of a history row that are numbered above `after`. */
export function entriesOf(workflow: WorkflowId, row: HistoryRow, after: number): readonly Entry[] {
  const entries: Entry[] = [];
  for (const [i, entry] of unpackHistory(row.entries, workflow).entries()) {
    const n = row.firstN + i;
    if (n > after) entries.push({ n, at: timeText(row.at), ...withTimes(entry) } as Entry);
  }
  return entries;
}

const timeText = (at: number): string => new Date(at).toISOString();

/** Times are kept as numbers. */
const withTimes = (entry: HistoryEntry): JsonObject =>
  Object.fromEntries(
    Object.entries(entry).map(([part, value]): [string, Json] => [part, isTime(part, value) ? timeText(value) : value]),
  );
