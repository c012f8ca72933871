import { readLog } from '../../../engine/outcomes.ts';
import { type WorkflowId, workitemId } from '../../../model/ids.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { WorkitemRow } from '../../../model/rows.ts';
import { OBJECT_STATES, type ObjectState, type ReadItem } from '../../../store/store.ts';
import { answers } from '../../answers.ts';
import { noSuchWorkitem, workitemKeyOf } from '../../ids.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf, oneOf, PAGE_MAX, timeOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { SEND_STATUSES } from '../../schema-parts.ts';
import { timeOrNull, timeView } from '../../time.ts';
import { triesMaxOf } from '../workitems/tries.ts';
import { hostIn, tryView } from '../workitems/view.ts';
import { Message, MessageList } from './schemas.ts';

/** How a last try was answered. */
const ANSWERS = ['2xx', '3xx', '4xx', '5xx', 'none'] as const;
type Answered = (typeof ANSWERS)[number];
/** Messages that are looked through for one page, for what the store cannot look for. */
const LOOKED_MAX = 10_000;

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
      {
        name: 'message',
        description: 'Only those that say this',
        schema: { type: 'string', enum: [...SEND_STATUSES] },
      },
      { name: 'workflow_id', description: 'Only those of this workflow' },
      {
        name: 'opened_from',
        description: 'Only of workitems that were opened at this time or later',
        schema: { type: 'string', format: 'date-time' },
      },
      {
        name: 'opened_to',
        description: 'Only of workitems that were opened before this time',
        schema: { type: 'string', format: 'date-time' },
      },
      {
        name: 'answer',
        description:
          'Only those whose last try was answered so: with a status of this family, or not at all; messages are looked through for it',
        schema: { type: 'string', enum: [...ANSWERS] },
      },
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
  const state = oneOf(query, 'state', OBJECT_STATES);
  const answer = oneOf(query, 'answer', ANSWERS);
  const asked = {
    tenant: principal.tenant,
    participant: query.get('participant'),
    host: query.get('host')?.toLowerCase() ?? null,
    message: oneOf(query, 'message', SEND_STATUSES),
    workflow: query.get('workflow_id') as WorkflowId | null,
    opened: { from: timeOf(query, 'opened_from'), to: timeOf(query, 'opened_to') },
  };
  const limit = limitOf(query);
  const given = cursorOf(`deliveries ${state}`, query);
  const items: ReadItem[] = [];
  let looked = 0;
  const read = async (of: ObjectState | null, after: string | null): Promise<string | null> => {
    const found = await lookedThrough(parts, { ...asked, state: of, after }, answer, {
      room: limit - items.length,
      looks: LOOKED_MAX - looked,
    });
    items.push(...found.items);
    looked += found.looked;
    return found.next;
  };
  // Without a state those that are spent come behind all others; a cursor says by its first letter among which it is.
  const isBehind = state === 'spent' || given?.startsWith('s') === true;
  let next: string | null = given === null ? null : given.slice(1);
  if (!isBehind) {
    const found = await read(state, next);
    next = found === null ? null : `o${found}`;
  }
  const isOver = next === null || isBehind;
  if (isOver && state !== 'owed' && state !== 'failing') {
    if (items.length === limit || looked >= LOOKED_MAX) next = 's';
    else {
      const found = await read('spent', isBehind && next !== null && next !== '' ? next : null);
      next = found === null ? null : `s${found}`;
    }
  }
  return jsonReply(200, {
    deliveries: items.map(({ workflow, row, retry = null }) =>
      messageView(workflow, row, triesMaxOf(parts, { retry, tenant: principal.tenant })(row)),
    ),
    next_cursor: next === null ? null : cursorFor(`deliveries ${state}`, next),
    ...(answer === null ? {} : { looked_at: looked }),
  });
}

/** Those of the messages whose last try was answered so, as many as there is room for; `next`: behind the last that was looked at. */
async function lookedThrough(
  parts: Parts,
  asked: Omit<Parameters<Parts['store']['read']['messages']>[0], 'limit'>,
  answer: Answered | null,
  { room, looks }: { readonly room: number; readonly looks: number },
): Promise<{ readonly items: readonly ReadItem[]; readonly looked: number; readonly next: string | null }> {
  if (answer === null) {
    const page = await parts.store.read.messages({ ...asked, limit: room });
    return { items: page.items, looked: page.items.length, next: page.next };
  }
  const items: ReadItem[] = [];
  let looked = 0;
  let { after } = asked;
  do {
    const limit = Math.min(PAGE_MAX, looks - looked);
    const page: Awaited<ReturnType<Parts['store']['read']['messages']>> = await parts.store.read.messages({
      ...{ ...asked, limit, after },
    });
    for (const [i, item] of page.items.entries()) {
      looked += 1;
      if (answeredAs(item.row) === answer) items.push(item);
      const isLast = i === page.items.length - 1 && page.next === null;
      if (items.length === room) return { items, looked, next: isLast ? null : item.place };
    }
    after = page.next;
  } while (after !== null && looked < looks);
  return { items, looked, next: after };
}

/** Null: there was no try yet. */
function answeredAs(row: WorkitemRow): Answered | null {
  const last = readLog(row.log).at(-1);
  if (last === undefined) return null;
  if (last.status === null) return 'none';
  return ANSWERS.find((one) => one.startsWith(String(last.status).charAt(0))) ?? null;
}

async function one(parts: Parts, call: Call): Promise<Reply> {
  const id = call.params['message_id'] ?? '';
  const [, workitem = '', send = ''] = /^msg_(.+)_(active|timeout|error|cancel)$/.exec(id) ?? [];
  const key = workitemKeyOf(workitem);
  const found = key === null ? null : await parts.store.read.workitem(call.principal.tenant, key);
  if (key === null || found === null || (found.row.send ?? 'active') !== send) throw noSuchWorkitem(workitem || id);
  const { row, base } = found;
  const { tenant } = call.principal;
  const of = await parts.store.read.workflow(tenant, key.workflow);
  if (of === null) throw noSuchWorkitem(workitem);
  return jsonReply(200, {
    ...messageView(key.workflow, row, triesMaxOf(parts, of)(row)),
    deliveries: readLog(row.log).map(tryView),
    request: { method: 'POST', ...parts.requestOf(tenant, key.workflow, row, base) },
    edited: row.revision > FIRST_REVISION,
  });
}

/** Of a workitem that nobody has changed. */
const FIRST_REVISION = 1;

function messageView(workflow: WorkflowId, row: WorkitemRow, triesMax: number | null): JsonObject {
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
    tries_max: triesMax,
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
