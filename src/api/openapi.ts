import { isObject, type Json, type JsonObject } from '../model/json.ts';
import type { AnswerSpec, Operation } from './operation.ts';
import { Callback } from './resources/workitems/schemas.ts';
import type { Schema } from './schema.ts';
import { Problem } from './schema-parts.ts';
import { published } from './schemas.ts';

/** The OpenAPI 3.1 description of these operations, from the schemas they are checked with. */
export function openapi(operations: readonly Operation[]): JsonObject {
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
      version: '1',
      description: 'A workflow server: it decides whose turn it is, tells them, waits, and never forgets.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      schemas: componentsOf(),
    },
  };
}

function describe(operation: Operation): JsonObject {
  const names = [...operation.path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
  const parameters: Json[] = names.map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
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
  if (operation.method === 'patch')
    parameters.push({ name: 'If-Match', in: 'header', required: true, schema: { type: 'string' } });

  const schema = operation.body === undefined ? null : referTo(operation.body.schema);
  return {
    operationId: operation.id,
    summary: operation.summary,
    // Without credentials while the server is open; else with those that have the scope.
    security: securityOf(operation),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(schema === null
      ? {}
      : {
          requestBody: {
            required: isRequired(operation),
            content: { 'application/json': { schema }, 'application/x-www-form-urlencoded': { schema } },
          },
        }),
    responses: {
      ...Object.fromEntries(Object.entries(operation.answers).map(([status, spec]) => [status, response(spec)])),
      default: response({ description: 'A complaint', schema: Problem }),
    },
    ...(operation.id === 'launch' ? { callbacks: CALLBACKS } : {}),
  };
}

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

function response(spec: AnswerSpec): JsonObject {
  if (spec.type !== undefined)
    return {
      description: spec.description,
      content: { [spec.type]: { schema: spec.schema === undefined ? { type: 'string' } : referTo(spec.schema) } },
    };
  if (spec.schema === undefined)
    return { description: spec.description, content: { 'text/plain': { schema: { type: 'string' } } } };
  const type = spec.schema === Problem ? 'application/problem+json' : 'application/json';
  return { description: spec.description, content: { [type]: { schema: referTo(spec.schema) } } };
}

const CALLBACKS: JsonObject = {
  participant: {
    '{$request.body#/callback}': {
      post: {
        summary: 'It is the turn of this participant, or not any more',
        requestBody: { required: true, content: { 'application/json': { schema: referTo(Callback) } } },
        responses: {
          '2XX': { description: 'Delivered; everything else counts as a failed try' },
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

const componentsOf = (): JsonObject =>
  Object.fromEntries(Object.entries(published).map(([name, schema]) => [name, plain(schema)]));

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
