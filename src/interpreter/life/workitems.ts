import { LanguageError } from '../../language/language-error.ts';
import { workitemId } from '../../model/ids.ts';
import type { Fields, Json, JsonObject } from '../../model/json.ts';
import { isObject, ownValue, withKey, withoutKeys } from '../../model/json.ts';
import type { WorkitemRow } from '../../model/rows.ts';
import { NOT_DELIVERED } from '../state/fields.ts';
import { heldBy } from '../state/held.ts';
import type { Cause } from '../state/state.ts';
import { ROOT } from '../state/state.ts';
import type { Acting } from '../state/world.ts';
import { tell } from './listening.ts';

/*
 * Opening and closing the workitems that participants hold (docs/api-v1.md, The callback).
 */

/** Opens a workitem for the participant of this expression and owes it an `active` message. */
export function openWorkitem(x: Acting): void {
  const { node, strand, world } = x;
  // Replayed after a failure, it is not new: a try of before may still be under way, and whoever saves this has to know.
  if (node.hasWorkitem) world.want({ kind: 'workitem', id: node.id });
  const participant = node.data['participant'] as string;
  const params = (node.data['params'] ?? {}) as JsonObject;
  const inherits = world.bases.get(node.applied) ?? null;
  const fields = withKey(withoutKeys(node.applied, ...NOT_DELIVERED), 'params', params);
  const url = callbackUrl(x, participant);
  if (url === null)
    throw new LanguageError(
      'MissingCallbackUrl',
      `participant '${participant}' has no callback URL: the launch gave none for this name`,
    );
  const text = inherits === null ? JSON.stringify(fields) : null;
  const paramsText = JSON.stringify(params);
  const { fieldsCharacters } = world.context.limits;
  const characters = text?.length ?? paramsText.length;
  world.spend(characters);
  if (characters > fieldsCharacters)
    throw new LanguageError(
      'LimitExceeded',
      `the fields for participant '${participant}' are ${characters} characters long, more than ${fieldsCharacters}`,
    );
  const row: WorkitemRow = {
    id: node.id,
    path: strand.path,
    participant,
    state: 'open',
    fields: text,
    params: paramsText,
    inherits,
    added: null,
    openedAt: world.now,
    revision: 1,
    url,
    send: 'active',
    then: null,
    tries: 0,
    dueAt: world.now,
    heldAt: null,
    log: '[]',
  };
  strand.touched = true;
  node.hasWorkitem = true;
  delete node.data['failed'];
  const held = strand.path === ROOT && text !== null ? heldBy(node, participant, params) : null;
  if (held === null) world.held.delete(node.id);
  else world.held.set(node.id, held);
  world.changeWorkitem(node.id, world.isFresh(node.id) ? { kind: 'put', row, isNew: true } : { kind: 'put', row });
  world.record({
    kind: 'workitem.opened',
    expid: node.expid,
    workitem_id: workitemId(node.id, world.row.id),
    participant,
  });
  tell(world, { event: 'dispatched', participant, from: node.id, fields });
}

function callbackUrl(x: Acting, participant: string): string | null {
  const callbacks = JSON.parse(x.world.row.callbacks) as Json;
  if (typeof callbacks === 'string') return callbacks;
  const url = isObject(callbacks) ? ownValue(callbacks, participant) : undefined;
  return typeof url === 'string' ? url : null;
}

/** Closes the workitem of this expression; its participant is owed a notice, unless it has given up already. */
export function closeWorkitem(x: Acting, cause: Cause, fields: Fields): void {
  const { node, strand, world } = x;
  if (!node.hasWorkitem) return;
  node.hasWorkitem = false;
  strand.touched = true;
  world.record({
    kind: 'workitem.closed',
    expid: node.expid,
    workitem_id: workitemId(node.id, world.row.id),
    participant: (node.data['participant'] ?? null) as string | null,
    status: cause,
  });
  if (node.data['failed'] === true) {
    world.changeWorkitem(node.id, { kind: 'delete' });
    return;
  }
  const timedOut = ownValue(fields, '__timed_out__');
  const added = cause === 'timeout' && timedOut !== undefined ? JSON.stringify({ __timed_out__: timedOut }) : null;
  const opened = world.workitems.get(node.id);
  if (opened?.kind === 'put') {
    // Opened in this very step: the participant hears of it once, and then of its end.
    world.changeWorkitem(node.id, { kind: 'patch', set: { state: 'closed', then: cause, added } });
    return;
  }
  world.changeWorkitem(node.id, {
    kind: 'patch',
    set: { state: 'closed', send: cause, tries: 0, dueAt: world.now, heldAt: null, log: '[]', added },
  });
}
