/**
 * # compensate
 *
 * Undoes what participants have done: each that was registered, or called, with `undo: 'somebody'` and has proceeded is undone by that
 * participant, the latest first, one by one.
 *
 * Attributes: `tag`: only what was done while that tag was entered; `all: true`: everything. Without one of the two, `compensate` is the name of a
 * participant or sub-process, and so it is where the launch names a participant so.
 *
 * ```radial
 * sequence
 *   book_flight undo: 'cancel_flight'
 *   book_hotel undo: 'cancel_hotel'
 *   compensate all: true, if: '${sold_out}'
 * ```
 *
 * The undoing participant is given the fields as they were when the other had proceeded, and `__undo__` (`{ participant, expid }`); what it answers is
 * dropped. One that fails waits as an error: a replay goes on, and cancelling its expression skips it. What was undone is not undone again.
 *
 * Replies: when all is undone, with the workitem as it came.
 *
 * Errors: those of the undoing participants.
 */

import { withKey } from '../../../model/json.ts';
import { makeTree } from '../../../model/tree.ts';
import { attribute, isTrueText, toText } from '../../life/attributes.ts';
import { launchTree } from '../../life/birth.ts';
import { storedTree } from '../../life/handlers.ts';
import { replyToParent } from '../../life/life.ts';
import { latestUndo, UNDO, useUp } from '../../life/undoing.ts';
import type { Acting, Expression } from '../../state/world.ts';

/** Undoes the latest that is left, or replies. */
function next(x: Acting): void {
  const { node, world } = x;
  const tag = attribute(x, 'tag');
  const found =
    tag === null && !isTrueText(attribute(x, 'all')) ? null : latestUndo(world, tag === null ? null : toText(tag));
  if (found === null) {
    replyToParent(x, node.applied);
    return;
  }
  const { number, done } = found;
  node.data['undoing'] = number;
  x.strand.touched = true;
  launchTree(x, {
    expid: `${node.expid}_0`,
    tree: { root: storedTree(makeTree('participant', [['ref', done.undo]])), path: '' },
    fields: withKey(done.fields, UNDO, { participant: done.participant, expid: done.expid }),
    variables: new Map(),
  });
}

export const compensate: Expression = {
  names: ['compensate'],
  onlyWith: ['tag', 'all'],
  apply: next,
  reply: (x) => {
    const { undoing } = x.node.data;
    if (typeof undoing === 'number') useUp(x.world, undoing);
    delete x.node.data['undoing'];
    next(x);
  },
};
