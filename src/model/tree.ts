import { isObject, type Json } from './json.ts';

/**
 * A process definition as data: a head, attributes in written order, children (docs/definitions.md).
 *
 * Attributes are a Map because their order means something (the first null-valued key is the text) and plain objects
 * move integer-like keys to the front.
 */
export type Tree = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, Json>;
  readonly children: readonly Tree[];
};

export const makeTree = (
  name: string,
  attributes: Iterable<readonly [string, Json]> = [],
  children: readonly Tree[] = [],
): Tree => ({
  name,
  attributes: new Map(attributes),
  children,
});

/** The wire form `[name, { attributes }, [children]]`. Integer-like attribute keys lose their place in it. */
export const treeToJson = (tree: Tree): Json => [
  tree.name,
  Object.fromEntries(tree.attributes),
  tree.children.map(treeToJson),
];

/** The form we store: as the wire form, but attributes are a list of pairs, so that their order survives. */
export const treeToStored = (tree: Tree): Json => [tree.name, [...tree.attributes], tree.children.map(treeToStored)];

/** Reads either form. Null when `value` is not a tree all the way down (docs/definitions.md). */
export function treeFromJson(value: Json): Tree | null {
  if (!Array.isArray(value) || value.length !== 3) return null;
  const [name, attributes, children] = value as [Json, Json, Json];
  if (typeof name !== 'string' || !Array.isArray(children)) return null;
  let pairs: [string, Json][];
  if (isObject(attributes)) pairs = Object.entries(attributes) as [string, Json][];
  else if (
    Array.isArray(attributes) &&
    attributes.every((pair) => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string')
  )
    pairs = attributes as [string, Json][];
  else return null;
  const trees: Tree[] = [];
  for (const child of children as Json[]) {
    const tree = treeFromJson(child);
    if (tree === null) return null;
    trees.push(tree);
  }
  return makeTree(name, pairs, trees);
}

/** True for a value in wire form, `[name, { … }, [ … ]]`, all the way down. */
export const isTreeJson = (value: Json): boolean =>
  Array.isArray(value) && value.length === 3 && isObject(value[1] as Json) && treeFromJson(value) !== null;

/** The heads that define a process or a sub-process. */
export const DEFINE_NAMES: ReadonlySet<string> = new Set(['define', 'process_definition', 'workflow_definition']);

/** The text attribute: the first key whose value is null, or undefined when there is none. */
export function textKey(tree: Tree): string | undefined {
  for (const [key, value] of tree.attributes) if (value === null) return key;
  return undefined;
}
