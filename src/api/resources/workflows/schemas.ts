import { HISTORY_MAX_LEAST, HISTORY_MAX_MOST } from '../../../model/stimulus.ts';
import { Type } from '../../schema.ts';
import { dryRun, Fields, nextCursor, nullable, reason, Tree, text, time } from '../../schema-parts.ts';
import { ErrorRecord } from '../errors/schemas.ts';
import { Workitem } from '../workitems/schemas.ts';

/*
 * What stands in bodies and answers about workflows. It is one thing: a launch, a view and a list name the same parts.
 */

/** The longest URL that is taken as a callback, in characters. */
export const CALLBACK_LENGTH_MAX = 8192;
const CallbackUrl = Type.String({
  description: 'An http or https URL, or svc:<service>/… for one below a registered service',
  minLength: 1,
  maxLength: CALLBACK_LENGTH_MAX,
});

/** Rules about the tries of one message. */
const tryRules = () => ({
  delays: Type.Optional(Type.Array(Type.Number({ minimum: 0 }), { maxItems: 100 })),
  max: Type.Optional(Type.Integer({ minimum: 1, maximum: 101 })),
  initial: Type.Optional(Type.Number({ minimum: 0 })),
  factor: Type.Optional(Type.Number({ minimum: 1, maximum: 100 })),
  cap: Type.Optional(Type.Number({ minimum: 0 })),
  notice_delays: Type.Optional(Type.Array(Type.Number({ minimum: 0 }), { maxItems: 100 })),
  jitter: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  retry_after: Type.Optional(Type.Boolean()),
  gone_ends: Type.Optional(Type.Boolean()),
  max_seconds: Type.Optional(Type.Number({ minimum: 0 })),
});

/** Body of a cancel. */
export const Cancel = Type.Object(
  {
    reason,
    dry_run: dryRun,
    compensate: Type.Optional(
      Type.Boolean({ description: 'true: what participants with an undo have done is undone before it is over' }),
    ),
  },
  { title: 'Cancel', description: 'Why, and whether what was done is undone' },
);

/** Days a workflow that is over may be kept by its launch, tags it may be given, and characters of each. */
export const RETAIN_DAYS_MAX = 3_650;
export const TAGS_MAX = 20;
export const TAG_LENGTH_MAX = 100;

/** Body of `POST /v1/workflows`. Exactly one of `callback` and `callbacks` is there. */
export const Launch = Type.Object(
  {
    workflow: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), Tree], {
        description: 'A process definition: XML, BPMN, JSON or Radial text of at most 1 MB, or the tree itself',
      }),
    ),
    definition: Type.Optional(
      text('Instead of workflow: a stored definition, order or order@3; callbacks may be left out then', {
        minLength: 1,
        maxLength: 200,
      }),
    ),
    inputs: Type.Optional({ type: 'object', description: 'Of a stored definition: another word for fields' }),
    timeout: Type.Optional({
      type: ['string', 'number'],
      description: 'When the workflow as a whole times out: a duration such as 2d, or seconds; not for BPMN',
    }),
    callback: Type.Optional(CallbackUrl),
    callbacks: Type.Optional({
      type: 'object',
      additionalProperties: CallbackUrl,
      description: 'The callback of each participant, by its name, or by a /pattern/ of names',
    }),
    fields: Type.Optional(Fields),
    process: Type.Optional(
      text('Of BPMN: the id of the process to run, where the file has several', { minLength: 1, maxLength: 300 }),
    ),
    start: Type.Optional(text('Of BPMN: the id of the start event to begin with', { minLength: 1, maxLength: 300 })),
    history_max: Type.Optional(
      Type.Integer({
        ...{ minimum: HISTORY_MAX_LEAST, maximum: HISTORY_MAX_MOST },
        description: 'Entries its history may have before the oldest are folded away; left out: HISTORY_MAX',
      }),
    ),
    business_key: Type.Optional(
      text('What you know it by; one workflow of a tenant has it', { minLength: 1, maxLength: 255 }),
    ),
    business_key_conflict: Type.Optional(
      Type.OneOf(
        ['reject', 'return_existing', 'allow_if_ended'],
        'What happens when there is one with this key; reject unless said',
      ),
    ),
    replies: Type.Optional(
      Type.Boolean({
        description: 'true: a callback that is answered with {"proceed": true, "fields"?} has proceeded',
      }),
    ),
    compensate: Type.Optional(
      Type.Boolean({ description: 'true: an error nobody handles undoes what was done, and cancels the workflow' }),
    ),
    notify: Type.Optional({
      description:
        'Who is told of what happens to this workflow: a URL, or { url, events?, fields?, headers? }, or a list of at most 10',
    }),
    strict: Type.Optional(Type.Boolean({ description: 'true: warnings are refusals' })),
    retain_days: Type.Optional(
      Type.Integer({
        ...{ minimum: 0, maximum: RETAIN_DAYS_MAX },
        description: 'Days it is kept once it is over; left out: RETAIN_ENDED',
      }),
    ),
    tags: Type.Optional(
      Type.Array(text('A tag', { minLength: 1, maxLength: TAG_LENGTH_MAX }), {
        maxItems: TAGS_MAX,
        description: 'To find it by: it has them from its beginning to its end',
      }),
    ),
    retry: Type.Optional(
      Type.Union(
        [
          Type.Object(
            {
              ...tryRules(),
              participants: Type.Optional({
                type: 'object',
                maxProperties: 200,
                additionalProperties: Type.Union([
                  Type.Object(tryRules(), { additionalProperties: false }),
                  Type.Literal('standard-webhooks'),
                  Type.Literal('default'),
                ]),
                description: 'Rules of single participants, by name, each instead of all the others',
              }),
            },
            { additionalProperties: false },
          ),
          Type.Literal('standard-webhooks'),
          Type.Literal('default'),
        ],
        {
          description:
            'Other rules about tries than the usual: seconds between them (or how they grow), a part by which each delay may grow at random, whether Retry-After is heeded and whether the status 410 ends them, after how many seconds none begins any more; or the name of rules',
        },
      ),
    ),
  },
  {
    title: 'Launch',
    description: 'Launches a workflow',
    oneOf: [['workflow', 'callback'], ['workflow', 'callbacks'], ['definition']].map((names) => ({
      properties: Object.fromEntries(names.map((name) => [name, true])),
      required: names,
    })),
  },
);

export const WORKFLOW_STATUSES = [
  'running',
  'error',
  'paused',
  'cancelling',
  'completed',
  'cancelled',
  'killed',
] as const;

export const Launched = Type.Object(
  {
    id: text('The workflow'),
    existing: Type.Optional(Type.Boolean({ description: 'true: it was there already' })),
    status: Type.Optional(Type.OneOf(WORKFLOW_STATUSES, 'Of a stored definition: how it stands')),
    started_at: Type.Optional(time('Of a stored definition: when it was launched')),
    definition: Type.Optional(
      Type.Object({ name: text('Its name'), version: Type.Integer({ minimum: 1 }) }, { title: 'DefinitionOf' }),
    ),
    links: Type.Optional(
      Type.Object({ self: Type.String(), events: Type.String(), history: Type.String(), console: Type.String() }),
    ),
    warnings: Type.Optional(
      Type.Array(
        Type.Object({
          code: text('A stable name to tell warnings apart by'),
          message: text('What is probably not meant'),
          pointer: Type.Optional(text('Where: in the tree, or, with a # before it, in the body')),
          participant: Type.Optional(text('Who has no address')),
          line: Type.Optional(Type.Integer()),
          column: Type.Optional(Type.Integer()),
        }),
        { description: 'What is taken and was probably not meant' },
      ),
    ),
  },
  { title: 'Launched', additionalProperties: false },
);

export const Timer = Type.Object(
  {
    expression_id: text('expid!subid'),
    due_at: time('When it fires'),
    action: text('What happens then'),
    element: Type.Optional(text('Of BPMN: the id of the event')),
  },
  { title: 'Timer' },
);
export const Expression = Type.Object(
  {
    id: text('expid!subid'),
    expid: text('The place in the tree'),
    name: text('The head of the expression'),
    state: text('active, or paused, cancelling, dying, timing_out, failing, awaiting, failed'),
    since: Type.Optional(time('When it was applied')),
    breakpoints: Type.Optional(
      Type.Array(Type.String(), { description: 'Places below it at which whatever comes there is paused' }),
    ),
    tree: Type.Optional(nullable({ ...Tree, description: 'Its tree, where it is not that of the definition' })),
    tag: nullable(text('The tag it has entered')),
    element: Type.Optional(text('Of BPMN: the id of its element')),
    parent_id: nullable(text('The expression it replies to, expid!subid; null: the root, or nobody waits for it')),
    branch: Type.Optional(
      Type.Object(
        {
          kind: Type.OneOf(['branch', 'flank', 'forgotten'], 'What it is to its parent'),
          index: Type.Integer({ description: '0, 1, … among the branches of its parent', minimum: 0 }),
          element: Type.Optional(text('Of an iterator: the beginning of the element it is about, as text')),
        },
        { description: 'Of the first expression of a branch' },
      ),
    ),
    progress: Type.Optional(
      Type.Object(
        {
          at: Type.Optional(Type.Integer({ description: 'The index of the child, or element, whose turn it is' })),
          of: nullable(Type.Integer({ description: 'How many children, elements or branches there are' })),
          round: Type.Optional(
            Type.Integer({
              description: 'Of a loop or iterator: which pass or element it is, 1 for the first',
              minimum: 1,
            }),
          ),
          element: Type.Optional(text('Of an iterator: the beginning of the element whose turn it is, as text')),
          live: Type.Optional(Type.Integer({ description: 'Branches that have not replied' })),
          done: Type.Optional(Type.Integer({ description: 'Branches that have' })),
          failed: Type.Optional(Type.Integer({ description: 'Branches in error, as far as they are in this page' })),
        },
        { description: 'How far it is' },
      ),
    ),
  },
  { title: 'Expression' },
);

const BpmnElement = Type.Object(
  {
    id: text('The element'),
    live: Type.Integer({ description: 'Tokens that stand there' }),
    waiting: Type.Integer({ description: 'Tokens that wait there for others' }),
    failed: Type.Integer({ description: 'Errors that wait for somebody' }),
    done: Type.Integer({ description: 'Tokens that have left it' }),
  },
  { title: 'BpmnElement' },
);
const BpmnWait = Type.Object(
  {
    element: nullable(text('The element that waits')),
    message: Type.Optional(text('The name of the message')),
    signal: Type.Optional(text('The name of the signal')),
    condition: Type.Optional(text('The beginning of the condition')),
    key: nullable(text('The correlation key; null: only what is sent to the workflow')),
    since: nullable(time('When it began to wait')),
  },
  { title: 'BpmnWait' },
);

const summary = {
  id: text('The workflow'),
  name: nullable(text('The name the definition gives itself')),
  status: Type.OneOf(WORKFLOW_STATUSES, 'The first that applies'),
  launched_at: time('When it was launched'),
  updated_at: time('When it last moved'),
  ended_at: nullable(time('When it was over')),
  business_key: Type.Optional(text('What its launcher knows it by')),
  definition: Type.Optional(
    Type.Object(
      { name: Type.String(), version: Type.Integer() },
      { description: 'The stored definition it was launched from' },
    ),
  ),
  trace_id: Type.Optional(text('Of the trace its launch belongs to (W3C Trace Context)')),
  definition_hash: text('The hash of its definition'),
};
export const WorkflowSummary = Type.Object(
  {
    ...summary,
    turn: Type.Optional(
      Type.Array(Type.String(), { description: 'With include=turn: participants whose turn it is, some of them' }),
    ),
    error: Type.Optional(nullable(ErrorRecord)),
  },
  { title: 'WorkflowSummary' },
);
export const Workflow = Type.Object(
  {
    ...summary,
    meta: Type.Optional(
      Type.Object(
        { started_by: Type.Optional(Type.String()) },
        { description: 'What started it, where that is known' },
      ),
    ),
    continued_from: Type.Optional(text('The workflow it goes on for (continue_as_new)')),
    continued_as: Type.Optional(text('The workflow that goes on for it')),
    retry_of: Type.Optional(text('The workflow it is another try of (retry with fork)')),
    fields: Fields,
    tags: Type.Array(Type.String()),
    reason: Type.Optional(text('Why it is being cancelled, or was cancelled or killed, where that was said')),
    tree: nullable(Tree),
    expressions: Type.Array(Expression),
    expressions_cursor: nullable(text('Where the rest of the expressions begins: ?cursor=…')),
    workitems: Type.Array(Workitem),
    timers: Type.Array(Timer),
    errors: Type.Array(ErrorRecord),
    format: Type.Optional(text('bpmn, where the definition is BPMN')),
    process: Type.Optional(text('Of BPMN: the id of the process')),
    elements: Type.Optional(Type.Array(BpmnElement)),
    waits: Type.Optional(Type.Array(BpmnWait)),
    stuck: Type.Optional(Type.Array(text('A gateway whose tokens nothing can set free any more'))),
    left_out: Type.Optional(
      Type.Array(
        Type.OneOf(['workitems', 'timers', 'waits', 'errors'], 'More of these belong to this page than it takes'),
      ),
    ),
  },
  { title: 'Workflow' },
);

export const WorkflowTree = Type.Object(
  {
    id: text('The workflow'),
    tree: nullable(Tree),
    expressions: Type.Array(Expression),
    expressions_cursor: nullable(text('Where the rest of the expressions begins: ?cursor=…')),
  },
  { title: 'WorkflowTree' },
);

const lookedBackTo = Type.Optional(
  nullable(time('With tag or field filters: when the last workflow that was looked into was launched')),
);
export const WorkflowList = Type.Object(
  { workflows: Type.Array(WorkflowSummary), next_cursor: nextCursor, looked_back_to: lookedBackTo },
  { title: 'WorkflowList' },
);
export const WorkflowCount = Type.Object(
  {
    count: Type.Optional(Type.Integer({ description: 'How many there are', minimum: 0 })),
    at_least: Type.Optional(
      Type.Integer({ description: 'There are more than this, or not all were looked into', minimum: 0 }),
    ),
    looked_back_to: lookedBackTo,
  },
  { title: 'WorkflowCount', description: 'One of the two' },
);
export const HistoryEntry = Type.Object(
  {
    n: Type.Integer({ description: 'Without gaps from first_kept' }),
    at: time('When it happened'),
    kind: text('workflow.launched, expression.applied, workitem.opened, callback.delivered…'),
    actor: Type.Optional(Type.String()),
    actor_name: Type.Optional(text('The name of the key, while it is there')),
    reason: Type.Optional(Type.String()),
    batch: Type.Optional(text('The batch it was done by')),
    batch_item: Type.Optional(Type.Integer({ description: 'The number of its item there', minimum: 1 })),
    given: Type.Optional(Type.Object({}, { description: 'The fields somebody gave (HISTORY_FIELDS)' })),
    given_size: Type.Optional(Type.Integer({ description: 'Their characters, where there are too many', minimum: 0 })),
    given_hash: Type.Optional(text('Beside given_size: the same for equal fields')),
    changed: Type.Optional(
      Type.Array(Type.String(), {
        description: 'workitem.opened: fields that are others than those the participant before had (HISTORY_FIELDS)',
      }),
    ),
    changed_count: Type.Optional(Type.Integer({ description: 'How many, where their names are too long', minimum: 1 })),
  },
  { title: 'HistoryEntry' },
);
export const History = Type.Object(
  {
    history: Type.Array(HistoryEntry),
    first_kept: Type.Integer({
      description:
        'From this number on there are no gaps; of what is before, all but errors, the launch and what an administrator did may be folded away',
    }),
    next_after: nullable(
      Type.Integer({ description: 'Give this as after to get what follows; null: there is no more' }),
    ),
    next_before: Type.Optional(
      nullable(
        Type.Integer({
          description: 'With order=desc: give this as before to get what came earlier; null: there is no more',
        }),
      ),
    ),
  },
  { title: 'History' },
);

/** What an import is answered. */
export const Imported = Type.Object(
  {
    imported: Type.Array(
      Type.Object({ id: Type.String(), was: Type.Optional(Type.String({ description: 'The id in the file' })) }),
    ),
    definitions: Type.Integer({ minimum: 0, description: 'Definitions that came with them' }),
    dry_run: Type.Optional(Type.Boolean({ description: 'true: nothing was written' })),
  },
  { title: 'Imported' },
);
