import { type Asked, BATCHES_OPEN_MAX, type BatchAction } from '../../../batches/asked.ts';
import { findItems } from '../../../batches/find.ts';
import { randomDigits } from '../../../identity/key-text.ts';
import { Fault } from '../../../model/fault.ts';
import type { WorkflowId } from '../../../model/ids.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { Tenant } from '../../../model/tenant.ts';
import { BATCH_STATES, type BatchRow, type FoundItem } from '../../../store/store.ts';
import { answers } from '../../answers.ts';
import { told } from '../../audit.ts';
import { shown } from '../../ids.ts';
import { type Call, jsonReply, OK, type Operation, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf, oneOf, PAGE_MAX } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { Reasoned } from '../../schema-parts.ts';
import { invalid, itemsOf, paramsOf, searchOf } from './asked.ts';
import { Batch, BatchCreate, BatchItems, BatchList, BatchMatches, OUTCOMES } from './schemas.ts';
import { batchView, foundView, itemView } from './view.ts';

const ID_LENGTH = 16;
/** What a dry run looks at, and shows. */
const MATCHES_MAX = 10_000;
const PAGES_MAX = 50;
const SAMPLE_MAX = 10;
/** Items that were done and are looked at once more. */
const CAME_BACK_MAX = 10_000;

/** The same thing done to many workflows: cancel, kill, pause, resume, replay of their errors, redelivery of their workitems. */
export function batchOperations(parts: Parts): readonly Operation[] {
  const path = '/v1/batches/:batch_id';
  return [
    {
      id: 'createBatch',
      method: 'post',
      path: '/v1/batches',
      summary: 'Do the same thing to many workflows',
      access: 'operate',
      audit: {
        action: 'batch.create',
        details: ({ body }) => ({
          ...told(body, 'action', 'filter', 'all', 'rate', 'dry_run'),
          ...(Array.isArray(body['ids']) ? { ids: body['ids'].length } : {}),
        }),
      },
      body: { schema: BatchCreate, checked: 'here' },
      answers: {
        ...answers(202, 'It is begun', Batch, 422),
        200: { description: 'With dry_run: what it would be about', schema: BatchMatches },
      },
      handle: (call) => create(parts, call),
    },
    {
      id: 'listBatches',
      method: 'get',
      path: '/v1/batches',
      summary: 'Batches, the newest first',
      access: 'read',
      query: [
        {
          name: 'state',
          description: `Only those in this state: ${BATCH_STATES.join(', ')}`,
          schema: { type: 'string', enum: [...BATCH_STATES] },
        },
        { name: 'limit', description: 'Items per page, 1 to 1000, default 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(200, 'A page', BatchList, 400),
      handle: async ({ principal, query }) => {
        const state = oneOf(query, 'state', BATCH_STATES);
        const { tenant } = principal;
        const page = { limit: limitOf(query), after: cursorOf('batches', query) };
        const { items, next } = await parts.store.batches.list({ tenant, state, ...page });
        return jsonReply(200, {
          batches: items.map(batchView),
          next_cursor: next === null ? null : cursorFor('batches', next),
        });
      },
    },
    {
      id: 'getBatch',
      method: 'get',
      path,
      summary: 'One batch, and what came of it so far',
      access: 'read',
      answers: answers(200, 'As it stands', Batch, 404),
      handle: async (call) => {
        const row = await found(parts, call);
        return jsonReply(200, {
          ...batchView(row),
          problems: await parts.store.batches.problems(row.id),
          ...(await cameBack(parts, call.principal.tenant, row)),
        });
      },
    },
    {
      id: 'listBatchItems',
      method: 'get',
      path: `${path}/items`,
      summary: 'What came of each item, in the order in which they were found',
      access: 'read',
      query: [
        {
          name: 'outcome',
          description: `Only these: ${OUTCOMES.join(', ')}`,
          schema: { type: 'string', enum: [...OUTCOMES] },
        },
        { name: 'limit', description: 'Items per page, 1 to 1000, default 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(200, 'A page', BatchItems, 400, 404),
      handle: async (call) => {
        const state = oneOf(call.query, 'outcome', OUTCOMES);
        const { id } = await found(parts, call);
        const page = { limit: limitOf(call.query), after: cursorOf('batch items', call.query) };
        const { items, next } = await parts.store.batches.items({ batch: id, state, ...page });
        return jsonReply(200, {
          items: items.map(itemView),
          next_cursor: next === null ? null : cursorFor('batch items', next),
        });
      },
    },
    {
      id: 'stopBatch',
      method: 'post',
      path: `${path}/stop`,
      summary: 'Go on with a batch no more; what is done stays',
      access: 'operate',
      audit: { action: 'batch.stop' },
      body: { schema: Reasoned, checked: 'here' },
      answers: answers(201, 'OK', null, 404, 409, 422),
      handle: async (call) => {
        const { id, state } = await found(parts, call);
        if (!(await parts.store.batches.stop(id, null)))
          throw new Fault('conflict', `The batch ${id} is over: it is ${state}`);
        return OK;
      },
    },
  ];
}

async function create(parts: Parts, call: Call): Promise<Reply> {
  const { body, principal } = call;
  const { tenant, actor } = principal;
  const action = body['action'] as BatchAction;
  if (['filter', 'ids', 'all'].filter((name) => Object.hasOwn(body, name)).length !== 1)
    throw invalid('Exactly one of filter, ids and all says what it is about', '#');
  const params = paramsOf(parts, action, body);
  const ids = (body['ids'] ?? null) as readonly string[] | null;
  const given = ids === null ? null : await itemsOf(parts, tenant, action, ids);
  const asked: Asked = ids === null ? searchOf(action, body) : { filter: null, ids: ids.length };
  if (body['dry_run'] === true) return jsonReply(200, await matches(parts, tenant, action, asked, given));
  if ((await parts.store.batches.unfinished(tenant)) >= BATCHES_OPEN_MAX)
    throw new Fault('limit_exceeded', `There are ${BATCHES_OPEN_MAX} batches that are not over; wait, or stop some`);
  const id = randomDigits(ID_LENGTH);
  await parts.store.batches.add(
    {
      ...{ id, tenant, action, actor },
      asked: JSON.stringify(asked),
      params: JSON.stringify(params),
      reason: call.reason,
      rate: typeof body['rate'] === 'number' ? body['rate'] : null,
    },
    given,
  );
  parts.batches?.wake();
  const row = await parts.store.batches.get(tenant, id);
  if (row === null) throw new Error('A batch that was just added is not there');
  return jsonReply(
    202,
    { ...batchView(row), problems: [], came_back: 0, came_back_as: [] },
    { Location: `${parts.basePath()}/v1/batches/${id}` },
  );
}

/** What a batch would be about, as far as a request may look. */
async function matches(
  parts: Parts,
  tenant: Tenant,
  action: BatchAction,
  asked: Asked,
  given: readonly FoundItem[] | null,
): Promise<JsonObject> {
  const all: FoundItem[] = [...(given ?? [])];
  let next: string | null = null;
  if (asked.filter !== null) {
    let pages = 0;
    do {
      const page: Awaited<ReturnType<typeof findItems>> = await findItems(
        { ...parts.store.read, inside: parts.search },
        { tenant, action, search: asked.search },
        next,
      );
      all.push(...page.items);
      next = page.next;
      pages += 1;
    } while (next !== null && all.length <= MATCHES_MAX && pages < PAGES_MAX);
  }
  const isAll = next === null && (given !== null || all.length <= MATCHES_MAX);
  return {
    ...(isAll ? { matches: all.length } : { at_least: Math.min(all.length, MATCHES_MAX) }),
    sample: all.slice(0, SAMPLE_MAX).map(foundView),
  };
}

/** Of the items that were done, those whose workflow is in error now, and with which errors: of each workflow the newest. */
async function cameBack({ store }: Parts, tenant: Tenant, { id, done }: BatchRow): Promise<JsonObject> {
  const classes = new Map<string, number>();
  let count = 0;
  let looked = 0;
  let after: string | null = null;
  while (looked < Math.min(done, CAME_BACK_MAX)) {
    const page: Awaited<ReturnType<typeof store.batches.items>> = await store.batches.items({
      ...{ batch: id, state: 'done', limit: PAGE_MAX, after },
    });
    const workflows = page.items.map(({ workflow }) => workflow as WorkflowId);
    const standings = await store.read.standings(workflows.map((workflow) => ({ tenant, workflow })));
    const back = workflows.filter((workflow) => standings.get(workflow)?.status === 'error');
    const glances = back.length === 0 ? null : await store.read.glance(tenant, [...new Set(back)]);
    for (const workflow of back) {
      const kind = glances?.get(workflow)?.error?.class;
      // It was repaired between the two looks.
      if (kind === undefined) continue;
      count += 1;
      classes.set(kind, (classes.get(kind) ?? 0) + 1);
    }
    looked += page.items.length;
    after = page.next;
    if (after === null) break;
  }
  const known = [...classes].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return { came_back: count, came_back_as: known.map(([name, n]) => ({ class: name, count: n })) };
}

/** @throws Problem */
async function found(parts: Parts, call: Call): Promise<BatchRow> {
  const id = call.params['batch_id'] ?? '';
  const row = /^[0-9A-Za-z]{16}$/.test(id) ? await parts.store.batches.get(call.principal.tenant, id) : null;
  if (row === null) throw new Problem('batch_not_found', `There is no batch ${shown(id)}, or not any more`);
  return row;
}
