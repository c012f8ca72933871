import { Type } from '../../schema.ts';
import { Tree } from '../../schema-parts.ts';

/** Body of a validation. */
export const Validate = Type.Object(
  { workflow: Type.Union([Type.String(), Tree], { description: 'As in a launch' }) },
  { title: 'Validate', description: 'A process definition to look at' },
);

export const Validation = Type.Object(
  {
    valid: Type.Boolean(),
    tree: Type.Optional(Tree),
    errors: Type.Array(Type.Object({ message: Type.String(), line: Type.Integer(), column: Type.Integer() })),
    participants: Type.Array(Type.String()),
  },
  { title: 'Validation' },
);
