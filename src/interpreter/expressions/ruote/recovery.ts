/**
 * # error
 *
 * Raises an error.
 *
 * Attributes: `msg`, `message` or the text: what it says. `re` (`reraise`): an error caught before (the field `__error__`), raised
 * again as it was; a text raises a new one, nothing raises none.
 *
 * ```radial
 * error 'the customer is unknown', unless: '${f:customer}'
 * ```
 *
 * Replies: when its error is replayed, so that the flow goes on after it. Errors: `Ruote::ForcedError`.
 *
 * # on_error
 *
 * As a child: gives its parent a handler for errors from here on. As an attribute of any expression: see `on_error` under Attributes.
 *
 * Attributes: the text: what handles (a name, or a word such as `redo`); or `pattern: handler`, the pattern being a message, a class
 * or `/regex/`. With children these are the handler, and the text is the pattern. Without any of these nothing happens.
 *
 * ```radial
 * sequence
 *   on_error '/timeout/': 'retry'
 *   alice
 * ```
 *
 * Replies: at once. Errors: none of its own.
 *
 * # undo, cancel, kill, redo
 *
 * Cancel an expression by its tag; `kill` without its on_cancel; `redo` applies it again with the workitem it had been applied with.
 *
 * Attributes: `ref` or the text: the tag.
 *
 * ```radial
 * concurrence
 *   sequence tag: 'work'
 *     alice
 *   sequence
 *     wait '2d'
 *     undo 'work'
 * ```
 *
 * Replies: at once; `redo` of something it is inside of does not. An unknown tag: nothing happens. Errors: none of their own.
 *
 * # cancel_process, terminate, kill_process
 *
 * Cancels (or kills) the whole workflow.
 *
 * Attributes: only those all expressions have.
 *
 * ```radial
 * cancel_process if: '${f:withdrawn}'
 * ```
 *
 * Replies: never. Errors: none of its own.
 */

import { LanguageError } from '../../../language/language-error.ts';
import type { ExpressionId } from '../../../model/ids.ts';
import type { Json } from '../../../model/json.ts';
import { isObject } from '../../../model/json.ts';
import { isTreeJson, treeToJson } from '../../../model/tree.ts';
import { COMMON_ATTRIBUTES } from '../../../model/vocabulary.ts';
import {
  attribute,
  optionalText,
  presentKey,
  textOf,
  toText,
  treeOf,
  writtenAttributes,
} from '../../life/attributes.ts';
import { childIndex } from '../../life/birth.ts';
import { refOf } from '../../life/branches.ts';
import { errorFromFields } from '../../life/handlers.ts';
import { replyToParent } from '../../life/life.ts';
import { boundValue, isTaggedJson, parentOf } from '../../life/variables.ts';
import { plainReply, Tagged, type Value } from '../../state/state.ts';
import type { Acting, Expression } from '../../state/world.ts';
import { isAncestor } from './commands.ts';

function raise(x: Acting, message: string): never {
  x.node.data['triggered'] = true;
  throw new LanguageError(
    'Ruote::ForcedError',
    message.trim() === '' ? 'error triggered from process definition' : message,
  );
}

export const error: Expression = {
  names: ['error'],
  apply: (x) => x.world.send(plainReply(refOf(x), x.node.id, x.node.applied)),
  reply: (x, { fields }) => {
    if (x.node.data['triggered'] === true) {
      replyToParent(x, fields);
      return;
    }
    if (presentKey(x, 're', 'reraise') === null)
      raise(x, toText(attribute(x, 'msg') ?? attribute(x, 'message') ?? optionalText(x)));
    const former = attribute(x, 'reraise') ?? attribute(x, 're');
    if (former === null) replyToParent(x, x.node.applied);
    else if (isObject(former)) throw errorFromFields(former);
    else raise(x, toText(former));
  },
};

export const onError: Expression = {
  names: ['on_error'],
  apply: (x) => {
    const { node } = x;
    const above = parentOf(x);
    const text = toText(optionalText(x));
    const key =
      text === '' ? ([...writtenAttributes(x).keys()].find((each) => !COMMON_ATTRIBUTES.has(each)) ?? null) : null;
    const { children } = treeOf(x);
    let pattern: Json = key;
    let handler: Json = text === '' ? (key === null ? null : attribute(x, key)) : text;
    if (children.length > 0) {
      pattern = handler;
      handler = ['sequence', {}, children.map(treeToJson)];
    }
    if (above !== null && (pattern !== null || handler !== null)) {
      const { onError: present } = above.node;
      const list: readonly Json[] =
        present === null || present === false
          ? []
          : Array.isArray(present) && !isTreeJson(present)
            ? (present as readonly Json[])
            : [[null, present]];
      above.node.onError = [...list, [pattern, handler, childIndex(node.id)]];
      above.strand.touched = true;
    }
    replyToParent(x, node.applied);
  },
};

/** The expression a tag variable means, or null. */
function tagged(x: Acting, value: Value | undefined): Acting | null {
  if (value instanceof Tagged) return x.world.find(value.ref);
  if (value === undefined || !isObject(value) || !isTaggedJson(value)) return null;
  const id = `${toText(value['expid'])}!${toText(value['subid'])}` as ExpressionId;
  for (const strand of [...x.world.strands.values()]) {
    const node = strand === null || strand.dead ? undefined : strand.nodes.find((each) => each.id === id);
    if (node !== undefined && strand) return { world: x.world, strand, node };
  }
  x.world.want({ kind: 'find', expression: id });
  for (const path of x.world.loaded.strands.keys()) {
    const found = x.world.find({ path, id });
    if (found !== null) return found;
  }
  return null;
}

const target = (x: Acting): Acting | null => {
  const name = toText(attribute(x, 'ref') ?? textOf(x)).trim();
  return name === '' ? null : tagged(x, boundValue(x, name));
};

export const undo: Expression = {
  names: ['undo', 'cancel', 'kill'],
  apply: (x) => {
    const found = target(x);
    if (found !== null)
      x.world.send({
        kind: 'cancel',
        to: refOf(found),
        flavour: x.node.name === 'kill' ? 'kill' : null,
        cause: 'cancel',
        reapply: null,
        again: false,
      });
    replyToParent(x, x.node.applied);
  },
};

export const redo: Expression = {
  names: ['redo'],
  apply: (x) => {
    const found = target(x);
    if (found === null) {
      replyToParent(x, x.node.applied);
      return;
    }
    const reapply = { tree: null, workitem: 'applied', fields: null, retry: false } as const;
    x.world.send({ kind: 'cancel', to: refOf(found), flavour: null, cause: 'cancel', reapply, again: false });
    if (!isAncestor(x, found)) replyToParent(x, x.node.applied);
  },
};

export const cancelProcess: Expression = {
  names: ['cancel_process', 'terminate', 'kill_process'],
  apply: ({ node, world }) => {
    const isKill = node.name === 'kill_process';
    // A cancel that is under way may have begun something again (undo, redo) that asks for the same: it is as if asked from outside once more.
    const again = world.header.cancelled;
    if (isKill) world.header.killed = true;
    else {
      world.header.cancelled = true;
      world.record({ kind: 'workflow.cancelling' });
    }
    world.send({ kind: 'cancel_process', flavour: isKill ? 'kill' : null, after: 0, again });
  },
};
