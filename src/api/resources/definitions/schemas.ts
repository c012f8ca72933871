import { CATCH_UPS, OVERLAPS, SCHEDULES_MAX } from '../../../registry/schedule-spec.ts';
import { type Schema, Type } from '../../schema.ts';
import { Fields, nextCursor, nullable, Tree, text, time } from '../../schema-parts.ts';
import { Warnings } from '../../warnings.ts';
import { ParticipantPut } from '../participants/schemas.ts';
import { Launch } from '../workflows/schemas.ts';

/** Body of a validation. */
export const Validate = Type.Object(
  {
    workflow: Type.Union([Type.String(), Tree], { description: 'As in a launch' }),
    callbacks: Type.Optional(
      Type.Object({}, { description: 'As in a launch: participants that have none are warned about' }),
    ),
    strict: Type.Optional(Type.Boolean({ description: 'true: warnings are errors' })),
  },
  { title: 'Validate', description: 'A process definition to look at' },
);

export const Validation = Type.Object(
  {
    valid: Type.Boolean(),
    tree: Type.Optional(Tree),
    format: Type.Optional(Type.String({ description: 'bpmn, where it is BPMN' })),
    errors: Type.Array(
      Type.Object({
        message: Type.String(),
        line: Type.Integer(),
        column: Type.Integer(),
        element: Type.Optional(Type.String({ description: 'Of BPMN: the id of the element' })),
      }),
    ),
    participants: Type.Array(
      Type.Union([
        Type.String(),
        Type.Object({ element: Type.String(), type: Type.String(), candidates: Type.Array(Type.String()) }),
      ]),
      { description: 'Names; of BPMN the elements that ask somebody, with the names somebody is looked for by' },
    ),
    unsupported: Type.Optional(
      Type.Array(Type.Object({ element: Type.String(), type: Type.String() }), {
        description: 'Of BPMN: what is not run here',
      }),
    ),
    warnings: Warnings,
  },
  { title: 'Validation' },
);

/** Body of a conversion. */
export const Convert = Type.Object(
  {
    definition: Type.String({ minLength: 1, description: 'The text; at most 1 MB' }),
    from: Type.Optional(
      Type.OneOf(['ruby', 'radial', 'xml', 'json'], 'The format of the text; told by the text where it is left out'),
    ),
    to: Type.OneOf(['radial', 'xml', 'json'], 'The format to write'),
    name: Type.Optional(Type.String({ description: 'Of Ruby with several definitions: the one that is meant' })),
  },
  { title: 'Convert', description: 'A definition to write in another format', additionalProperties: false },
);

export const Converted = Type.Object(
  {
    definition: Type.String({ description: 'The text in the other format' }),
    format: Type.OneOf(['radial', 'xml', 'json'], 'The format of `definition`'),
    from: Type.OneOf(['ruby', 'radial', 'xml', 'json'], 'The format of the text that came'),
    tree: Tree,
    name: nullable(Type.String({ description: 'Of the definition' })),
    names: Type.Array(Type.Object({ name: nullable(Type.String()), line: Type.Integer(), column: Type.Integer() }), {
      description: 'All definitions of the text',
    }),
    warnings: Type.Array(Type.Object({ message: Type.String(), line: Type.Integer(), column: Type.Integer() }), {
      description: 'Legal and probably not meant, or left out',
    }),
  },
  { title: 'Converted' },
);

/** Characters of texts for people. */
const DESCRIPTION_MAX = 2_000;

const anything = (description: string): Schema => ({ description });
const { callback, callbacks, retry, history_max, strict, retain_days, tags } = Launch.properties;
const timeout = Type.Optional({
  type: ['string', 'number'],
  description: 'When the workflow as a whole times out: a duration such as 2d, or seconds; not for BPMN',
});
const Trigger = Type.Object(
  {
    type: text('The type of the event', { minLength: 1, maxLength: 255 }),
    source: Type.Optional(text('Only events of this source', { maxLength: 2_000 })),
    key: Type.Optional(text('Only events with this key', { maxLength: 200 })),
    where: Type.Optional(text('Only where this condition holds', { maxLength: 4_000 })),
    fields: Type.Optional(Fields),
    business_key: Type.Optional(text('What the workflow is known by', { maxLength: 255 })),
    enabled: Type.Optional(Type.Boolean()),
  },
  { title: 'Trigger', additionalProperties: false },
);
export const Schedule = Type.Object(
  {
    name: Type.Optional(text('Its place in the list where it is left out', { maxLength: 64 })),
    cron: Type.Optional(text('A cron line', { maxLength: 1_000 })),
    every: Type.Optional({ type: ['string', 'number'], description: 'A duration, at least a second' }),
    at: Type.Optional(time('Once, then')),
    zone: Type.Optional(text('IANA; UTC unless said', { maxLength: 100 })),
    overlap: Type.Optional(Type.OneOf(OVERLAPS, 'While the one before is not over; skip unless said')),
    catch_up: Type.Optional(Type.OneOf(CATCH_UPS, 'What was missed by more than a minute; one unless said')),
    fields: Type.Optional(Fields),
    start_at: Type.Optional(time('Not before')),
    end_at: Type.Optional(time('Not after')),
    jitter: Type.Optional({ type: ['string', 'number'], description: 'Later by up to this, at random' }),
    paused: Type.Optional(Type.Boolean()),
  },
  { title: 'Schedule', additionalProperties: false },
);

const definitionKeys = {
  description: Type.Optional(text('For people', { maxLength: DESCRIPTION_MAX })),
  note: Type.Optional(text('About this version', { maxLength: DESCRIPTION_MAX })),
  callback,
  callbacks,
  participants: Type.Optional({
    type: 'object',
    additionalProperties: ParticipantPut,
    maxProperties: 200,
    description:
      'Participants of this definition, by name or /pattern/, as the registry has them; they come behind its callbacks, before the registry',
  }),
  input_schema: Type.Optional(anything('What the fields of a launch must be: JSON Schema 2020-12')),
  inputs: Type.Optional(
    Type.Object({}, { description: 'What a route takes from where: input → { in, name, type, … }' }),
  ),
  messages: Type.Optional(Type.Object({}, { description: 'What the data of messages must be: name → JSON Schema' })),
  retry,
  notify: Launch.properties.notify,
  timeout,
  retain_days,
  history_max,
  tags,
  replies: Launch.properties.replies,
  compensate: Launch.properties.compensate,
  strict,
  business_key: Type.Optional(
    Type.Union(
      [
        text('Made of the fields: ${f:order_id}', { minLength: 1, maxLength: 255 }),
        Type.Object(
          {
            key: text('Made of the fields', { minLength: 1, maxLength: 255 }),
            conflict: Type.Optional(
              Type.OneOf(['reject', 'return_existing', 'allow_if_ended'], 'As business_key_conflict of a launch'),
            ),
          },
          { additionalProperties: false },
        ),
      ],
      { description: 'What its workflows are known by' },
    ),
  ),
  triggers: Type.Optional(Type.Array(Trigger, { maxItems: 20, description: 'Events that start it' })),
  schedules: Type.Optional(Type.Array(Schedule, { maxItems: SCHEDULES_MAX, description: 'When it starts by itself' })),
  route: Type.Optional(text('An address of its own: POST /orders/{customer}', { minLength: 3, maxLength: 2_000 })),
  public: Type.Optional(Type.Boolean({ description: 'true: its route asks nobody who they are' })),
  answer: Type.Optional(text('The field that is the answer of whoever waits: f:result', { maxLength: 500 })),
  status_from: Type.Optional(text('The field with the status of that answer: f:code', { maxLength: 500 })),
  errors: Type.Optional({
    type: 'object',
    additionalProperties: { type: 'integer', minimum: 400, maximum: 599 },
    maxProperties: 100,
    description: 'The status for whoever waits, by the class of the error',
  }),
  mcp: Type.Optional(Type.Boolean({ description: 'true: it is a tool of /mcp' })),
};

/** Body of `PUT /v1/definitions/:name`. */
export const DefinitionPut = Type.Object(
  {
    definition: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), Tree], { description: 'The text, or the tree itself; at most 1 MB' }),
    ),
    workflow: Type.Optional(Type.Union([Type.String({ minLength: 1 }), Tree], { description: 'Another word for it' })),
    ...definitionKeys,
  },
  { title: 'DefinitionPut', description: 'A definition to store', additionalProperties: false },
);
export const DefinitionPost = Type.Object(
  { name: text('Its name', { minLength: 1, maxLength: 200 }), ...DefinitionPut.properties },
  { title: 'DefinitionPost', description: 'A definition to store, with its name', additionalProperties: false },
);

const Start = Type.Object(
  {
    element: nullable(text('The id of the start event')),
    message: Type.Optional(Type.String()),
    signal: Type.Optional(Type.String()),
    timer: Type.Optional(Type.String()),
  },
  { title: 'Start' },
);
/** What a store or an activation is answered. */
export const DefinitionStored = Type.Object(
  {
    name: text('Its name'),
    version: Type.Integer({ minimum: 1 }),
    sha256: text('Over its text and keys; the ETag'),
    format: Type.OneOf(['xml', 'json', 'radial', 'bpmn'], 'What the text is written in'),
    active: Type.Boolean({ description: 'Whether its name starts this version' }),
    process: Type.Optional(nullable(text('Of BPMN: the id of the process'))),
    participants: Type.Array(Type.String()),
    starts: Type.Array(Start),
    elements: Type.Optional(Type.Array(Type.Object({ id: Type.String(), type: Type.String() }))),
    warnings: Warnings,
  },
  { title: 'DefinitionStored' },
);
export const Definition = Type.Object(
  {
    name: text('Its name'),
    version: Type.Integer({ minimum: 1 }),
    active: Type.Boolean(),
    sha256: text('Over its text and keys; the ETag'),
    format: text('xml, json, radial or bpmn'),
    definition: text('The text, as it came'),
    created_at: time('When this version was stored'),
    created_by: nullable(text('Who stored it')),
    starts: Type.Optional(
      Type.Array(Start, { description: 'Of BPMN: the start events that messages and signals set off' }),
    ),
    ...definitionKeys,
  },
  { title: 'Definition' },
);
export const DefinitionList = Type.Object(
  {
    definitions: Type.Array(
      Type.Object({
        name: Type.String(),
        version: Type.Integer(),
        description: nullable(Type.String()),
        format: Type.String(),
        input_schema: anything('null: there is none'),
        route: nullable(Type.String()),
        updated_at: time('When its active version changed'),
      }),
    ),
    next_cursor: nextCursor,
  },
  { title: 'DefinitionList' },
);
export const DefinitionVersionList = Type.Object(
  {
    versions: Type.Array(
      Type.Object({
        version: Type.Integer(),
        active: Type.Boolean(),
        hash: text('The hash of its tree, by which its workflows are found (`definition`)'),
        sha256: Type.String(),
        format: Type.String(),
        note: nullable(Type.String()),
        created_at: time('When it was stored'),
        created_by: nullable(Type.String()),
      }),
    ),
    next_cursor: nextCursor,
  },
  { title: 'DefinitionVersionList' },
);

/** Options of a launch beside what is launched. */
const launchOptions = {
  callback,
  callbacks,
  retry,
  notify: definitionKeys.notify,
  business_key: Launch.properties.business_key,
  business_key_conflict: Launch.properties.business_key_conflict,
  timeout,
  history_max,
  replies: definitionKeys.replies,
  compensate: definitionKeys.compensate,
  strict,
};
/** Body of `POST /v1/definitions/:name/run`. */
export const Run = Type.Object(
  {
    inputs: Type.Optional(Fields),
    fields: Type.Optional(Fields),
    version: Type.Optional({ type: 'integer', minimum: 1, description: 'The active one where it is left out' }),
    start: Launch.properties.start,
    ...launchOptions,
  },
  {
    title: 'Run',
    description: 'Launches a stored definition; inputs and fields are two words for one',
    additionalProperties: false,
  },
);

const Fired = Type.Object(
  {
    due_at: time('When it was due'),
    fired_at: time('When that was decided'),
    workflow_id: Type.Optional(text('What was launched')),
    skipped: Type.Optional(Type.OneOf(['overlap', 'missed', 'limit', 'failed'], 'Why nothing was')),
  },
  { title: 'Fired' },
);
export const ScheduleShown = Type.Object(
  {
    ...Schedule.properties,
    start: Type.Optional(text('Of BPMN: the start event it begins with')),
    id: text('<definition>:<name>'),
    definition: text('What it starts'),
    version: Type.Integer(),
    next_at: nullable(time('When it is due next')),
    paused: Type.Boolean(),
    last: nullable(Fired),
    recent: Type.Array(Fired, { description: 'The latest 20, the latest in front' }),
  },
  { title: 'ScheduleShown' },
);
export const ScheduleList = Type.Object(
  { schedules: Type.Array(ScheduleShown), next_cursor: nextCursor },
  { title: 'ScheduleList' },
);
/** Body of a backfill. */
export const Backfill = Type.Object(
  { from: time('From'), to: time('Until') },
  { title: 'Backfill', description: 'A stretch of time', additionalProperties: false },
);

export const SeenDefinitions = Type.Object(
  {
    definitions: nullable(
      Type.Array(
        Type.Object({
          hash: text('The hash of the definition'),
          name: nullable(text('The name it gives itself')),
          stored: nullable(text('The name it is stored under; null: it came with its launches')),
          launched: Type.Integer({ description: 'Workflows that were launched of it', minimum: 0 }),
          live: Type.Integer({ description: 'Of those, have not ended', minimum: 0 }),
          failed: Type.Integer({ description: 'Of those, are in error', minimum: 0 }),
          first_at: time('The first of these launches'),
          last_at: time('The last one'),
          workflow_id: text('The last workflow that was launched of it'),
        }),
      ),
    ),
    stored: nullable(
      Type.Array(
        Type.Object({
          name: text('The name it is stored under; of all its versions together'),
          live: Type.Integer({ description: 'Workflows of it that have not ended', minimum: 0 }),
          failed: Type.Integer({ description: 'Of those, are in error', minimum: 0 }),
          launched_in_a_day: Type.Integer({ description: 'That were launched in the last 24 hours', minimum: 0 }),
        }),
        { description: 'Those that have such workflows; null: they could not be counted in time' },
      ),
    ),
    stored_complete: nullable(Type.Boolean({ description: 'False: there are more workflows than are counted' })),
  },
  { title: 'SeenDefinitions', description: 'At most 500, of the last 20,000 launches' },
);

export const DefinitionPlaces = Type.Object(
  {
    definition: text('The hash of the definition, or its beginning'),
    workflows: Type.Integer({ description: 'Workflows that were looked into, the newest', minimum: 0 }),
    complete: Type.Boolean({ description: 'Whether these were all that are live, and all of each' }),
    places: Type.Array(
      Type.Object({
        expid: text('The place in the tree'),
        live: Type.Integer({ description: 'Expressions that are live there', minimum: 0 }),
        failed: Type.Integer({ description: 'Expressions that failed there and wait for somebody', minimum: 0 }),
        workitems: Type.Integer({ description: 'Workitems that are open there', minimum: 0 }),
      }),
    ),
  },
  { title: 'DefinitionPlaces', description: 'Where the workflows of a definition stand' },
);
