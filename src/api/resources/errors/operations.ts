import { answers } from '../../answers.ts';
import { happen } from '../../happen.ts';
import { expressionIdOf, workflowIdOf } from '../../ids.ts';
import { OK, type Operation } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { changesOf } from '../expressions/changes.ts';
import { Reapply } from '../expressions/schemas.ts';
import { ERROR_QUERY, listErrors } from './list.ts';
import { ErrorList } from './schemas.ts';

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
      summary: 'Errors that wait for someone, the newest first',
      access: 'read',
      query: ERROR_QUERY,
      answers: answers(200, 'A page, or groups', ErrorList, 400),
      handle: (call) => listErrors(parts, call),
    },
  ];
}
