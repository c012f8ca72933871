import { readKeptTrace, type TraceContext } from '../runtime/trace-context.ts';
import type { Tracing } from '../runtime/tracing.ts';
import type { Entry, Verdict } from './entry.ts';
import type { Turn } from './turn.ts';

/**
 * Tells of the steps of a committed batch. A step belongs to the trace of its workflow; what asked for it in another one is a link, for a workflow
 * may last for months.
 *
 * @param now the business time of the batch
 * @param at the process's own time: the steps are committed
 */
export function traceSteps(
  tracing: Tracing,
  turns: readonly Turn[],
  verdicts: ReadonlyMap<Entry, Verdict>,
  { now, at }: { readonly now: number; readonly at: number },
): void {
  const size = turns.reduce((sum, turn) => sum + turn.at, 0);
  for (const turn of turns) {
    if (turn.changes === null) continue;
    const own = readKeptTrace(turn.changes.workflow.trace);
    for (let i = 0; i < turn.at; i++) {
      const entry = turn.entries[i] as Entry;
      if (entry.kind === 'outcome' || verdicts.get(entry)?.kind !== 'answer') continue;
      const { event, span } = entry.stimulus;
      const about = { kind: 'internal', ...around(own, span ?? null) } as const;
      const id = { 'rota.workflow.id': turn.workflow };
      const row = event.kind === 'due' ? turn.base.agenda.get(event.agenda) : undefined;
      if (row?.kind === 'timer')
        tracing.past({
          ...about,
          name: 'rota timer',
          attributes: { ...id, 'rota.timer.lag_seconds': Math.max(0, now - row.dueAt) / 1000 },
          seconds: 0,
        });
      tracing.past({
        ...about,
        name: 'rota step',
        attributes: { ...id, 'rota.event': event.kind, 'rota.batch_size': size },
        seconds: (at - entry.at) / 1000,
      });
    }
  }
}

function around(
  own: TraceContext | null,
  asked: TraceContext | null,
): { readonly parent: TraceContext | null; readonly link?: TraceContext } {
  if (own === null || asked === null) return { parent: own ?? asked };
  return own.traceId === asked.traceId ? { parent: asked } : { parent: own, link: asked };
}
