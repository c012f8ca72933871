import { isObject, type Json, type JsonObject } from '../model/json.ts';
import { BODY_EXAMPLES } from './openapi-examples.ts';
import { headerComponents, headersOf } from './openapi-headers.ts';
import type { AnswerSpec, Operation } from './operation.ts';
import { Callback } from './resources/workitems/schemas.ts';
import type { Schema } from './schema.ts';
import { Problem } from './schema-parts.ts';
import { published } from './schemas.ts';

/** The OpenAPI 3.1 description of these operations, from the schemas they are checked with. `url`: where they are, as seen from the document. */
export function openapi(
  operations: readonly Operation[],
  { version, url }: { readonly version: string; readonly url: string },
): JsonObject {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) {
    const path = operation.path.replaceAll(/:(\w+)/g, '{$1}');
    const item = paths[path] ?? {};
    paths[path] = item;
    item[operation.method] = describe(operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rota',
      version,
      description: 'A workflow server: it decides whose turn it is, tells them, waits, and never forgets.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url, description: 'This server' }],
    tags: Object.entries(TAGS)
      .filter(([name]) => operations.some((operation) => tagOf(operation) === name))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      schemas: componentsOf(paths),
      headers: headerComponents(),
      responses: COMMON,
    },
  };
}

function describe(operation: Operation): JsonObject {
  const names = [...operation.path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
  const parameters: Json[] = names.map((name) => ({
    name,
    in: 'path',
    required: true,
    description: PATH_PARAMETERS[name]?.description ?? 'Its name',
    schema: { type: 'string', ...PATH_PARAMETERS[name]?.schema },
  }));
  for (const { name, description, schema } of operation.query ?? [])
    parameters.push({
      name: name.endsWith('.') ? `${name}{path}` : name,
      in: 'query',
      description,
      schema: schema === undefined ? { type: 'string' } : plain(schema),
    });
  if (operation.method === 'post')
    parameters.push({
      name: 'Idempotency-Key',
      in: 'header',
      description: 'The same key with the same body repeats the first answer (kept for a day)',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    });
  if (operation.method === 'put')
    for (const name of ['If-Match', 'If-None-Match'])
      parameters.push({ name, in: 'header', schema: { type: 'string' } });
  if (operation.method === 'patch')
    parameters.push({ name: 'If-Match', in: 'header', required: true, schema: { type: 'string' } });

  const schema = operation.body === undefined ? null : referTo(operation.body.schema);
  return {
    operationId: operation.id,
    summary: operation.summary,
    tags: [tagOf(operation)],
    ...(operation.access === 'open' || operation.access === 'any' ? {} : { 'x-rota-scope': operation.access }),
    // Without credentials while the server is open; else with those that have the scope.
    security: securityOf(operation),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(schema === null
      ? {}
      : {
          requestBody: {
            required: isRequired(operation),
            content: {
              'application/json': { schema, ...exampleOf(operation) },
              'application/x-www-form-urlencoded': { schema },
              ...Object.fromEntries(
                (operation.body?.documents ?? []).map((type) => [type, { schema: { type: 'string' } }]),
              ),
            },
          },
        }),
    responses: {
      ...commonOf(operation),
      ...Object.fromEntries(
        Object.entries(operation.answers).map(([status, spec]) => [
          status,
          { ...response(spec, operation), headers: headersOf(operation, status) },
        ]),
      ),
      default: operation.answersItself === true ? OWN_ANSWER : { $ref: '#/components/responses/complaint' },
    },
    ...(operation.id === 'launch' ? { callbacks: CALLBACKS } : {}),
  };
}

const exampleOf = ({ id }: Operation): JsonObject => {
  const example = BODY_EXAMPLES[id];
  return example === undefined ? {} : { example };
};

const SECURITY_SCHEMES: JsonObject = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key (rota_…)' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key (rota_…)' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-rota',
    description: 'Of pages of this server; whatever changes something also needs the header Rota-Console: 1',
  },
  ticket: { type: 'apiKey', in: 'query', name: 'ticket', description: 'Opens streams of events for a minute' },
  capability: {
    type: 'apiKey',
    in: 'query',
    name: 'token',
    description: 'What stands in the proceed_url of a workitem: good for that workitem alone',
  },
};

/** Who may call it, where callers are asked who they are. The scope it needs stands beside each scheme. */
function securityOf({ access, capability, ticket }: Operation): Json {
  if (access === 'open') return [];
  const scopes = access === 'any' ? [] : [access];
  return [
    {},
    { bearer: scopes },
    { apiKey: scopes },
    { session: scopes },
    ...(capability === undefined ? [] : [{ capability: [] }]),
    ...(ticket === undefined ? [] : [{ ticket: [] }]),
  ];
}

const isRequired = (operation: Operation): boolean => {
  const required = operation.body === undefined ? undefined : plain(operation.body.schema)['required'];
  return Array.isArray(required) && required.length > 0;
};

function response(spec: AnswerSpec, operation: Operation): JsonObject {
  const status = Object.entries(operation.answers).find(([, one]) => one === spec)?.[0];
  const links = operation.id === 'launch' && status === '201' ? { links: LINKS } : {};
  const { description } = spec;
  if (status === '204' || status === '304') return { description };
  if (spec.type !== undefined)
    return {
      description,
      content: Object.fromEntries(
        [spec.type, ...(spec.also ?? [])].map((type) => [type, { schema: textSchema(type, spec.schema) }]),
      ),
    };
  if (spec.schema === undefined) return { description, content: { 'text/plain': { schema: { type: 'string' } } } };
  if (spec.schema === Problem) return complaint(description);
  const schema = referTo(spec.schema);
  const isAny = operation.answersItself === true;
  // Where a page is wanted, and where it is to be found is answered, there is no other content.
  const other = operation.answers[303] === undefined ? operation.alsoAs : undefined;
  return {
    description,
    content: {
      'application/json': { schema: isAny ? { anyOf: [schema, ANY] } : schema },
      ...(other === undefined ? {} : { [other]: { schema: { type: 'string' } } }),
    },
    ...links,
  };
}

/** Of an answer in a media type of its own; JSON without a schema is any. */
function textSchema(type: string, schema: Schema | undefined): JsonObject {
  if (schema !== undefined) return referTo(schema);
  return type.endsWith('json') ? {} : { type: 'string' };
}

const complaint = (description: string): JsonObject => ({
  description,
  content: { 'application/problem+json': { schema: referTo(Problem) } },
});

/** What a launch was answered leads on. */
const LINKS: JsonObject = {
  get: { operationId: 'getWorkflow', parameters: { workflow_id: '$response.body#/id' } },
  cancel: { operationId: 'cancel', parameters: { workflow_id: '$response.body#/id' } },
};

/** One that every operation of a kind may give. */
const complaintOf = (status: string, description: string): JsonObject => ({
  ...complaint(description),
  headers: headersOf(null, status),
});

/** Any value; a linter takes an empty schema for a mistake. */
const ANY: JsonObject = {
  description: 'What the workflow answers',
  type: ['object', 'array', 'string', 'number', 'boolean', 'null'],
};

/** Of what answers for a workflow that is over: whatever that says, in the status that it says. */
const OWN_ANSWER: JsonObject = {
  description:
    'Another complaint; with `Prefer: wait` also the answer of a workflow that is over, in the status it says',
  content: { 'application/problem+json': { schema: referTo(Problem) }, 'application/json': { schema: ANY } },
  headers: headersOf(null, 'default'),
};

const COMMON: JsonObject = {
  malformed: complaintOf(
    '400',
    'The address, the query, the body or the credentials cannot be read: `request_malformed`, `query_invalid`, `body_malformed`, `credentials_ambiguous`',
  ),
  keyInUse: complaintOf('409', 'The first request with this Idempotency-Key is under way: `idempotency_key_in_use`'),
  keyReused: complaintOf('422', 'The Idempotency-Key was used with another request: `idempotency_key_reused`'),
  unauthenticated: complaintOf('401', 'Say who you are: `unauthenticated`, `credentials_invalid`'),
  forbidden: complaintOf('403', 'You may not do this: `scope_missing`, `capability_invalid`, `origin_not_allowed`'),
  notAcceptable: complaintOf('406', 'The answer cannot be had in what Accept asks for: `not_acceptable`'),
  tooLarge: complaintOf('413', 'The body is too large: `body_too_large`'),
  unsupported: complaintOf('415', 'The body is in a format that is not read here: `media_type_unsupported`'),
  misdirected: complaintOf('421', 'This server does not go by that name: `host_not_allowed`'),
  tooMany: complaintOf('429', 'You ask for too much at once: `rate_limited`; Retry-After says when to come again'),
  failed: complaintOf('500', 'Our fault: `internal`; the log has more under the request_id'),
  away: complaintOf(
    '503',
    'Not now: `overloaded`, `unavailable`, `outcome_unknown`, `not_ready`; Retry-After says when to come again',
  ),
  complaint: complaintOf('default', 'Another complaint'),
};

/** What every operation of a kind can answer. */
function commonOf(operation: Operation): JsonObject {
  const refer = (name: string): JsonObject => ({ $ref: `#/components/responses/${name}` });
  const malformed = operation.query === undefined ? {} : { 400: refer('malformed') };
  if (operation.probe === true) return { ...malformed, 404: refer('complaint') };
  const isJson = Object.values(operation.answers).some(({ schema }) => schema !== undefined && schema !== Problem);
  const reads =
    operation.body !== undefined ||
    operation.method === 'post' ||
    operation.query !== undefined ||
    /:(?!workflow_id|workitem_id)/.test(operation.path);
  return {
    // Whoever says who they are can say it in two ways at once, or name a tenant that is none.
    ...(reads || operation.method === 'patch' || operation.access !== 'open' ? { 400: refer('malformed') } : {}),
    ...(operation.method === 'post' ? { 409: refer('keyInUse'), 422: refer('keyReused') } : {}),
    ...(operation.access === 'open' ? {} : { 401: refer('unauthenticated') }),
    // Pages of others change nothing, whoever may call it.
    ...(operation.access === 'open' && operation.method === 'get' ? {} : { 403: refer('forbidden') }),
    ...(isJson && operation.fixed !== true ? { 406: refer('notAcceptable') } : {}),
    // Also where nothing is read of it.
    ...(operation.body !== undefined || ['post', 'put', 'patch'].includes(operation.method)
      ? { 413: refer('tooLarge'), 415: refer('unsupported') }
      : {}),
    421: refer('misdirected'),
    429: refer('tooMany'),
    500: refer('failed'),
    503: refer('away'),
  };
}

/** What operations are about, in the order of the page. */
const TAGS: { readonly [tag: string]: string } = {
  workflows: 'Launch workflows, look at them, move them',
  workitems: 'What participants are asked to do, and what they answer',
  errors: 'What waits for somebody, and how to go on',
  definitions: 'Store definitions and run them by name; read and judge them without running them',
  events: 'What happens, as it happens',
  access: 'Who may call: keys, secrets, sessions, tickets',
  server: 'The server itself',
  playground: 'Participants that are played by hand',
};

function tagOf({ path }: Operation): string {
  if (/\/events(\/|$)/.test(path)) return 'events';
  if (/\/(workitems|deliveries)(\/|$)/.test(path)) return 'workitems';
  if (/\/(errors|timers)(\/|$)/.test(path)) return 'errors';
  if (/^\/v1\/(workflows|batches)(\/|$)/.test(path)) return 'workflows';
  if (/^\/v1\/(definitions|schedules)(\/|$)/.test(path)) return 'definitions';
  if (/^\/v1\/playground(\/|$)/.test(path)) return 'playground';
  return /^\/v1\/(keys|secrets|session|me|audit)(\/|$)/.test(path) ? 'access' : 'server';
}

const PATH_PARAMETERS: {
  readonly [name: string]: { readonly description: string; readonly schema: JsonObject };
} = {
  workflow_id: { description: 'The id of a workflow', schema: { pattern: '^[\\w-]+$', maxLength: 200 } },
  workitem_id: {
    description: 'The id of a workitem, as its callback has it; `!` may be written %21',
    schema: { pattern: '^[\\w.]+![0-9a-f]+![\\w-]+$', maxLength: 1_000 },
  },
  expression_id: { description: 'The id of an expression of the workflow', schema: { maxLength: 1_000 } },
  definition_name: {
    description: 'The name of a stored definition; a namespace stands before it, with a slash',
    schema: { maxLength: 200 },
  },
  schedule_id: { description: 'The id of a schedule, <definition>:<name>', schema: { maxLength: 300 } },
  version: { description: 'The number of a version', schema: { maxLength: 20 } },
  key_id: { description: 'The id of a key', schema: { pattern: '^[0-9A-Za-z]{12}$' } },
  id: { description: 'The id of a secret', schema: { maxLength: 100 } },
  file: { description: 'start.js, swagger-ui-bundle.js or swagger-ui.css', schema: { maxLength: 100 } },
};

const CALLBACK_HEADERS: Json = [
  ['webhook-id', 'Which message: the same at each try', 'string'],
  ['webhook-timestamp', 'When this try was made, in seconds since 1970', 'string'],
  [
    'webhook-signature',
    'Its signatures where a secret fits the URL, separated by blanks (Standard Webhooks)',
    'string',
  ],
  ['rota-try', 'Which try of this message it is: 1, 2, …', 'integer'],
  [
    'rota-sequence',
    'Of two messages of a workflow the later one has the higher number, the same at each try',
    'integer',
  ],
].map(([name = '', description = '', type = '']) => ({ name, in: 'header', description, schema: { type } }));

const CALLBACKS: JsonObject = {
  participant: {
    '{$request.body#/callback}': {
      post: {
        operationId: 'callback',
        tags: ['workitems'],
        summary: 'It is the turn of this participant, or not any more',
        security: [],
        parameters: CALLBACK_HEADERS,
        requestBody: { required: true, content: { 'application/json': { schema: referTo(Callback) } } },
        responses: {
          '2XX': { description: 'Delivered' },
          '4XX': { description: 'A failed try, which is repeated; 410 may end the tries (`retry` of the launch)' },
          '5XX': { description: 'A failed try, which is repeated' },
        },
      },
    },
  },
};

/** Published schemas are named once under components; what is referred to here are whole ones only. */
function referTo(schema: Schema): JsonObject {
  const name = Object.entries(published).find(([, one]) => one === schema)?.[0];
  return name === undefined ? plain(schema) : { $ref: `#/components/schemas/${name}` };
}

/** Those that something refers to. */
function componentsOf(paths: Json): JsonObject {
  const used = new Set(
    [...JSON.stringify([paths, COMMON]).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? ''),
  );
  return Object.fromEntries(
    Object.entries(published).flatMap(([name, schema]) => (used.has(name) ? [[name, plain(schema)] as const] : [])),
  );
}

/** A schema as plain JSON, without what the library keeps beside it. */
export function plain(schema: Schema): JsonObject {
  const value = JSON.parse(JSON.stringify(schema)) as Json;
  if (!isObject(value)) throw new Error('A schema is an object');
  return value;
}

/** The published schemas by file name, each complete in itself. */
export const schemaFiles = (): ReadonlyMap<string, JsonObject> =>
  new Map(
    Object.entries(published).map(([name, schema]) => [
      `${name}.json`,
      { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: `urn:rota:schema:${name}`, ...plain(schema) },
    ]),
  );
