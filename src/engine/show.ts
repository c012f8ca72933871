import {
  definitionHashOf,
  type ExpressionInspection,
  type Inspection,
  inspect,
  inspectExpression,
  timer,
} from '../interpreter/inspect.ts';
import { addedTo, baseFields, deliveredFields, NOT_DELIVERED } from '../interpreter/state/fields.ts';
import type { ExpressionId } from '../model/ids.ts';
import type { Fields, Json } from '../model/json.ts';
import type { AgendaRow, WorkitemRow } from '../model/rows.ts';
import type { Loaded } from '../model/stimulus.ts';
import type { Tree } from '../model/tree.ts';

/* What can be told of a workflow, for rooms that must not look into the interpreter's texts themselves. */

/** The fields a participant holds. `base`: the value of the base row the workitem inherits from, or null. */
export const workitemFields = (row: WorkitemRow, base: string | null): Fields => deliveredFields(row, base);

/**
 * The fields a participant holds, in two parts: those many workitems share, the very same object for all that inherit from one base, and
 * the workitem's own, which count where both have a name.
 */
export function partedFields(row: WorkitemRow, base: string | null): { readonly shared: Fields; readonly own: Fields } {
  if (row.fields !== null || base === null) return { shared: NONE, own: deliveredFields(row, base) };
  const added = addedTo(row);
  return { shared: baseFields(base), own: { params: JSON.parse(row.params) as Json, ...added } };
}
const NONE: Fields = {};

/** Names that are never delivered from a base (`partedFields` leaves them in). */
export const isDelivered = (name: string): boolean => !NOT_DELIVERED.includes(name);

/** What is live in a workflow, from the rows that were loaded. `definition`: its tree, or null when it is not wanted. */
export function showWorkflow(loaded: Loaded, definition: Tree | null): Inspection {
  const tree = definition ?? undefined;
  return inspect(loaded, () => tree);
}

/** The hash of the definition a live expression is of; null: its tree was made at run time, or it is not live there. */
export const definitionOf = (loaded: Loaded, id: ExpressionId): string | null => definitionHashOf(loaded, id);

/** What a live expression knows, from rows that were loaded for it; null: it is not live there. `definition`: the tree it is of. */
export const showExpression = (
  loaded: Loaded,
  id: ExpressionId,
  definition: Tree | null,
): ExpressionInspection | null => inspectExpression(loaded, id, () => definition ?? undefined);

/** When a timer fires, at which expression, and what happens then. */
export const showTimer = (row: AgendaRow): Inspection['timers'][number] => timer(row);
