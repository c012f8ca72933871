import { Type } from '../../schema.ts';
import { text, time } from '../../schema-parts.ts';

/** Body of what a participant of the playground is sent: a callback, kept as it came. */
export const PlaygroundCallback = Type.Object({}, { title: 'PlaygroundCallback', description: 'A callback' });

export const PlaygroundRequests = Type.Object(
  {
    requests: Type.Array(
      Type.Object({
        n: Type.Integer({ description: 'Counts the requests since the server started' }),
        at: time('When it came'),
        participant: text('Who was asked'),
        headers: Type.Object({}, { description: 'The headers that say something about the message' }),
        body: Type.Object({}, { description: 'The callback as it came' }),
      }),
    ),
  },
  { title: 'PlaygroundRequests' },
);
