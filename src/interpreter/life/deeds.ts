import { LanguageError } from '../../language/language-error.ts';
import type { Json } from '../../model/json.ts';
import { isTreeJson, makeTree, type Tree, treeFromJson } from '../../model/tree.ts';
import type { Trigger } from '../state/state.ts';
import type { Acting } from '../state/world.ts';
import { COMMANDS } from './timers.ts';

/* Reading what a handler says. */

/** What a handler says is to be done. */
export type Deed =
  | { readonly kind: 'again' | 'reply' | 'on_cancel' | 'cando' | 'raise' }
  | { readonly kind: 'store'; readonly target: string }
  | { readonly kind: 'command'; readonly word: string; readonly argument: string | undefined }
  | { readonly kind: 'tree'; readonly tree: Tree };

/** Reads a handler: a word of its own, a command, or the name or tree of what runs instead. */
export function readDeed(x: Acting, on: Trigger, given: Json): Deed {
  if (typeof given !== 'string') {
    const tree = isTreeJson(given) ? treeFromJson(given) : null;
    if (tree !== null) return { kind: 'tree', tree };
    throw new LanguageError('ArgumentError', `${on}: ${JSON.stringify(given)} is neither a name nor a tree`);
  }
  const action = given.trim();
  const [word = '', ...rest] = action.split(/\s+/);
  const hasOnCancel = on !== 'on_cancel' && x.node.onCancel !== null;
  const stored = /^(?:store|bury) *: *(.+)/.exec(action);
  if (stored !== null) return { kind: 'store', target: stored[1] ?? '' };
  if (COMMANDS.has(word)) return { kind: 'command', word, argument: rest.at(-1) };
  if (on === 'on_timeout' && /^err(or)?( |$)/.test(action))
    return { kind: 'tree', tree: makeTree('error', rest.length > 0 ? [[rest.join(' '), null]] : []) };
  switch (action) {
    case 'redo':
    case 'retry':
      return { kind: 'again' };
    case 'undo':
    case 'pass':
    case '':
      return { kind: 'reply' };
    case 'cancel':
      return { kind: hasOnCancel ? 'on_cancel' : 'reply' };
    case 'cando':
      return { kind: hasOnCancel ? 'cando' : 'again' };
    case 'raise':
      return { kind: 'raise' };
    default:
      return { kind: 'tree', tree: makeTree(action) };
  }
}
