import type { EngineEvent } from '../../../engine/engine.ts';
import type { ExpressionId } from '../../../model/ids.ts';
import type { JsonObject } from '../../../model/json.ts';
import { answers, answersOrRehearsal } from '../../answers.ts';
import { happenOrRehearse } from '../../happen.ts';
import { expressionIdOf, workflowIdOf } from '../../ids.ts';
import type { Call, Operation } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import type { Schema } from '../../schema.ts';
import { Rehearsable } from '../../schema-parts.ts';
import { changesOf } from './changes.ts';
import { AddToken, ExpressionList, ExpressionShown, Hold, Move, Reapply, ReplyFor } from './schemas.ts';
import { getExpression, listExpressions } from './show.ts';

/** Those that are not possible with every expression that lives. */
const CONFLICTING: ReadonlySet<string> = new Set(['pauseExpression', 'moveToken', 'addToken']);

/** What administrators do to single expressions. */
export function expressionOperations(parts: Parts): readonly Operation[] {
  const path = '/v1/workflows/:workflow_id/expressions/:expression_id';
  /** Something that is done to one: what it is, is read of the call. */
  const done = (
    id: string,
    verb: string,
    summary: string,
    schema: Schema,
    read: (call: Call, expression: ExpressionId) => EngineEvent,
  ): Operation => ({
    id,
    method: 'post',
    path: `${path}/${verb}`,
    summary,
    access: 'operate',
    body: { schema, checked: 'here' },
    answers: CONFLICTING.has(id) ? answersOrRehearsal(404, 409, 422) : answersOrRehearsal(404, 422),
    handle: (call) => {
      const event = read(call, expressionIdOf(call, 'expression_not_found'));
      return happenOrRehearse(parts, call, workflowIdOf(call), event);
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
    done(
      'cancelExpression',
      'cancel',
      'Cancel one expression: its handlers run, the workflow goes on behind it',
      Rehearsable,
      (_, expression) => ({ kind: 'cancel_expression', expression }),
    ),
    done(
      'killExpression',
      'kill',
      'End one expression at once, without its handlers',
      Rehearsable,
      (_, expression) => ({ kind: 'kill_expression', expression }),
    ),
    done(
      'pauseExpression',
      'pause',
      'Hold an expression and all below it, or whatever comes to a place below it',
      Hold,
      (call, expression) => ({ kind: 'pause_expression', expression, breakpoint: breakpointOf(call) }),
    ),
    done(
      'resumeExpression',
      'resume',
      'Let it go on, with what came meanwhile; or lift a breakpoint',
      Hold,
      (call, expression) => ({ kind: 'resume_expression', expression, breakpoint: breakpointOf(call) }),
    ),
    done(
      'replyExpression',
      'reply',
      'Let an expression be done, with these fields; what runs below it is cancelled',
      ReplyFor,
      ({ body }, expression) => ({ kind: 'reply', expression, fields: (body['fields'] ?? {}) as JsonObject }),
    ),
    done(
      'moveToken',
      'move',
      'Of BPMN: end an element, and let its token go on at another one of the same scope',
      Move,
      ({ body }, expression) => ({ kind: 'move', expression, to: String(body['to']) }),
    ),
    done(
      'addToken',
      'tokens',
      'Of BPMN: put one token more at an element of a process or sub-process',
      AddToken,
      ({ body }, expression) => ({ kind: 'add_token', expression, at: String(body['at']) }),
    ),
    done('reapplyExpression', 'reapply', 'Cancel an expression and run it again', Reapply, (call, expression) => {
      const changes = changesOf(parts, call);
      const hash = changes.tree === null ? {} : { hash: parts.definitions.prepare(changes.tree).hash };
      return { kind: 'reapply', expression, ...changes, ...hash };
    }),
  ];
}

const breakpointOf = ({ body }: Call): string | null =>
  typeof body['breakpoint'] === 'string' ? body['breakpoint'] : null;
