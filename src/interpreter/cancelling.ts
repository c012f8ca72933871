import type { ExpressionId } from '../model/ids.ts';
import { CHILDREN_PER_TURN, strandsBelow } from './branches.ts';
import type { Cause, Flavour, Message } from './state.ts';
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
  const { path, at, alive, flavour, cause, again, after } = below;
  const page = strandsBelow(world, { path, at, kind: 'branch', alive, after, limit: CHILDREN_PER_TURN });
  for (const each of page.paths) world.send(cancelFirst(each, { flavour, cause, again }));
  if (page.next !== null)
    world.send({ kind: 'cancel_children', to: { path, id: at }, flavour, cause, again, after: page.next });
}

/** A message that cancels whatever expression a strand begins with. */
export const cancelFirst = (
  path: string,
  how: { readonly flavour: Flavour; readonly cause: Cause; readonly again: boolean },
): Message => ({ kind: 'cancel', to: { path, id: '' as ExpressionId }, reapply: null, ...how });
