import type { JsonObject } from '../../../model/json.ts';
import { answers, answersOrRehearsal } from '../../answers.ts';
import { happenOrRehearse } from '../../happen.ts';
import { expressionIdOf, workflowIdOf } from '../../ids.ts';
import type { Call, Operation } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Rehearsable } from '../../schema-parts.ts';
import { changesOf } from './changes.ts';
import { AddToken, ExpressionList, ExpressionShown, Hold, Move, Reapply, ReplyFor } from './schemas.ts';
import { getExpression, listExpressions } from './show.ts';

/** What administrators do to single expressions. */
export function expressionOperations(parts: Parts): readonly Operation[] {
  const path = '/v1/workflows/:workflow_id/expressions/:expression_id';
  const end = (id: string, last: 'cancel' | 'kill', summary: string): Operation => ({
    id,
    method: 'post',
    path: `${path}/${last}`,
    summary,
    access: 'operate',
    body: { schema: Rehearsable, checked: 'here' },
    answers: answersOrRehearsal(404, 409, 422),
    handle: (call) => {
      const expression = expressionIdOf(call, 'expression_not_found');
      const kind = last === 'cancel' ? 'cancel_expression' : 'kill_expression';
      return happenOrRehearse(parts, call, workflowIdOf(call), { kind, expression });
    },
  });
  return [
    {
      id: 'listExpressions',
      method: 'get',
      path: '/v1/workflows/:workflow_id/expressions',
      summary: 'The live expressions of a workflow, page by page',
      access: 'read',
      query: [
        { name: 'parent', description: 'Only those that reply to this one, expid!subid' },
        { name: 'state', description: 'Only those in this state: active, failed, cancelling, …' },
        { name: 'limit', description: 'Strands looked at per page, 1 to 1000, default 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(200, 'A page; with filters it may hold few, and more may follow', ExpressionList, 400, 404),
      handle: (call) => listExpressions(parts, call),
    },
    {
      id: 'getExpression',
      method: 'get',
      path,
      summary: 'One live expression: its fields, variables, timers, tree and handlers',
      access: 'read',
      answers: answers(200, 'As it stands', ExpressionShown, 404),
      handle: (call) => getExpression(parts, call),
    },
    end('cancelExpression', 'cancel', 'Cancel one expression: its handlers run, the workflow goes on behind it'),
    end('killExpression', 'kill', 'End one expression at once, without its handlers'),
    {
      id: 'pauseExpression',
      method: 'post',
      path: `${path}/pause`,
      summary: 'Hold an expression and all below it, or whatever comes to a place below it',
      access: 'operate',
      body: { schema: Hold, checked: 'here' },
      answers: answersOrRehearsal(404, 409, 422),
      handle: (call) => happenOrRehearse(parts, call, workflowIdOf(call), holdOf(call, 'pause_expression')),
    },
    {
      id: 'resumeExpression',
      method: 'post',
      path: `${path}/resume`,
      summary: 'Let it go on, with what came meanwhile; or lift a breakpoint',
      access: 'operate',
      body: { schema: Hold, checked: 'here' },
      answers: answersOrRehearsal(404, 409, 422),
      handle: (call) => happenOrRehearse(parts, call, workflowIdOf(call), holdOf(call, 'resume_expression')),
    },
    {
      id: 'replyExpression',
      method: 'post',
      path: `${path}/reply`,
      summary: 'Let an expression be done, with these fields; what runs below it is cancelled',
      access: 'operate',
      body: { schema: ReplyFor, checked: 'here' },
      answers: answersOrRehearsal(404, 409, 422),
      handle: (call) => {
        const expression = expressionIdOf(call, 'expression_not_found');
        const fields = (call.body['fields'] ?? {}) as JsonObject;
        return happenOrRehearse(parts, call, workflowIdOf(call), { kind: 'reply', expression, fields });
      },
    },
    {
      id: 'moveToken',
      method: 'post',
      path: `${path}/move`,
      summary: 'Of BPMN: end an element, and let its token go on at another one of the same scope',
      access: 'operate',
      body: { schema: Move, checked: 'here' },
      answers: answersOrRehearsal(404, 409, 422),
      handle: (call) => {
        const expression = expressionIdOf(call, 'expression_not_found');
        const event = { kind: 'move', expression, to: String(call.body['to']) } as const;
        return happenOrRehearse(parts, call, workflowIdOf(call), event);
      },
    },
    {
      id: 'addToken',
      method: 'post',
      path: `${path}/tokens`,
      summary: 'Of BPMN: put one token more at an element of a process or sub-process',
      access: 'operate',
      body: { schema: AddToken, checked: 'here' },
      answers: answersOrRehearsal(404, 409, 422),
      handle: (call) => {
        const expression = expressionIdOf(call, 'expression_not_found');
        const event = { kind: 'add_token', expression, at: String(call.body['at']) } as const;
        return happenOrRehearse(parts, call, workflowIdOf(call), event);
      },
    },
    {
      id: 'reapplyExpression',
      method: 'post',
      path: `${path}/reapply`,
      summary: 'Cancel an expression and run it again',
      access: 'operate',
      body: { schema: Reapply, checked: 'here' },
      answers: answersOrRehearsal(404, 409, 422),
      handle: (call) => {
        const expression = expressionIdOf(call, 'expression_not_found');
        const changes = changesOf(parts, call);
        const hash = changes.tree === null ? {} : { hash: parts.definitions.prepare(changes.tree).hash };
        const event = { kind: 'reapply', expression, ...changes, ...hash } as const;
        return happenOrRehearse(parts, call, workflowIdOf(call), event);
      },
    },
  ];
}

function holdOf<Kind extends 'pause_expression' | 'resume_expression'>(call: Call, kind: Kind) {
  const { breakpoint } = call.body;
  return {
    kind,
    expression: expressionIdOf(call, 'expression_not_found'),
    breakpoint: typeof breakpoint === 'string' ? breakpoint : null,
  };
}
