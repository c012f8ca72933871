import { isObject, type Json, type JsonObject } from '../../../model/json.ts';
import type { Call, Operation, Reply } from '../../operation.ts';
import { type Schema, Type } from '../../schema.ts';
import { nullable, text, time } from '../../schema-parts.ts';
import { DefinitionList } from '../definitions/schemas.ts';
import { WorkflowList, WorkflowSummary } from '../workflows/schemas.ts';

/*
 * The same things under the addresses and words of another engine (AWF_PATHS): definitions are its workflows, workflows its executions.
 */

const Executions = Type.Object(
  {
    executions: Type.Array(
      Type.Object({
        execution_id: text('Its `id`'),
        started_at: nullable(time('Its `launched_at`')),
        ...WorkflowSummary.properties,
      }),
    ),
    next_cursor: WorkflowList.properties.next_cursor,
    looked_back_to: WorkflowList.properties.looked_back_to,
  },
  { title: 'ExecutionList' },
);
const Workflows = Type.Object(
  { workflows: DefinitionList.properties.definitions, next_cursor: DefinitionList.properties.next_cursor },
  { title: 'AwfWorkflowList' },
);

/** Operations of ours under other addresses. `all`: those there are. */
export function awfOperations(all: readonly Operation[]): readonly Operation[] {
  const ours = (id: string): Operation => {
    const found = all.find((operation) => operation.id === id);
    if (found === undefined) throw new Error(`There is no operation ${id}`);
    return found;
  };
  const as = (
    id: string,
    method: Operation['method'],
    path: string,
    operation: Operation,
    change: (body: JsonObject) => JsonObject = (body) => body,
    schema: Schema | null = null,
  ): Operation => ({
    ...operation,
    ...{ id, method, path, summary: `${operation.summary} (in the words of AWF)` },
    ...(schema !== null && { answers: { ...operation.answers, 200: { description: 'A page', schema } } }),
    handle: async (call: Call) => changed(await operation.handle(call), change),
  });
  return [
    as('awfRun', 'post', '/workflows/:definition_name/run', ours('runDefinition'), execution),
    as(
      'awfListExecutions',
      'get',
      '/executions',
      ours('listWorkflows'),
      ({ workflows, ...rest }) => ({
        executions: Array.isArray(workflows)
          ? (workflows as readonly Json[]).map((one) => (isObject(one) ? execution(one) : one))
          : [],
        ...rest,
      }),
      Executions,
    ),
    as('awfGetExecution', 'get', '/executions/:workflow_id', ours('getWorkflow'), execution),
    as('awfLogs', 'get', '/executions/:workflow_id/logs', ours('watchWorkflow')),
    as('awfCancel', 'delete', '/executions/:workflow_id', ours('deleteWorkflow')),
    as(
      'awfListWorkflows',
      'get',
      '/workflows',
      ours('listDefinitions'),
      ({ definitions, ...rest }) => ({ workflows: definitions ?? [], ...rest }),
      Workflows,
    ),
    as('awfGetWorkflow', 'get', '/workflows/:definition_name', ours('getStoredDefinition')),
    as('awfPostWorkflow', 'post', '/workflows', ours('postDefinition')),
  ];
}

/** A workflow in other words, beside ours. */
const execution = (body: JsonObject): JsonObject => ({
  execution_id: body['id'] ?? null,
  ...(body['status'] === undefined ? {} : { status: body['status'] }),
  started_at: body['started_at'] ?? body['launched_at'] ?? null,
  ...body,
});

function changed(reply: Reply, change: (body: JsonObject) => JsonObject): Reply {
  if (reply.kind !== 'text' || reply.type !== 'application/json' || reply.status >= 300) return reply;
  const body = JSON.parse(reply.text) as Json;
  return isObject(body) ? { ...reply, text: JSON.stringify(change(body)) } : reply;
}
