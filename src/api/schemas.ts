import { type Schema, Type } from './schema.ts';

/*
 * The one source of what crosses our border: each of these is a JSON Schema (2020-12) as it stands. Requests are held
 * against them; `schemas/*.json` and /openapi.json are made from them (scripts/schemas.ts).
 */

const nullable = (schema: Schema) => Type.Union([schema, Type.Null()]);
const time = (description: string) => Type.String({ description: `${description}, RFC 3339 in UTC` });
const text = (description: string, options: { readonly maxLength?: number; readonly minLength?: number } = {}) =>
  Type.String({ description, ...options });

export const Fields: Schema = {
  type: 'object',
  description: 'The fields of a workitem: names and any JSON values',
};

export const Tree: Schema = {
  description: 'A process definition as data: [name, { attributes }, [children]], all the way down',
  type: 'array',
  minItems: 3,
  prefixItems: [{ type: 'string' }, { type: 'object' }, { type: 'array' }],
  items: false,
};

/** The longest URL that is taken as a callback, in characters. */
export const CALLBACK_LENGTH_MAX = 8192;
const CallbackUrl = Type.String({
  description: 'An http or https URL',
  minLength: 1,
  maxLength: CALLBACK_LENGTH_MAX,
});

/** Body of `POST /v1/workflows`. Exactly one of `callback` and `callbacks` is there. */
export const Launch = Type.Object(
  {
    workflow: Type.Union([Type.String({ minLength: 1 }), Tree], {
      description: 'A process definition: XML, JSON or Radial text of at most 1 MB, or the tree itself',
    }),
    callback: Type.Optional(CallbackUrl),
    callbacks: Type.Optional({
      type: 'object',
      additionalProperties: CallbackUrl,
      description: 'The callback of each participant, by its name',
    }),
    fields: Type.Optional(Fields),
    retry: Type.Optional(
      Type.Object(
        {
          delays: Type.Optional(Type.Array(Type.Number({ minimum: 0 }), { maxItems: 100 })),
          notice_delays: Type.Optional(Type.Array(Type.Number({ minimum: 0 }), { maxItems: 100 })),
          jitter: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
          retry_after: Type.Optional(Type.Boolean()),
          gone_ends: Type.Optional(Type.Boolean()),
        },
        {
          additionalProperties: false,
          description:
            'Other rules about tries than the usual: seconds between them, a part by which each delay may grow at random, whether Retry-After is heeded and whether the status 410 ends them',
        },
      ),
    ),
  },
  {
    title: 'Launch',
    description: 'Launches a workflow',
    oneOf: ['callback', 'callbacks'].map((name) => ({ properties: { [name]: true }, required: [name] })),
  },
);

/** Body of a proceed. */
export const Proceed = Type.Object(
  { fields: Type.Optional(Fields) },
  { title: 'Proceed', description: 'Hands a workitem back; the fields are merged over those of the workitem' },
);

/** Body of a give-up. */
export const Fail = Type.Object(
  {
    message: text('What went wrong', { maxLength: 10_000 }),
    class: Type.Optional(text('The class an on_error can tell errors apart by', { minLength: 1, maxLength: 200 })),
    retry: Type.Optional(
      Type.Boolean({ description: 'true: counts as one failed try, and the callback is tried again' }),
    ),
  },
  { title: 'Fail', description: 'A participant gives up' },
);

/** Body of an edit of a workitem. */
export const WorkitemPatch = Type.Object(
  { fields: Fields },
  { title: 'WorkitemPatch', description: 'Fields to merge over those of the workitem, one level deep' },
);

/** Body of a replay of an error, or of the re-application of an expression. */
export const Reapply = Type.Object(
  { fields: Type.Optional(Fields), tree: Type.Optional(Tree) },
  { title: 'Reapply', description: 'Runs an expression again, with other fields or another tree where they are given' },
);

/** Body of a validation. */
export const Validate = Type.Object(
  { workflow: Type.Union([Type.String(), Tree], { description: 'As in a launch' }) },
  { title: 'Validate', description: 'A process definition to look at' },
);

/** Body of `POST /v1/test/clock`. */
export const ClockAdvance = Type.Object(
  { advance: Type.Number({ description: 'Seconds; 0 only waits for quiet', minimum: 0, maximum: 3_200_000_000 }) },
  { title: 'ClockAdvance', description: 'Moves business time; only with TEST_CLOCK=1' },
);

/** Nothing is wanted in this body; whatever is there is ignored. */
export const Nothing = Type.Object({}, { title: 'Nothing' });

export const SEND_STATUSES = ['active', 'timeout', 'error', 'cancel'] as const;
export const WORKFLOW_STATUSES = [
  'running',
  'error',
  'paused',
  'cancelling',
  'completed',
  'cancelled',
  'killed',
] as const;

/** What a participant is sent. */
export const Callback = Type.Object(
  {
    workflow_id: text('The workflow'),
    workitem_id: text('The workitem: expid!subid!workflow_id'),
    participant: text('The participant as named in the definition'),
    status: Type.OneOf(SEND_STATUSES, 'active: do the work; anything else: stop working on it'),
    fields: Fields,
    proceed_url: text('Where to POST the answer'),
  },
  { title: 'Callback', description: 'What a participant is sent', additionalProperties: false },
);

const ErrorRecord = Type.Object(
  {
    workflow_id: Type.Optional(text('The workflow (lists only)')),
    expression_id: text('Where it happened: expid!subid'),
    expid: text('The place in the tree'),
    workitem_id: nullable(text('The workitem concerned, if there is one')),
    class: text('What kind of error'),
    message: text('What happened'),
    at: time('When it happened'),
  },
  { title: 'Error', description: 'An error that waits for someone' },
);

const Workitem = Type.Object(
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
    opened_at: time('Since when the participant has it'),
    revision: Type.Integer({ description: 'Counts edits; the ETag' }),
    callback: Type.Object(
      {
        url: nullable(text('Where its callbacks go')),
        owed: nullable(Type.OneOf(SEND_STATUSES, 'The message that has not been delivered yet')),
        tries: Type.Integer({ description: 'Tries of that message so far' }),
        next_at: nullable(time('When the next try is due')),
      },
      { description: 'How its callback stands' },
    ),
  },
  { title: 'Workitem', description: 'What a participant holds' },
);

const Timer = Type.Object(
  { expression_id: text('expid!subid'), due_at: time('When it fires'), action: text('What happens then') },
  { title: 'Timer' },
);
const Expression = Type.Object(
  {
    id: text('expid!subid'),
    expid: text('The place in the tree'),
    name: text('The head of the expression'),
    state: text('active, or cancelling, dying, timing_out, failing, awaiting, failed'),
    tag: nullable(text('The tag it has entered')),
  },
  { title: 'Expression' },
);

const summary = {
  id: text('The workflow'),
  name: nullable(text('The name the definition gives itself')),
  status: Type.OneOf(WORKFLOW_STATUSES, 'The first that applies'),
  launched_at: time('When it was launched'),
  updated_at: time('When it last moved'),
  ended_at: nullable(time('When it was over')),
};
export const WorkflowSummary = Type.Object(summary, { title: 'WorkflowSummary' });
export const Workflow = Type.Object(
  {
    ...summary,
    fields: Fields,
    tags: Type.Array(Type.String()),
    tree: nullable(Tree),
    expressions: Type.Array(Expression),
    expressions_cursor: nullable(text('Where the rest of the expressions begins: ?cursor=…')),
    workitems: Type.Array(Workitem),
    timers: Type.Array(Timer),
    errors: Type.Array(ErrorRecord),
  },
  { title: 'Workflow' },
);

const nextCursor = nullable(text('Give this as cursor to get the next page; null: there is none'));
export const WorkflowList = Type.Object(
  { workflows: Type.Array(WorkflowSummary), next_cursor: nextCursor },
  { title: 'WorkflowList' },
);
export const WorkitemList = Type.Object(
  { workitems: Type.Array(Workitem), next_cursor: nextCursor },
  { title: 'WorkitemList' },
);
export const ErrorList = Type.Object(
  { errors: Type.Array(ErrorRecord), next_cursor: nextCursor },
  { title: 'ErrorList' },
);
export { Workitem };

export const HistoryEntry = Type.Object(
  {
    n: Type.Integer({ description: 'Without gaps from 1' }),
    at: time('When it happened'),
    kind: text('workflow.launched, expression.applied, workitem.opened, callback.delivered…'),
    actor: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String()),
  },
  { title: 'HistoryEntry' },
);
export const History = Type.Object(
  {
    history: Type.Array(HistoryEntry),
    next_after: nullable(
      Type.Integer({ description: 'Give this as after to get what follows; null: there is no more' }),
    ),
  },
  { title: 'History' },
);

export const Deliveries = Type.Object(
  {
    deliveries: Type.Array(
      Type.Object({
        message: Type.OneOf(SEND_STATUSES, 'Which message was tried'),
        try: Type.Integer({ description: '1, 2, …' }),
        at: time('When the try began'),
        status: nullable(Type.Integer({ description: 'The HTTP status that came back' })),
        milliseconds: Type.Number(),
        error: nullable(text('Why there was no answer')),
        next_at: nullable(time('When the next try was due')),
      }),
    ),
  },
  { title: 'Deliveries' },
);

export const Launched = Type.Object({ id: text('The workflow') }, { title: 'Launched', additionalProperties: false });
export const Ping = Type.Object({ ping: Type.Literal('pong') }, { title: 'Ping', additionalProperties: false });
export const Validation = Type.Object(
  {
    valid: Type.Boolean(),
    tree: Type.Optional(Tree),
    errors: Type.Array(Type.Object({ message: Type.String(), line: Type.Integer(), column: Type.Integer() })),
    participants: Type.Array(Type.String()),
  },
  { title: 'Validation' },
);
export const Nodes = Type.Object(
  {
    nodes: Type.Array(
      Type.Object({
        id: Type.String(),
        role: Type.OneOf(['all', 'api', 'worker'], 'What it does'),
        url: text('Its public address'),
        version: Type.String(),
        started_at: time('When it started'),
        seen_at: time('When it was last heard of'),
        alive: Type.Boolean(),
      }),
    ),
  },
  { title: 'Nodes' },
);

/** Every answer that is a complaint. */
export const Problem = Type.Object(
  {
    type: text('A URI that names the kind of problem'),
    title: text('The kind of problem in words'),
    status: Type.Integer({ description: 'The HTTP status' }),
    detail: text('What happened this time, and what to do'),
    code: text('A stable name to tell problems apart by'),
    retryable: Type.Boolean({ description: 'Whether the same request may succeed later' }),
    request_id: text('Find the request in the log of the server by this'),
    error: text('For the fixed calls the words clients have known all along; else the detail'),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          detail: Type.String(),
          pointer: Type.Optional(text('Where in the body, a JSON pointer as a fragment')),
          line: Type.Optional(Type.Integer()),
          column: Type.Optional(Type.Integer()),
        }),
      ),
    ),
  },
  { title: 'Problem', description: 'RFC 9457' },
);

/** The schemas that are published as `schemas/<name>.json`. */
export const published = {
  launch: Launch,
  launched: Launched,
  proceed: Proceed,
  fail: Fail,
  'workitem-patch': WorkitemPatch,
  reapply: Reapply,
  validate: Validate,
  validation: Validation,
  'clock-advance': ClockAdvance,
  callback: Callback,
  fields: Fields,
  tree: Tree,
  workflow: Workflow,
  workflows: WorkflowList,
  workitem: Workitem,
  workitems: WorkitemList,
  errors: ErrorList,
  history: History,
  deliveries: Deliveries,
  nodes: Nodes,
  ping: Ping,
  problem: Problem,
} satisfies Readonly<Record<string, Schema>>;
