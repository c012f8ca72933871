import { joinHistory, packHistory } from '../model/history.ts';
import type { HistoryEntry } from '../model/history-kinds.ts';
import type { HistoryRow, WorkflowRow } from '../model/rows.ts';

/** The entries as the next history row of `workflow`, and the workflow row that counts them. */
export function recorded(
  workflow: WorkflowRow,
  entries: readonly HistoryEntry[],
  at: number,
): { readonly workflow: WorkflowRow; readonly history: HistoryRow } {
  const lastN = workflow.lastN + entries.length;
  return {
    workflow: { ...workflow, lastN },
    history: { firstN: workflow.lastN + 1, lastN, at, entries: packHistory(entries, workflow.id) },
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
      {
        ...first,
        lastN: first.lastN + 1,
        entries: joinHistory(packHistory([entry], workflow.id), first.entries),
      },
      ...others.map((row) => ({ ...row, firstN: row.firstN + 1, lastN: row.lastN + 1 })),
    ],
  };
}
