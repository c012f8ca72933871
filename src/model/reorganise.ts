import type { Json } from './json.ts';
import { DEFINE_NAMES, type Tree, textKey } from './tree.ts';

/**
 * The tree as a launch runs it (docs/definitions.md): a definition becomes `define` and its definitions move to the front,
 * in their order, each treated alike; everything else stays as it is. Expids refer to this tree.
 *
 * @returns `name` and `revision` of a root that is a definition, null where it gives none or is no definition
 */
export function reorganise(tree: Tree): { tree: Tree; name: string | null; revision: string | null } {
  if (!DEFINE_NAMES.has(tree.name)) return { tree, name: null, revision: null };
  return { tree: hoisted(tree), name: definitionName(tree), revision: revisionOf(tree) };
}

function hoisted(tree: Tree): Tree {
  const definitions: Tree[] = [];
  const others: Tree[] = [];
  for (const child of tree.children) {
    if (DEFINE_NAMES.has(child.name)) definitions.push(hoisted(child));
    else others.push(child);
  }
  return { name: 'define', attributes: tree.attributes, children: [...definitions, ...others] };
}

/** The name a definition gives itself: its attribute `name`, else its text; null when it has neither. */
export function definitionName(tree: Tree): string | null {
  return scalarText(tree.attributes.get('name')) ?? scalarText(textKey(tree));
}

const revisionOf = (tree: Tree): string | null =>
  scalarText(tree.attributes.get('revision')) ?? scalarText(tree.attributes.get('rev'));

/** Radial reads `revision: 2` as a number, XML as text; both mean "2". Nothing and empty text are no name at all. */
function scalarText(value: Json | undefined): string | null {
  if (value === undefined || value === null || value === '' || typeof value === 'object') return null;
  return String(value);
}
