import { EVENT_PATTERNS_MAX } from '../../../model/lifecycle.ts';
import { Type } from '../../schema.ts';
import { nextCursor, nullable, text, time } from '../../schema-parts.ts';

const headers = Type.Object(
  {},
  {
    additionalProperties: { type: 'string', maxLength: 1_000 },
    description: 'Sent with each event; the values are never shown again',
  },
);
const events = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
  minItems: 1,
  maxItems: EVENT_PATTERNS_MAX,
  description:
    'Patterns of types: `*`, a whole type, or its first parts and `.*`; `rota.` may be left out. Usually workflow.*',
});
const filter = Type.Object(
  {
    name: Type.Optional(text('Only workflows of this name', { maxLength: 1_000 })),
    definition: Type.Optional(text('Only workflows of this stored definition', { maxLength: 200 })),
    tag: Type.Optional(text('Only while this tag is entered', { maxLength: 1_000 })),
  },
  { additionalProperties: false, description: 'Which workflows' },
);

const properties = {
  url: text('Where events go', { minLength: 1, maxLength: 8_192 }),
  events: Type.Optional(events),
  filter: Type.Optional(filter),
  secret: Type.Optional(
    text('What they are signed with instead of the tenant’s secrets; never shown again', {
      minLength: 1,
      maxLength: 500,
    }),
  ),
  headers: Type.Optional(headers),
  retry: Type.Optional({ description: 'Rules for tries, as the retry of a launch' }),
  ordered: Type.Optional(
    Type.Boolean({ description: 'true: of one workflow each is sent when the one before is delivered or given up' }),
  ),
  fields: Type.Optional(Type.Boolean({ description: 'true: events have the fields of their workflow' })),
  enabled: Type.Optional(Type.Boolean({ description: 'false: nothing new is owed, and what is stays' })),
  description: Type.Optional(text('For people', { maxLength: 2_000 })),
};

/** Body of a POST. */
export const SubscriptionCreate = Type.Object(properties, {
  title: 'SubscriptionCreate',
  description: 'Who is told of what happens to workflows',
  additionalProperties: false,
});

/** Body of a PATCH: a merge patch, in which null takes a member away. */
export const SubscriptionPatch = Type.Object(
  {},
  {
    title: 'SubscriptionPatch',
    additionalProperties: true,
    description: 'A merge patch (RFC 7396): what is given replaces what is there, null takes it away',
  },
);

export const Subscription = Type.Object(
  {
    id: text('sub_…'),
    ...properties,
    created_at: time('When it was made'),
    failing_since: nullable(time('Since when nothing was taken')),
    disabled_reason: nullable(
      text('Why the server has disabled it: gone (410), failing (5 days without a 2xx), backlog (100,000 owed)'),
    ),
  },
  { title: 'Subscription', description: 'Who is told of what happens to workflows; secrets are left out' },
);

export const SubscriptionList = Type.Object(
  { subscriptions: Type.Array(Subscription), next_cursor: nextCursor },
  { title: 'SubscriptionList' },
);

/** Body of a redelivery: one of these ways to say which. */
export const Redeliver = Type.Object(
  {
    ids: Type.Optional(Type.Array(Type.String({ maxLength: 500 }), { minItems: 1, maxItems: 1_000 })),
    state: Type.Optional(Type.OneOf(['spent'], 'All that were given up')),
    from: Type.Optional(
      text('All of this time on, those that were missed while it was disabled made again', { maxLength: 100 }),
    ),
    to: Type.Optional(text('And before this one; left out: now', { maxLength: 100 })),
  },
  { title: 'Redeliver', description: 'Which events are sent again', additionalProperties: false },
);

export const Redelivered = Type.Object({ count: Type.Integer() }, { title: 'Redelivered' });

export const EventDeliveries = Type.Object(
  {
    deliveries: Type.Array(
      Type.Object({
        id: text('The webhook-id'),
        type: text('The type of the event'),
        workflow_id: text('The workflow'),
        event: { type: 'object', description: 'As it is sent' },
        state: Type.OneOf(['owed', 'failing', 'delivered', 'spent'], 'How it stands'),
        tries: Type.Integer(),
        last: nullable(
          Type.Object({
            at: time('When the last try began'),
            status: nullable(Type.Integer()),
            ms: Type.Number(),
            error: nullable(Type.String()),
          }),
        ),
        next_at: nullable(time('When the next try is due')),
      }),
    ),
    next_cursor: nextCursor,
  },
  { title: 'EventDeliveries' },
);
