import { Type } from '../../schema.ts';
import { nullable, time } from '../../schema-parts.ts';

const count = (description: string) => Type.Integer({ description, minimum: 0 });
const milliseconds = (description: string) => nullable(Type.Number({ description, minimum: 0 }));
const seconds = (description: string) => Type.Number({ description, minimum: 0 });

export const Stats = Type.Object(
  {
    now: time('Business time'),
    workflows: nullable(
      Type.Object(
        {
          running: count('Running'),
          error: count('In error'),
          paused: count('Paused'),
          cancelling: count('Being cancelled'),
        },
        { description: 'Those that have not ended, by status' },
      ),
    ),
    workitems: nullable(
      Type.Object({
        open: count('That wait for their participant'),
        failed: count('Whose tries are spent, or whose participant gave up'),
        overdue: count('Of both, those that wait for longer than OVERDUE_AFTER'),
      }),
    ),
    messages: nullable(
      Type.Object({
        due: count('Due and not claimed by any node, counted to 10,000'),
        oldest_due_seconds: seconds('Since when the oldest of them is due'),
        failing: nullable(count('Refused before, and tried again')),
        spent: nullable(count('Of workitems whose tries are spent')),
      }),
    ),
    timers: nullable(
      Type.Object({
        due: count('Due and not fired yet, counted to 10,000'),
        oldest_due_seconds: seconds('Since when the oldest of them is due'),
      }),
    ),
    errors: nullable(count('Errors that wait for somebody')),
    definitions: nullable(
      Type.Array(
        Type.Object({
          name: Type.String({ description: 'The name a definition gives itself' }),
          launched: count('Launched in these minutes'),
          live: count('Of those, have not ended'),
          failed: count('Of those, are in error'),
          p50_ms: milliseconds('Half of those that ended took at most this'),
          p95_ms: milliseconds('19 of 20 of those that ended took at most this'),
        }),
        { description: 'The ten definitions that were launched most' },
      ),
    ),
    minutes: Type.Array(
      Type.Object({
        at: time('When the minute begins'),
        launched: count('Workflows launched'),
        ended: count('Workflows that ended'),
        steps: count('Steps taken'),
        tries: Type.Object({
          delivered: count('Answered with 2xx'),
          refused: count('Answered with something else'),
          unreachable: count('Not answered'),
        }),
        step_p50_ms: milliseconds('Half of the steps took at most this, from arrival to commit'),
        step_p95_ms: milliseconds('19 of 20 steps took at most this'),
        timer_lag_ms: milliseconds('19 of 20 timers fired at most so late'),
        claim_lag_ms: milliseconds('19 of 20 tries began at most so long after they were due'),
        database_ms: milliseconds('19 of 20 commits took at most this'),
      }),
      { description: 'The minutes in which something happened, oldest first' },
    ),
    hosts: Type.Optional(
      Type.Array(
        Type.Object({
          host: Type.String({ description: 'Name and port' }),
          in_flight: count('Tries under way'),
          tries: count('Tries since this node knows it'),
          failing_since: nullable(time('Since when no try was answered with 2xx')),
          per_minute: nullable(
            Type.Number({ description: 'Tries in a minute, as its last 50 came; null: there was one', minimum: 0 }),
          ),
          p50_ms: milliseconds('Half of its last tries took at most this'),
          p95_ms: milliseconds('19 of 20 of its last tries took at most this'),
          breaker: Type.OneOf(
            ['closed', 'open', 'half_open'],
            'open: it is left alone (BREAKER_FAILURES); half_open: one try decides',
          ),
          open_until: nullable(time('Until when it is left alone')),
        }),
        {
          description: 'The hosts this node sends to, the worst first, at most 100; only for principals of all tenants',
        },
      ),
    ),
  },
  { title: 'Stats', description: 'How things stand; null stands for what could not be counted in time' },
);
