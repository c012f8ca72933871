import { Type } from '../../schema.ts';
import { nextCursor, nullable, text, time } from '../../schema-parts.ts';

export const AuditEntry = Type.Object(
  {
    id: text('Names the entry'),
    at: time('When it was asked for'),
    tenant: text('Whose it is; `*`: nobody’s'),
    actor: nullable(text('Who did it: key:<id>, jwt:<issuer>:<subject>; null: nobody who said so')),
    address: nullable(text('From where')),
    action: text('What: key.create, secret.reveal, login.refused, …'),
    object: nullable(text('To what: an id')),
    outcome: text('done, refused, the code of a problem, or asked: a node died before it could tell'),
    reason: nullable(text('Why, in the words of who did it')),
    details: { type: 'object', description: 'More, by action; never a secret' },
  },
  { title: 'AuditEntry', description: 'Something that was done to the server' },
);
export const AuditList = Type.Object(
  { audit: Type.Array(AuditEntry), next_cursor: nextCursor },
  { title: 'AuditList' },
);
