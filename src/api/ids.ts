import { Fault } from '../model/fault.ts';
import { type ExpressionId, ID_LENGTH_MAX, parseWorkitemId, type WorkflowId } from '../model/ids.ts';
import { shorten } from '../model/text.ts';
import type { Call } from './operation.ts';

/* The ids paths name, and what is said where nothing has such an id. */

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
export const shown = (text: string): string => JSON.stringify(shorten(text, 100));
