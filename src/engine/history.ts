import type { Json } from '../model/json.ts';
import type { HistoryRow, WorkflowRow } from '../model/rows.ts';

/**
 * What happened, as kept in a history row: `kind` and what belongs to it. `at` stands in an entry only where it differs from the
 * row's; the number `n` follows from the row's `firstN`.
 */
export type HistoryEntry = { readonly kind: string; readonly [key: string]: Json };

/** The entries as the next history row of `workflow`, and the workflow row that counts them. */
export function recorded(
  workflow: WorkflowRow,
  entries: readonly HistoryEntry[],
  at: number,
): { readonly workflow: WorkflowRow; readonly history: HistoryRow } {
  const lastN = workflow.lastN + entries.length;
  return {
    workflow: { ...workflow, lastN },
    history: { firstN: workflow.lastN + 1, lastN, at, entries: JSON.stringify(entries) },
  };
}

/** The history of a step, which ends with the entry numbered `workflow.lastN`, with one more entry before it. */
export function withFirstEntry(
  workflow: WorkflowRow,
  history: readonly HistoryRow[],
  entry: HistoryEntry,
  at: number,
): { readonly workflow: WorkflowRow; readonly history: readonly HistoryRow[] } {
  const [first, ...others] = history;
  if (first === undefined) {
    const one = recorded(workflow, [entry], at);
    return { workflow: one.workflow, history: [one.history] };
  }
  return {
    workflow: { ...workflow, lastN: workflow.lastN + 1 },
    history: [
      { ...first, lastN: first.lastN + 1, entries: `[${JSON.stringify(entry)},${first.entries.slice(1)}` },
      ...others.map((row) => ({ ...row, firstN: row.firstN + 1, lastN: row.lastN + 1 })),
    ],
  };
}
