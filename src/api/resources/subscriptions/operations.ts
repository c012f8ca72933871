import { plainRetry } from '../../../engine/retry-rules.ts';
import { randomDigits } from '../../../identity/key-text.ts';
import { Fault } from '../../../model/fault.ts';
import { isObject, type Json, type JsonObject, ownValue } from '../../../model/json.ts';
import { isEventPattern, TEST_EVENT } from '../../../model/lifecycle.ts';
import { HIDDEN, headersComplaints } from '../../../registry/participant-spec.ts';
import { SUBSCRIPTIONS_MAX, type Subscription as Subscribed } from '../../../registry/subscriptions.ts';
import type { DeliveryRow } from '../../../store/store.ts';
import { answers } from '../../answers.ts';
import { shown } from '../../ids.ts';
import { makeBodyCheck } from '../../middleware/validate.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { type Complaint, Problem } from '../../problem.ts';
import { timeOrNull, timeView } from '../../time.ts';
import { spreadHeaders } from '../participants/operations.ts';
import { missedBetween } from './missed.ts';
import {
  EventDeliveries,
  Redeliver,
  Redelivered,
  Subscription,
  SubscriptionCreate,
  SubscriptionList,
  SubscriptionPatch,
} from './schemas.ts';

/** Who is told of what happens to workflows. */
export function subscriptionOperations(parts: Parts): readonly Operation[] {
  const { subscriptions, memory } = parts.registry;
  const { deliveries } = parts.store;
  const path = '/v1/subscriptions/:subscription_id';
  const checkWhole = makeBodyCheck(SubscriptionCreate);

  return [
    {
      id: 'createSubscription',
      method: 'post',
      path: '/v1/subscriptions',
      summary: 'Subscribe to what happens to workflows',
      access: 'admin',
      audit: { action: 'subscription.create' },
      body: { schema: SubscriptionCreate, checked: 'here' },
      answers: answers(201, 'From the next entry on', Subscription, 422),
      handle: async (call) => {
        const spec = checked(call.body);
        const id = `sub_${randomDigits(20)}`;
        if ((await subscriptions.add(call.principal.tenant, id, spec)) === 'full')
          throw new Fault('limit_exceeded', `There are ${SUBSCRIPTIONS_MAX} subscriptions, as many as there may be`);
        const headers = spreadHeaders(await memory.spread());
        return replied(201, known(id), { ...headers, Location: `${parts.basePath()}/v1/subscriptions/${id}` });
      },
    },
    {
      id: 'listSubscriptions',
      method: 'get',
      path: '/v1/subscriptions',
      summary: 'Subscriptions, the newest first',
      access: 'read',
      query: [
        { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(200, 'A page', SubscriptionList, 400),
      handle: (call) => {
        const limit = limitOf(call.query);
        const after = cursorOf('subscriptions', call.query);
        const all = subscriptions.list(call.principal.tenant);
        const rest = after === null ? all : all.slice(all.findIndex(({ id }) => id === after) + 1);
        const page = rest.slice(0, limit);
        return jsonReply(200, {
          subscriptions: page.map(view),
          next_cursor: rest.length <= limit ? null : cursorFor('subscriptions', page.at(-1)?.id ?? ''),
        });
      },
    },
    {
      id: 'getSubscription',
      method: 'get',
      path,
      summary: 'One subscription',
      access: 'read',
      answers: answers(200, 'With its ETag', Subscription, 404),
      handle: (call) => replied(200, one(call), {}),
    },
    {
      id: 'patchSubscription',
      method: 'patch',
      path,
      summary: 'Change a subscription; enabled: true goes on after it was disabled',
      access: 'admin',
      audit: { action: 'subscription.patch' },
      body: { schema: SubscriptionPatch, checked: 'here' },
      answers: answers(200, 'As it is now', Subscription, 404, 412, 422),
      handle: async (call) => {
        const before = one(call);
        checkMatch(call, before);
        const merged = mergedIn({ ...before.shown.parsed, enabled: before.shown.enabled }, call.body) as JsonObject;
        const spec = checked(checkWhole(merged, false));
        if (!(await subscriptions.change(before.id, before.shown.ver, spec))) throw changed(before.id);
        const headers = spreadHeaders(await memory.spread());
        if (!before.shown.enabled && spec['enabled'] !== false) await goOn(before.id);
        return replied(200, known(before.id), headers);
      },
    },
    {
      id: 'deleteSubscription',
      method: 'delete',
      path,
      summary: 'End a subscription',
      access: 'admin',
      audit: { action: 'subscription.delete' },
      answers: answers(204, 'Nothing is owed to it any more', null, 404, 412),
      handle: async (call) => {
        const before = one(call);
        checkMatch(call, before);
        if (!(await subscriptions.delete(before.id, before.shown.ver))) throw changed(before.id);
        return { kind: 'empty', status: 204, headers: spreadHeaders(await memory.spread()) };
      },
    },
    {
      id: 'testSubscription',
      method: 'post',
      path: `${path}/test`,
      summary: 'Send one event that says it works',
      access: 'admin',
      audit: { action: 'subscription.test' },
      answers: answers(202, 'It is owed', Redelivered, 404),
      handle: async (call) => {
        const { id, tenant } = one(call);
        const now = parts.clock.now();
        const event = {
          specversion: '1.0',
          id: randomDigits(20),
          source: `${parts.baseUrl()}/v1/subscriptions/${id}`,
          type: TEST_EVENT,
          subject: id,
          time: timeView(now),
          datacontenttype: 'application/json',
          data: { subscription: id },
        };
        await deliveries.add({
          id: `${id}_${event.id}`,
          tenant,
          subscription: id,
          workflowId: '',
          n: 0,
          type: TEST_EVENT,
          event: JSON.stringify(event),
          target: null,
          ordered: false,
          createdAt: now,
        });
        parts.owed();
        return jsonReply(202, { count: 1 });
      },
    },
    {
      id: 'listEventDeliveries',
      method: 'get',
      path: `${path}/deliveries`,
      summary: 'What is owed to a subscription, and what came of it',
      access: 'read',
      query: [
        { name: 'state', description: 'owed, failing, delivered or spent' },
        { name: 'type', description: 'Only events of this type' },
        { name: 'workflow_id', description: 'Only events of this workflow' },
        { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(
        200,
        'A page, the newest first; with filters it can hold fewer than limit',
        EventDeliveries,
        400,
        404,
      ),
      handle: async (call) => {
        const { id } = one(call);
        const state = call.query.get('state');
        if (state !== null && !STATES.has(state))
          throw new Problem('query_invalid', 'state must be owed, failing, delivered or spent');
        const type = call.query.get('type');
        const workflow = call.query.get('workflow_id');
        const isWanted = (row: DeliveryRow): boolean =>
          (state === null || row.state === state) &&
          (type === null || row.type === type || row.type === `rota.${type}`) &&
          (workflow === null || row.workflowId === workflow);
        const limit = limitOf(call.query);
        let after = cursorOf('event-deliveries', call.query);
        const found: DeliveryRow[] = [];
        // Those that do not fit are passed by, for so many pages.
        for (let page = 0; page < PAGES_MAX; page++) {
          const { items, next } = await deliveries.of(id, { limit: limit - found.length, after });
          found.push(...items.filter(isWanted));
          after = next;
          if (next === null || found.length >= limit) break;
        }
        return jsonReply(200, {
          deliveries: found.map(deliveryView),
          next_cursor: after === null ? null : cursorFor('event-deliveries', after),
        });
      },
    },
    {
      id: 'redeliverEvents',
      method: 'post',
      path: `${path}/redeliver`,
      summary: 'Send events again',
      access: 'admin',
      audit: { action: 'subscription.redeliver' },
      body: { schema: Redeliver, checked: 'here' },
      answers: answers(202, 'How many are owed again', Redelivered, 404, 422),
      handle: async (call) => {
        const to = one(call);
        const rows = await meant(call, to);
        const now = parts.clock.now();
        let count = 0;
        for (const row of rows) if (await deliveries.again(row, now)) count += 1;
        count += await missed(call, to);
        if (count > 0) parts.owed();
        return jsonReply(202, { count });
      },
    },
  ];

  /** What was owed while it was disabled is owed now. */
  async function goOn(id: string): Promise<void> {
    const now = parts.clock.now();
    for (let piece = 0; piece < HASTENED_PIECES_MAX; piece++)
      if ((await deliveries.hasten(id, now, HASTENED_AT_ONCE)) < HASTENED_AT_ONCE) break;
    parts.owed();
  }

  /** @throws Problem when there is none, or it is another tenant's */
  function one(call: Call): Subscribed {
    const id = call.params['subscription_id'] ?? '';
    const found = subscriptions.get(id);
    if (found === null || found.tenant !== call.principal.tenant)
      throw new Problem('subscription_not_found', `There is no subscription ${shown(id)}`);
    return found;
  }

  function known(id: string): Subscribed {
    const found = subscriptions.get(id);
    if (found === null)
      throw new Problem('subscription_not_found', `The subscription ${shown(id)} was deleted meanwhile`);
    return found;
  }

  /** What the shape alone does not tell. @throws Problem */
  function checked(spec: JsonObject): JsonObject {
    const complaints: Complaint[] = [];
    const target = parts.targetComplaint(String(spec['url']));
    if (target !== null) complaints.push({ detail: `the URL ${target}`, pointer: '#/url' });
    for (const [i, pattern] of ((spec['events'] ?? []) as readonly string[]).entries())
      if (!isEventPattern(pattern))
        complaints.push({ detail: `no type of event is ${shown(pattern)}`, pointer: `#/events/${i}` });
    if (isObject(spec['headers'])) complaints.push(...headersComplaints(spec['headers'], false));
    const retry = plainRetry(spec['retry'] ?? null);
    if ('complaint' in retry) complaints.push({ detail: retry.complaint, pointer: '#/retry' });
    if (complaints.length > 0)
      throw new Problem(
        'request_invalid',
        complaints
          .map(({ detail }) => detail)
          .slice(0, 5)
          .join('; '),
        { complaints },
      );
    return 'retry' in retry && retry.retry !== null ? { ...spec, retry: retry.retry } : spec;
  }

  /** Ids of deliveries that are to be sent again. */
  async function meant({ body }: Call, to: Subscribed): Promise<readonly string[]> {
    const { ids, state, from } = body;
    if ([ids, state, from].filter((way) => way !== undefined).length !== 1)
      throw wrong('', 'Give one of ids, state and from');
    if (Array.isArray(ids)) {
      const rows = await Promise.all((ids as readonly string[]).map((id) => deliveries.get(id)));
      return rows.flatMap((row) => (row?.subscription === to.id ? [row.id] : []));
    }
    const [since, until] = rangeOf(body);
    const found: string[] = [];
    for (let after: string | null = null; ; ) {
      const { items, next }: Awaited<ReturnType<typeof deliveries.of>> = await deliveries.of(to.id, {
        limit: 1_000,
        after,
      });
      for (const row of items)
        if (
          state === 'spent'
            ? row.state === 'spent'
            : row.createdAt >= since && row.createdAt < until && row.dueAt === null
        )
          found.push(row.id);
      after = next;
      if (next === null || found.length >= REDELIVERED_MAX) return found.slice(0, REDELIVERED_MAX);
    }
  }

  function rangeOf(body: JsonObject): readonly [number, number] {
    const at = (key: string, otherwise: number): number => {
      const value = ownValue(body, key);
      if (value === undefined) return otherwise;
      const time = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
      if (Number.isNaN(time)) throw wrong(key, `${key} must be a time such as 2015-10-05T12:47:00Z`);
      return time;
    };
    return [at('from', 0), at('to', Number.MAX_SAFE_INTEGER)];
  }

  /** What happened in the range while it was disabled, made again from history. */
  async function missed({ body, principal }: Call, to: Subscribed): Promise<number> {
    if (body['from'] === undefined) return 0;
    const [since, until] = rangeOf(body);
    const owed = await missedBetween(parts, principal.tenant, to, { since, until, most: REDELIVERED_MAX });
    let count = 0;
    for (const one of owed) if (await deliveries.add(one)) count += 1;
    return count;
  }
}

/** Deliveries that are due again at once, and pieces of them: what is owed to one subscription at most. */
const HASTENED_AT_ONCE = 2_000;
const HASTENED_PIECES_MAX = 60;
/** Deliveries that one call makes owed again. */
const REDELIVERED_MAX = 10_000;
/** Pages of deliveries that are passed by for one page of those that fit. */
const PAGES_MAX = 20;
const STATES: ReadonlySet<string> = new Set(['owed', 'failing', 'delivered', 'spent']);

/** A merge patch (RFC 7396). */
function mergedIn(before: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(before) ? Object.entries(before) : []);
  for (const [key, value] of Object.entries(patch))
    if (value === null) merged.delete(key);
    else merged.set(key, mergedIn(merged.get(key), value));
  return Object.fromEntries(merged);
}

const etagOf = ({ shown: { ver } }: Subscribed): string => `"${ver}"`;

function checkMatch(call: Call, to: Subscribed): void {
  const match = call.header('if-match');
  if (match === null || match.trim() === '*') return;
  if (!match.split(',').some((tag) => tag.trim() === etagOf(to))) throw changed(to.id);
}

const changed = (id: string): Fault =>
  new Fault('precondition_failed', `The subscription ${shown(id)} is not as the request expects it: read it again`);

const wrong = (key: string, detail: string): Problem =>
  new Problem('request_invalid', detail, { complaints: [{ detail, pointer: key === '' ? '#' : `#/${key}` }] });

const replied = (status: number, to: Subscribed, headers: Readonly<Record<string, string>>): Reply =>
  jsonReply(status, view(to), { ETag: etagOf(to), ...headers });

function view(to: Subscribed): JsonObject {
  const { secret: _secret, headers, ...spec } = to.shown.parsed;
  return {
    id: to.id,
    events: to.events,
    ordered: to.ordered,
    fields: to.fields,
    ...spec,
    ...(isObject(headers) ? { headers: Object.fromEntries(Object.keys(headers).map((name) => [name, HIDDEN])) } : {}),
    enabled: to.shown.enabled,
    created_at: timeView(to.shown.createdAt),
    failing_since: timeOrNull(to.failingSince),
    disabled_reason: to.shown.reason,
  };
}

function deliveryView(row: DeliveryRow): JsonObject {
  const last = (
    JSON.parse(row.log) as readonly { at: number; status: number | null; ms: number; error: string | null }[]
  ).at(-1);
  return {
    id: row.id,
    type: row.type,
    workflow_id: row.workflowId,
    event: JSON.parse(row.event) as JsonObject,
    state: row.state,
    tries: row.tries,
    last: last === undefined ? null : { ...last, at: timeView(last.at) },
    next_at: timeOrNull(row.dueAt),
  };
}
