import { isOver } from '../model/rows.ts';
import { type Meter, NO_METER } from '../runtime/meter.ts';
import type { Entry, Verdict } from './entry.ts';
import type { Turn } from './turn.ts';

/**
 * Tells the meter what a committed batch came to: workflows that began and ended, steps, how long workitems were open, how late timers fired.
 *
 * @param now the business time of the batch
 * @param at the process's own time: the steps are committed
 */
export function measure(
  meter: Meter,
  turns: readonly Turn[],
  verdicts: ReadonlyMap<Entry, Verdict>,
  { now, at }: { readonly now: number; readonly at: number },
): void {
  if (meter === NO_METER) return;
  for (const turn of turns) {
    for (const { failed } of turn.failed) if (failed.isLast) meter.exhausted();
    if (turn.changes === null) continue;
    const { tenant, status } = turn.changes.workflow;
    const before = turn.base.workflow;
    if (before === null) meter.launched(tenant);
    if (isOver(status) && (before === null || !isOver(before.status))) meter.ended(tenant, status);
    for (let i = 0; i < turn.at; i++) measureEntry(meter, turn, turn.entries[i] as Entry, tenant);
  }

  function measureEntry(to: Meter, turn: Turn, entry: Entry, tenant: string): void {
    if (entry.kind === 'outcome') return;
    const verdict = verdicts.get(entry);
    if (verdict?.kind !== 'answer' || !verdict.answer.ok) return;
    const { event } = entry.stimulus;
    to.step(tenant, event.kind, (at - entry.at) / 1000);
    if (event.kind === 'proceed') {
      const opened = turn.base.workitems.get(event.workitem)?.openedAt;
      if (opened !== undefined) to.waited((now - opened) / 1000);
    } else if (event.kind === 'due') {
      const row = turn.base.agenda.get(event.agenda);
      if (row?.kind === 'timer') to.timer(tenant, (now - row.dueAt) / 1000);
    }
  }
}
