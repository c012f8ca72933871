import { Type } from '../../schema.ts';
import { nextCursor, nullable, text, time } from '../../schema-parts.ts';
import { Try } from '../workitems/schemas.ts';

export const ErrorRecord = Type.Object(
  {
    workflow_id: Type.Optional(text('The workflow (lists only)')),
    expression_id: text('Where it happened: expid!subid; of a stuck gateway the process'),
    expid: text('The place in the tree'),
    workitem_id: nullable(text('The workitem concerned, if there is one')),
    element: Type.Optional(text('Of BPMN: the id of the element')),
    class: text('What kind of error'),
    message: text('What happened'),
    at: time('When it happened; of a stuck gateway when its workflow moved last'),
    fingerprint: Type.Optional(
      text(
        'The same for errors at one place of one definition that differ only in ids, numbers and quoted texts (lists only)',
      ),
    ),
    definition: Type.Optional(text('The hash of the definition of the workflow (lists only)')),
    name: Type.Optional(nullable(text('The name that definition gives itself (lists only)'))),
    participant: Type.Optional(nullable(text('Whose workitem it happened at (lists only)'))),
    host: Type.Optional(nullable(text('Host and port that participant is at (lists only)'))),
    last_try: Type.Optional(nullable({ ...Try, description: 'The last try of that workitem (lists only)' })),
  },
  { title: 'Error', description: 'An error that waits for someone' },
);

export const ErrorList = Type.Object(
  {
    errors: Type.Array(ErrorRecord),
    next_cursor: nextCursor,
    groups: Type.Optional(
      Type.Array(
        Type.Object({
          key: nullable(text('What they have in common; null: they have none')),
          count: Type.Integer({ description: 'How many there are', minimum: 1 }),
          workflows: Type.Integer({ description: 'In how many workflows', minimum: 1 }),
          first_at: time('When the oldest of them happened'),
          last_at: time('When the newest of them happened'),
          hours: Type.Array(Type.Integer({ minimum: 0 }), {
            description: 'How many happened in each of the last 24 hours, the oldest first',
            minItems: 24,
            maxItems: 24,
          }),
          example: ErrorRecord,
        }),
        { description: 'With group_by: the largest first' },
      ),
    ),
    looked_at: Type.Optional(Type.Integer({ description: 'With group_by: errors that were gathered' })),
    complete: Type.Optional(Type.Boolean({ description: 'With group_by: whether these were all' })),
  },
  { title: 'ErrorList' },
);
