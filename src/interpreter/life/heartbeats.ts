import type { ExpressionId } from '../../model/ids.ts';
import type { Json } from '../../model/json.ts';
import { readTerms } from '../../model/participants.ts';
import type { AgendaRow, WorkitemRow } from '../../model/rows.ts';
import type { Acting, World } from '../state/world.ts';
import { refOf } from './branches.ts';
import { schedule, type Waking } from './timers.ts';

/*
 * Signs of life of participants (docs/api-v1.md, Heartbeats). When the next one is due stands in the workitem's row; one agenda row looks there
 * when the one before would have been due, and moves on. So a sign of life costs no change of the agenda.
 */

/** The agenda row that looks after a workitem. */
export function heartbeatRow(row: Pick<WorkitemRow, 'id' | 'path'>, dueAt: number): AgendaRow {
  const waking: Waking = { path: row.path, id: row.id, wake: { do: 'heartbeat' } };
  return {
    id: `${row.id}#life`,
    kind: 'timer',
    dueAt,
    heldAt: null,
    path: row.path,
    payload: JSON.stringify(waking),
  };
}

/** The agenda row is due: a sign of life has come meanwhile, or is missing. */
export function lookForLife(x: Acting): void {
  const { node, world } = x;
  const row = workitemOf(world, node.id);
  if (row === null || row.heartbeatAt == null) return;
  if (row.heartbeatAt > world.now) {
    const next = heartbeatRow(row, row.heartbeatAt);
    world.changeAgenda(next.id, { kind: 'put', row: next });
    return;
  }
  world.record({
    kind: 'timer.fired',
    expid: node.expid,
    expression_id: node.id,
    action: 'timeout',
    reason: 'heartbeat',
  });
  world.send({
    kind: 'cancel',
    to: refOf(x),
    flavour: 'timeout',
    cause: 'timeout',
    reapply: null,
    again: false,
  });
}

function workitemOf(world: World, id: ExpressionId): WorkitemRow | null {
  const row = world.loaded.workitems.get(id);
  if (row === undefined) world.want({ kind: 'workitem', id });
  return row === undefined || row.state !== 'open' ? null : row;
}

export type SignOfLife = { readonly extendMs: number | null; readonly progress: Json };

/** A sign of life of the participant that holds `row`. Answers when the next is due, and by when it has to be done; null: never. */
export function heard(
  x: Acting,
  row: WorkitemRow,
  sign: SignOfLife,
): { readonly heartbeatAt: number | null; readonly deadlineAt: number | null } {
  const { node, world } = x;
  const { heartbeatMs } = readTerms(row.terms);
  const heartbeatAt = heartbeatMs === undefined || row.send !== null ? null : world.now + heartbeatMs;
  world.changeWorkitem(row.id, {
    kind: 'patch',
    set: {
      ...(heartbeatAt === null ? {} : { heartbeatAt }),
      ...(sign.progress === null ? {} : { progress: JSON.stringify(sign.progress) }),
    },
  });
  const timer = node.timers.find(({ action }) => action === 'timeout');
  if (sign.extendMs === null)
    return { heartbeatAt, deadlineAt: timer === undefined ? null : dueAt(world, timer.agenda) };
  if (timer !== undefined) world.changeAgenda(timer.agenda, { kind: 'delete' });
  const deadlineAt = world.now + sign.extendMs;
  const agenda = schedule(x, deadlineAt, { do: 'timeout' });
  node.timers = [...node.timers.filter((one) => one !== timer), { agenda, action: 'timeout' }];
  x.strand.touched = true;
  return { heartbeatAt, deadlineAt };
}

function dueAt(world: World, id: string): number | null {
  const row = world.loaded.agenda.get(id);
  if (row === undefined) world.want({ kind: 'agenda', id });
  return row?.dueAt ?? null;
}
