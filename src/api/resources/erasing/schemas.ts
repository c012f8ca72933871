import { type Schema, Type } from '../../schema.ts';
import { nextCursor, reason, text } from '../../schema-parts.ts';

/** Longest text that is looked for or put in its place. */
const VALUE_MAX = 10_000;
const LOOKED_AT_MAX = 200;

const rows: Schema = { type: 'object', additionalProperties: { type: 'integer' }, description: 'Rows, by table' };
const notReached = Type.Array(text('A sentence'), {
  description: 'Where it may stand beyond, which nobody here can reach',
});

export const Erase = Type.Object(
  {
    value: text('The text that is to go, such as an address of a person', { minLength: 1, maxLength: VALUE_MAX }),
    replacement: Type.Optional(text('What takes its place, default `[erased]`', { maxLength: VALUE_MAX })),
    within: Type.Optional(
      Type.Boolean({
        description: 'true: also where it is a part of a longer text; default: only where a value is that text',
      }),
    ),
    dry_run: Type.Optional(
      Type.Boolean({ description: 'true: nothing is changed, and the answer says where it stands' }),
    ),
    limit: Type.Optional(
      Type.Integer({
        description: 'Workflows this call looks through, default 200',
        minimum: 1,
        maximum: LOOKED_AT_MAX,
      }),
    ),
    cursor: Type.Optional(text('The next_cursor of the call before')),
    reason,
  },
  { title: 'Erase', description: 'A value that is to go', additionalProperties: false },
);
export const ErasedValue = Type.Object(
  {
    workflows: Type.Array(text('The id of a workflow that held it')),
    erased: rows,
    kept: rows,
    not_reached: notReached,
    next_cursor: nextCursor,
  },
  { title: 'ErasedValue', description: 'Where a value stood; some of the workflows in each call' },
);
export const ErasedWorkflowTold = Type.Object(
  { workflow_id: text('It is not there any more'), erased: rows, not_reached: notReached },
  { title: 'ErasedWorkflow', description: 'What went with a workflow' },
);
