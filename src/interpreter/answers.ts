import { isOver } from '../model/rows.ts';
import type { Answer, Happening } from '../model/stimulus.ts';
import type { World } from './state/world.ts';

/* What stimuli are answered with. */

export type Of<Kind extends Happening['kind']> = Extract<Happening, { readonly kind: Kind }>;

export const done: Answer = { ok: true, value: null };
export const fault = (code: Extract<Answer, { ok: false }>['code'], message: string): Answer => ({
  ok: false,
  code,
  message,
});
export const NO_WORKITEM = fault('workitem_not_found', 'workitem_id not found');
export const NO_WORKFLOW = fault('workflow_not_found', 'workflow_id not found');

/** Over: nothing can happen to it any more. */
export const isGone = (world: World): boolean => isOver(world.row.status);
