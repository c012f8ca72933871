import { type ExpressionId, workitemId } from '../../model/ids.ts';
import type { Fields, Json } from '../../model/json.ts';
import type { Message, Strand } from '../state/state.ts';
import { ROOT } from '../state/state.ts';
import type { World } from '../state/world.ts';
import { CHILDREN_PER_TURN, strandsBelow } from './branches.ts';
import { cancelFirst } from './cancelling.ts';

/*
 * Cancelling and killing a workflow as a whole.
 */

const NOWHERE = '' as ExpressionId;

/** Cancels (or kills) every live root: the root strand and what was forgotten, in turns when there are many. */
export function cancelProcess(world: World, message: Extract<Message, { kind: 'cancel_process' }>): void {
  const { flavour, after, again } = message;
  const root = world.strand(ROOT);
  const how = { flavour, cause: 'cancel', again } as const;
  if (after === 0 && root !== null && root.nodes.length > 0) world.send(cancelFirst(ROOT, how));
  if (world.header.roots === 0) return;
  const page = strandsBelow(world, {
    path: '',
    at: NOWHERE,
    kind: 'forgotten',
    alive: world.header.roots,
    after,
    limit: CHILDREN_PER_TURN,
  });
  for (const path of page.paths) world.send(cancelFirst(path, how));
  if (page.next !== null) world.send({ ...message, after: page.next });
}

/** Kills a workflow at once, whatever its state. */
export function killAtOnce(world: World): void {
  world.header.killed = true;
  endAtOnce(world);
}

/** Ends a workflow at once, whatever its state: every open workitem is owed a notice, everything else goes. */
export function endAtOnce(world: World): void {
  const { header, loaded, now } = world;
  world.want({ kind: 'open_workitems' });
  if (header.pausedAt !== null) {
    // The pause ends with it: notices owed from before would be held back for ever.
    world.shift = now - header.pausedAt;
    header.pausedAt = null;
  }
  const root = world.strand(ROOT);
  for (const op of world.workitems.values())
    if (op.kind === 'put' && op.row.state !== 'closed')
      world.changeWorkitem(
        op.row.id,
        op.row.url === null ? { kind: 'delete' } : { kind: 'patch', set: { state: 'closed', then: 'cancel' } },
      );
  for (const row of loaded.workitems.values()) {
    if (row.state === 'closed' || world.workitems.has(row.id)) continue;
    // Nobody is told where nobody was asked.
    if (row.state === 'failed' || row.url === null) world.changeWorkitem(row.id, { kind: 'delete' });
    else
      world.changeWorkitem(row.id, {
        kind: 'patch',
        set: { state: 'closed', send: 'cancel', tries: 0, dueAt: now, heldAt: null, log: '[]' },
      });
    world.record({
      kind: 'workitem.closed',
      expid: row.id.slice(0, row.id.indexOf('!')),
      workitem_id: workitemId(row.id, world.row.id),
      participant: row.participant,
      status: 'cancel',
    });
  }
  if (root !== null) {
    root.reply ??= lastFields(root);
    root.nodes.length = 0;
    root.touched = true;
  }
  for (const strand of world.strands.values()) if (strand !== null && strand !== root) strand.touched = false;
  world.queue.length = 0;
  world.agenda.clear();
  world.sweep = true;
  world.waited = header.waiters > 0;
  Object.assign(header, {
    strands: 0,
    expressions: 0,
    roots: 0,
    errors: 0,
    listeners: 0,
    waiters: 0,
    answers: 0,
    continuing: false,
    kept: 0,
    tags: {},
  });
}

const lastFields = (strand: Strand): Fields => strand.nodes.at(-1)?.applied ?? ({} satisfies { [key: string]: Json });

/** How many live expressions a kill walks through one by one; a larger workflow is swept at once. */
export const KILL_WALKED_MAX = 2_000;
