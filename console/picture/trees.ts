import type { Chronicle, Run } from './chronicle.ts';
import { FOREIGN } from './figure.ts';
import { expidIn, isForeignRoot } from './standing.ts';

/*
 * Sub-processes of another tree have places that are counted from 0 anew: what happened there is not what happened at the places of the workflow
 * that have the same numbers.
 */

/** Expressions above another that are looked through. */
const DEPTH_MAX = 500;

/** @returns the root of the other tree an expression is in; null: it is in that of the workflow */
export function treesBy(parentIdOf: (id: string) => string | null): (id: string) => string | null {
  const known = new Map<string, string | null>();
  const treeOf = (id: string, up: number): string | null => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const parentId = parentIdOf(id);
    const tree =
      parentId === null || parentId === '' || up > DEPTH_MAX
        ? null
        : isForeignRoot({ expid: expidIn(id), parentId })
          ? id
          : treeOf(parentId, up + 1);
    known.set(id, tree);
    return tree;
  };
  return (id) => treeOf(id, 0);
}

/** Whether other trees have been run by entry `n`. */
export const hasTrees = (chronicle: Chronicle, n: number): boolean => chronicle.runsAt(FOREIGN, n).some(isForeignRoot);

/** The runs at a place of the tree of the workflow, without those at the same place of another one. */
export function makeHomeRuns(chronicle: Chronicle, n: number): (expid: string) => readonly Run[] {
  if (!hasTrees(chronicle, n)) return (expid) => chronicle.runsAt(expid, n);
  const treeOf = treesBy((id) => chronicle.run(id)?.parentId ?? null);
  return (expid) => chronicle.runsAt(expid, n).filter(({ id }) => treeOf(id) === null);
}
