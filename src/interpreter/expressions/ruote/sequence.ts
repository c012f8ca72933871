/**
 * # sequence, let
 *
 * Applies its children one after the other, each with the workitem the one before replied with. `let` does the same in a scope of
 * variables of its own, so that definitions and variables inside are local. The body of a definition runs as a sequence.
 *
 * Attributes: only those all expressions have.
 *
 * ```radial
 * sequence
 *   alice task: 'write'
 *   bob task: 'check'
 * ```
 *
 * Replies: when the last child has replied; at once when it has no children.
 *
 * Errors: none of its own.
 *
 * # define, process_definition, workflow_definition
 *
 * As the root of a launched definition: its children run as a sequence, its attributes count as those of any expression. Elsewhere:
 * binds the definition to a variable, for `subprocess` or by its bare name, and replies. Definitions directly inside a definition
 * are bound before anything else runs.
 *
 * Attributes: `name` (or the text): the name it is bound to, in the nearest scope (see Variables). The last definition of a name wins.
 * `revision` (`rev`), at the root: kept with the workflow. At the root no name is needed; with one the definition can call itself.
 *
 * ```radial
 * define main
 *   check
 *   define check
 *     alice
 *     bob
 * ```
 *
 * Replies: at once. The root: when its last child has.
 *
 * Errors: none of its own. A definition inside another that has no name is refused at launch.
 *
 * # noop, echo, stall
 *
 * `noop` replies. `echo` does the same; its text is for the reader of the definition. `stall` never replies;
 * it can be cancelled.
 *
 * Attributes: `text` or the text (echo); not looked at.
 *
 * ```radial
 * concurrence count: 1
 *   stall
 *   noop
 * ```
 *
 * Replies: at once (noop, echo), never (stall).
 *
 * Errors: none of its own.
 */

import { reorganise } from '../../../model/reorganise.ts';
import { DEFINE_NAMES, type Tree } from '../../../model/tree.ts';
import { substituted, toText, treeOf } from '../../life/attributes.ts';
import { applyChild, childIndex, definitionName } from '../../life/birth.ts';
import { isBoundFirst, takeEntry } from '../../life/entering.ts';
import { storedTree } from '../../life/handlers.ts';
import { replyToParent } from '../../life/life.ts';
import { newScope, setVariable } from '../../life/variables.ts';
import { Bound } from '../../state/state.ts';
import type { Acting, Expression, Reply } from '../../state/world.ts';

/** Applies the child after the one that replied, or replies to the parent. */
export function nextInSequence(x: Acting, reply: Pick<Reply, 'fields' | 'from'>): void {
  const tree = treeOf(x);
  let position = reply.from === x.node.id ? 0 : childIndex(reply.from) + 1;
  const entry = isBoundFirst(x, tree, position) ? null : takeEntry(x);
  if (entry !== null) position = entry.index;
  if (position < tree.children.length) applyChild(x, position, reply.fields, entry?.within);
  else replyToParent(x, reply.fields);
}

export const startSequence = (x: Acting): void => nextInSequence(x, { fields: x.node.applied, from: x.node.id });

export const sequence: Expression = { names: ['sequence'], apply: startSequence, reply: nextInSequence };

export const let_: Expression = {
  names: ['let'],
  apply: (x) => {
    x.node.scope ??= newScope();
    startSequence(x);
  },
  reply: nextInSequence,
};

const isHoisted = (tree: Tree): boolean => {
  if (tree.name !== 'define') return false;
  const firstOther = tree.children.findIndex((child) => !DEFINE_NAMES.has(child.name));
  return tree.children.every(
    (child, at) => !DEFINE_NAMES.has(child.name) || ((firstOther < 0 || at < firstOther) && isHoisted(child)),
  );
};

export const define: Expression = {
  names: ['define', 'process_definition', 'workflow_definition'],
  apply: (x) => {
    const tree = treeOf(x);
    const written = definitionName(tree);
    const name = written === null ? '' : toText(substituted(x, written));
    if (name !== '')
      setVariable(
        x,
        name,
        new Bound(x.node.expid, isHoisted(tree) ? x.node.tree : { root: storedTree(reorganise(tree).tree), path: '' }),
      );
    replyToParent(x, x.node.applied);
  },
};

export const noop: Expression = { names: ['noop'], apply: (x) => replyToParent(x, x.node.applied) };

export const echo: Expression = {
  names: ['echo'],
  apply: (x) => replyToParent(x, x.node.applied),
};

export const stall: Expression = { names: ['stall'], apply: () => undefined };
