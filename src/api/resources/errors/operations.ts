import { answers } from '../../answers.ts';
import { happen } from '../../happen.ts';
import { expressionIdOf, workflowIdOf } from '../../ids.ts';
import { jsonReply, OK, type Operation } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { changesOf } from '../expressions/changes.ts';
import { Reapply } from '../expressions/schemas.ts';
import { ErrorList } from './schemas.ts';
import { errorView } from './view.ts';

/** Errors that wait for somebody. */
export function errorOperations(parts: Parts): readonly Operation[] {
  return [
    {
      id: 'replayError',
      method: 'post',
      path: '/v1/workflows/:workflow_id/errors/:expression_id/replay',
      summary: 'Try again what failed',
      access: 'operate',
      body: { schema: Reapply, checked: 'here' },
      answers: answers(201, 'OK', null, 404, 409, 422),
      handle: async (call) => {
        const expression = expressionIdOf(call, 'error_not_found');
        await happen(parts, call, workflowIdOf(call), { kind: 'replay', expression, ...changesOf(parts, call) });
        return OK;
      },
    },
    {
      id: 'listErrors',
      method: 'get',
      path: '/v1/errors',
      summary: 'Errors that wait for someone',
      access: 'read',
      query: [
        { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(200, 'A page', ErrorList, 400),
      handle: async (call) => {
        const page = await parts.store.read.errors({
          tenant: call.principal.tenant,
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
