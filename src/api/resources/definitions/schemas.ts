import { Type } from '../../schema.ts';
import { nullable, Tree } from '../../schema-parts.ts';
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

/** Body of a conversion. */
export const Convert = Type.Object(
  {
    definition: Type.String({ minLength: 1, description: 'The text; at most 1 MB' }),
    from: Type.Optional(
      Type.OneOf(['ruby', 'radial', 'xml', 'json'], 'The format of the text; told by the text where it is left out'),
    ),
    to: Type.OneOf(['radial', 'xml', 'json'], 'The format to write'),
    name: Type.Optional(Type.String({ description: 'Of Ruby with several definitions: the one that is meant' })),
  },
  { title: 'Convert', description: 'A definition to write in another format', additionalProperties: false },
);

export const Converted = Type.Object(
  {
    definition: Type.String({ description: 'The text in the other format' }),
    format: Type.OneOf(['radial', 'xml', 'json'], 'The format of `definition`'),
    from: Type.OneOf(['ruby', 'radial', 'xml', 'json'], 'The format of the text that came'),
    tree: Tree,
    name: nullable(Type.String({ description: 'Of the definition' })),
    names: Type.Array(Type.Object({ name: nullable(Type.String()), line: Type.Integer(), column: Type.Integer() }), {
      description: 'All definitions of the text',
    }),
    warnings: Type.Array(Type.Object({ message: Type.String(), line: Type.Integer(), column: Type.Integer() }), {
      description: 'Legal and probably not meant, or left out',
    }),
  },
  { title: 'Converted' },
);
