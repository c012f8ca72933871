/**
 * # participant
 *
 * Hands the workitem to a participant: its URL is called, and the flow goes on when it proceeds. Any head that is neither an
 * expression nor a bound sub-process is a participant too: `alice task: 'write'`.
 *
 * Attributes: `ref` or the text: the name of the participant. All attributes, substituted, are given to it as the field `params`
 * (the text as a key with the value null; a bare head adds `ref`); children are not run but given as `params.__children__`.
 *
 * Four of them say more, where they are written so: `input` and `output`, as objects only, map what it is given and what is taken of its answer (docs/api-v1.md,
 * Participants); `heartbeat`, a duration: it has to tell that often that it is still at work; `undo`: the participant that undoes its work (`compensate`).
 *
 * ```radial
 * participant ref: 'alice', task: 'write', timeout: '2d'
 * ```
 *
 * Replies: when the participant proceeds, with its fields merged over those of the workitem.
 *
 * Errors: no name; no callback URL for the name (`MissingCallbackUrl`); what the participant says when it gives up
 * (`RuntimeError` unless it names another class); `RetriesExceeded` when it could not be reached for about two days.
 *
 * # read, registerp, unregisterp
 *
 * Refused, at launch: they would read files and URLs of the server, or change who the participants are.
 */

import { LanguageError } from '../../../language/language-error.ts';
import type { JsonObject } from '../../../model/json.ts';
import { withKey, withoutKeys } from '../../../model/json.ts';
import { treeToJson } from '../../../model/tree.ts';
import { attribute, compiledAttributes, optionalText, substituted, toText, treeOf } from '../../life/attributes.ts';
import { refOf } from '../../life/branches.ts';
import { withoutParams } from '../../life/leaving.ts';
import { end } from '../../life/life.ts';
import { checkName } from '../../life/variables.ts';
import { NOT_DELIVERED } from '../../state/fields.ts';
import type { Acting, Expression } from '../../state/world.ts';

export function applyParticipant(x: Acting): void {
  const { node, world } = x;
  const name = toText(attribute(x, 'ref') ?? optionalText(x));
  if (name === '') throw new LanguageError('ArgumentError', 'no participant name specified');
  checkName(world, 'a participant', name);
  let params: JsonObject = compiledAttributes(x);
  const { children } = treeOf(x);
  if (children.length > 0) params = withKey(params, '__children__', substituted(x, children.map(treeToJson)));
  node.applied = withoutKeys(node.applied, ...NOT_DELIVERED);
  node.data = { ...node.data, participant: name, params };
  world.send({ kind: 'dispatch', to: refOf(x) });
}

export const participant: Expression = {
  names: ['participant'],
  apply: applyParticipant,
  cancel: (x) => {
    if (typeof x.node.data['participant'] !== 'string') end(x, x.node.applied);
    else
      x.world.send({ kind: 'dispatch_cancel', to: refOf(x), fields: x.node.applied, cause: x.node.cause ?? 'cancel' });
  },
  replyToParent: (x, fields) => {
    const left = withoutParams(fields);
    // What a participant gave back was measured when it came in.
    x.world.vouch(left);
    end(x, left);
  },
};
