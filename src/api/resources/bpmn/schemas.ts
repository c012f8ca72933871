import { Type } from '../../schema.ts';
import { nullable, text } from '../../schema-parts.ts';

export const Message = {
  type: 'object',
  additionalProperties: true,
  description: 'All of it is what the message brings: variables by their names',
} as const;

export const Taken = Type.Object(
  {
    delivered: Type.Integer({ description: 'Events that took it' }),
    expression: Type.Optional(nullable(text('The expression that took it: expid!subid'))),
    kept: Type.Optional(Type.Boolean({ description: 'It is kept for an event that waits later' })),
  },
  { title: 'Taken' },
);

const counts = {
  id: text('The element'),
  live: Type.Integer({ description: 'Tokens that stand there' }),
  waiting: Type.Integer({ description: 'Tokens that wait there for others' }),
  failed: Type.Integer({ description: 'Errors that wait for somebody' }),
};

/** A drawing as it is in the file, or as it was made where the file has none. */
export const Diagram = Type.Object(
  {
    process: text('The id of the process'),
    shapes: Type.Array(
      Type.Object({
        id: Type.String(),
        type: Type.String(),
        x: Type.Number(),
        y: Type.Number(),
        width: Type.Number(),
        height: Type.Number(),
        label: Type.String(),
        mark: Type.Object({}, { description: 'What tells shapes of one type apart: event, loop, open, beside' }),
      }),
    ),
    edges: Type.Array(
      Type.Object({
        id: Type.String(),
        type: Type.String(),
        points: Type.Array(Type.Number(), { description: 'x, y, x, y, …' }),
        label: Type.String(),
      }),
    ),
    elements: Type.Array(Type.Object({ ...counts, done: Type.Integer({ description: 'Tokens that have left it' }) })),
    stuck: Type.Array(Type.String()),
  },
  { title: 'Diagram' },
);

export const DefinitionStats = Type.Object(
  {
    name: text('The definition'),
    version: Type.Integer({ minimum: 1 }),
    workflows: Type.Integer({ description: 'Workflows that were looked into, the newest' }),
    complete: Type.Boolean({ description: 'Whether these were all that are live' }),
    elements: Type.Array(Type.Object(counts)),
  },
  { title: 'DefinitionStats' },
);
