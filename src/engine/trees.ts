import { invariant } from '../model/fault.ts';
import type { Json } from '../model/json.ts';
import { type Tree, treeFromJson } from '../model/tree.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';

/** Trees of stored definitions are kept up to this many characters of their texts; they take some ten times that. */
export const TREES_CHARACTERS_MAX = 8_000_000;

/** Trees by content hash, parsed once per node. A hash tells its text, so nothing here can be out of date. */
export type Trees = {
  /** The tree, when it is at hand. */
  get(hash: string): Tree | undefined;
  keep(hash: string, tree: Tree, characters: number): void;
  /** Fetches and parses what is not at hand. Answers the trees themselves, for what was kept may be forgotten again at once. */
  load(hashes: Iterable<string>): Promise<ReadonlyMap<string, Tree>>;
  /** At hand or fetched; null when there is no such definition. */
  tree(hash: string): Promise<Tree | null>;
};

export function makeTrees(fetch: (hash: string) => Promise<string | null>): Trees {
  const kept = makeBoundedMap<Tree>(TREES_CHARACTERS_MAX);
  const keep = (hash: string, tree: Tree, characters: number): void => kept.set(hash, tree, characters);
  const fetched = async (hash: string): Promise<Tree | null> => {
    const text = await fetch(hash);
    if (text === null) return null;
    const tree = treeFromJson(JSON.parse(text) as Json);
    invariant(tree !== null, 'a stored definition is a tree');
    keep(hash, tree, text.length);
    return tree;
  };
  return {
    get: (hash) => kept.get(hash),
    keep,
    load: async (hashes) => {
      const trees = new Map<string, Tree>();
      for (const hash of hashes) {
        const tree = await fetched(hash);
        if (tree !== null) trees.set(hash, tree); // else the step that wants it says so
      }
      return trees;
    },
    tree: async (hash) => kept.get(hash) ?? fetched(hash),
  };
}
