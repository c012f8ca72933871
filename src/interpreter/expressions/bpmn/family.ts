import type { Fields } from '../../../model/json.ts';
import { cancelChildren } from '../../life/cancelling.ts';
import { end } from '../../life/life.ts';
import { parentOf, variablesToJson } from '../../life/variables.ts';
import { closeWorkitem } from '../../life/workitems.ts';
import type { Acting, Expression, Family } from '../../state/world.ts';
import { along, isClearing, leave, type Target } from './flow.ts';
import { flowsOf, isScope, PROCESS, treeOf } from './parts.ts';
import { throwFailure } from './throwing.ts';
import { disarm } from './waits.ts';

/*
 * What all expressions of BPMN have in common: how they are cancelled, and how they go.
 */

export const family: Family = {
  // What was on its way while its scope is being ended goes at once.
  settle: (x) => {
    const parent = parentOf(x);
    if (parent === null || !isClearing(parent)) return x;
    leave(x, []);
    return null;
  },
  leave: (_x, fields) => fields,
  // What BPMN throws was offered to all who catch it.
  takes: (x, error) => error.errorClass !== 'BpmnError' && throwFailure(x, error.message, {}),
};

/** Ends what it waits for and what runs below it; then it is left. */
export function cancelBpmn(x: Acting): void {
  const { node } = x;
  disarm(x);
  if (node.hasWorkitem) closeWorkitem(x, node.cause ?? 'cancel', node.applied);
  if (node.children > 0) cancelChildren(x, node.state === 'dying' ? 'kill' : null, node.cause ?? 'cancel', false);
  else left(x, {});
}

/** Nothing runs below it any more: by its boundary event, once more, with its scope, or by its ordinary flows. */
export function left(x: Acting, _fields: Fields): void {
  const { node, world } = x;
  const parent = parentOf(x);
  world.record({ kind: 'expression.cancelled', expid: node.expid, expression_id: node.id, name: node.name });
  const boundary = node.data['boundary'] as readonly [number, Fields] | undefined;
  if (boundary !== undefined) leave(x, [{ index: boundary[0], flow: null, fields: boundary[1] }]);
  else if (node.reapply !== null) end(x, node.applied);
  else if (parent === null) leave(x, [], resultOf(x));
  else if (isScope(parent) && !isClearing(parent)) leave(x, plainFlows(x));
  else leave(x, [], node.kind === PROCESS ? resultOf(x) : {});
}

/** What a process gives back: its variables. */
export const resultOf = (x: Acting): Fields => (x.node.scope === null ? {} : variablesToJson(x, x.node.scope));

/** The flows of what was cancelled alone: its conditions are not asked. */
const plainFlows = (x: Acting): readonly Target[] => {
  const flows = flowsOf(treeOf(x));
  const bare = flows.filter(([, , condition]) => condition === null);
  return (bare.length > 0 ? bare : flows.slice(0, 1)).map(along);
};

export const common: Pick<Expression, 'family' | 'cancel' | 'replyToParent' | 'gone'> = {
  family,
  cancel: cancelBpmn,
  replyToParent: left,
  gone: disarm,
};
