import { mayDo, type Scope } from '../../../identity/principal.ts';
import { Fault } from '../../../model/fault.ts';
import { isObject, type Json, type JsonObject, ownValue } from '../../../model/json.ts';
import type { Definition } from '../../../registry/definitions.ts';
import { checkOrigin } from '../../middleware/pages.ts';
import { type Call, jsonReply, type Operation, type Reply, textReply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem as ProblemThrown, problemFor } from '../../problem.ts';
import { Type } from '../../schema.ts';
import { makeRun } from '../definitions/running.ts';
import { kindOfTool, TOOL_KINDS, type ToolKind, toolName } from './names.ts';

/*
 * `POST /mcp` (MCP=1): stored definitions as tools of the Model Context Protocol, over its streamable HTTP: stateless, every answer is JSON.
 * Each definition with `mcp: true` is four tools: it is started, looked at, waited for and cancelled.
 */

/** Revisions of the protocol that are spoken; the newest is offered to whoever asks for another. */
const REVISIONS: readonly string[] = ['2025-06-18', '2025-03-26', '2024-11-05'];
/** Definitions on one page of tools or resources. */
const PAGE = 200;
const WAIT_SECONDS_MAX = 30;
/** Codes of JSON-RPC 2.0. */
const INVALID_REQUEST = -32600;
const NO_SUCH_METHOD = -32601;
const INVALID_PARAMS = -32602;
/** Of MCP: there is no such resource. */
const NO_SUCH_RESOURCE = -32002;

const WORKFLOW_ID = { type: 'string', description: 'The id that the start has answered' } as const;

class RpcError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** @param all the other operations, some of which do the work */
export function mcpOperations(parts: Parts, all: readonly Operation[]): readonly Operation[] {
  const run = makeRun(parts);
  const ours = (id: string): Operation => {
    const found = all.find((operation) => operation.id === id);
    if (found === undefined) throw new Error(`There is no operation ${id}`);
    return found;
  };
  const getWorkflow = ours('getWorkflow');
  const cancel = ours('cancel');

  return [
    {
      id: 'mcp',
      method: 'post',
      path: '/mcp',
      summary: 'Stored definitions as tools of the Model Context Protocol (JSON-RPC 2.0)',
      access: 'any',
      body: { schema: McpRequest, checked: 'by handler' },
      answers: {
        200: { description: 'The answer, or an error, as JSON-RPC has them', schema: McpAnswer },
        202: { description: 'A notification was taken' },
      },
      handle,
    },
  ];

  async function handle(call: Call): Promise<Reply> {
    // A page of another origin may call nothing here, and what a browser sends by itself is no credential.
    checkOrigin(call.header, parts.pages);
    if (call.principal.kind === 'session')
      throw new ProblemThrown(
        'scope_missing',
        'Tools are for clients with a key; a session of the console cannot call them',
      );
    const { body } = call;
    const id = ownValue(body, 'id');
    const method = ownValue(body, 'method');
    if (ownValue(body, 'jsonrpc') !== '2.0' || typeof method !== 'string')
      return failed(null, INVALID_REQUEST, 'This is no request of JSON-RPC 2.0');
    // What wants no answer is a notification; there is nothing here that one could change.
    if (id === undefined) return textReply(202, '');
    if (typeof id !== 'string' && typeof id !== 'number')
      return failed(null, INVALID_REQUEST, 'id must be a text or a number');
    const params = ownValue(body, 'params') ?? {};
    try {
      if (!isObject(params)) throw new RpcError(INVALID_PARAMS, 'params must be an object');
      return jsonReply(200, { jsonrpc: '2.0', id, result: await answer(method, params, call) });
    } catch (error) {
      if (error instanceof RpcError) return failed(id, error.code, error.message);
      throw error;
    }
  }

  async function answer(method: string, params: JsonObject, call: Call): Promise<JsonObject> {
    switch (method) {
      case 'initialize': {
        const asked = ownValue(params, 'protocolVersion');
        const known = REVISIONS.find((revision) => revision === asked);
        return {
          protocolVersion: known ?? REVISIONS[0] ?? '',
          capabilities: { tools: {}, resources: {} },
          serverInfo: { name: 'rota', title: 'Rota', version: parts.about.version },
          instructions:
            'Workflows: start one, then look at it or wait for its result by the id that the start answers.',
        };
      }
      case 'ping':
        return {};
      case 'tools/list':
        return page(params, call, 'tools', (definition) => TOOL_KINDS.map((kind) => toolOf(definition, kind)));
      case 'tools/call':
        return callTool(params, call);
      case 'resources/list':
        return page(params, call, 'resources', (definition) => [
          {
            uri: uriOf(definition.name),
            name: definition.name,
            description: descriptionOf(definition),
            mimeType: mimeOf(definition),
          },
        ]);
      case 'resources/read':
        return readResource(params, call);
      default:
        throw new RpcError(NO_SUCH_METHOD, `There is no method ${JSON.stringify(method.slice(0, 100))}`);
    }
  }

  /** Definitions that are tools, by name. */
  function offered(call: Call): readonly Definition[] {
    const all = [...parts.registry.definitions.of(call.principal.tenant)];
    return all.filter(({ options }) => options['mcp'] === true).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  function page(
    params: JsonObject,
    call: Call,
    member: string,
    itemsOf: (definition: Definition) => readonly JsonObject[],
  ): JsonObject {
    needs('read', call);
    const cursor = ownValue(params, 'cursor');
    if (cursor !== undefined && typeof cursor !== 'string') throw new RpcError(INVALID_PARAMS, 'cursor must be a text');
    const rest = offered(call).filter(({ name }) => cursor === undefined || name > cursor);
    const shown = rest.slice(0, PAGE);
    const last = rest.length > PAGE ? shown.at(-1)?.name : undefined;
    return { [member]: shown.flatMap(itemsOf), ...(last === undefined ? {} : { nextCursor: last }) };
  }

  async function callTool(params: JsonObject, call: Call): Promise<JsonObject> {
    const name = ownValue(params, 'name');
    const given = ownValue(params, 'arguments') ?? {};
    if (typeof name !== 'string' || !isObject(given))
      throw new RpcError(INVALID_PARAMS, 'name must be a text, and arguments an object');
    const kind = kindOfTool(name);
    const definition = offered(call).find((one) => kind !== null && toolName(one.name, kind) === name);
    if (kind === null || definition === undefined)
      throw new RpcError(INVALID_PARAMS, `There is no tool ${JSON.stringify(name.slice(0, 100))}`);
    try {
      const value = await use(definition, kind, given, call);
      return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
    } catch (error) {
      // What the model did wrong is told to the model, so that it can do better.
      if (!(error instanceof ProblemThrown || error instanceof Fault)) throw error;
      const { body } = problemFor(error, call.requestId, false);
      return { content: [{ type: 'text', text: JSON.stringify(body) }], isError: true };
    }
  }

  async function use(definition: Definition, kind: ToolKind, given: JsonObject, call: Call): Promise<JsonObject> {
    if (kind === 'start') {
      needs('launch', call);
      const asked = { name: definition.name, version: null, body: { inputs: given }, startedBy: 'mcp' } as const;
      const { id, status } = bodyOf(await run(call, asked));
      return { workflow_id: id ?? null, ...(status === undefined ? {} : { status }) };
    }
    const id = ownValue(given, 'workflow_id');
    if (typeof id !== 'string')
      throw new ProblemThrown('request_invalid', 'workflow_id must be the id that the start has answered', {
        complaints: [{ detail: 'must be a text', pointer: '#/workflow_id' }],
      });
    needs('read', call);
    const standing = await look(definition, id, call);
    if (kind === 'status') return standing;
    if (kind === 'cancel') {
      needs('operate', call);
      const why = ownValue(given, 'reason');
      await cancel.handle({
        ...call,
        params: { workflow_id: id },
        reason: typeof why === 'string' ? why : null,
        body: {},
      });
      return { workflow_id: id, status: 'cancelling' };
    }
    return waitFor(definition, id, given, call);
  }

  async function waitFor(definition: Definition, id: string, given: JsonObject, call: Call): Promise<JsonObject> {
    const asked = ownValue(given, 'timeout_seconds');
    const seconds = typeof asked === 'number' ? Math.min(Math.max(asked, 0), WAIT_SECONDS_MAX) : WAIT_SECONDS_MAX;
    const workflow = id as Parameters<typeof parts.events.ofWorkflows.settled>[0]['workflow'];
    await parts.events.ofWorkflows.settled(
      { tenant: call.principal.tenant, workflow },
      ({ status }) => status === 'error' || ['completed', 'cancelled', 'killed'].includes(status),
      seconds * 1_000,
    );
    return look(definition, id, call);
  }

  /** How a workflow of this definition stands; of another one is as if it were not there. */
  async function look(definition: Definition, id: string, call: Call): Promise<JsonObject> {
    const asked = { ...call, params: { workflow_id: id }, query: new URLSearchParams(), body: {} };
    const document = bodyOf(await getWorkflow.handle(asked));
    const of = document['definition'];
    if (!isObject(of) || of['name'] !== definition.name)
      throw new ProblemThrown('workflow_not_found', `There is no workflow ${JSON.stringify(id)} of ${definition.name}`);
    const { status, fields, errors, launched_at, ended_at } = document;
    return {
      ...{ workflow_id: id, status: status ?? null, fields: fields ?? null, errors: errors ?? [] },
      ...{ started_at: launched_at ?? null, ended_at: ended_at ?? null },
    };
  }

  async function readResource(params: JsonObject, call: Call): Promise<JsonObject> {
    needs('read', call);
    const uri = ownValue(params, 'uri');
    const definition = offered(call).find(({ name }) => uriOf(name) === uri);
    const text = definition === undefined ? null : await parts.store.stored.text(definition.source);
    if (definition === undefined || text === null)
      throw new RpcError(NO_SUCH_RESOURCE, `There is no resource ${JSON.stringify(String(uri).slice(0, 200))}`);
    return { contents: [{ uri: uriOf(definition.name), mimeType: mimeOf(definition), text }] };
  }
}

function needs(scope: Scope, { principal }: Call): void {
  if (!mayDo(principal, scope)) throw new ProblemThrown('scope_missing', `This needs the scope ${scope}`);
}

const failed = (id: string | number | null, code: number, message: string): Reply =>
  jsonReply(200, { jsonrpc: '2.0', id, error: { code, message } });

function bodyOf(reply: Reply): JsonObject {
  const body: Json =
    reply.kind === 'text' && reply.type === 'application/json' ? (JSON.parse(reply.text) as Json) : null;
  return isObject(body) ? body : {};
}

const uriOf = (name: string): string => `rota://definitions/${encodeURIComponent(name)}`;

const MEDIA_TYPES: ReadonlyMap<string, string> = new Map([
  ['xml', 'application/xml'],
  ['bpmn', 'application/bpmn+xml'],
  ['json', 'application/json'],
]);
const mimeOf = ({ format }: Definition): string => MEDIA_TYPES.get(format) ?? 'text/plain';

const descriptionOf = ({ name, options }: Definition): string =>
  typeof options['description'] === 'string' ? options['description'] : `The workflow ${name}`;

function toolOf(definition: Definition, kind: ToolKind): JsonObject {
  const { name, options } = definition;
  const about = descriptionOf(definition);
  const tool = { name: toolName(name, kind) };
  const object = (properties: JsonObject): JsonObject => ({
    ...{ type: 'object', properties, required: ['workflow_id'], additionalProperties: false },
  });
  switch (kind) {
    case 'start': {
      const schema = options['input_schema'];
      return { ...tool, description: about, inputSchema: { type: 'object', ...(isObject(schema) ? schema : {}) } };
    }
    case 'status':
      return {
        ...tool,
        description: `How a workflow stands: ${about}`,
        inputSchema: object({ workflow_id: WORKFLOW_ID }),
      };
    case 'result':
      return {
        ...tool,
        description: `Wait for the end of a workflow: ${about}`,
        inputSchema: object({
          workflow_id: WORKFLOW_ID,
          timeout_seconds: { type: 'number', minimum: 0, maximum: WAIT_SECONDS_MAX },
        }),
      };
    case 'cancel':
      return {
        ...tool,
        description: `Cancel a workflow: ${about}`,
        inputSchema: object({ workflow_id: WORKFLOW_ID, reason: { type: 'string', maxLength: 1_000 } }),
      };
  }
}

const McpRequest = Type.Object(
  {
    jsonrpc: Type.Literal('2.0'),
    id: Type.Optional(Type.Union([Type.String(), Type.Number()])),
    method: Type.String({ description: 'initialize, ping, tools/list, tools/call, resources/list, resources/read' }),
    params: Type.Optional(Type.Object({})),
  },
  { title: 'McpRequest', description: 'A request or a notification of JSON-RPC 2.0' },
);
const McpAnswer = Type.Object(
  {
    jsonrpc: Type.Literal('2.0'),
    id: Type.Union([Type.String(), Type.Number(), Type.Null()]),
    result: Type.Optional(Type.Object({})),
    error: Type.Optional(Type.Object({ code: Type.Integer(), message: Type.String() })),
  },
  { title: 'McpAnswer' },
);
