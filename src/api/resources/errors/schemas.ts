import { Type } from '../../schema.ts';
import { nextCursor, nullable, text, time } from '../../schema-parts.ts';

export const ErrorRecord = Type.Object(
  {
    workflow_id: Type.Optional(text('The workflow (lists only)')),
    expression_id: text('Where it happened: expid!subid'),
    expid: text('The place in the tree'),
    workitem_id: nullable(text('The workitem concerned, if there is one')),
    element: Type.Optional(text('Of BPMN: the id of the element')),
    class: text('What kind of error'),
    message: text('What happened'),
    at: time('When it happened'),
  },
  { title: 'Error', description: 'An error that waits for someone' },
);

export const ErrorList = Type.Object(
  { errors: Type.Array(ErrorRecord), next_cursor: nextCursor },
  { title: 'ErrorList' },
);
