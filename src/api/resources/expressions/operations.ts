import { answers } from '../../answers.ts';
import { happen } from '../../happen.ts';
import { expressionIdOf, workflowIdOf } from '../../ids.ts';
import { OK, type Operation } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Reasoned } from '../../schema-parts.ts';
import { changesOf } from './changes.ts';
import { Reapply } from './schemas.ts';

/** What administrators do to single expressions. */
export function expressionOperations(parts: Parts): readonly Operation[] {
  const path = '/v1/workflows/:workflow_id/expressions/:expression_id';
  const end = (id: string, last: 'cancel' | 'kill', summary: string): Operation => ({
    id,
    method: 'post',
    path: `${path}/${last}`,
    summary,
    access: 'operate',
    body: { schema: Reasoned, checked: 'here' },
    answers: answers(201, 'OK', null, 404, 409, 422),
    handle: async (call) => {
      const expression = expressionIdOf(call, 'expression_not_found');
      const kind = last === 'cancel' ? 'cancel_expression' : 'kill_expression';
      await happen(parts, call, workflowIdOf(call), { kind, expression });
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
      access: 'operate',
      body: { schema: Reapply, checked: 'here' },
      answers: answers(201, 'OK', null, 404, 409, 422),
      handle: async (call) => {
        const expression = expressionIdOf(call, 'expression_not_found');
        await happen(parts, call, workflowIdOf(call), { kind: 'reapply', expression, ...changesOf(parts, call) });
        return OK;
      },
    },
  ];
}
