import type { EventRow } from '../../../model/events.ts';
import { FOR_EVER, keyOf, TYPE_MAX } from '../../../model/events.ts';
import { type ExpressionId, expidOf, type WorkflowId } from '../../../model/ids.ts';
import { isObject, type Json, type JsonObject, ownValue } from '../../../model/json.ts';
import { keptTrace, readTraceContext } from '../../../runtime/trace-context.ts';
import type { Accepted, Incoming, Receiver } from '../../../signals/receiver.ts';
import { KEEP_SECONDS_MAX } from '../../../signals/receiver.ts';
import { answers } from '../../answers.ts';
import { shown } from '../../ids.ts';
import { type Call, jsonReply, type Operation, type QuerySpec, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf, timeOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeView } from '../../time.ts';
import { incomingOf, readEvents } from './cloud-events.ts';
import {
  CloudEvent,
  EventAnswer,
  EventAnswers,
  EventList,
  Redeliver,
  StoredEvent,
  TenantMessage,
  TenantSignal,
  Waits,
} from './schemas.ts';

/* Events from outside: CloudEvents, messages and signals, and who waits for them. */

/** How long `?wait=correlated` holds an answer back. */
const WAIT_MS_MAX = 30_000;
const WAIT: QuerySpec = {
  name: 'wait',
  description: 'correlated: answered when what it was handed to has been stepped, after 30 s at the latest',
};

export function signalOperations(parts: Parts): readonly Operation[] {
  const { receiver, store } = parts;
  const events = (id: string, path: string): Operation => ({
    id,
    method: 'post',
    path,
    summary: 'Send an event, or a list of events, as CloudEvents: workflows that wait for it go on',
    access: 'launch',
    body: { schema: CloudEvent, checked: 'raw' },
    query: [WAIT],
    answers: answers(202, 'What became of it; of a list, one for each', EventAnswers, 400, 404, 413, 415, 422, 429),
    handle: (call) => takeEvents(receiver, call),
  });
  return [
    events('sendEvents', '/v1/events'),
    ...(parts.eventsAtRoot ? [events('sendEventsAtRoot', '/')] : []),
    {
      id: 'sendMessageToOne',
      method: 'post',
      path: '/v1/messages/:name',
      summary: 'A message by name and key: the workflow that has waited longest takes it, else it is kept',
      access: 'launch',
      body: { schema: TenantMessage, checked: 'here' },
      query: [WAIT],
      answers: answers(202, 'What became of it', EventAnswer, 422, 429),
      handle: (call) => takeMessage(parts, call),
    },
    {
      id: 'sendSignal',
      method: 'post',
      path: '/v1/signals/:name',
      summary: 'A signal: everybody who waits for it takes it; it is not kept',
      access: 'launch',
      body: { schema: TenantSignal, checked: 'here' },
      query: [WAIT],
      answers: answers(202, 'What became of it', EventAnswer, 422, 429),
      handle: (call) => takeSignal(parts, call),
    },
    {
      id: 'listWaits',
      method: 'get',
      path: '/v1/waits',
      summary: 'Who waits for events, messages and signals, newest first',
      access: 'read',
      query: [
        { name: 'type', description: 'Those that wait for this type or name' },
        { name: 'message', description: 'The same as type' },
        { name: 'key', description: 'Those that wait for this key' },
        { name: 'workflow_id', description: 'Those of this workflow' },
        { name: 'element', description: 'Those at this element of BPMN' },
        { name: 'limit', description: 'How many, 1 to 1,000; default 100' },
        { name: 'cursor', description: 'next_cursor of the page before' },
      ],
      answers: answers(200, 'Who waits', Waits, 400),
      handle: (call) => listWaits(parts, call),
    },
    {
      id: 'listEvents',
      method: 'get',
      path: '/v1/events',
      summary: 'Events that came in, newest first',
      access: 'read',
      query: [
        { name: 'state', description: 'kept, delivered, expired or spreading' },
        { name: 'type', description: 'Of this type' },
        { name: 'key', description: 'With this key' },
        { name: 'source', description: 'From this source' },
        { name: 'from', description: 'Received at or after this time' },
        { name: 'to', description: 'Received at or before this time' },
        { name: 'limit', description: 'How many, 1 to 1,000; default 100' },
        { name: 'cursor', description: 'next_cursor of the page before' },
      ],
      answers: answers(200, 'Events', EventList, 400),
      handle: (call) => listEvents(parts, call),
    },
    {
      id: 'showEvent',
      method: 'get',
      path: '/v1/events/:event_id',
      summary: 'One event, as it was sent, and what became of it',
      access: 'read',
      answers: answers(200, 'The event', StoredEvent, 404),
      handle: async (call) => {
        const row = await store.receivedEvents.get(eventIdOf(call));
        if (row === null || row.tenant !== call.principal.tenant) throw noSuchEvent(call);
        return jsonReply(200, { ...eventView(row, parts.clock.now()), event: JSON.parse(row.body) as Json });
      },
    },
    {
      id: 'redeliverEvent',
      method: 'post',
      path: '/v1/events/:event_id/redeliver',
      summary: 'Receive an event anew: whoever waits for it now takes it',
      access: 'operate',
      body: { schema: Redeliver, checked: 'here' },
      answers: answers(202, 'What became of it', EventAnswer, 404, 409, 422),
      handle: async (call) => {
        const accepted = await receiver.again(call.principal.tenant, eventIdOf(call), call.body['start'] === true);
        if (accepted !== null) return jsonReply(202, answerOf(accepted));
        const row = await store.receivedEvents.get(eventIdOf(call));
        if (row === null || row.tenant !== call.principal.tenant) throw noSuchEvent(call);
        throw new Problem('conflict', 'The event is being handed on at this moment; try again');
      },
    },
  ];
}

async function takeEvents(receiver: Receiver, call: Call): Promise<Reply> {
  if (call.raw === null) throw new Error('The bytes of an event are read by whoever routes it');
  const { isBatch, events } = readEvents(call.raw);
  const hops = Number(/^\d{1,6}$/.exec(call.header('rota-hops') ?? '')?.[0] ?? 0);
  const views = await received(
    receiver,
    call,
    events.map((event) => incomingOf(event, hops)),
  );
  return jsonReply(202, isBatch ? views : (views[0] ?? {}));
}

/** Receives events and answers when their step is done, or committed only, as the caller wants. */
export async function received(
  receiver: Receiver,
  call: Call,
  incoming: readonly Incoming[],
): Promise<readonly JsonObject[]> {
  const wait = call.query.get('wait');
  if (wait !== null && wait !== 'correlated') throw new Problem('query_invalid', 'wait can be correlated only');
  const brought = call.span ?? readTraceContext(call.header('traceparent'), call.header('tracestate'));
  const trace = brought === null ? null : keptTrace(brought);
  const { accepted, stepped } = await receiver.receive(
    call.principal.tenant,
    incoming.map((one) => ({ ...one, trace })),
  );
  if (wait !== null) {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, WAIT_MS_MAX);
    });
    await Promise.race([stepped, late]);
    clearTimeout(timer);
  }
  return accepted.map(answerOf);
}

export function answerOf({ row, duplicate, skipped, element }: Accepted): JsonObject {
  const started = JSON.parse(row.started) as readonly string[];
  const resumed = JSON.parse(row.resumed) as readonly string[];
  const kept = row.state === 'kept';
  return {
    status: 'accepted',
    id: row.id,
    event_id: row.eventId,
    started,
    resumed,
    ...(row.state === 'spreading' && { more: true }),
    delivered: started.length > 0 || resumed.length > 0,
    kept,
    kept_until: kept && row.expiresAt < FOR_EVER ? timeView(row.expiresAt) : null,
    duplicate,
    ...(element !== undefined && { element }),
    ...(skipped.length > 0 && {
      skipped: skipped.map(({ definition, reason, workflowId }) => ({
        definition,
        reason,
        ...(workflowId !== undefined && { workflow_id: workflowId }),
      })),
    }),
  };
}

export function nameOf(call: Call): string {
  const name = call.params['name'] ?? '';
  if (name.length > TYPE_MAX) throw new Problem('request_invalid', `the name is longer than ${TYPE_MAX} characters`);
  return name;
}

/** What a message or signal is as an event. */
export function messageOf(
  parts: Pick<Parts, 'ids' | 'clock'>,
  given: {
    readonly name: string;
    readonly id: string | null;
    readonly source: string;
    readonly key: string | null;
    readonly data: JsonObject;
    readonly sort: Incoming['sort'];
    readonly mode: Incoming['mode'];
    readonly workflow: WorkflowId | null;
    readonly keepSeconds: number | null;
    readonly hops: number;
  },
): Incoming {
  const { name, source, key, data, ...rest } = given;
  const id = given.id ?? parts.ids.hex();
  return {
    ...rest,
    id,
    source,
    type: name,
    key,
    event: {
      specversion: '1.0',
      id,
      source,
      type: name,
      ...(key !== null && { subject: key }),
      time: timeView(parts.clock.now()),
      data,
    },
  };
}

async function takeMessage(parts: Parts, call: Call): Promise<Reply> {
  const name = nameOf(call);
  const { body } = call;
  const given = ownValue(body, 'key');
  const key = keyOf(given);
  if (given !== undefined && given !== null && key === null)
    throw new Problem('request_invalid', 'key is a text of 1 to 200 characters, or a number', {
      complaints: [{ detail: 'must have 1 to 200 characters', pointer: '#/key' }],
    });
  const id = ownValue(body, 'message_id');
  const incoming = messageOf(parts, {
    name,
    id: typeof id === 'string' ? id : null,
    source: `/v1/messages/${encodeURIComponent(name)}/${encodeURIComponent(key ?? '')}`,
    key,
    data: fieldsOf(body),
    sort: 'message',
    mode: ownValue(body, 'all') === true ? 'broadcast' : 'competing',
    workflow: null,
    keepSeconds: secondsOf(ownValue(body, 'ttl'), '#/ttl') ?? MESSAGE_SECONDS,
    hops: 0,
  });
  const [view] = await received(parts.receiver, call, [incoming]);
  return jsonReply(202, view ?? {});
}
/** A message waits so long for somebody. */
const MESSAGE_SECONDS = 3_600;

async function takeSignal(parts: Parts, call: Call): Promise<Reply> {
  const name = nameOf(call);
  const incoming = messageOf(parts, {
    name,
    id: null,
    source: `/v1/signals/${encodeURIComponent(name)}`,
    key: null,
    data: fieldsOf(call.body),
    sort: 'signal',
    mode: 'broadcast',
    workflow: null,
    keepSeconds: 0,
    hops: 0,
  });
  const [view] = await received(parts.receiver, call, [incoming]);
  return jsonReply(202, view ?? {});
}

const fieldsOf = (body: JsonObject): JsonObject => {
  const fields = ownValue(body, 'fields');
  return isObject(fields) ? fields : {};
};

/** Seconds a message is kept; null: nothing was said. @throws Problem */
export function secondsOf(value: Json | undefined, pointer: string): number | null {
  if (value === undefined || value === null) return null;
  const seconds = /^\d{1,12}$/.test(String(value)) ? Number(value) : Number.NaN;
  if (Number.isNaN(seconds))
    throw new Problem('request_invalid', `ttl is a whole number of seconds, at most ${KEEP_SECONDS_MAX}`, {
      complaints: [{ detail: 'must be a whole number of seconds', pointer }],
    });
  return Math.min(seconds, KEEP_SECONDS_MAX);
}

async function listWaits({ store }: Parts, call: Call): Promise<Reply> {
  const { query, principal } = call;
  const workflow = query.get('workflow_id');
  const { items, next } = await store.meeting.waits({
    tenant: principal.tenant,
    type: query.get('type') ?? query.get('message'),
    key: query.get('key'),
    workflow: workflow as WorkflowId | null,
    element: query.get('element'),
    limit: limitOf(query),
    after: cursorOf('waits', query),
  });
  const waits = items.map((wait): JsonObject => {
    const expression = (wait.waiter.split('#')[0] ?? '') as ExpressionId;
    return {
      workflow_id: wait.workflow,
      expression_id: expression,
      expid: expidOf(expression),
      type: wait.type,
      key: wait.key,
      since: timeView(wait.since),
      timeout_at: wait.timeoutAt === null ? null : timeView(wait.timeoutAt),
      ...(wait.element !== null && { element: wait.element }),
    };
  });
  return jsonReply(200, { waits, next_cursor: next === null ? null : cursorFor('waits', next) });
}

const STATES = ['kept', 'delivered', 'expired', 'spreading'];

async function listEvents({ store, clock }: Parts, call: Call): Promise<Reply> {
  const { query, principal } = call;
  const state = query.get('state');
  if (state !== null && !STATES.includes(state))
    throw new Problem('query_invalid', `state must be one of ${STATES.join(', ')}`);
  const now = clock.now();
  const { items, next } = await store.receivedEvents.list({
    tenant: principal.tenant,
    state,
    type: query.get('type'),
    key: query.get('key'),
    source: query.get('source'),
    from: timeOf(query, 'from'),
    to: timeOf(query, 'to'),
    now,
    limit: limitOf(query),
    after: cursorOf('events', query),
  });
  return jsonReply(200, {
    events: items.map((row) => eventView(row, now)),
    next_cursor: next === null ? null : cursorFor('events', next),
  });
}

function eventView(row: EventRow, now: number): JsonObject {
  const event = JSON.parse(row.body) as JsonObject;
  const text = (name: string): string | null => {
    const value = ownValue(event, name);
    return typeof value === 'string' ? value : null;
  };
  return {
    event_id: row.eventId,
    id: row.id,
    source: row.source,
    type: row.type,
    key: row.key,
    subject: text('subject'),
    time: text('time'),
    received_at: timeView(row.receivedAt),
    expires_at: row.expiresAt < FOR_EVER ? timeView(row.expiresAt) : null,
    state: row.state === 'kept' && row.expiresAt <= now ? 'expired' : row.state,
    started: JSON.parse(row.started) as Json,
    resumed: JSON.parse(row.resumed) as Json,
  };
}

function eventIdOf(call: Call): string {
  const id = call.params['event_id'] ?? '';
  if (!/^evt_[0-9a-f]{1,64}$/.test(id)) throw noSuchEvent(call);
  return id;
}

const noSuchEvent = (call: Call): Problem =>
  new Problem('event_not_found', `There is no event ${shown(call.params['event_id'] ?? '')}, or not any more`);
