import { Type } from '../../schema.ts';
import { nullable, text, time } from '../../schema-parts.ts';

/** Body of `POST /v1/test/clock`. */
export const ClockAdvance = Type.Object(
  { advance: Type.Number({ description: 'Seconds; 0 only waits for quiet', minimum: 0, maximum: 3_200_000_000 }) },
  { title: 'ClockAdvance', description: 'Moves business time; only with TEST_CLOCK=1', additionalProperties: false },
);

export const ClockAdvanced = Type.Object(
  { advanced: Type.Number({ description: 'Seconds' }), now: time('The business time now') },
  { title: 'ClockAdvanced' },
);
export const Ping = Type.Object({ ping: Type.Literal('pong') }, { title: 'Ping', additionalProperties: false });
export const Nodes = Type.Object(
  {
    nodes: Type.Array(
      Type.Object({
        id: Type.String(),
        name: nullable(text('What people call it (NODE_NAME); null: a node of a release that knew no names')),
        role: Type.OneOf(['all', 'api', 'worker'], 'What it does'),
        url: text('Its public address'),
        version: Type.String(),
        started_at: time('When it started'),
        seen_at: time('When it was last heard of'),
        alive: Type.Boolean({ description: 'Whether its lease has not run out' }),
        claims: nullable(
          Type.Integer({
            description: 'Messages it had claimed when it was last heard of; null: it delivers none, or does not say',
            minimum: 0,
          }),
        ),
        tries: nullable(Type.Integer({ description: 'Tries that were under way then', minimum: 0 })),
        connections: nullable(
          Type.Integer({ description: 'Connections to the database that were in use then', minimum: 0 }),
        ),
        loop_delay_ms: nullable(
          Type.Number({
            description: 'How late 99 of 100 turns of its event loop were at most, since it was heard of before',
            minimum: 0,
          }),
        ),
      }),
    ),
  },
  { title: 'Nodes' },
);

export const Info = Type.Object(
  {
    version: text('Of the server'),
    auth: Type.OneOf(['open', 'required'], 'Whether callers are asked who they are; open: everybody may do everything'),
    commit: Type.Optional(nullable(text('What it was built from; null: nobody knows'))),
    store: Type.Optional(Type.OneOf(['postgres', 'distributed', 'embedded', 'simulated'], 'Where everything is kept')),
    role: Type.Optional(Type.OneOf(['all', 'api', 'worker'], 'What this node does')),
    cell: Type.Optional(text('What this cell is called, where there are several')),
    now: Type.Optional(time('Business time')),
    test_clock: Type.Optional(Type.Boolean({ description: 'Whether business time can be moved' })),
    limits: Type.Optional({
      type: 'object',
      additionalProperties: { type: 'integer' },
      description: 'Bounds of one step and one workflow',
    }),
    retention: Type.Optional(
      Type.Object({
        ended_days: Type.Number({ description: 'Days a workflow that is over is kept' }),
        audit_days: Type.Number({ description: 'Days the audit is kept' }),
        batches_days: Type.Number({ description: 'Days a batch that is over is kept' }),
      }),
    ),
    features: Type.Optional(
      Type.Array(Type.String(), { description: 'The operationId of everything this server can do' }),
    ),
    warnings: Type.Optional(Type.Array(Type.String(), { description: 'What an operator should look at' })),
  },
  { title: 'Info', description: 'Without the scope read only version and auth' },
);
