/**
 * # forget
 *
 * Applies all its children without waiting for them: each goes on by itself, with a copy of the workitem and of all variables. The
 * workflow runs until the last of them has ended.
 *
 * Attributes: only those all expressions have. Every expression has the attribute `forget: true` with the same effect.
 *
 * ```radial
 * forget
 *   alice task: 'archive'
 * ```
 *
 * Replies: at once. Errors: none of its own.
 *
 * # lose
 *
 * Applies all its children at once and never replies; it is cancelled with its parent. The attribute `lose: true` does the same to any
 * expression.
 *
 * Attributes: only those all expressions have.
 *
 * ```radial
 * concurrence count: 1
 *   lose
 *     alice task: 'watch'
 *   bob
 * ```
 *
 * Replies: never. Errors: none of its own.
 */
import { treeOf } from '../../life/attributes.ts';
import { launchForgotten } from '../../life/birth.ts';
import { applyBranch, CHILDREN_PER_TURN, childPath, refOf } from '../../life/branches.ts';
import { replyToParent } from '../../life/life.ts';
import type { Acting, Expression } from '../../state/world.ts';

export const forget: Expression = {
  names: ['forget'],
  apply: (x) => {
    const { node } = x;
    for (const index of treeOf(x).children.keys())
      launchForgotten(x, {
        expid: `${node.expid}_${index}`,
        tree: childPath(node.tree, index),
        fields: node.applied,
        launch: false,
      });
    replyToParent(x, node.applied);
  },
};

function loseChildren(x: Acting, from: number): void {
  const { node, world } = x;
  const { length } = treeOf(x).children;
  const to = Math.min(length, from + CHILDREN_PER_TURN);
  for (let index = from; index < to; index++)
    applyBranch(x, { index, expid: `${node.expid}_${index}`, tree: childPath(node.tree, index), fields: node.applied });
  if (to < length) world.send({ kind: 'fork', to: refOf(x), from: to });
}

export const lose: Expression = {
  names: ['lose'],
  apply: (x) => loseChildren(x, 0),
  reply: () => undefined,
  fork: loseChildren,
};
