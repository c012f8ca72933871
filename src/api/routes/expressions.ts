import type { JsonObject } from '../../model/json.ts';
import type { Tree } from '../../model/tree.ts';
import { type Call, jsonReply, OK, type Operation } from '../operation.ts';
import { cursorFor, cursorOf, limitOf } from '../page.ts';
import { type Parts, TENANT } from '../parts.ts';
import { HttpProblem } from '../problem.ts';
import { ErrorList, Nothing, Reapply } from '../schemas.ts';
import { errorView } from '../view.ts';
import { answers, expressionIdOf, happen, workflowIdOf } from './answers.ts';

/** What administrators do to single expressions and to errors that wait. */
export function expressionOperations(parts: Parts): readonly Operation[] {
  const path = '/v1/workflows/:workflow_id/expressions/:expression_id';
  const end = (id: string, last: 'cancel' | 'kill', summary: string): Operation => ({
    id,
    method: 'post',
    path: `${path}/${last}`,
    summary,
    body: { schema: Nothing, checked: 'by handler' },
    answers: answers(201, 'OK', null, 404, 409),
    handle: async (call) => {
      const expression = expressionIdOf(call, 'expression_not_found');
      const kind = last === 'cancel' ? 'cancel_expression' : 'kill_expression';
      await happen(parts, workflowIdOf(call), { kind, expression });
      return OK;
    },
  });
  return [
    end('cancelExpression', 'cancel', 'Cancel one expression: its handlers run, the workflow goes on behind it'),
    end('killExpression', 'kill', 'End one expression at once, without its handlers'),
    {
      id: 'reapplyExpression',
      method: 'post',
      path: `${path}/reapply`,
      summary: 'Cancel an expression and run it again',
      body: { schema: Reapply, checked: 'here' },
      answers: answers(201, 'OK', null, 404, 409, 422),
      handle: async (call) => {
        const expression = expressionIdOf(call, 'expression_not_found');
        await happen(parts, workflowIdOf(call), { kind: 'reapply', expression, ...changesOf(parts, call) });
        return OK;
      },
    },
    {
      id: 'replayError',
      method: 'post',
      path: '/v1/workflows/:workflow_id/errors/:expression_id/replay',
      summary: 'Try again what failed',
      body: { schema: Reapply, checked: 'here' },
      answers: answers(201, 'OK', null, 404, 409, 422),
      handle: async (call) => {
        const expression = expressionIdOf(call, 'error_not_found');
        await happen(parts, workflowIdOf(call), { kind: 'replay', expression, ...changesOf(parts, call) });
        return OK;
      },
    },
    {
      id: 'listErrors',
      method: 'get',
      path: '/v1/errors',
      summary: 'Errors that wait for someone',
      query: [
        { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(200, 'A page', ErrorList, 400),
      handle: async (call) => {
        const page = await parts.store.read.errors({
          tenant: TENANT,
          limit: limitOf(call.query),
          after: cursorOf('errors', call.query),
        });
        return jsonReply(200, {
          errors: page.items.map(({ workflow, row }) => ({ workflow_id: workflow, ...errorView(workflow, row) })),
          next_cursor: page.next === null ? null : cursorFor('errors', page.next),
        });
      },
    },
  ];
}

function changesOf(parts: Parts, call: Call): { readonly fields: JsonObject | null; readonly tree: Tree | null } {
  const { fields, tree } = call.body;
  return {
    fields: fields === undefined ? null : (fields as JsonObject),
    tree: tree === undefined ? null : treeOf(parts, tree),
  };
}

function treeOf(parts: Parts, value: Parameters<Parts['definitions']['read']>[0]): Tree {
  const read = parts.definitions.read(value);
  if (read.ok) return read.tree;
  throw new HttpProblem('request_invalid', `tree: ${read.errors[0]?.message ?? 'cannot be read'}`, {
    complaints: read.errors.map(({ message }) => ({ detail: message, pointer: '#/tree' })),
  });
}
