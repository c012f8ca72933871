import { unpackHistory } from '../model/history.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { HistoryRow } from '../model/rows.ts';

/** One entry of a workflow's history as callers see it: `n`, `at` (RFC 3339, UTC), `kind` and what belongs to the kind. */
export type Entry = { readonly n: number; readonly at: string; readonly kind: string } & JsonObject;

const family = (name: string, ...ends: readonly string[]): readonly string[] => ends.map((end) => `${name}.${end}`);

/** The kinds of entries there are. A test holds this list against what is recorded. */
export const ENTRY_KINDS: readonly string[] = [
  ...family('workflow', 'launched', 'paused', 'resumed', 'cancelling', 'completed', 'cancelled', 'killed'),
  ...family('expression', 'applied', 'replied', 'failed', 'cancelled', 'replayed'),
  ...family('workitem', 'opened', 'proceeded', 'failed', 'closed', 'edited', 'redelivering'),
  ...family('callback', 'delivered', 'refused', 'exhausted'),
  ...family('timer', 'set', 'fired'),
  ...family('event', 'received'),
  ...family('message', 'sent', 'received'),
  ...family('signal', 'thrown'),
  ...family('error', 'thrown'),
  ...family('escalation', 'thrown'),
  ...family('token', 'passed'),
];

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

/** Times are kept as numbers, under names that end in `at`. */
const withTimes = (entry: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(entry).map(([key, value]): [string, Json] => [
      key,
      /(^|_)at$/.test(key) && typeof value === 'number' ? timeText(value) : value,
    ]),
  );
