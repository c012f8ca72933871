import type { Fields, Json } from '../../model/json.ts';
import { ownValue, withoutKeys } from '../../model/json.ts';
import type { WorkitemRow } from '../../model/rows.ts';
import { NOT_DELIVERED } from './fields.ts';
import type { Held, HeldOf, Node } from './state.ts';

/*
 * The fields of an open workitem of the root strand live in the workitem's row alone: what its expression was applied with, and the
 * params, are there, word for word. The strand leaves them out and, when it is read, looks for them only once somebody wants to know:
 * most steps of a workflow that waits elsewhere do not, and a proceed has loaded the row anyway. Other strands keep their own copy, so
 * that cancelling a fork of thousands need not load thousands of workitems.
 */

/** What of it the expression has among its data. */
export const HELD_DATA = ['participant', 'params'] as const;

/** For those who only look at what expressions there are. */
export const heldNowhere: HeldOf = (id) => {
  throw new Error(`Broken assumption: nobody asks here with which fields ${id} was applied`);
};

/** What the row says; `delivered` is what its `fields` say, in which the params come last. */
export const heldIn = (row: WorkitemRow, delivered: Fields): Held => ({
  applied: withoutKeys(delivered, 'params'),
  participant: row.participant,
  params: JSON.parse(row.params) as Json,
});

const ADDED_OR_LEFT_OUT = ['params', ...NOT_DELIVERED];

/** What a workitem will say that is opened for `node` for this participant and with these params; null when there is more to know. */
export function heldBy(node: Node, participant: string, params: Json): Held | null {
  const { applied } = node;
  return ADDED_OR_LEFT_OUT.some((key) => ownValue(applied, key) !== undefined)
    ? null
    : { applied, participant, params };
}

/** Reads what was left unread: from now on the expression keeps it itself. */
export const readAll = ({ applied, data }: Node): Pick<Node, 'applied' | 'data'> => ({ applied, data });
