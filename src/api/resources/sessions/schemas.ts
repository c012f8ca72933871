import { Type } from '../../schema.ts';
import { nullable, text, time } from '../../schema-parts.ts';

/** Body of `POST /v1/session`. */
export const SessionCreate = Type.Object(
  { key: text('An API key', { minLength: 1, maxLength: 200 }) },
  { title: 'SessionCreate', description: 'Who signs in', additionalProperties: false },
);

export const Ticket = Type.Object(
  {
    ticket: nullable(text('For `?ticket=`; null in a repeated answer')),
    expires_at: time('Until when it opens streams'),
  },
  { title: 'Ticket', description: 'What opens a stream of events for somebody who can send no header' },
);
