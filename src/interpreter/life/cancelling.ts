import type { ExpressionId } from '../../model/ids.ts';
import type { Cause, Flavour, Message, Value } from '../state/state.ts';
import type { Acting, World } from '../state/world.ts';
import { CHILDREN_PER_TURN, refOf, strandsBelow } from './branches.ts';
import { parentOf, spendVariables, visibleVariables } from './variables.ts';

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
    readonly variables?: ReadonlyMap<string, Value>;
  },
): void {
  const { path, at, alive, flavour, cause, again, after, variables } = below;
  const along = variables === undefined ? {} : { variables };
  const page = strandsBelow(world, { path, at, kind: 'branch', alive, after, limit: CHILDREN_PER_TURN });
  for (const each of page.paths) world.send({ ...cancelFirst(each, { flavour, cause, again }), ...along });
  if (page.next !== null)
    world.send({ kind: 'cancel_children', to: { path, id: at }, flavour, cause, again, after: page.next, ...along });
}

/** A message that cancels whatever expression a strand begins with. */
export const cancelFirst = (
  path: string,
  how: { readonly flavour: Flavour; readonly cause: Cause; readonly again: boolean },
): Extract<Message, { readonly kind: 'cancel' }> => ({
  kind: 'cancel',
  to: { path, id: '' as ExpressionId },
  reapply: null,
  ...how,
});

/** What an expression that is about to go leaves to the handlers of what is cancelled after it: all the variables it can see, as
 * forgotten parts take them along. Nothing where no handler can be. */
export function leftToHandlers(x: Acting): { readonly variables?: ReadonlyMap<string, Value> } {
  if (!x.world.header.onCancels) return {};
  const variables = visibleVariables(x);
  spendVariables(x.world, variables);
  return { variables };
}

/**
 * Whether a cancel of the whole workflow is on its way to this expression: one that is let go now would slip past it. What handlers
 * start because of the cancel is left alone.
 */
export function isCaught(x: Acting): boolean {
  if (!x.world.header.cancelled) return false;
  for (let at: Acting | null = x; at !== null; at = parentOf(at)) if (at.node.trigger !== null) return false;
  return true;
}

/** Cancels an expression that was let go although a cancel was on its way to it. */
export const catchUp = (x: Acting): void =>
  x.world.send({ kind: 'cancel', to: refOf(x), flavour: null, cause: 'cancel', reapply: null, again: false });
