import { Type } from '../../schema.ts';
import { dryRun, Fields, nullable, reason, text } from '../../schema-parts.ts';

/* What a retry is asked with, and what it answers. */

export const Retry = Type.Object(
  {
    from: Type.Optional(
      text(
        'The step it goes on from: its place (0_1), its name, tag or element, or a live expression (expid!subid). Left out: what is in error',
        { minLength: 1, maxLength: 300 },
      ),
    ),
    fields: Type.Optional(Fields),
    fork: Type.Optional(
      Type.Boolean({ description: 'true: as another workflow, which begins there; this one stays as it is' }),
    ),
    reason,
    dry_run: dryRun,
  },
  {
    title: 'WorkflowRetry',
    description: 'From where, and what is merged over the fields',
    additionalProperties: false,
  },
);
export const Retried = Type.Object(
  {
    id: text('The workflow that goes on'),
    from: nullable(text('The place it goes on from; null: several at once, or from its beginning')),
    retry_of: Type.Optional(text('With fork: the workflow it is another try of')),
  },
  { title: 'WorkflowRetried' },
);
