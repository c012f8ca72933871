import { LanguageError } from '../../../language/language-error.ts';
import type { Fields, Json } from '../../../model/json.ts';
import { isObject, type JsonObject } from '../../../model/json.ts';
import { newScope, parentOf, variablesToJson } from '../../life/variables.ts';
import type { Acting, Expression, Reply } from '../../state/world.ts';
import { beginActivity, completeActivity, isAsked, replyToMany } from './activity.ts';
import { recordsOf, undoSub } from './compensation.ts';
import { common, resultOf } from './family.ts';
import { CLEARED, fieldsOfCleared, isClearing, leave, OVER, place, react, settle } from './flow.ts';
import { asPayload } from './happening.ts';
import { childTree, eventOf, list, PROCESS, SUB, text, treeOf } from './parts.ts';
import { arm } from './waits.ts';

/*
 * Scopes: a process, a sub-process. They own variables and tokens.
 */

/** Arms the event sub-processes, then puts a token at each start. */
function open(x: Acting, payload: Fields): void {
  const tree = treeOf(x);
  for (const index of list(tree, 'eventSubs') as readonly number[]) {
    const sub = childTree(x, index);
    const start = sub.children[(list(sub, 'starts') as readonly number[])[0] ?? -1];
    const event = start === undefined ? null : eventOf(start);
    if (start !== undefined && event !== null)
      arm(x, `s${index}`, event, start.attributes.get('interrupting') === false);
  }
  for (const index of list(tree, 'starts') as readonly number[]) place(x, { index, flow: null, fields: payload }, null);
  settle(x);
}

/** Whatever comes to a scope: its own events, and that it is empty. True when it was for the scope itself. */
function scopeReply(x: Acting, reply: Reply, over: () => void): void {
  const { node } = x;
  const from = String(reply.from);
  if (from === OVER) {
    if (node.children === 0 && node.data['arrived'] === undefined && !isClearing(x)) over();
  } else if (from === CLEARED) {
    if (node.children > 0 || node.data['clearing'] === undefined) return;
    const then = fieldsOfCleared(node.data['clearing'] as Json);
    delete node.data['clearing'];
    if (then === null) over();
    else {
      node.data['interrupted'] = true;
      place(x, then, null);
    }
  } else if (from.startsWith('@')) react(x, from.slice(1), asPayload({ fields: reply.fields }));
}

export const process: Expression = {
  ...common,
  names: [PROCESS],
  apply: (x) => {
    const { node } = x;
    if (parentOf(x) === null) {
      node.scope = newScope(Object.entries(node.applied) as [string, Json][]);
      node.applied = {};
    } else node.scope ??= newScope();
    const starts = treeOf(x).children.filter((child) => text(child, 'type') === 'startEvent');
    if (list(treeOf(x), 'starts').length === 0 && starts.length > 0)
      throw new LanguageError(
        'ExpressionError',
        `the process has several start events that wait for something: ${starts.map((start) => text(start, 'id')).join(', ')}`,
      );
    open(x, {});
  },
  reply: (x, reply) =>
    scopeReply(x, reply, () => {
      x.world.record({ kind: 'expression.replied', expid: x.node.expid, expression_id: x.node.id, name: x.node.name });
      leave(x, [], resultOf(x));
    }),
};

export const sub: Expression = {
  ...common,
  names: [SUB],
  apply: (x) => {
    const record = x.node.applied['__undo__'];
    if (isObject(record)) undoSub(x, record, (index) => place(x, { index, flow: null, fields: {} }, null));
    else beginActivity(x, () => open(x, x.node.applied));
  },
  fork: (x, from) => isAsked(x, from),
  reply: (x, reply) => {
    if (x.node.data['many'] !== undefined) {
      if (!replyToMany(x, reply) && String(reply.from).startsWith('@'))
        react(x, String(reply.from).slice(1), asPayload({ fields: reply.fields }));
      return;
    }
    if (x.node.data['undoing'] !== undefined) {
      undoSub(x, null, () => null);
      return;
    }
    scopeReply(x, reply, () => completeActivity(x, {}, { variables: snapshot(x), done: recordsOf(x) }));
  },
};

const snapshot = (x: Acting): JsonObject => (x.node.scope === null ? {} : variablesToJson(x, x.node.scope));
