import { Type } from '../../schema.ts';
import { nextCursor, nullable, text, time } from '../../schema-parts.ts';
import { Duration } from '../workitems/schemas.ts';

const texts = (description: string) =>
  Type.Object({}, { additionalProperties: { type: 'string', maxLength: 8_192 }, description });
const anyObject = (description: string) => ({ type: 'object', description });

const properties = {
  kind: Type.Optional(
    Type.OneOf(
      ['callback', 'http', 'person', 'service'],
      'callback (default): the POST that waits for a proceed; http: a request whose answer is the proceed; person: no URL, a worklist; service: a base for svc:<name>/…',
    ),
  ),
  url: Type.Optional(
    text('Where its requests go; {workflow.id}, {f:customer.id} and others may stand in its path and query', {
      minLength: 1,
      maxLength: 8_192,
    }),
  ),
  headers: Type.Optional(texts('Sent with each request; the values are never shown again')),
  secret: Type.Optional(
    text('What its requests are signed with instead of the tenant’s secrets; never shown again', {
      minLength: 1,
      maxLength: 500,
    }),
  ),
  tls: Type.Optional(
    Type.Object(
      {
        cert: Type.Optional(text('A certificate to show (PEM)', { maxLength: 100_000 })),
        key: Type.Optional(text('Its key (PEM); never shown again', { maxLength: 100_000 })),
        ca: Type.Optional(text('Roots to believe (PEM)', { maxLength: 100_000 })),
      },
      { additionalProperties: false, description: 'Where the receiver wants certificates' },
    ),
  ),
  retry: Type.Optional({ description: 'Rules for its tries, as the retry of a launch' }),
  places: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000, description: 'Tries under way at once, of all nodes together' }),
  ),
  deadline: Type.Optional(Duration),
  heartbeat: Type.Optional(Duration),
  replies: Type.Optional(Type.Boolean({ description: 'A 2xx with {"proceed": true, "fields"?} is the proceed' })),
  input: Type.Optional(anyObject("The only fields it is given: name → 'f:field', or a value with ${…}")),
  output: Type.Optional(anyObject("The only fields taken of its answer: name → 'f:field of the answer'")),
  undo: Type.Optional(text('The participant that undoes its work', { minLength: 1, maxLength: 200 })),
  form: Type.Optional({ type: ['object', 'boolean'], description: 'A JSON Schema of what a person is asked for' }),
  in_process: Type.Optional(
    Type.Boolean({
      description:
        'Of kind person: functions in the process of a server take its work; such an entry goes before the participants a definition brings along',
    }),
  ),
  description: Type.Optional(text('For people', { maxLength: 2_000 })),
  enabled: Type.Optional(Type.Boolean({ description: 'false: its messages wait, and no try is counted' })),
  method: Type.Optional(Type.OneOf(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], 'Of kind http; usually GET')),
  query: Type.Optional(texts('Of kind http: parameters added to the URL')),
  body: Type.Optional({
    description: 'Of kind http: the body, JSON with templates; left out: the fields, for GET and DELETE nothing',
  }),
  expect: Type.Optional(
    Type.Array(Type.Integer({ minimum: 100, maximum: 599 }), {
      maxItems: 50,
      description: 'Of kind http: statuses that are the work done; left out: all of 2xx',
    }),
  ),
  result: Type.Optional(texts('Of kind http: field → JSON pointer into the answer')),
  errors: Type.Optional(texts('Of kind http: status → class of the error the workitem fails with')),
};

/** Body of a PUT. */
export const ParticipantPut = Type.Object(properties, {
  title: 'ParticipantPut',
  description: 'What a participant, or all whose names fit a pattern, is asked with',
  additionalProperties: false,
});

const count = (description: string) => Type.Integer({ description, minimum: 0 });
const asked = {
  open: count('Workitems that wait for it'),
  failed: count('Workitems whose tries are spent, or that were given up'),
  failing: count('Messages that were refused, and are tried again'),
  oldest_at: nullable(time('Since when its oldest workitem waits')),
  urls: Type.Array(Type.String(), { description: 'Where its messages go, some of them' }),
  hosts: Type.Array(Type.String(), { description: 'Their hosts' }),
};
const took = (description: string) =>
  nullable(
    Type.Object(
      {
        n: count('How many there were'),
        p50_ms: Type.Number({ description: 'Half of them took at most this' }),
        p95_ms: Type.Number({ description: '19 of 20 took at most this' }),
      },
      { description },
    ),
  );
const hour = {
  at: time('When the hour begins'),
  '2xx': count('Answered with 2xx'),
  '3xx': count('With 3xx'),
  '4xx': count('With 4xx'),
  '5xx': count('With 5xx'),
  none: count('Not answered, or not with a status'),
};
const figures = nullable(
  Type.Object(
    {
      ...asked,
      definitions: nullable(
        Type.Array(Type.Object({ name: nullable(Type.String()), workitems: count('Of them, wait for it') }), {
          description: 'Definitions whose workflows ask it now, by the names they give themselves',
        }),
      ),
      looked_back_to: nullable(
        time('How far back the newest histories of all were read for what follows, at most a day'),
      ),
      answers: nullable(Type.Array(Type.Object(hour), { description: 'Tries by hour and by what came of them' })),
      delivered: took('From a workitem’s opening to its delivery'),
      proceeded: took('From a workitem’s opening to its proceed'),
    },
    { description: 'How it is doing; null: that could not be counted in time' },
  ),
);
/** How a participant is doing, whether it is registered or not. */
export const ParticipantFigures = Type.Object(
  { name: text('Whose'), figures },
  { title: 'ParticipantFigures', description: 'How a participant is doing' },
);

export const Participant = Type.Object(
  {
    name: text('Its name, or /pattern/'),
    figures: Type.Optional(figures),
    ...properties,
    created_at: time('When it was made'),
    updated_at: time('When it was changed last'),
  },
  { title: 'Participant', description: 'An entry of the registry; secrets are shown as ***' },
);

const { figures: _all, ...entry } = Participant.properties;
export const ParticipantList = Type.Object(
  {
    participants: Type.Array(
      Type.Object({
        ...entry,
        figures: nullable(
          Type.Object(asked, { description: 'What waits for it; null: that could not be counted in time' }),
        ),
      }),
    ),
    next_cursor: nextCursor,
  },
  { title: 'ParticipantList' },
);

export const Form = Type.Object(
  { name: text('Whose form'), form: { description: 'A JSON Schema' } },
  { title: 'Form', description: 'What a person is asked for' },
);
