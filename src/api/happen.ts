import type { EngineEvent } from '../engine/engine.ts';
import { Fault } from '../model/fault.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { Json } from '../model/json.ts';
import { runHook } from './hooks.ts';
import { noSuchWorkflow } from './ids.ts';
import type { Call } from './operation.ts';
import type { Parts } from './parts.ts';

/**
 * Lets something happen to a workflow: the one way from here into the engine, which is told who wants it.
 *
 * @returns what the step answered @throws Fault when it was refused */
export async function happen(
  parts: Pick<Parts, 'engine' | 'hooks'>,
  call: Pick<Call, 'principal' | 'reason'>,
  workflow: WorkflowId,
  event: EngineEvent,
): Promise<Json> {
  const { tenant, actor } = call.principal;
  if (event.kind === 'launch' && parts.hooks?.onLaunch !== undefined) {
    const { name, fields } = event.launch;
    await runHook(parts.hooks.onLaunch, { id: workflow, tenant, actor, name, fields });
  }
  const origin = { by: 'caller', tenant, actor, reason: call.reason } as const;
  const [answer] = await parts.engine.advance([{ workflow, event, origin }]);
  if (answer === undefined) throw new Error(`The engine gave no answer to a ${event.kind}`);
  if (answer.ok) return answer.value;
  if (answer.code === 'workflow_not_found') throw noSuchWorkflow(workflow);
  throw new Fault(answer.code, answer.message);
}
