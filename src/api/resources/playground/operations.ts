import { answers } from '../../answers.ts';
import { jsonReply, type Operation, textReply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeView } from '../../time.ts';
import { makePlayground } from './requests.ts';
import { PlaygroundCallback, PlaygroundRequests } from './schemas.ts';

/** Headers of a callback that are worth a look; the others are the transport's. */
const SHOWN_HEADERS = [
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'rota-try',
  'user-agent',
  'content-type',
];
const NAME_LENGTH_MAX = 200;

/** Participants that live in the server itself, to be played by hand. Only with PLAYGROUND, which is for one machine. */
export function playgroundOperations(parts: Parts): readonly Operation[] {
  const playground = makePlayground();
  return [
    {
      id: 'playParticipant',
      method: 'post',
      path: '/v1/playground/participants/:name',
      summary: 'A participant of the playground: takes every callback and keeps it to be looked at',
      access: 'open',
      body: { schema: PlaygroundCallback, checked: 'by handler' },
      answers: answers(200, 'It is kept', null, 422),
      handle: (call) => {
        const participant = call.params['name'] ?? '';
        if (participant.length > NAME_LENGTH_MAX)
          throw new Problem(
            'request_invalid',
            `The name of a participant has at most ${NAME_LENGTH_MAX} characters here`,
          );
        playground.keep({
          at: parts.clock.now(),
          participant,
          headers: Object.fromEntries(
            SHOWN_HEADERS.flatMap((name) => {
              const value = call.header(name);
              return value === null ? [] : [[name, value]];
            }),
          ),
          body: call.body,
        });
        return textReply(200, 'kept');
      },
    },
    {
      id: 'listPlaygroundRequests',
      method: 'get',
      path: '/v1/playground/requests',
      summary: 'What participants of the playground were sent by this node, oldest first; the last 500 are kept',
      access: 'operate',
      query: [{ name: 'after', description: 'Only those numbered above' }],
      answers: answers(200, 'The requests', PlaygroundRequests, 400),
      handle: (call) => {
        const after = call.query.get('after') ?? '0';
        if (!/^\d{1,15}$/.test(after)) throw new Problem('query_invalid', 'after must be a whole number, 0 or more');
        return jsonReply(200, {
          requests: playground.since(Number(after)).map((one) => ({ ...one, at: timeView(one.at) })),
        });
      },
    },
  ];
}
