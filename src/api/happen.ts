import type { EngineEvent, EngineStimulus } from '../engine/engine.ts';
import { Fault } from '../model/fault.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { Json } from '../model/json.ts';
import { runHook } from './hooks.ts';
import { noSuchWorkflow } from './ids.ts';
import { type Call, jsonReply, OK, type Reply } from './operation.ts';
import type { Parts } from './parts.ts';

/**
 * Lets something happen to a workflow: the one way from here into the engine, which is told who wants it.
 *
 * @returns what the step answered @throws Fault when it was refused */
export async function happen(
  parts: Pick<Parts, 'engine' | 'hooks'>,
  call: Pick<Call, 'principal' | 'reason'> & Partial<Pick<Call, 'large' | 'span'>>,
  workflow: WorkflowId,
  event: EngineEvent,
  more: Pick<EngineStimulus, 'onlyIf' | 'rehearsal'> = {},
): Promise<Json> {
  const { tenant, actor } = call.principal;
  if (event.kind === 'launch' && parts.hooks?.onLaunch !== undefined) {
    const { name, fields } = event.launch;
    await runHook(parts.hooks.onLaunch, { id: workflow, tenant, actor, name, fields });
  }
  const origin = { by: 'caller', tenant, actor, reason: call.reason } as const;
  const span = call.span == null ? {} : { span: call.span };
  const [answer] = await parts.engine.advance([{ workflow, event, origin, ...span, ...more }]);
  if (answer === undefined) throw new Error(`The engine gave no answer to a ${event.kind}`);
  if (answer.ok && answer.sizes !== undefined) {
    call.large?.('fields', ...answer.sizes.fields);
    call.large?.('expressions', ...answer.sizes.expressions);
  }
  if (answer.ok) return answer.value;
  if (answer.code === 'workflow_not_found') throw noSuchWorkflow(workflow);
  throw new Fault(answer.code, answer.message);
}

/**
 * The same for what can be asked for with `dry_run`: then nothing happens, and the answer says what would.
 *
 * @throws Fault when it was refused, or would be */
export async function happenOrRehearse(
  parts: Pick<Parts, 'engine'>,
  call: Pick<Call, 'principal' | 'reason' | 'body'> & Partial<Pick<Call, 'large' | 'span'>>,
  workflow: WorkflowId,
  event: EngineEvent,
): Promise<Reply> {
  const { body } = call;
  // The values of a form are texts, and of the fixed calls no schema is held against them: what is meant as a rehearsal must not be more.
  const isDry = body['dry_run'] === true || body['dry_run'] === 'true';
  const value = await happen(parts, call, workflow, event, isDry ? { rehearsal: true } : {});
  return isDry ? jsonReply(200, value) : OK;
}
