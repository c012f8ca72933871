import type { Json } from '../../model/json.ts';
import { DEFINE_NAMES, type Tree } from '../../model/tree.ts';
import type { Acting } from '../state/world.ts';
import { treeOf } from './attributes.ts';

/*
 * Expressions that begin in the middle: somebody wants a workflow to go on from a step, and what stands before it is not done again.
 */

/** Expressions whose children have their turns one after the other, by their keys in the registry. */
const IN_TURN: ReadonlySet<string> = new Set(['sequence', 'let', 'cursor']);
/** The same by all the heads they have in a tree, but for definitions: those are bound where they stand inside another. */
const IN_TURN_HEADS: ReadonlySet<string> = new Set(['sequence', 'let', 'cursor', 'loop', 'repeat']);

/** Why nothing can begin there, below a root or an expression that runs its children in turn; null: it can. `path`: indexes, from child to child. */
export function whyNotInside(tree: Tree, path: readonly number[]): string | null {
  let at = tree;
  for (const [depth, index] of path.entries()) {
    if (depth > 0 && !IN_TURN_HEADS.has(at.name))
      return `it is inside of ${at.name}, which does not run its children in turn`;
    const child = at.children[index];
    if (child === undefined) return `${at.name} has no child ${index}`;
    at = child;
  }
  return null;
}

/** The same for the tree of a workflow as a whole. */
export function whyNotFrom(tree: Tree, path: readonly number[]): string | null {
  if (path.length > 0 && !DEFINE_NAMES.has(tree.name) && !IN_TURN_HEADS.has(tree.name))
    return `it is inside of ${tree.name}, which does not run its children in turn`;
  return whyNotInside(tree, path);
}

/** The same for a live expression. */
export const whyNotBelow = (x: Acting, path: readonly number[]): string | null =>
  IN_TURN.has(x.node.kind)
    ? whyNotInside(treeOf(x), path)
    : `it is inside of ${x.node.name}, which does not run its children in turn`;

/**
 * The innermost place around one that nothing can begin at, at which something can: all of what is in the way begins again.
 *
 * @param above the place that the path leads down from
 * @param whyNot one of the above
 */
export function placeToBegin(
  above: string,
  path: readonly number[],
  whyNot: (path: readonly number[]) => string | null,
): string {
  let length = path.length - 1;
  while (length > 0 && whyNot(path.slice(0, length)) !== null) length -= 1;
  return [above, ...path.slice(0, Math.max(0, length))].join('_');
}

/** Where an expression that has just set out is to begin, once; null: at its beginning. */
export function takeEntry({
  node,
  strand,
}: Acting): { readonly index: number; readonly within: readonly number[] } | null {
  // Most have none, and of an open workitem nothing is to be read for it.
  const enter: Json | undefined = node.ownData['enter'];
  if (!Array.isArray(enter)) return null;
  const [index = 0, ...within] = enter as readonly number[];
  delete node.data['enter'];
  strand.touched = true;
  return { index, within };
}

/** Definitions in front are bound before anything else runs, wherever it begins. */
export const isBoundFirst = ({ node }: Acting, tree: Tree, position: number): boolean => {
  const enter: Json | undefined = node.ownData['enter'];
  if (!Array.isArray(enter) || position >= Number(enter[0])) return false;
  return DEFINE_NAMES.has(tree.children[position]?.name ?? '');
};
