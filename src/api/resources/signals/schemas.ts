import { Type } from '../../schema.ts';
import { nextCursor, nullable, text, time } from '../../schema-parts.ts';

/** What became of an event, a message or a signal. */
export const EventAnswer = Type.Object(
  {
    status: Type.Literal('accepted'),
    id: text('The id its sender gave it'),
    event_id: text('Its id here'),
    started: Type.Array(Type.String(), { description: 'Workflows it starts' }),
    resumed: Type.Array(Type.String(), { description: 'Workflows it was handed to, the first 1,000' }),
    more: Type.Optional(Type.Boolean({ description: 'It is being handed to further workflows' })),
    delivered: Type.Boolean({ description: 'One of both is not empty' }),
    kept: Type.Boolean({ description: 'Nobody waited for it: it is kept for the first who does' }),
    kept_until: nullable(time('Until when it is kept; null: it is not, or until its workflow is over')),
    duplicate: Type.Boolean({ description: 'It was here already: this is what became of it then' }),
    skipped: Type.Optional(
      Type.Array(
        Type.Object({ definition: Type.String(), reason: Type.String(), workflow_id: Type.Optional(Type.String()) }),
        { description: 'Definitions that it fitted and did not start' },
      ),
    ),
    element: Type.Optional(text('The element of BPMN that took it')),
  },
  { title: 'EventAnswer' },
);

export const CloudEvent = {
  title: 'CloudEvent',
  description:
    'A CloudEvent (1.0.2): one in JSON, a list of them, or, with its attributes in headers ce-…, a body of any type that is its data',
} as const;

export const EventAnswers = {
  anyOf: [EventAnswer, { type: 'array', items: EventAnswer }],
  title: 'EventAnswers',
} as const;

const members = {
  fields: Type.Optional({ type: 'object', description: 'What it brings' }),
};
export const TenantMessage = Type.Object(
  {
    key: Type.Optional({ type: ['string', 'number', 'boolean', 'null'], description: 'Whom it is for' }),
    ...members,
    ttl: Type.Optional({
      type: ['integer', 'string'],
      description: 'Seconds it is kept where nobody waits for it; default 3,600, at most 2,592,000',
    }),
    message_id: Type.Optional(text('The same one with the same key counts once', { minLength: 1, maxLength: 1_000 })),
    all: Type.Optional(Type.Boolean({ description: 'To everybody who waits for it, instead of the longest waiting' })),
  },
  { title: 'TenantMessage', additionalProperties: false },
);
export const TenantSignal = Type.Object(members, { title: 'TenantSignal', additionalProperties: false });

export const Wait = Type.Object({
  workflow_id: Type.String(),
  expression_id: Type.String(),
  expid: Type.String(),
  type: text('The event it waits for'),
  key: nullable(text('What its key has to be')),
  since: time('When it began to wait'),
  timeout_at: nullable(time('When it gives up')),
  element: Type.Optional(text('The element of BPMN')),
});
export const Waits = Type.Object({ waits: Type.Array(Wait), next_cursor: nextCursor }, { title: 'Waits' });

const shown = {
  event_id: Type.String(),
  id: Type.String(),
  source: Type.String(),
  type: Type.String(),
  key: nullable(Type.String()),
  subject: nullable(Type.String()),
  time: nullable(Type.String()),
  received_at: time('When it came'),
  expires_at: nullable(time('Until when it is kept; null: until its workflow is over')),
  state: Type.OneOf(['kept', 'delivered', 'expired', 'spreading'], 'What became of it'),
  started: Type.Array(Type.String()),
  resumed: Type.Array(Type.String()),
};
export const EventList = Type.Object(
  { events: Type.Array(Type.Object(shown)), next_cursor: nextCursor },
  { title: 'EventList' },
);
export const StoredEvent = Type.Object(
  { ...shown, event: { type: 'object', description: 'As it was sent' } },
  { title: 'StoredEvent' },
);
export const Redeliver = Type.Object(
  { start: Type.Optional(Type.Boolean({ description: 'Definitions are started by it, too; default false' })) },
  { title: 'RedeliverEvent', additionalProperties: false },
);
