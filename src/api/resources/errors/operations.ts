import { answers, answersOrRehearsal } from '../../answers.ts';
import { happenOrRehearse } from '../../happen.ts';
import { expressionIdOf, workflowIdOf } from '../../ids.ts';
import type { Operation } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { listStuck } from '../bpmn/tokens.ts';
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
      answers: answersOrRehearsal(404, 422),
      handle: (call) => {
        const expression = expressionIdOf(call, 'error_not_found');
        const event = { kind: 'replay', expression, ...changesOf(parts, call) } as const;
        return happenOrRehearse(parts, call, workflowIdOf(call), event);
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
      handle: (call) => (call.query.get('stuck') === '1' ? listStuck(parts, call) : listErrors(parts, call)),
    },
  ];
}
