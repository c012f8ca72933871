import type { EngineEvent } from '../../engine/engine.ts';
import { Fault } from '../../model/fault.ts';
import { type ExpressionId, ID_LENGTH_MAX, parseWorkitemId, type WorkflowId } from '../../model/ids.ts';
import type { Json } from '../../model/json.ts';
import type { AnswerSpec, Call } from '../operation.ts';
import type { Parts } from '../parts.ts';
import type { Schema } from '../schema.ts';
import { Problem } from '../schemas.ts';

/** Lets something happen to a workflow. @returns what the step answered @throws Fault when it was refused */
export async function happen(parts: Parts, workflow: WorkflowId, event: EngineEvent): Promise<Json> {
  const [answer] = await parts.engine.advance([{ workflow, event }]);
  if (answer === undefined) throw new Error(`The engine gave no answer to a ${event.kind}`);
  if (answer.ok) return answer.value;
  if (answer.code === 'workflow_not_found') throw noSuchWorkflow(workflow);
  throw new Fault(answer.code, answer.message);
}

/** The workflow a path names. @throws Fault when nothing can have that id, so that no database is asked for rubbish */
export function workflowIdOf(call: Call): WorkflowId {
  const id = call.params['workflow_id'] ?? '';
  if (!/^[\w-]+$/.test(id) || id.length > ID_LENGTH_MAX) throw noSuchWorkflow(id);
  return id as WorkflowId;
}

export const noSuchWorkflow = (id: string): Fault =>
  new Fault('workflow_not_found', `There is no workflow ${shown(id)}, or not any more`);

/** The workitem a path names, `expid!subid!workflow_id`; null when `text` cannot be one. */
export function workitemKeyOf(text: string): { readonly workflow: WorkflowId; readonly workitem: ExpressionId } | null {
  const parsed = parseWorkitemId(text);
  if (parsed === null || !/^[\w-]+$/.test(parsed.workflow)) return null;
  return { workflow: parsed.workflow, workitem: parsed.expression };
}

export const noSuchWorkitem = (id: string): Fault =>
  new Fault('workitem_not_found', `There is no open workitem ${shown(id)}: it was proceeded, cancelled, or never was`);

/** The expression a path names, `expid!subid`. @throws Fault when nothing can have that id */
export function expressionIdOf(call: Call, code: 'expression_not_found' | 'error_not_found'): ExpressionId {
  const id = call.params['expression_id'] ?? '';
  if (!/^\d+(_\d+)*![0-9a-f]{32}$/.test(id) || id.length > ID_LENGTH_MAX)
    throw new Fault(code, `There is no ${code === 'error_not_found' ? 'error at' : 'live expression'} ${shown(id)}`);
  return id as ExpressionId;
}

/** A stranger's text in a message of ours: quoted and short. */
export const shown = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);

/** The answers of an operation for its description: the good one and the complaints it may have. */
export function answers(
  status: number,
  description: string,
  schema: Schema | null,
  ...problems: readonly number[]
): Readonly<Record<number, AnswerSpec>> {
  const all: Record<number, AnswerSpec> = { [status]: { description, ...(schema === null ? {} : { schema }) } };
  for (const problem of problems) all[problem] = { description: PROBLEMS[problem] ?? 'A complaint', schema: Problem };
  return all;
}

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'Something about the request is wrong; the words in `error` are fixed',
  404: 'There is no such thing, or not any more',
  409: 'It conflicts with how things stand',
  412: 'Somebody else changed it in the meantime',
  422: 'The body has the wrong shape',
  428: 'If-Match is required',
};
