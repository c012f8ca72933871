import { BATCH_ACTIONS } from '../../../batches/asked.ts';
import { BATCH_STATES } from '../../../store/store.ts';
import { Type } from '../../schema.ts';
import { Fields, nextCursor, nullable, reason, Tree, text, time } from '../../schema-parts.ts';

export const IDS_MAX = 10_000;
export const RATE_MAX = 1_000;
export const OUTCOMES = ['done', 'failed', 'skipped', 'left'] as const;

const action = Type.OneOf(BATCH_ACTIONS, 'What is done to each');
const filter = {
  type: 'object',
  description:
    'Which workflows: the filters of GET /v1/workflows by name, or "all": true; for replay also error_class, for redeliver and proceed state (owed, failing, spent)',
  additionalProperties: {
    anyOf: [
      { type: 'string', maxLength: 2_000 },
      { type: 'number' },
      { type: 'boolean' },
      { type: 'array', items: { type: 'string', maxLength: 2_000 }, minItems: 1, maxItems: 20 },
    ],
  },
  minProperties: 1,
  maxProperties: 50,
};
const count = (description: string) => Type.Integer({ description, minimum: 0 });

const merge = Type.Optional(
  Type.Boolean({
    description: 'Of a replay with fields: they are merged over those of each, instead of taking their place',
  }),
);

/** Body of `POST /v1/batches`. One of `filter`, `ids` and `all` is there. */
export const BatchCreate = Type.Object(
  {
    action,
    filter: Type.Optional(filter),
    ids: Type.Optional(
      Type.Array(
        text('Of a workflow; for replay, redeliver and proceed also expid!subid!workflow_id', { maxLength: 1_000 }),
        {
          minItems: 1,
          maxItems: IDS_MAX,
        },
      ),
    ),
    all: Type.Optional({ type: 'boolean', const: true, description: 'Every workflow there is' }),
    params: Type.Optional(
      Type.Object(
        { fields: Type.Optional(Fields), tree: Type.Optional(Tree), merge },
        {
          description: 'Of a replay: fields and a tree, as for one error, and merge; of a proceed: fields',
          additionalProperties: false,
        },
      ),
    ),
    reason,
    rate: Type.Optional(
      Type.Integer({
        description: 'Items in a second, at most; as fast as it goes unless said',
        minimum: 1,
        maximum: RATE_MAX,
      }),
    ),
    dry_run: Type.Optional(Type.Boolean({ description: 'Only tells how many there are' })),
  },
  { title: 'BatchCreate', description: 'The same thing to be done to many workflows', additionalProperties: false },
);

export const Batch = Type.Object(
  {
    id: text('Names the batch'),
    action,
    filter: nullable({ type: 'object', description: 'As it was given; null: ids were' }),
    ids: Type.Optional(count('How many ids were given')),
    params: Type.Object({ fields: Type.Optional(Fields), tree: Type.Optional(Tree), merge }),
    reason: nullable(text('Why')),
    actor: nullable(text('Who asked for it: key:<id>, jwt:<issuer>:<subject>')),
    rate: nullable(Type.Integer({ description: 'Items in a second, at most; null: no limit' })),
    state: Type.OneOf(BATCH_STATES, 'How far it is'),
    created_at: time('When it was asked for'),
    started_at: nullable(time('When a node began with it')),
    ended_at: nullable(time('When it was over')),
    total: nullable(count('Its items; null: they are still being looked for')),
    done: count('To which it was done'),
    failed: count('To which it could not be done, though it should have been'),
    skipped: count('To which there was nothing to do'),
    left: nullable(count('Which are still to come: total is the sum of these four')),
    problem: nullable(text('Why it was stopped or failed, where somebody did not ask for it')),
    problems: Type.Optional(
      Type.Array(Type.Object({ code: text('Why an item failed or was skipped'), count: count('How many') }), {
        description: 'The most frequent first (not in lists)',
      }),
    ),
    came_back: Type.Optional(count('Of those done, how many are in error now (not in lists)')),
    came_back_as: Type.Optional(
      Type.Array(Type.Object({ class: text('Of the newest error of the workflow'), count: count('How many') }), {
        description: 'The same by what they are in error with, the most frequent first (not in lists)',
      }),
    ),
  },
  { title: 'Batch', description: 'The same thing done to many workflows' },
);

export const BatchList = Type.Object({ batches: Type.Array(Batch), next_cursor: nextCursor }, { title: 'BatchList' });

export const BatchItems = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        workflow_id: text('The workflow'),
        object: nullable(text('The error or workitem, as expid!subid; null: it is about the workflow')),
        outcome: Type.OneOf(OUTCOMES, 'What came of it'),
        code: nullable(text('Why it failed or was skipped')),
        message: nullable(text('The same in words')),
      }),
    ),
    next_cursor: nextCursor,
  },
  { title: 'BatchItems' },
);

export const BatchMatches = Type.Object(
  {
    matches: Type.Optional(count('How many there are')),
    at_least: Type.Optional(count('There are more than this, or not all were looked at')),
    sample: Type.Array(
      Type.Object({ workflow_id: text('The workflow'), object: nullable(text('The error or workitem')) }),
      { description: 'Some of them', maxItems: 10 },
    ),
  },
  { title: 'BatchMatches', description: 'What a batch would be about; exactly one of matches and at_least' },
);
