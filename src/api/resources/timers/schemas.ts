import { Type } from '../../schema.ts';
import { nextCursor, nullable, text, time } from '../../schema-parts.ts';

export const TimerList = Type.Object(
  {
    timers: Type.Array(
      Type.Object({
        workflow_id: text('The workflow'),
        name: nullable(text('The name its definition gives itself')),
        expression_id: text('expid!subid'),
        expid: text('The place in the tree'),
        due_at: time('When it fires'),
        action: text('What happens then'),
      }),
    ),
    next_cursor: nextCursor,
    looked_at: Type.Optional(
      Type.Integer({ description: 'With action: timers that were looked through for this page', minimum: 0 }),
    ),
  },
  { title: 'TimerList' },
);
