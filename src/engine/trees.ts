import { invariant } from '../model/fault.ts';
import type { Json } from '../model/json.ts';
import { type Tree, treeFromJson } from '../model/tree.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';

/** Parsed definitions are kept up to this many characters of their texts; the trees take some ten times that. */
export const DEFINITIONS_CHARACTERS_MAX = 8_000_000;

/** Trees by content hash, parsed once per node. A hash tells its text, so nothing here can be out of date. */
export type Definitions = {
  /** The tree, when it is at hand. */
  get(hash: string): Tree | undefined;
  keep(hash: string, tree: Tree, characters: number): void;
  /** Fetches and parses what is not at hand. Answers the trees themselves, for what was kept may be forgotten again at once. */
  load(hashes: Iterable<string>): Promise<ReadonlyMap<string, Tree>>;
};

export function makeDefinitions(fetch: (hash: string) => Promise<string | null>): Definitions {
  const kept = makeBoundedMap<Tree>(DEFINITIONS_CHARACTERS_MAX);
  const keep = (hash: string, tree: Tree, characters: number): void => kept.set(hash, tree, characters);
  return {
    get: (hash) => kept.get(hash),
    keep,
    load: async (hashes) => {
      const trees = new Map<string, Tree>();
      for (const hash of hashes) {
        const text = await fetch(hash);
        if (text === null) continue; // the step that wants it says so
        const tree = parseDefinition(text);
        keep(hash, tree, text.length);
        trees.set(hash, tree);
      }
      return trees;
    },
  };
}

/** A stored definition as a tree. */
export function parseDefinition(text: string): Tree {
  const tree = treeFromJson(JSON.parse(text) as Json);
  invariant(tree !== null, 'a stored definition is a tree');
  return tree;
}
