import { Type } from '../../schema.ts';
import { nullable, text, time } from '../../schema-parts.ts';
import { MANNERS } from './requests.ts';

/** Body of what a participant of the playground is sent: a callback, kept as it came. */
export const PlaygroundCallback = Type.Object(
  {},
  { title: 'PlaygroundCallback', description: 'A callback', additionalProperties: true },
);

export const PlaygroundRequest = Type.Object(
  {
    n: Type.Integer({ description: 'Counts the requests since the server started' }),
    at: time('When it came'),
    participant: text('Who was asked'),
    headers: Type.Object({}, { description: 'The headers that say something about the message' }),
    signature: Type.OneOf(['good', 'wrong', 'none'], 'Whether one of the secrets of its tenant has signed it'),
    body: Type.Object({}, { description: 'The callback as it came' }),
    answer: nullable(
      Type.Object(
        { status: Type.Integer({ description: 'The HTTP status' }), text: Type.String({ description: 'The body' }) },
        { description: 'What was said to it; null while it is being answered' },
      ),
    ),
  },
  { title: 'PlaygroundRequest' },
);
export const PlaygroundRequests = Type.Object(
  { requests: Type.Array(PlaygroundRequest) },
  { title: 'PlaygroundRequests' },
);

/** Seconds a participant of the playground may take. */
export const SECONDS_MAX = 3_600;
const manner = {
  manner: Type.OneOf(
    MANNERS,
    'by_hand: it waits for the console; fail_first: 503, then as at_once; slowly: its 200 takes long',
  ),
  seconds: Type.Optional(Type.Number({ minimum: 0, maximum: SECONDS_MAX, description: 'For after and slowly' })),
  times: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 1000, description: 'For fail_first: tries of each message' }),
  ),
  class: Type.Optional(text('For give_up: the class of the error', { maxLength: 200 })),
  message: Type.Optional(text('For give_up: the message of the error', { maxLength: 1000 })),
  fields: Type.Optional(Type.Object({}, { description: 'What it proceeds with' })),
};

export const PlaygroundManner = Type.Object(manner, {
  title: 'PlaygroundManner',
  description: 'What a participant of the playground does with what it is sent',
  additionalProperties: false,
});

export const PlaygroundParticipants = Type.Object(
  { participants: Type.Array(Type.Object({ name: text('Who'), ...manner })) },
  { title: 'PlaygroundParticipants', description: 'Those with a manner other than by_hand' },
);
