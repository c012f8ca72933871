import type { Fields, Json, JsonObject } from '../model/json.ts';
import { withKey } from '../model/json.ts';
import { toText } from './attributes.ts';
import { refOf } from './branches.ts';
import { encodeMessages } from './encoding.ts';
import { errorFields, findHandler, isImmediate } from './handlers.ts';
import type { LanguageError } from './language-error.ts';
import { withError } from './listening.ts';
import type { Message } from './state.ts';
import type { Acting } from './world.ts';

/*
 * What happens when the handling of a message fails: a handler of the expression or of one above it, else an error record that
 * waits for somebody (language.md 3.5, 4.19, 9).
 */

/** An error was raised while `message` was handled at `x`. */
export function raiseError(x: Acting, message: Message, error: LanguageError): void {
  const fields = errorFields(x, error);
  const carried = carriedFields(x, message);
  const found = findHandler(x, fields);
  if (found !== null && found.handler.action !== '') {
    x.world.record({
      kind: 'expression.failed',
      expid: x.node.expid,
      expression_id: x.node.id,
      class: error.errorClass,
      message: error.message,
      handled_by: found.owner.node.expid,
    });
    x.world.send({
      kind: 'fail',
      to: refOf(found.owner),
      fields: withKey(carried, '__error__', fields),
      immediate: isImmediate(found.handler.action),
    });
    return;
  }
  keepError(x, message, fields, carried);
}

/** Puts an error on record at its expression, for an administrator to replay, or for a proceed to clear. */
export function keepError(
  x: Acting,
  message: Message,
  error: JsonObject,
  carried: Fields = carriedFields(x, message),
): void {
  const { node, strand, world } = x;
  strand.touched = true;
  if (!node.hasError) world.header.errors++;
  node.hasError = true;
  const baseOf = (value: object): string | null => world.bases.get(value as Fields) ?? null;
  world.changeError(node.id, {
    kind: 'put',
    row: {
      id: node.id,
      path: strand.path,
      workitem: node.hasWorkitem,
      class: toText(error['class']),
      message: toText(error['message']),
      at: world.now,
      details: JSON.stringify({
        expid: node.expid,
        name: node.name,
        deviations: error['deviations'] ?? null,
        fields: carried,
        message: encodeMessages([message], baseOf),
      }),
    },
  });
  world.record({
    kind: 'expression.failed',
    expid: node.expid,
    expression_id: node.id,
    class: error['class'] as Json,
    message: error['message'] as Json,
  });
  world.send({ kind: 'intercepted', ref: refOf(x), error, fields: withError(carried, error) });
}

function carriedFields(x: Acting, message: Message): Fields {
  switch (message.kind) {
    case 'reply':
    case 'fail':
    case 'raise':
    case 'dispatch_cancel':
      return message.fields;
    case 'dispatch':
      return withKey(x.node.applied, 'params', x.node.data['params'] ?? {});
    default:
      return x.node.applied;
  }
}
