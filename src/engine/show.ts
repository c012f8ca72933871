import { deliveredFields } from '../interpreter/fields.ts';
import type { Fields, Json, JsonObject } from '../model/json.ts';
import type { WorkitemRow } from '../model/rows.ts';
import type { Loaded } from '../model/stimulus.ts';
import { type Tree, treeToJson } from '../model/tree.ts';

/* What can be told of a workflow, for rooms that must not look into the interpreter's texts themselves. */

/** The fields a participant holds. `base`: the value of the base row the workitem inherits from, or null. */
export const workitemFields = (row: WorkitemRow, base: string | null): Fields => deliveredFields(row, base);

/** As `workitemFields`, for a workitem that was loaded with its workflow. */
export const loadedWorkitemFields = (row: WorkitemRow, loaded: Loaded): Fields =>
  workitemFields(row, row.inherits === null ? null : (loaded.variables.get(`${row.inherits} ^`)?.value ?? null));

/** What can be told of a workflow besides its row. Times are milliseconds since 1970. */
export type Shown = {
  readonly tags: readonly string[];
  readonly expressions: readonly JsonObject[];
  readonly timers: readonly { readonly expression_id: string; readonly due_at: number; readonly action: string }[];
  readonly fields: Fields;
  readonly tree: Json;
};

export const showWorkflow = (_loaded: Loaded, definition: Tree | null): Shown => ({
  tags: [],
  expressions: [],
  timers: [],
  fields: {},
  tree: definition === null ? null : treeToJson(definition),
});
