import type { ExpressionId } from '../model/ids.ts';
import { CHILDREN_PER_TURN, strandsBelow } from './branches.ts';
import type { Cause, Flavour } from './state.ts';
import type { Acting, World } from './world.ts';

/*
 * Telling children to stop, in turns when there are many.
 */

export function cancelChildren(x: Acting, flavour: Flavour, cause: Cause, again: boolean): void {
  const { node, strand, world } = x;
  if (node.child !== null)
    world.send({ kind: 'cancel', to: { path: strand.path, id: node.child }, flavour, cause, reapply: null, again });
  if (node.branches > 0)
    cancelBranches(world, { path: strand.path, at: node.id, alive: node.branches, flavour, cause, again, after: 0 });
}

/** Cancels branches below an expression (which may be gone already), some now and the others in later turns. */
export function cancelBranches(
  world: World,
  below: {
    readonly path: string;
    readonly at: ExpressionId;
    readonly alive: number;
    readonly flavour: Flavour;
    readonly cause: Cause;
    readonly again: boolean;
    readonly after: number;
  },
): void {
  const { path, at, flavour, cause, again } = below;
  const kin = strandsBelow(world, { path, at, alive: below.alive, after: below.after, limit: CHILDREN_PER_TURN });
  for (const each of kin) {
    if (each.kind === 'flank') continue;
    world.send({
      kind: 'cancel',
      to: { path: each.path, id: '' as ExpressionId },
      flavour,
      cause,
      reapply: null,
      again,
    });
  }
  const last = kin.at(-1);
  if (last !== undefined && kin.length >= CHILDREN_PER_TURN)
    world.send({ kind: 'cancel_children', to: { path, id: at }, flavour, cause, again, after: last.number });
}
