import { Type } from '../../schema.ts';
import { dryRun, Fields, nextCursor, nullable, reason, Tree } from '../../schema-parts.ts';
import { Expression, Timer } from '../workflows/schemas.ts';

/** Body of a replay of an error, or of the re-application of an expression. */
export const Reapply = Type.Object(
  { fields: Type.Optional(Fields), tree: Type.Optional(Tree), reason, dry_run: dryRun },
  { title: 'Reapply', description: 'Runs an expression again, with other fields or another tree where they are given' },
);

export const ExpressionList = Type.Object(
  { expressions: Type.Array(Expression), next_cursor: nextCursor },
  { title: 'ExpressionList' },
);

export const ExpressionShown = Type.Object(
  {
    ...Expression.properties,
    fields: Fields,
    variables: { type: 'object', description: 'Its own; what is bound there (sub-processes, expressions) as text' },
    handlers: { type: 'object', description: 'on_error, on_cancel, on_timeout, as they were given' },
    timers: Type.Array(Timer),
    tree: nullable(Tree),
    differs: Type.Boolean({ description: 'Its tree is not that of the definition' }),
  },
  { title: 'ExpressionShown', description: 'A live expression, looked at closely' },
);
