import { type Inspection, inspect } from '../interpreter/inspect.ts';
import { deliveredFields } from '../interpreter/state/fields.ts';
import type { Fields } from '../model/json.ts';
import type { WorkitemRow } from '../model/rows.ts';
import type { Loaded } from '../model/stimulus.ts';
import type { Tree } from '../model/tree.ts';
import { parseDefinition } from './definitions.ts';

/* What can be told of a workflow, for rooms that must not look into the interpreter's texts themselves. */

/** The fields a participant holds. `base`: the value of the base row the workitem inherits from, or null. */
export const workitemFields = (row: WorkitemRow, base: string | null): Fields => deliveredFields(row, base);

/** As `workitemFields`, for a workitem that was loaded with its workflow. */
export const loadedWorkitemFields = (row: WorkitemRow, loaded: Loaded): Fields =>
  workitemFields(row, row.inherits === null ? null : (loaded.variables.get(`${row.inherits} ^`)?.value ?? null));

/** What is live in a workflow, from the rows that were loaded. `definition`: the stored text, or null when it is not wanted. */
export function showWorkflow(loaded: Loaded, definition: string | null): Inspection {
  const tree: Tree | undefined = definition === null ? undefined : parseDefinition(definition);
  return inspect(loaded, () => tree);
}
