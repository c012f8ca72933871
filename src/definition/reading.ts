import type { Tree } from '../model/tree.ts';

/** What a reader of one format found: the tree, and where in the text each node begins (UTF-16 units). */
export type Reading = {
  readonly tree: Tree;
  readonly offsets: ReadonlyMap<Tree, number>;
  readonly doubts?: Doubts;
};

/**
 * What may be written so, and is probably a slip. `indentation`: the line is indented like none of those it could stand beside; `quote`: a text
 * begins with a quote that is never closed.
 */
export type Doubt = 'indentation' | 'quote';
export type Doubts = ReadonlyMap<Tree, readonly Doubt[]>;

/** The place of a node inside the JSON form of its tree: `$` is the root, `$[2][0]` its first child. */
export const pathText = (path: readonly number[]): string => `$${path.map((index) => `[2][${index}]`).join('')}`;
