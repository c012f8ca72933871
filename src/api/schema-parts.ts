import { type Schema, Type } from './schema.ts';

/* What the schemas of several resources share. */

export const nullable = (schema: Schema) => Type.Union([schema, Type.Null()]);
export const time = (description: string) => Type.String({ description: `${description}, RFC 3339 in UTC` });
export const text = (description: string, options: { readonly maxLength?: number; readonly minLength?: number } = {}) =>
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

/** Why somebody does something; kept in the history. */
export const reason = Type.Optional(
  Type.String({ description: 'Why, in your words; the history keeps it', maxLength: 500 }),
);

/** Only a reason is wanted in this body. */
export const Reasoned = Type.Object(
  { reason },
  { title: 'Reasoned', description: 'Why, for those who read the history', additionalProperties: false },
);

export const dryRun = Type.Optional(
  Type.Boolean({ description: 'true: nothing happens, and the answer (200) says what would' }),
);
/** A reason, and whether it is only to be rehearsed. */
export const Rehearsable = Type.Object(
  { reason, dry_run: dryRun },
  { title: 'Rehearsable', description: 'Why, for those who read the history', additionalProperties: false },
);
const told = { workitem_id: text('expid!subid!workflow_id'), participant: nullable(text('Whose')) };
/** What would come of something. */
export const Rehearsal = Type.Object(
  {
    told: Type.Array(Type.Object({ ...told, status: text('timeout, error or cancel') }), {
      description: 'Workitems whose participants would be told that they end',
    }),
    opened: Type.Array(Type.Object(told), { description: 'Workitems that would be opened' }),
    handlers: Type.Array(
      Type.Object({
        expression_id: text('What would be cancelled'),
        expid: text('Its place in the tree'),
        handler: text('What would be applied in its place'),
      }),
    ),
    expressions_ended: Type.Integer({ description: 'Expressions that would end', minimum: 0 }),
    status: text('How the workflow would stand'),
    complete: Type.Boolean({ description: 'false: this is only the beginning of it' }),
  },
  { title: 'Rehearsal', description: 'With dry_run: what would happen' },
);

export const SEND_STATUSES = ['active', 'timeout', 'error', 'cancel'] as const;
export const nextCursor = nullable(text('Give this as cursor to get the next page; null: there is none'));
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
