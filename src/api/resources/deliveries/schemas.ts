import { OBJECT_STATES } from '../../../store/store.ts';
import { Type } from '../../schema.ts';
import { nextCursor, nullable, SEND_STATUSES, text, time } from '../../schema-parts.ts';
import { Deliveries } from '../workitems/schemas.ts';

const tries = Deliveries.properties.deliveries;
const message = {
  message_id: text('Its webhook-id: the same for all its tries'),
  workflow_id: text('The workflow'),
  workitem_id: text('expid!subid!workflow_id'),
  expression_id: text('expid!subid'),
  participant: text('To whom it goes'),
  host: nullable(text('Host and port of its URL')),
  message: Type.OneOf(SEND_STATUSES, 'What it says'),
  state: Type.OneOf(
    [...OBJECT_STATES, 'delivered'],
    'owed: not refused so far; failing: refused, and tried again; spent: its tries are',
  ),
  tries: Type.Integer({ description: 'Tries so far', minimum: 0 }),
  tries_max: nullable(Type.Integer({ description: 'After how many it is given up; null: nobody says', minimum: 1 })),
  next_at: nullable(time('When it is tried next; null: not by itself')),
  opened_at: time('Since when its workitem waits'),
  last: nullable({ type: 'object', description: 'The last try: status, milliseconds, error, at, …' }),
};

export const MessageList = Type.Object(
  {
    deliveries: Type.Array(Type.Object(message)),
    next_cursor: nextCursor,
    looked_at: Type.Optional(
      Type.Integer({ description: 'With answer: messages that were looked through for this page', minimum: 0 }),
    ),
  },
  { title: 'MessageList' },
);

export const Message = Type.Object(
  {
    ...message,
    deliveries: tries,
    request: Type.Object(
      {
        method: Type.Literal('POST'),
        url: text('Where it goes'),
        headers: { type: 'object', description: 'Without signatures, which each try has of its own' },
        body: text('What it says, byte for byte but for the token of its proceed_url'),
      },
      { description: 'The request of its next, or last, try' },
    ),
    edited: Type.Boolean({
      description:
        'Whether its workitem was changed (edited, claimed) since it was opened: earlier tries may have said something else',
    }),
  },
  { title: 'Message', description: 'A message owed to a participant, with every try' },
);
