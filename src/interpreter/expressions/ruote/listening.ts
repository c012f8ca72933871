/**
 * # listen, receive, intercept
 *
 * Waits for something that happens elsewhere: a participant's turn, a tag, an error.
 *
 * Attributes
 * - `to` (`on`): the name of a participant, a tag (`outer/inner` for a full path), `/regex/`, or `errors`.
 * - `upon`: `apply` (default: the participant is given a workitem), `reply` (it has proceeded), `entering`, `leaving` (tags).
 * - `wfid`: `same` (`current`, `true`): only this workflow; default: every workflow of the tenant. Errors: always this one.
 * - `class` (a comma list), `message` (`msg`, a text or `/regex/`): which errors.
 * - `where`: a condition on the workitem of the event.
 * - `merge`: `true` (default: the event's fields over its own), `override` (the event's fields), anything else (its own).
 *
 * ```radial
 * listen to: 'alice', upon: 'reply', wfid: 'same'
 * ```
 *
 * Replies: without children at the first event. With children never: each event launches them, forgotten.
 *
 * Errors: `to` is missing, `upon` is unknown, a regular expression cannot be read.
 *
 * # await
 *
 * The same in other words.
 *
 * Attributes: one of `tag`, `participant`, `error` (or the plural), with a prefix `in_`, `reached_` (default: entered, dispatched)
 * or `out_`, `left_` (left, received); the value is a comma list of names or `/regex/`. For errors, texts shaped like class names
 * mean the class, others the message. `global: true`: every workflow of the tenant. `where`: a condition. `merge`: `override`
 * (default: the event's fields), `ignore` or `drop` (its own), `incoming` (the event's over its own), `awaiting` (its own over the event's).
 *
 * ```radial
 * await left_tag: 'phase1'
 * ```
 *
 * Replies: as listen. Errors: none of the attributes is there; a regular expression that cannot be read.
 */

import { evaluateCondition } from '../../../language/condition.ts';
import { LanguageError } from '../../../language/language-error.ts';
import { literalRegex } from '../../../language/regex.ts';
import type { Fields, Json } from '../../../model/json.ts';
import type { EventKind } from '../../../model/rows.ts';
import { attribute, commaList, firstAttribute, toText, treeOf, writtenAttributes } from '../../life/attributes.ts';
import { launchForgotten } from '../../life/birth.ts';
import { childPath } from '../../life/branches.ts';
import { replyToParent } from '../../life/life.ts';
import { type Conditions, eventWanted, listenFor } from '../../life/listening.ts';
import type { Acting, Expression, Reply } from '../../state/world.ts';

const UPON: ReadonlyMap<string, EventKind> = new Map([
  ['apply', 'dispatched'],
  ['reply', 'received'],
  ['entering', 'entered_tag'],
  ['leaving', 'left_tag'],
]);

function applyListen(x: Acting): void {
  const to = toText(firstAttribute(x, 'to', 'on'));
  if (to === '')
    throw new LanguageError('ArgumentError', 'listen needs "to": a participant, a tag, a /regex/ or errors');
  const upon = toText(attribute(x, 'upon') ?? 'apply');
  const event = to === 'errors' ? 'error' : UPON.get(upon);
  if (event === undefined)
    throw new LanguageError(
      'ArgumentError',
      `listen does not know upon: "${upon}"; it knows apply, reply, entering, leaving`,
    );
  const everywhere = event !== 'error' && !['same', 'current', 'true'].includes(toText(attribute(x, 'wfid')));
  listenFor(x, { event, everywhere, conditions: listenConditions(x, event, to), then: 'reply' });
}

function listenConditions(x: Acting, event: EventKind, to: string): Conditions {
  if (event === 'dispatched' || event === 'received') return { participant: [to] };
  if (event !== 'error') return to.includes('/') && literalRegex(to) === null ? { full_tag: [to] } : { tag: [to] };
  const classes = commaList(attribute(x, 'class') ?? '');
  const message = firstAttribute(x, 'message', 'msg');
  return { ...(classes.length > 0 && { class: classes }), ...(message !== null && { message: [toText(message)] }) };
}

/** What an event does: its fields are merged as told, then the reply, or a forgotten run of the children. */
function onEvent(merge: (x: Acting, own: Fields, event: Fields) => Fields): (x: Acting, reply: Reply) => void {
  return (x, reply) => {
    const { node } = x;
    const where = attribute(x, 'where', reply.fields);
    if (where !== null && !evaluateCondition(where)) return;
    const fields = merge(x, node.applied, reply.fields);
    const { children } = treeOf(x);
    if (children.length === 0) {
      replyToParent(x, fields);
      return;
    }
    const several = children.length > 1;
    const tree = several
      ? { root: node.tree.root, path: node.tree.path === '' ? '*' : `${node.tree.path}.*` }
      : childPath(node.tree, 0);
    launchForgotten(x, { expid: several ? node.expid : `${node.expid}_0`, tree, fields, launch: true });
  };
}

export const listen: Expression = {
  names: ['listen', 'receive', 'intercept'],
  apply: applyListen,
  reply: onEvent((x, own, event) => {
    const merge = toText(attribute(x, 'merge'));
    if (merge === '' || merge === 'true') return { ...own, ...event };
    return merge === 'override' ? event : own;
  }),
};

export const await_: Expression = {
  names: ['await'],
  apply: (x) => {
    const wanted = [...writtenAttributes(x)]
      .map(([key, value]): ReturnType<typeof eventWanted> => readWanted(x, key, value))
      .find((each) => each !== null);
    if (!wanted)
      throw new LanguageError(
        'ArgumentError',
        "couldn't determine which event to listen to: await needs one of tag, participant, error (with in_, left_, …)",
      );
    const everywhere = wanted.event !== 'error' && toText(attribute(x, 'global')) === 'true';
    listenFor(x, { ...wanted, everywhere, then: 'reply' });
  },
  reply: onEvent((x, own, event) => {
    switch (toText(attribute(x, 'merge'))) {
      case 'ignore':
      case 'drop':
        return own;
      case 'incoming':
        return { ...own, ...event };
      case 'awaiting':
        return { ...event, ...own };
      default:
        return event;
    }
  }),
};

function readWanted(x: Acting, key: string, value: Json): ReturnType<typeof eventWanted> {
  return key === 'await' ? null : eventWanted(key, value === null ? '' : attribute(x, key));
}
