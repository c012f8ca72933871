/**
 * # signal
 *
 * Sends an event to whoever waits for it: expressions `await event:` of this and other workflows of the tenant, and BPMN events. Only with the
 * attribute `name`; a participant or sub-process called `signal` that a launch names stays what it is.
 *
 * Attributes
 * - `name`: the type of the event. `key`: whom it is for.
 * - `mode`: `broadcast` (default: everybody who waits now; it is not kept), `competing` (the one that has waited longest, else it is kept for an
 *   hour), `direct` (only the workflow `to` names, kept until that is over).
 * - `to`: the id of a workflow; it makes the event direct.
 * - `data`: what it brings, or `fields`: a comma list of fields that it brings.
 *
 * ```radial
 * signal name: 'stock', key: '${f:item}', fields: 'item, amount'
 * ```
 *
 * Replies: at once; the event goes out when the step is saved.
 *
 * Errors: a `name` that is too long, an unknown `mode`, `direct` without `to`; an event that came of too many others, one by way of the next
 * (`LimitExceeded`).
 */
import { LanguageError } from '../../../language/language-error.ts';
import { lookup } from '../../../language/lookup.ts';
import { type EventMode, keyOf, TYPE_MAX } from '../../../model/events.ts';
import type { Json } from '../../../model/json.ts';
import { attribute, commaList, toText } from '../../life/attributes.ts';
import { replyToParent } from '../../life/life.ts';
import { sendEvent } from '../../life/sending.ts';
import type { Acting, Expression } from '../../state/world.ts';

const MODES: ReadonlySet<string> = new Set(['broadcast', 'competing', 'direct']);

export const signal: Expression = {
  names: ['signal'],
  onlyWith: ['name'],
  apply: (x) => {
    const { node, world } = x;
    const type = toText(attribute(x, 'name'));
    if (type === '' || type.length > TYPE_MAX)
      throw new LanguageError('ArgumentError', `the name of a signal has 1 to ${TYPE_MAX} characters`);
    const to = toText(attribute(x, 'to'));
    const mode = toText(attribute(x, 'mode')) || (to === '' ? 'broadcast' : 'direct');
    if (!MODES.has(mode))
      throw new LanguageError(
        'ArgumentError',
        `signal does not know mode: "${mode}"; it knows ${[...MODES].join(', ')}`,
      );
    if (mode === 'direct' && to === '')
      throw new LanguageError('ArgumentError', 'a direct signal needs "to": the id of a workflow');
    sendEvent(world, {
      type,
      key: keyOf(attribute(x, 'key')),
      mode: mode as EventMode,
      to: mode === 'direct' ? to : null,
      data: dataOf(x),
    });
    world.record({ kind: 'signal.thrown', expid: node.expid, name: type });
    replyToParent(x, node.applied);
  },
};

function dataOf(x: Acting): Json {
  const { applied } = x.node;
  const names = attribute(x, 'fields');
  if (names === null) return attribute(x, 'data') ?? {};
  return Object.fromEntries(commaList(names).map((name) => [name, lookup(applied, name) ?? null]));
}
