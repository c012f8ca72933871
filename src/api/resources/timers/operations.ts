import { showTimer } from '../../../engine/show.ts';
import { expidOf } from '../../../model/ids.ts';
import { answers } from '../../answers.ts';
import { jsonReply, type Operation } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf, timeOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { timeView } from '../../time.ts';
import { TimerList } from './schemas.ts';

/** What is going to happen by itself, and when. */
export const timerOperations = (parts: Parts): readonly Operation[] => [
  {
    id: 'listTimers',
    method: 'get',
    path: '/v1/timers',
    summary: 'Timers of all workflows, those that are due next first; a pause holds its workflow’s back',
    access: 'read',
    query: [
      {
        name: 'due_before',
        description: 'Only those that are due before this time',
        schema: { type: 'string', format: 'date-time' },
      },
      { name: 'limit', description: 'Items per page, 1 to 1000, default 100' },
      { name: 'cursor', description: 'The next_cursor of the page before' },
    ],
    answers: answers(200, 'A page', TimerList, 400),
    handle: async ({ principal, query }) => {
      const { items, next } = await parts.store.read.timers({
        tenant: principal.tenant,
        dueBefore: timeOf(query, 'due_before'),
        limit: limitOf(query),
        after: cursorOf('timers', query),
      });
      return jsonReply(200, {
        timers: items.map(({ workflow, name, row }) => {
          const { expression_id, due_at, action, element } = showTimer(row);
          return {
            ...{ workflow_id: workflow, name, expression_id, expid: expidOf(expression_id) },
            ...{ due_at: timeView(due_at), action },
            ...(element !== undefined && { element }),
          };
        }),
        next_cursor: next === null ? null : cursorFor('timers', next),
      });
    },
  },
];
