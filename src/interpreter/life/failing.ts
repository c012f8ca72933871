import { LanguageError } from '../../language/language-error.ts';
import type { ExpressionId } from '../../model/ids.ts';
import type { Fields, JsonObject } from '../../model/json.ts';
import { isObject, ownValue, withKey, withoutKeys } from '../../model/json.ts';
import { readOptions } from '../../model/participants.ts';
import { shorten } from '../../model/text.ts';
import { CARRIED, carriedFields, encodeMessages } from '../state/messages.ts';
import type { Message } from '../state/state.ts';
import type { Acting, World } from '../state/world.ts';
import { toText } from './attributes.ts';
import { refOf } from './branches.ts';
import { errorFields, findHandler, isImmediate } from './handlers.ts';
import { withError } from './listening.ts';
import { parentOf } from './variables.ts';

/*
 * What happens when the handling of a message fails: a handler of the expression or of one above it, else an error record that
 * waits for somebody (docs/definitions.md, Handlers, on_error).
 */

/** An error was raised while `message` was handled at `x`. */
export function raiseError(x: Acting, message: Message, error: LanguageError): void {
  // What failed may have used up the work of its message. Telling of it has a budget of its own.
  x.world.begin();
  if (x.world.registry.get(x.node.kind)?.family?.takes?.(x, error) === true) return;
  const fields = errorFields(x, error);
  const carried = carriedFields(message, x.node);
  const found = handlerFor(x, fields);
  if (found !== null && 'unusable' in found) {
    const [most, told] = [x.world.context.limits.errorCharacters - UNUSABLE_CHARACTERS_MAX, toText(fields['message'])];
    const why = shorten(found.unusable, UNUSABLE_CHARACTERS_MAX);
    keepError(
      x,
      message,
      { ...fields, message: `${shorten(told, most)} (on_error could not be asked: ${why})` },
      carried,
    );
    return;
  }
  if (found !== null && found.handler.action !== '') {
    x.world.record({
      kind: 'expression.failed',
      expid: x.node.expid,
      expression_id: x.node.id,
      class: error.errorClass,
      message: toText(fields['message']),
      handled_by: found.owner.node.expid,
    });
    x.world.send({
      kind: 'fail',
      to: refOf(found.owner),
      from: refOf(x),
      fields: withKey(carried, '__error__', fields),
      immediate: isImmediate(found.handler.action),
    });
    return;
  }
  keepError(x, message, fields, carried);
}

/** Who answers for an error. `unusable`: somebody who was to be asked has a pattern that cannot be used; then nobody answers for it. */
function handlerFor(x: Acting, error: JsonObject): ReturnType<typeof findHandler> | { readonly unusable: string } {
  try {
    return findHandler(x, error);
  } catch (thrown) {
    if (thrown instanceof LanguageError) return { unusable: thrown.message };
    throw thrown;
  }
}

/** As much of a complaint about a pattern as an error takes along. */
const UNUSABLE_CHARACTERS_MAX = 500;

/** Puts an error on record at its expression, for an administrator to replay, or for a proceed to clear. */
export function keepError(
  x: Acting,
  message: Message | null,
  error: JsonObject,
  carried: Fields = message === null ? x.node.applied : carriedFields(message, x.node),
): void {
  const { node, strand, world } = x;
  strand.touched = true;
  if (!node.hasError) world.header.errors++;
  node.hasError = true;
  // Large fields are written once: the text of the message stands within the details, where each quote takes several characters.
  const baseOf = (value: object): string | null =>
    value === carried && world.isBulky ? CARRIED : (world.bases.get(value as Fields) ?? null);
  const details = (): string =>
    JSON.stringify({
      expid: node.expid,
      name: node.name,
      deviations: error['deviations'] ?? null,
      fields: carried,
      message: encodeMessages(message === null ? [] : [message], baseOf),
    });
  world.putError(
    {
      id: node.id,
      path: strand.path,
      workitem: node.hasWorkitem,
      class: toText(error['class']),
      message: toText(error['message']),
      at: world.now,
    },
    details,
  );
  world.record({
    kind: 'expression.failed',
    expid: node.expid,
    expression_id: node.id,
    class: toText(error['class']),
    message: toText(error['message']),
  });
  world.send({ kind: 'intercepted', ref: refOf(x), error, fields: withError(carried, error) });
  undoAll(world, toText(error['message']));
}

/** An error that nobody handles undoes what was done, where its launch wants it so: the workflow is cancelled with it. */
function undoAll(world: World, message: string): void {
  const { header, row } = world;
  if (row.options == null || header.cancelled || header.killed || readOptions(row.options).compensate !== true) return;
  header.cancelled = true;
  header.compensating = true;
  header.reason = shorten(message, REASON_CHARACTERS_MAX);
  world.record({ kind: 'workflow.cancelling', reason: header.reason });
  world.send({ kind: 'cancel_process', flavour: null, after: 0, again: true });
}

/** As much of an error as a reason takes. */
const REASON_CHARACTERS_MAX = 1_000;

/** All below `x` are gone, for a handler to run. What had failed is not, if it was let go of meanwhile: then its error is its own again. */
export function keepForgotten({ node, world }: Acting): void {
  const failed = node.data['failed'];
  delete node.data['failed'];
  if (!Array.isArray(failed)) return;
  const [path, id] = failed as [string, ExpressionId];
  const left = world.find({ path, id });
  if (left === null || left.node.state !== null || left.node.hasError) return;
  const error = ownValue(node.applied, '__error__');
  keepError(left, null, isObject(error) ? error : {}, withoutKeys(node.applied, '__error__'));
}

/**
 * Keeps an error where it happened when nobody handles it any more: whoever was to do so is over, or the expression that failed has
 * been let go since (the rest of a concurrence that goes on forgotten). True when that is so.
 */
export function keptAsOrphan(world: World, { to, from, fields }: Extract<Message, { kind: 'fail' }>): boolean {
  const failed = from === undefined ? null : world.find(from);
  if (failed === null || failed.node.state !== null) return false;
  for (let at: Acting | null = failed; at !== null; at = parentOf(at)) if (at.node.id === to.id) return false;
  const error = ownValue(fields, '__error__');
  keepError(failed, null, isObject(error) ? error : {}, withoutKeys(fields, '__error__'));
  return true;
}
