/**
 * # subprocess, ref
 *
 * Runs a definition bound to a variable, in a scope of its own that holds the attributes of the call. A bare head does the same
 * when a sub-process of that name is bound; otherwise it is a participant. A variable that holds a text is another name:
 * `set 'v:tom': alice` makes `tom` call alice. A tag is no sub-process and never hides one, nor a participant, of its name. Names may
 * have dots (`db-1.example.org`): a path into the value of a variable comes first; where it leads nowhere the whole name counts.
 *
 * Attributes: `ref` or the text: the name. Attributes `f:name` (`field:name`) become fields, all others (`name`, `v:name`) variables of the
 * sub-process, `ref` and `tag` included. The first child is passed along as the variable `tree`, for `apply`.
 *
 * `subprocess` also runs a stored definition, in the version that is active when it is reached, or in the one that is written: `subprocess ref:
 * 'order@3'`. It is a branch of this workflow, not another one.
 *
 * ```radial
 * define main
 *   approve by: 'alice', 'f:round': 1
 *   define approve
 *     participant '${v:by}'
 * ```
 *
 * Replies: when the body has replied.
 *
 * Errors: `subprocess` of a name to which nothing, or neither a text nor a tree, is bound (other heads are participants then); names that
 * lead to each other in a circle. An attribute `engine`, paths and URLs are refused.
 *
 * # apply
 *
 * Runs a tree: the block that the caller of a sub-process gave, or another one.
 *
 * Attributes: `tree` (a tree as JSON), `tree_v` (a variable holding one), `tree_f` (a field holding one; checked to be a tree).
 * Default: the variable `tree`. All attributes become variables of the run, as written.
 *
 * ```radial
 * define main
 *   twice
 *     alice
 *   define twice
 *     apply
 *     apply
 * ```
 *
 * Replies: when the tree has replied; at once when there is none.
 *
 * Errors: what is given is not a tree.
 */

import { LanguageError } from '../../../language/language-error.ts';
import { assign } from '../../../language/lookup.ts';
import type { Json } from '../../../model/json.ts';
import { isTreeJson } from '../../../model/tree.ts';
import {
  attribute,
  compiledAttributes,
  optionalText,
  prefixedValue,
  prefixedVariableKey,
  presentKey,
  substituted,
  toText,
  treeOf,
  written,
} from '../../life/attributes.ts';
import { launchTree } from '../../life/birth.ts';
import { childPath } from '../../life/branches.ts';
import { replyToParent } from '../../life/life.ts';
import { boundValue, calledValue } from '../../life/variables.ts';
import { Bound, type TreeRef, type Value } from '../../state/state.ts';
import type { Acting, Expression } from '../../state/world.ts';
import { applyParticipant } from './participant.ts';

/** How many names may lead from one to the next before they are taken for a circle. */
const NAMES_MAX = 100;

/** A value that can be run as a sub-process, with the expid to run it at; null when it is something else. */
function runnable(value: Value | undefined): { readonly expid: string; readonly tree: TreeRef } | null {
  if (value instanceof Bound) return { expid: value.expid === '' ? '0' : value.expid, tree: value.tree };
  if (!Array.isArray(value)) return null;
  const list = value as readonly Json[];
  if (isTreeJson(list)) return { expid: '0', tree: { root: list, path: '' } };
  const [expid, tree] = list;
  if (
    list.length === 2 &&
    typeof expid === 'string' &&
    /^\d+(_\d+)*$/.test(expid) &&
    tree !== undefined &&
    isTreeJson(tree)
  )
    return { expid, tree: { root: tree as readonly Json[], path: '' } };
  return null;
}

/** A stored definition, `order` or `order@3`, where nothing here has that name. */
function storedOne({ world }: Acting, name: string): ReturnType<typeof runnable> {
  const found = world.stored(name);
  return found === null ? null : { expid: '0', tree: { root: found.hash, path: '' } };
}

function callSubprocess(x: Acting, name: string): void {
  const { node } = x;
  const found = name === '' ? null : (runnable(calledValue(x, name)) ?? storedOne(x, name));
  if (found === null) throw new LanguageError('RuntimeError', `no subprocess named '${name}' found`);
  const variables = new Map<string, Value>();
  for (const [key, value] of Object.entries(compiledAttributes(x)) as [string, Json][]) {
    const bare = key.slice(key.indexOf(':') + 1);
    if (/^f(ield)?:./.test(key)) node.applied = assign(node.applied, bare, value);
    else variables.set(bare, value);
  }
  variables.set('tree', treeOf(x).children.length > 0 ? new Bound('', childPath(node.tree, 0)) : null);
  launchTree(x, { ...found, fields: node.applied, variables });
}

export const subprocess: Expression = {
  names: ['subprocess'],
  apply: (x) => {
    if (presentKey(x, 'engine') !== null)
      throw new LanguageError('ArgumentError', 'attribute engine (remote engines) is not supported');
    callSubprocess(x, toText(attribute(x, 'ref') ?? optionalText(x)));
  },
};

/** Any head that is not the name of an expression, and `ref`. */
export const ref: Expression = {
  names: ['ref'],
  apply: (x) => {
    const { node, world } = x;
    const head = world.tree(node.tree).name;
    const key = head === 'ref' ? toText(attribute(x, 'ref') ?? optionalText(x)) : toText(substituted(x, head));
    let name = key;
    let value = calledValue(x, name);
    for (let hops = 0; typeof value === 'string'; hops++) {
      if (hops >= NAMES_MAX) throw new LanguageError('RuntimeError', `the names that '${key}' leads to form a circle`);
      name = value;
      value = calledValue(x, name);
    }
    node.added = [
      ...node.added.filter(([added]) => added !== 'ref'),
      ['ref', name],
      ...(name === key ? [] : ([['original_ref', key]] as const)),
    ];
    const aliased = name === key ? undefined : world.registry.get(name);
    if (value === undefined && aliased !== undefined && aliased.family === undefined) {
      node.name = name;
      node.kind = aliased.names[0] ?? name;
      aliased.apply(x);
      return;
    }
    node.kind = value === undefined || value === null ? 'participant' : 'subprocess';
    node.name = node.kind;
    if (node.kind === 'participant') applyParticipant(x);
    else callSubprocess(x, name);
  },
};

export const apply: Expression = {
  names: ['apply'],
  apply: (x) => {
    const { node } = x;
    const key = prefixedVariableKey(x, 'tree');
    const plain = presentKey(x, 'tree', 'tree_val', 'tree_value');
    const given: Value | undefined =
      plain !== null
        ? written(x, plain)
        : key !== null
          ? boundValue(x, toText(written(x, key)))
          : (prefixedValue(x, 'tree') ?? boundValue(x, 'tree'));
    if (given === undefined || given === null || given === false) {
      replyToParent(x, node.applied);
      return;
    }
    const found = runnable(given);
    if (found === null)
      throw new LanguageError(
        'ArgumentError',
        'apply was given something that is not a tree: [name, { attributes }, [children]]',
      );
    launchTree(x, {
      expid: `${node.expid}_0`,
      tree: found.tree,
      fields: node.applied,
      variables: new Map(Object.entries(compiledAttributes(x, true)) as [string, Json][]),
    });
  },
};
