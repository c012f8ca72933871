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
