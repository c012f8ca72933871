import { readLog } from '../../../engine/outcomes.ts';
import { type WorkflowId, workitemId } from '../../../model/ids.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { WorkitemRow } from '../../../model/rows.ts';
import { OBJECT_STATES, type ObjectState, type ReadItem } from '../../../store/store.ts';
import { answers } from '../../answers.ts';
import { noSuchWorkitem, workitemKeyOf } from '../../ids.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeOrNull, timeView } from '../../time.ts';
import { tryView } from '../workitems/view.ts';
import { Message, MessageList } from './schemas.ts';

/** Messages that are owed to participants, or were until their tries were spent. */
export const deliveryOperations = (parts: Parts): readonly Operation[] => [
  {
    id: 'listMessages',
    method: 'get',
    path: '/v1/deliveries',
    summary: 'Messages that are owed, those due next first, then those whose tries are spent',
    access: 'read',
    query: [
      {
        name: 'state',
        description: 'owed: not refused so far; failing: refused, and tried again; spent: its tries are',
        schema: { type: 'string', enum: [...OBJECT_STATES] },
      },
      { name: 'participant', description: 'Only those to this participant' },
      { name: 'host', description: 'Only those to this host, such as example.org:8443' },
      { name: 'limit', description: 'Items per page, 1 to 1000, default 100' },
      { name: 'cursor', description: 'The next_cursor of the page before' },
    ],
    answers: answers(200, 'A page', MessageList, 400),
    handle: (call) => list(parts, call),
  },
  {
    id: 'getMessage',
    method: 'get',
    path: '/v1/deliveries/:message_id',
    summary: 'One message: the request, and every try',
    access: 'read',
    answers: answers(200, 'As it stands', Message, 404),
    handle: (call) => one(parts, call),
  },
];

async function list(parts: Parts, { principal, query }: Call): Promise<Reply> {
  const state = stateOf(query);
  const asked = {
    tenant: principal.tenant,
    participant: query.get('participant'),
    host: query.get('host')?.toLowerCase() ?? null,
  };
  const limit = limitOf(query);
  const given = cursorOf(`deliveries ${state}`, query);
  const items: ReadItem[] = [];
  // Without a state those that are spent come behind all others; a cursor says by its first letter among which it is.
  const isBehind = state === 'spent' || given?.startsWith('s') === true;
  let next: string | null = given === null ? null : given.slice(1);
  if (!isBehind) {
    const page = await parts.store.read.messages({ ...asked, state, limit, after: next });
    items.push(...page.items);
    next = page.next === null ? null : `o${page.next}`;
  }
  const isOver = next === null || isBehind;
  if (isOver && state !== 'owed' && state !== 'failing') {
    const room = limit - items.length;
    if (room === 0) next = 's';
    else {
      const after = isBehind && next !== null && next !== '' ? next : null;
      const page = await parts.store.read.messages({ ...asked, state: 'spent', limit: room, after });
      items.push(...page.items);
      next = page.next === null ? null : `s${page.next}`;
    }
  }
  return jsonReply(200, {
    deliveries: items.map(({ workflow, row }) => messageView(workflow, row)),
    next_cursor: next === null ? null : cursorFor(`deliveries ${state}`, next),
  });
}

/** @throws Problem */
function stateOf(query: URLSearchParams): ObjectState | null {
  const given = query.get('state');
  const known = OBJECT_STATES.find((state) => state === given) ?? null;
  if (given !== null && known === null)
    throw new Problem('query_invalid', `state must be one of ${OBJECT_STATES.join(', ')}`);
  return known;
}

async function one(parts: Parts, call: Call): Promise<Reply> {
  const id = call.params['message_id'] ?? '';
  const [, workitem = '', send = ''] = /^msg_(.+)_(active|timeout|error|cancel)$/.exec(id) ?? [];
  const key = workitemKeyOf(workitem);
  const found = key === null ? null : await parts.store.read.workitem(call.principal.tenant, key);
  if (key === null || found === null || (found.row.send ?? 'active') !== send) throw noSuchWorkitem(workitem || id);
  const { row, base } = found;
  return jsonReply(200, {
    ...messageView(key.workflow, row),
    deliveries: readLog(row.log).map(tryView),
    request: { method: 'POST', ...parts.requestOf(call.principal.tenant, key.workflow, row, base) },
  });
}

function messageView(workflow: WorkflowId, row: WorkitemRow): JsonObject {
  const log = readLog(row.log);
  const last = log.at(-1);
  const id = workitemId(row.id, workflow);
  const send = row.send ?? 'active';
  return {
    message_id: `msg_${id}_${send}`,
    workflow_id: workflow,
    workitem_id: id,
    expression_id: row.id,
    participant: row.participant,
    host: hostIn(row.url),
    message: send,
    state: standing(row, last?.nextAt === null && (last.status === null || last.status >= 300)),
    tries: row.tries,
    next_at: row.send === null ? null : timeOrNull(row.dueAt),
    opened_at: timeView(row.openedAt),
    last: last === undefined ? null : tryView(last),
  };
}

const standing = (row: WorkitemRow, lastFailed: boolean): ObjectState | 'delivered' =>
  row.send !== null
    ? row.tries === 0
      ? 'owed'
      : 'failing'
    : lastFailed && row.state === 'failed'
      ? 'spent'
      : 'delivered';

const hostIn = (url: string | null): string | null => /\/\/([^/?#]*)/.exec(url ?? '')?.[1]?.toLowerCase() ?? null;
