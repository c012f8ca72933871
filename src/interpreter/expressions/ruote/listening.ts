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
 *
 * # await event
 *
 * Waits for an event from outside: an event, message or signal of that type or name, sent to this server (docs/api-v1.md, Events in), or by
 * another workflow.
 *
 * Attributes
 * - `event`: the type, at most 255 characters.
 * - `key`: what the key of the event has to be, compared as text; without it any event of the type will do. `key_from`: where in the event its key
 *   is, as a JSON pointer (`/data/order_id`), for those whose own key (`correlationkey`, else `subject`) is another.
 * - `where`: a condition in which `${event.…}` are parts of the event; the rest is put in when the waiting begins.
 * - `to`: the field that gets the data of the event. `merge: true`: the members of its data go over the fields; `merge: 'ignore'`: the fields stay
 *   as they were. Without both the field `event` gets the whole event.
 * - `times`: how many events, at most 10,000, or `always`. With children each event runs them, one event after the other; with `always` each
 *   launches them, forgotten, and the await never replies.
 *
 * ```radial
 * await event: 'payment.completed', key: '${f:order_id}', to: 'payment', timeout: '5m', on_timeout: 'payment_timeout'
 * ```
 *
 * Replies: after the event, or after the last of them; with children, with their reply. An event that came before somebody waited for it is
 * kept for a while, and goes to the first it fits. Errors: a type that is empty or too long, a condition that is too long, a `times` that is no
 * number.
 */

import { evaluateCondition } from '../../../language/condition.ts';
import { LanguageError } from '../../../language/language-error.ts';
import { literalRegex } from '../../../language/regex.ts';
import { type Fields, isObject, type Json } from '../../../model/json.ts';
import type { EventKind } from '../../../model/rows.ts';
import {
  attribute,
  commaList,
  firstAttribute,
  toText,
  treeOf,
  written,
  writtenAttributes,
} from '../../life/attributes.ts';
import { applyChild, childIndex, launchForgotten } from '../../life/birth.ts';
import { childPath } from '../../life/branches.ts';
import { countEvent, dataOf, eventOf, waitForEvent, waitsOf, withField } from '../../life/events.ts';
import { replyToParent } from '../../life/life.ts';
import { type Conditions, eventWanted, listenFor } from '../../life/listening.ts';
import { mergeGiven } from '../../state/fields.ts';
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
function onHappened(merge: (x: Acting, own: Fields, event: Fields) => Fields): (x: Acting, reply: Reply) => void {
  return (x, reply) => {
    const { node } = x;
    const where = attribute(x, 'where', reply.fields);
    if (where !== null && !evaluateCondition(where)) return;
    const fields = merge(x, node.applied, reply.fields);
    if (treeOf(x).children.length === 0) replyToParent(x, fields);
    else runForgotten(x, fields);
  };
}

/** A forgotten run of the children. */
function runForgotten(x: Acting, fields: Fields): void {
  const { node } = x;
  const several = treeOf(x).children.length > 1;
  const tree = several
    ? { root: node.tree.root, path: node.tree.path === '' ? '*' : `${node.tree.path}.*` }
    : childPath(node.tree, 0);
  launchForgotten(x, { expid: several ? node.expid : `${node.expid}_0`, tree, fields, launch: true });
}

export const listen: Expression = {
  names: ['listen', 'receive', 'intercept'],
  apply: applyListen,
  reply: onHappened((x, own, event) => {
    const merge = toText(attribute(x, 'merge'));
    if (merge === '' || merge === 'true') return { ...own, ...event };
    return merge === 'override' ? event : own;
  }),
};

export const await_: Expression = {
  names: ['await'],
  apply: (x) => {
    if (written(x, 'event') !== null) {
      applyEvent(x);
      return;
    }
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
  reply: (x, reply) => (written(x, 'event') === null ? awaited(x, reply) : childReplied(x, reply)),
};

const awaited = onHappened((x, own, event) => {
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
});

function readWanted(x: Acting, key: string, value: Json): ReturnType<typeof eventWanted> {
  return key === 'await' ? null : eventWanted(key, value === null ? '' : attribute(x, key));
}

// Events from outside.

/** Events that one await takes. */
const TIMES_MAX = 10_000;

function applyEvent(x: Acting): void {
  const times = attribute(x, 'times');
  const always = toText(times) === 'always';
  const count = times === null ? 1 : Number(toText(times));
  if (!always && !(Number.isInteger(count) && count >= 1 && count <= TIMES_MAX))
    throw new LanguageError('ArgumentError', `times is a number from 1 to ${TIMES_MAX}, or always`);
  waitForEvent(x, {
    type: attribute(x, 'event'),
    prefix: '',
    waits: { as: 'await', left: always ? null : count },
  });
}

/** An event has come. */
export function onEvent(x: Acting, id: string): void {
  const { node } = x;
  const { children } = treeOf(x);
  const isForgotten = waitsOf(x)?.left === null;
  if (children.length > 0 && !isForgotten && node.children > 0) {
    // Its turn comes when the children have replied.
    countEvent(x, id);
    node.data['events'] = [...queued(x), id];
    return;
  }
  const fields = withEvent(x, id);
  countEvent(x, id);
  if (isForgotten) {
    if (children.length > 0) runForgotten(x, fields);
  } else if (children.length > 0) applyChild(x, 0, fields);
  else goOn(x, fields);
}

const queued = (x: Acting): readonly string[] => (x.node.data['events'] ?? []) as readonly string[];

/** The fields with what the event brings. */
function withEvent(x: Acting, id: string): Fields {
  const { node, world } = x;
  const event = eventOf(world, id);
  const to = attribute(x, 'to');
  if (to !== null && toText(to) !== '') return withField(x, node.applied, toText(to), dataOf(event));
  const merge = toText(attribute(x, 'merge'));
  if (merge === 'ignore') return node.applied;
  const data = dataOf(event);
  if (merge !== 'true' || !isObject(data)) return withField(x, node.applied, 'event', event);
  world.noteGrowth(world.extentOf(data).characters);
  const fields = mergeGiven(node.applied, data);
  world.checkFields(fields);
  return fields;
}

/** What an event has set off is done: the next one's turn, or the end. */
function goOn(x: Acting, fields: Fields): void {
  const { node } = x;
  node.applied = fields;
  const [next, ...others] = queued(x);
  if (next !== undefined) {
    if (others.length === 0) delete node.data['events'];
    else node.data['events'] = others;
    applyChild(x, 0, withEvent(x, next));
  } else if (waitsOf(x)?.left === 0) replyToParent(x, fields);
}

function childReplied(x: Acting, { fields, from, by }: Reply): void {
  if (by !== 'child') return;
  const next = childIndex(from) + 1;
  if (next < treeOf(x).children.length) applyChild(x, next, fields);
  else goOn(x, fields);
}
