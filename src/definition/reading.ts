import type { Tree } from '../model/tree.ts';

/** What a reader of one format found: the tree, and where in the text each node begins (UTF-16 units). */
export type Reading = { readonly tree: Tree; readonly offsets: ReadonlyMap<Tree, number> };

/** The place of a node inside the JSON form of its tree: `$` is the root, `$[2][0]` its first child. */
export const pathText = (path: readonly number[]): string => `$${path.map((index) => `[2][${index}]`).join('')}`;
