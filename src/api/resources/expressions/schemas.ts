import { Type } from '../../schema.ts';
import { dryRun, Fields, nextCursor, nullable, reason, Tree, text } from '../../schema-parts.ts';
import { Expression, Timer } from '../workflows/schemas.ts';

/** Body of a replay of an error, or of the re-application of an expression. */
export const Reapply = Type.Object(
  { fields: Type.Optional(Fields), tree: Type.Optional(Tree), reason, dry_run: dryRun },
  {
    title: 'Reapply',
    description: 'Runs an expression again, with other fields or another tree where they are given',
    additionalProperties: false,
  },
);

const element = (description: string) => text(description, { minLength: 1, maxLength: 300 });
/** Body of a move of a token, and of a token more. */
export const Move = Type.Object(
  { to: element('The id of the element it goes on at'), reason, dry_run: dryRun },
  { title: 'Move', description: 'Where the token goes on', additionalProperties: false },
);
export const AddToken = Type.Object(
  { at: element('The id of the element it is put at'), reason, dry_run: dryRun },
  { title: 'AddToken', description: 'Where the token is put', additionalProperties: false },
);

/** Body of a pause of an expression, and of what lifts it. */
export const Hold = Type.Object(
  {
    breakpoint: Type.Optional(
      Type.String({
        description:
          'Instead of itself: a place below it, such as 0_2; whatever comes there is held before it sets out',
        pattern: '^[0-9]+(_[0-9]+)*$',
        maxLength: 1_000,
      }),
    ),
    reason,
    dry_run: dryRun,
  },
  { title: 'Hold', description: 'What is held, or goes on', additionalProperties: false },
);
/** Body of a reply in the place of an expression. */
export const ReplyFor = Type.Object(
  { fields: Type.Optional(Fields), reason, dry_run: dryRun },
  {
    title: 'ReplyFor',
    description: 'With which fields the expression is done, over those it has',
    additionalProperties: false,
  },
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
