import { Type } from '../../schema.ts';
import { Fields, nextCursor, nullable, reason, SEND_STATUSES, text, time } from '../../schema-parts.ts';

const LargeFields = Type.Object(
  {},
  {
    additionalProperties: Type.Object({
      bytes: Type.Integer({ description: 'Of its JSON' }),
      sha256: text('Of its JSON in UTF-8'),
    }),
    description:
      'In lists and in the view of a workflow: fields of more than 64 kB, which are missing from `fields`; the workitem alone has them all',
  },
);

/** Body of a proceed. */
export const Proceed = Type.Object(
  { fields: Type.Optional(Fields), reason },
  { title: 'Proceed', description: 'Hands a workitem back; the fields are merged over those of the workitem' },
);

/** Body of a respond. */
export const Respond = Type.Object(
  { fields: Type.Optional(Fields), reason },
  { title: 'Respond', description: 'As Proceed, with a reason for the history', additionalProperties: false },
);

/** Body of a give-up. */
export const Fail = Type.Object(
  {
    message: text('What went wrong', { maxLength: 10_000 }),
    class: Type.Optional(text('The class an on_error can tell errors apart by', { minLength: 1, maxLength: 200 })),
    retry: Type.Optional(
      Type.Boolean({ description: 'true: counts as one failed try, and the callback is tried again' }),
    ),
    error_code: Type.Optional(
      text('Of BPMN: an error the diagram can catch, by its code', { minLength: 1, maxLength: 200 }),
    ),
    fields: Type.Optional(Fields),
    reason,
  },
  { title: 'Fail', description: 'A participant gives up' },
);

/** A duration: a text of the language, or a number of seconds. */
export const Duration = Type.Union([Type.String({ maxLength: 100 }), Type.Number()], {
  description: 'A duration such as "90s" or "2h", or a number of seconds',
});

/** Body of a sign of life. */
export const Heartbeat = Type.Object(
  {
    extend: Type.Optional(Duration),
    progress: Type.Optional({ type: 'object', description: 'How far it is, in your words; at most 4 kB as JSON' }),
  },
  {
    title: 'Heartbeat',
    description: 'A participant tells that it is still at work; extend: it is to be done that much later than now',
    additionalProperties: false,
  },
);

export const HeartbeatTold = Type.Object(
  {
    heartbeat_due_at: nullable(time('When the next sign of life is due')),
    deadline_at: nullable(time('By when the work has to be done')),
  },
  { title: 'HeartbeatTold' },
);

/** Body of a claim. */
export const Claim = Type.Object(
  { assignee: text('Who works on it', { minLength: 1, maxLength: 200 }), ttl: Type.Optional(Duration) },
  {
    title: 'Claim',
    description: 'Takes a workitem for somebody: a courtesy among those who share a worklist',
    additionalProperties: false,
  },
);

/** Body of letting a claimed workitem go. */
export const Release = Type.Object(
  { assignee: Type.Optional(text('For whom; else the header Rota-Assignee', { maxLength: 200 })) },
  { title: 'Release', description: 'Lets a claimed workitem go', additionalProperties: false },
);

/** Body of an edit of a workitem. */
export const WorkitemPatch = Type.Object(
  { fields: Fields, reason },
  {
    title: 'WorkitemPatch',
    description: 'Fields to merge over those of the workitem, one level deep',
    additionalProperties: false,
  },
);

/** What a participant is sent. */
export const Callback = Type.Object(
  {
    workflow_id: text('The workflow'),
    workitem_id: text('The workitem: expid!subid!workflow_id'),
    participant: text('The participant as named in the definition'),
    status: Type.OneOf(SEND_STATUSES, 'active: do the work; anything else: stop working on it'),
    fields: Fields,
    proceed_url: text('Where to POST the answer'),
    reason: Type.Optional(text('With cancel: why, where whoever cancelled it said so')),
  },
  { title: 'Callback', description: 'What a participant is sent', additionalProperties: false },
);

export const Workitem = Type.Object(
  {
    id: text('expid!subid!workflow_id'),
    workflow_id: text('The workflow'),
    expression_id: text('expid!subid'),
    participant: text('Whose turn it is'),
    status: Type.OneOf(
      ['open', 'failed'],
      'failed: its tries are spent or it was given up; a proceed is still accepted',
    ),
    fields: Fields,
    large_fields: Type.Optional(LargeFields),
    fields_omitted: Type.Optional(
      Type.Boolean({ description: 'true: it was asked for without its fields (omit=workitem_fields)' }),
    ),
    opened_at: time('Since when the participant has it'),
    overdue: Type.Optional(Type.Boolean({ description: 'true: it waits for longer than it should' })),
    revision: Type.Integer({ description: 'Counts edits; the ETag' }),
    claim: Type.Optional(
      Type.Object(
        { assignee: text('Who works on it'), until: time('Until when') },
        { description: 'Somebody works on it' },
      ),
    ),
    heartbeat_due_at: Type.Optional(time('When a sign of life is due')),
    progress: Type.Optional({ type: 'object', description: 'What the last sign of life told' }),
    form: Type.Optional({
      type: ['object', 'boolean'],
      description: 'Of the workitem alone, where its participant has one: a JSON Schema of what a person is asked for',
    }),
    callback: Type.Object(
      {
        url: nullable(text('Where its callbacks go')),
        owed: nullable(Type.OneOf(SEND_STATUSES, 'The message that has not been delivered yet')),
        tries: Type.Integer({ description: 'Tries of that message so far' }),
        tries_max: Type.Optional(
          Type.Integer({ description: 'How many it has at most; told of the workitems of one workflow' }),
        ),
        next_at: nullable(time('When the next try is due')),
      },
      { description: 'How its callback stands' },
    ),
  },
  { title: 'Workitem', description: 'What a participant holds' },
);

export const WorkitemList = Type.Object(
  { workitems: Type.Array(Workitem), next_cursor: nextCursor },
  { title: 'WorkitemList' },
);
/** One try of a message. */
export const Try = Type.Object({
  message: Type.OneOf(SEND_STATUSES, 'Which message was tried'),
  try: Type.Integer({ description: '1, 2, …' }),
  at: time('When the try began'),
  status: nullable(Type.Integer({ description: 'The HTTP status that came back' })),
  milliseconds: Type.Number(),
  error: nullable(text('Why there was no answer')),
  next_at: nullable(time('When the next try was due')),
  by: Type.Optional(text('The name of the node that made it')),
  answer: Type.Optional(
    Type.Object(
      {
        content_type: nullable(text('Its Content-Type')),
        size: Type.Integer({ description: 'Bytes, as far as they were read', minimum: 0 }),
        excerpt: nullable(text('Its first kilobyte, without what looks like a secret; null: it is no text')),
      },
      { description: 'Of the last tries that were refused: what was answered, where that had a body' },
    ),
  ),
});

export const Deliveries = Type.Object({ deliveries: Type.Array(Try) }, { title: 'Deliveries' });
