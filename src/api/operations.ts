import type { Operation } from './operation.ts';
import type { Parts } from './parts.ts';
import { auditOperations } from './resources/audit/operations.ts';
import { awfOperations } from './resources/awf/operations.ts';
import { batchOperations } from './resources/batches/operations.ts';
import { bpmnOperations } from './resources/bpmn/operations.ts';
import { businessKeyOperations } from './resources/business-keys/operations.ts';
import { definitionOperations } from './resources/definitions/operations.ts';
import { deliveryOperations } from './resources/deliveries/operations.ts';
import { erasingOperations } from './resources/erasing/operations.ts';
import { errorOperations } from './resources/errors/operations.ts';
import { eventOperations } from './resources/events/operations.ts';
import { expressionOperations } from './resources/expressions/operations.ts';
import { figureOperations, statsOperation } from './resources/figures/operations.ts';
import { keyOperations } from './resources/keys/operations.ts';
import { mcpOperations } from './resources/mcp/operations.ts';
import { participantOperations } from './resources/participants/operations.ts';
import { playgroundOperations } from './resources/playground/operations.ts';
import { secretOperations } from './resources/secrets/operations.ts';
import { infoOperation } from './resources/server/info.ts';
import { serverOperations } from './resources/server/operations.ts';
import { sessionOperations } from './resources/sessions/operations.ts';
import { signalOperations } from './resources/signals/operations.ts';
import { subscriptionOperations } from './resources/subscriptions/operations.ts';
import { timerOperations } from './resources/timers/operations.ts';
import { carryOperations } from './resources/workflows/carry.ts';
import { launchOperation } from './resources/workflows/launch-operation.ts';
import { workflowOperations } from './resources/workflows/operations.ts';
import { workitemOperations } from './resources/workitems/operations.ts';

/** Everything the API can do; a worker answers for itself only. */
export function operationsOf(parts: Parts): readonly Operation[] {
  const info = infoOperation(parts, () => all.map(({ id }) => id));
  const server = [...serverOperations(parts), info, ...figureOperations(parts)];
  const own = parts.role === 'worker' ? [] : workflowOperationsOf(parts);
  const others = parts.routes.hasAwfPaths && own.length > 0 ? awfOperations(own) : [];
  const tools = parts.mcp === true && own.length > 0 ? mcpOperations(parts, own) : [];
  const all: readonly Operation[] = [...own, ...others, ...tools, ...server];
  return all;
}

const workflowOperationsOf = (parts: Parts): readonly Operation[] => [
  launchOperation(parts),
  ...workflowOperations(parts),
  ...carryOperations(parts),
  ...eventOperations(parts),
  ...signalOperations(parts),
  ...workitemOperations(parts),
  ...expressionOperations(parts),
  ...errorOperations(parts),
  ...erasingOperations(parts),
  ...deliveryOperations(parts),
  ...timerOperations(parts),
  ...batchOperations(parts),
  ...bpmnOperations(parts),
  ...definitionOperations(parts),
  ...(parts.playground ? playgroundOperations(parts) : []),
  ...statsOperation(parts),
  ...keyOperations(parts),
  ...secretOperations(parts),
  ...sessionOperations(parts),
  ...auditOperations(parts),
  ...businessKeyOperations(parts),
  ...participantOperations(parts),
  ...subscriptionOperations(parts),
];
