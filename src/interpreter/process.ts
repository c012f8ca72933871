import type { ExpressionId } from '../model/ids.ts';
import type { Fields, Json } from '../model/json.ts';
import { CHILDREN_PER_TURN, strandsBelow } from './branches.ts';
import { ROOT } from './finish.ts';
import type { Message, Strand } from './state.ts';
import type { World } from './world.ts';

/*
 * Cancelling and killing a workflow as a whole.
 */

const NOWHERE = '' as ExpressionId;

/** Cancels (or kills) every live root: the root strand and what was forgotten, in turns when there are many. */
export function cancelProcess(world: World, message: Extract<Message, { kind: 'cancel_process' }>): void {
  const { flavour, after, again } = message;
  const root = world.strand(ROOT);
  const cancel = (path: string): void =>
    world.send({ kind: 'cancel', to: { path, id: NOWHERE }, flavour, cause: 'cancel', reapply: null, again });
  if (after === 0 && root !== null && root.nodes.length > 0) cancel(ROOT);
  if (world.header.roots === 0) return;
  const kin = strandsBelow(world, {
    path: '',
    at: NOWHERE,
    alive: world.header.roots,
    after,
    limit: CHILDREN_PER_TURN,
  }).filter((each) => each.path !== ROOT);
  for (const { path } of kin) cancel(path);
  const last = kin.at(-1);
  if (last !== undefined && kin.length >= CHILDREN_PER_TURN) world.send({ ...message, after: last.number });
}

/** Ends a workflow at once, whatever its state: every open workitem is owed a notice, everything else goes. */
export function killAtOnce(world: World): void {
  const { header, loaded, now } = world;
  world.want({ kind: 'everything' });
  const root = world.strand(ROOT);
  for (const row of loaded.workitems.values()) {
    if (row.state === 'closed') continue;
    if (row.state === 'failed') world.changeWorkitem(row.id, { kind: 'delete' });
    else
      world.changeWorkitem(row.id, {
        kind: 'patch',
        set: { state: 'closed', send: 'cancel', tries: 0, dueAt: now, heldAt: null, log: '[]' },
      });
    world.record({
      kind: 'workitem.closed',
      expid: row.id.slice(0, row.id.indexOf('!')),
      workitem: row.id,
      participant: row.participant,
      status: 'cancel',
    });
  }
  if (root !== null) {
    root.reply ??= lastFields(root);
    root.nodes.length = 0;
    root.touched = true;
  }
  world.queue.length = 0;
  world.agenda.clear();
  world.sweep = true;
  Object.assign(header, {
    strands: 0,
    expressions: 0,
    roots: 0,
    errors: 0,
    listeners: 0,
    answers: 0,
    continuing: false,
    killed: true,
    tags: {},
  });
}

const lastFields = (strand: Strand): Fields => strand.nodes.at(-1)?.applied ?? ({} satisfies { [key: string]: Json });

/** How many live expressions a kill walks through one by one; a larger workflow is swept at once. */
export const KILL_WALKED_MAX = 2_000;
