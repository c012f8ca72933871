/**
 * # launch
 *
 * Starts a workflow of its own from a stored definition, in the version that is active when it is reached or in the one that is written. Only with
 * the attribute `definition`; a participant or sub-process called `launch` that a launch names stays what it is.
 *
 * Attributes
 * - `definition`: its name, `order` or `order@3`.
 * - `fields`: a comma list of fields that it is given, or an object; without it all fields but `params`.
 * - `to`: the field that gets the id of the workflow.
 *
 * ```radial
 * launch definition: 'billing/invoice', fields: 'customer, amount', to: 'invoice'
 * ```
 *
 * Replies: at once, with the id; the other workflow begins when the step is saved, and goes its own way. (`subprocess ref:` runs a stored definition as
 * a branch of this workflow.)
 *
 * Errors: there is no such definition, or its `input_schema` does not take the fields (`ArgumentError`); workflows that launch each other in a circle
 * (`LimitExceeded`).
 */
import { LanguageError } from '../../../language/language-error.ts';
import { assign, lookup } from '../../../language/lookup.ts';
import { SEND_ID, type SentLaunch } from '../../../model/events.ts';
import { isObject, type JsonObject, withoutKeys } from '../../../model/json.ts';
import { attribute, commaList, toText } from '../../life/attributes.ts';
import { checkInput } from '../../life/inputs.ts';
import { replyToParent } from '../../life/life.ts';
import type { Acting, Expression } from '../../state/world.ts';

export const launch: Expression = {
  names: ['launch'],
  onlyWith: ['definition'],
  apply: (x) => {
    const { node, world } = x;
    const { header, row, now, context } = world;
    const definition = toText(attribute(x, 'definition'));
    const stored = world.stored(definition);
    if (stored === null) throw new LanguageError('ArgumentError', `there is no stored definition '${definition}'`);
    const hops = world.hops + 1;
    if (hops > context.limits.hops)
      throw new LanguageError(
        'LimitExceeded',
        `the launch of ${definition} came of ${hops} events and launches, one by way of the next; more than ${context.limits.hops} are taken for a loop`,
      );
    const fields = fieldsFor(x);
    checkInput(world, stored, fields);
    world.spendCopy(fields);
    const id = world.freshWorkflowId();
    header.sent++;
    // In the version whose schema has taken the fields.
    const pinned = `${stored.name}@${stored.version}`;
    const sent: SentLaunch = { id, definition: pinned, fields, hops, from: row.id };
    const agenda = `${SEND_ID}${header.sent}`;
    world.changeAgenda(agenda, {
      kind: 'put',
      row: {
        ...{ id: agenda, kind: 'event', dueAt: now, heldAt: null, path: null },
        payload: JSON.stringify({ launch: sent }),
      },
    });
    world.record({ kind: 'definition.launched', expid: node.expid, definition, launched: id });
    const to = toText(attribute(x, 'to'));
    if (to === '') return replyToParent(x, node.applied);
    const after = assign(node.applied, to.startsWith('f:') ? to.slice(2) : to, id);
    world.noteGrowth(id.length + to.length);
    world.checkFields(after);
    replyToParent(x, after);
  },
};

function fieldsFor(x: Acting): JsonObject {
  const { applied } = x.node;
  const given = attribute(x, 'fields');
  if (given === null) return withoutKeys(applied, 'params');
  if (isObject(given)) return given;
  return Object.fromEntries(commaList(given).map((name) => [name, lookup(applied, name) ?? null]));
}
