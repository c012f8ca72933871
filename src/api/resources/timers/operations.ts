import { showTimer } from '../../../engine/show.ts';
import { expidOf, type WorkflowId } from '../../../model/ids.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { ReadTimer } from '../../../store/store.ts';
import { answers } from '../../answers.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf, PAGE_MAX, timeOf } from '../../page.ts';
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
      {
        name: 'due_from',
        description: 'Only those that are due at this time or later',
        schema: { type: 'string', format: 'date-time' },
      },
      { name: 'workflow_id', description: 'Only those of this workflow' },
      {
        name: 'action',
        description: 'Only those that do this, such as timeout; timers are looked through for it',
      },
      { name: 'limit', description: 'Items per page, 1 to 1000, default 100' },
      { name: 'cursor', description: 'The next_cursor of the page before' },
    ],
    answers: answers(200, 'A page', TimerList, 400),
    handle: (call) => list(parts, call),
  },
];

/** Timers that are looked through for one page, for what the store cannot look for. */
const LOOKED_MAX = 10_000;

async function list({ store }: Parts, { principal, query }: Call): Promise<Reply> {
  const asked = {
    tenant: principal.tenant,
    due: { from: timeOf(query, 'due_from'), to: timeOf(query, 'due_before') },
    workflow: query.get('workflow_id') as WorkflowId | null,
  };
  const action = query.get('action');
  const limit = limitOf(query);
  const shown: JsonObject[] = [];
  let looked = 0;
  let after = cursorOf('timers', query);
  do {
    const page: Awaited<ReturnType<typeof store.read.timers>> = await store.read.timers({
      ...{ ...asked, limit: action === null ? limit : PAGE_MAX, after },
    });
    after = page.next;
    for (const [i, timer] of page.items.entries()) {
      looked += 1;
      const view = timerView(timer);
      if (action === null || view['action'] === action) shown.push(view);
      if (shown.length < limit) continue;
      after = i === page.items.length - 1 ? page.next : timer.place;
      break;
    }
  } while (action !== null && after !== null && shown.length < limit && looked < LOOKED_MAX);
  return jsonReply(200, {
    timers: shown,
    next_cursor: after === null ? null : cursorFor('timers', after),
    ...(action === null ? {} : { looked_at: looked }),
  });
}

function timerView({ workflow, name, row }: ReadTimer): JsonObject {
  const { expression_id, due_at, action, element } = showTimer(row);
  return {
    ...{ workflow_id: workflow, name, expression_id, expid: expidOf(expression_id) },
    ...{ due_at: timeView(due_at), action },
    ...(element !== undefined && { element }),
  };
}
