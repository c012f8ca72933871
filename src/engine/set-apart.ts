import { encodeMessages } from '../interpreter/state/messages.ts';
import { bareChanges } from '../model/changes.ts';
import type { HistoryEntry } from '../model/history-kinds.ts';
import { type ExpressionId, expressionId, type WorkflowId, workitemId } from '../model/ids.ts';
import type { Changes, ErrorRow, Op, WorkflowRow, WorkitemRow } from '../model/rows.ts';
import { isOver } from '../model/rows.ts';
import type { Loaded, Need } from '../model/stimulus.ts';
import { recorded } from './history.ts';

/*
 * A workflow whose rows no step can work with: a bug of ours, or rows that somebody has changed by hand. It is set apart, which needs nothing
 * of what its rows say: it is kept and listed, in error, and can be killed. A version of the server that can step it again may do so.
 */

/** Stands for the root expression, whose true id is in rows that cannot be read. */
const NOWHERE: ExpressionId = expressionId('0', '0'.repeat(32));
const CLASS = 'InternalError';

/** Of one that is in error: whether it has been set apart already. */
export const SET_APART: Need = { kind: 'error', id: NOWHERE };

/** `loaded` answers SET_APART. Puts the workflow in error with an entry among its errors and in its history; null when it is so already, or over. */
export function setApart({ workflow, errors }: Loaded, message: string, now: number): Changes | null {
  if (workflow === null || isOver(workflow.status)) return null;
  if (workflow.status === 'error' && errors.has(NOWHERE)) return null;
  const details = JSON.stringify({ expid: '0', name: null, deviations: null, fields: {}, message: encodeMessages([]) });
  const row: ErrorRow = { id: NOWHERE, path: '0', workitem: false, class: CLASS, message, at: now, details };
  const entry: HistoryEntry = { kind: 'expression.failed', expid: '0', expression_id: NOWHERE, class: CLASS, message };
  const noted = recorded({ ...workflow, status: 'error', updatedAt: now }, [entry], now);
  return {
    ...bareChanges(noted.workflow),
    errors: new Map([[NOWHERE, { kind: 'put', row }]]),
    history: [noted.history],
  };
}

/** The kill of such a workflow: its participants are told, as those of any other, and everything else of it goes. `loaded`: its open workitems. */
export function killedApart(loaded: Loaded, id: WorkflowId, now: number): Changes | null {
  const { workflow } = loaded;
  if (workflow === null || isOver(workflow.status)) return null;
  const entries: HistoryEntry[] = [];
  const workitems = new Map<ExpressionId, Op<WorkitemRow>>();
  for (const row of loaded.workitems.values()) {
    if (row.state !== 'open') continue;
    const set = {
      ...({ state: 'closed', send: 'cancel', then: null, tries: 0, dueAt: now, heldAt: null, log: '[]' } as const),
      sequence: workflow.lastN + entries.length + 1,
    };
    // Without a URL nothing can be owed, and the sweep takes it.
    if (row.url !== null) workitems.set(row.id, { kind: 'patch', set });
    entries.push({
      kind: 'workitem.closed',
      expid: row.id.slice(0, row.id.indexOf('!')),
      workitem_id: workitemId(row.id, id),
      participant: row.participant,
      status: 'cancel',
    });
  }
  const over: WorkflowRow = { ...workflow, status: 'killed', updatedAt: now, endedAt: now };
  const noted = recorded(over, [...entries, { kind: 'workflow.killed' }], now);
  return { ...bareChanges(noted.workflow), workitems, history: [noted.history], sweep: true };
}
