import { parentOf } from '../../life/variables.ts';
import type { Acting } from '../../state/world.ts';
import { interrupt, isClearing, place } from './flow.ts';
import { childTree, isScope, text, treeOf } from './parts.ts';

/* What somebody does to the tokens of a diagram by hand. What is refused is answered with the reason. */

/** The index of an element of a scope that a token can be put at, or why it cannot. */
function placeFor(scope: Acting, element: string): number | string {
  const index = treeOf(scope).children.findIndex((child) => text(child, 'id') === element);
  if (index < 0) return `${element} is no element of the scope ${text(treeOf(scope), 'id')}`;
  const tree = childTree(scope, index);
  const type = text(tree, 'type');
  if (type === '') return `${element} is no element of the scope ${text(treeOf(scope), 'id')}`;
  if (type === 'boundaryEvent') return `${element} is a boundary event, to which no token comes`;
  if (tree.attributes.get('eventSub') === true || tree.attributes.get('handles') === true)
    return `${element} is begun by what happens, and no token comes to it`;
  return isClearing(scope) ? 'what runs in this scope is being ended' : index;
}

/** Ends an expression and puts its token at another element of its scope; null, or why it cannot be done. */
export function moveToken(x: Acting, to: string): string | null {
  const scope = parentOf(x);
  if (!x.node.kind.startsWith('bpmn:') || scope === null || !isScope(scope))
    return 'only an element that stands in a process or sub-process can be moved';
  const index = placeFor(scope, to);
  if (typeof index === 'string') return index;
  if (x.node.state !== null || x.node.data['boundary'] !== undefined) return 'it is being ended';
  interrupt(x, index, {}, 'cancel');
  return null;
}

/** Puts one token more at an element of a scope; null, or why it cannot be done. */
export function addToken(scope: Acting, at: string): string | null {
  if (!isScope(scope)) return 'tokens are added to a process or a sub-process';
  const index = placeFor(scope, at);
  if (typeof index === 'string') return index;
  place(scope, { index, flow: null }, null);
  return null;
}
