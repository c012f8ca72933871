import { Type } from '../../schema.ts';
import { Tree } from '../../schema-parts.ts';
import { Warnings } from '../../warnings.ts';

/** Body of a validation. */
export const Validate = Type.Object(
  {
    workflow: Type.Union([Type.String(), Tree], { description: 'As in a launch' }),
    callbacks: Type.Optional(
      Type.Object({}, { description: 'As in a launch: participants that have none are warned about' }),
    ),
    strict: Type.Optional(Type.Boolean({ description: 'true: warnings are errors' })),
  },
  { title: 'Validate', description: 'A process definition to look at' },
);

export const Validation = Type.Object(
  {
    valid: Type.Boolean(),
    tree: Type.Optional(Tree),
    format: Type.Optional(Type.String({ description: 'bpmn, where it is BPMN' })),
    errors: Type.Array(
      Type.Object({
        message: Type.String(),
        line: Type.Integer(),
        column: Type.Integer(),
        element: Type.Optional(Type.String({ description: 'Of BPMN: the id of the element' })),
      }),
    ),
    participants: Type.Array(Type.String()),
    warnings: Warnings,
  },
  { title: 'Validation' },
);
