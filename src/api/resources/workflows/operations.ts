import { showWorkflow } from '../../../engine/show.ts';
import { entriesOf } from '../../../events/entry.ts';
import { readKinds } from '../../../events/kinds.ts';
import { bareView } from '../../../model/changes.ts';
import { Fault } from '../../../model/fault.ts';
import { equalJson, isObject, type Json, ownValue } from '../../../model/json.ts';
import type { Status, WorkflowRow, WorkitemRow } from '../../../model/rows.ts';
import type { Page, WorkflowSummary, WorkflowsQuery } from '../../../store/store.ts';
import { answers } from '../../answers.ts';
import { happen } from '../../happen.ts';
import { noSuchWorkflow, workflowIdOf } from '../../ids.ts';
import { type Call, jsonReply, OK, type Operation, type QuerySpec } from '../../operation.ts';
import { cursorFor, cursorOf, entryNumberOf, limitOf, PAGE_MAX, timeOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { Reasoned } from '../../schema-parts.ts';
import { History, WORKFLOW_STATUSES, Workflow, WorkflowCount, WorkflowList } from './schemas.ts';
import { show } from './show.ts';
import { summaryView } from './view.ts';

/** Filters on tags and fields look into the workflows one by one: at most so many, or so much text, per request, then the cursor goes on. */
const LOOKED_INTO_MAX = 500;
const LOOKED_INTO_CHARACTERS_MAX = 10_000_000;
/** Fetched at once to be looked into: their fields may be large. */
const LOOKED_INTO_AT_ONCE = 10;

const ID_PATH = '/v1/workflows/:workflow_id';

export function workflowOperations(parts: Parts): readonly Operation[] {
  return [
    {
      id: 'listWorkflows',
      method: 'get',
      path: '/v1/workflows',
      summary: 'Workflows, newest first',
      access: 'read',
      query: LIST_QUERY,
      answers: answers(200, 'A page; with tag or field filters it can hold fewer than limit', WorkflowList, 400),
      handle: (call) => list(parts, call),
    },
    {
      id: 'countWorkflows',
      method: 'get',
      path: '/v1/workflows/count',
      summary: `How many workflows there are, exact up to ${COUNT_MAX.toLocaleString('en')}`,
      access: 'read',
      query: FILTERS,
      answers: answers(200, 'count, or at_least where there are more', WorkflowCount, 400),
      handle: async ({ principal, query }) => {
        const n = await parts.store.read.countWorkflows({ tenant: principal.tenant, ...askedOf(query) }, COUNT_MAX + 1);
        return jsonReply(200, n > COUNT_MAX ? { at_least: COUNT_MAX } : { count: n });
      },
    },
    {
      id: 'getWorkflow',
      method: 'get',
      path: ID_PATH,
      summary: 'One workflow and what is live in it',
      access: 'read',
      query: [
        { name: 'cursor', description: 'The expressions_cursor of the page before' },
        { name: 'view', description: 'summary: id, state and created_at only' },
      ],
      answers: answers(200, 'As it stands', Workflow, 404),
      handle: (call) => show(parts, call),
    },
    {
      id: 'cancel',
      method: 'post',
      path: `${ID_PATH}/cancel`,
      summary: 'Cancel a workflow: participants are told, on_cancel handlers run, then it is over',
      access: 'operate',
      fixed: true,
      body: { schema: Reasoned, checked: 'by handler' },
      answers: answers(201, 'OK', null, 400),
      handle: async (call) => {
        await cancel(parts, call);
        return OK;
      },
    },
    {
      id: 'deleteWorkflow',
      method: 'delete',
      path: ID_PATH,
      summary: 'The same as cancel',
      access: 'operate',
      answers: answers(201, 'OK', null, 404),
      handle: async (call) => {
        await cancel(parts, call);
        return OK;
      },
    },
    simple(parts, 'kill', 'End a workflow at once: no handlers run'),
    simple(parts, 'pause', 'Hold a workflow: answers are kept, nothing new is tried, timers stand still'),
    simple(parts, 'resume', 'Let a paused workflow go on'),
    {
      id: 'getHistory',
      method: 'get',
      path: `${ID_PATH}/history`,
      summary: 'What happened, oldest or newest first',
      access: 'read',
      query: [
        { name: 'after', description: 'Only entries with a greater n; default 0' },
        { name: 'before', description: 'Only entries with a smaller n' },
        { name: 'order', description: 'asc (default): oldest first; desc: newest first', schema: ORDER },
        { name: 'kinds', description: 'Only entries of these kinds, comma-separated: workitem.opened, or workflow.*' },
        { name: 'expid', description: 'Only entries about this place in the tree, such as 0_1' },
        { name: 'limit', description: 'Entries per page, 1 to 1000, default 1000' },
      ],
      answers: answers(200, 'A page', History, 400, 404),
      handle: (call) => history(parts, call),
    },
  ];
}

function simple(parts: Parts, kind: 'kill' | 'pause' | 'resume', summary: string): Operation {
  return {
    id: kind,
    method: 'post',
    path: `${ID_PATH}/${kind}`,
    summary,
    access: 'operate',
    body: { schema: Reasoned, checked: 'here' },
    answers: answers(201, 'OK', null, 404, 409, 422),
    handle: async (call) => {
      await happen(parts, call, workflowIdOf(call), { kind });
      return OK;
    },
  };
}

/** A workflow that is over counts as not found: there is nothing left to cancel (docs/api-v1.md). */
async function cancel(parts: Parts, call: Call): Promise<void> {
  const id = workflowIdOf(call);
  try {
    await happen(parts, call, id, { kind: 'cancel' });
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'workflow_over') throw noSuchWorkflow(id);
    throw thrown;
  }
}

/** What is counted exactly. */
const COUNT_MAX = 10_000;

const ORDER = { type: 'string', enum: ['asc', 'desc'], default: 'asc' };
const TIME = { type: 'string', format: 'date-time' };
const FILTERS: readonly QuerySpec[] = [
  {
    name: 'status',
    description: `One of, or several separated by commas: ${WORKFLOW_STATUSES.join(', ')}`,
    schema: {
      type: 'string',
      pattern: `^(${WORKFLOW_STATUSES.join('|')})(,(${WORKFLOW_STATUSES.join('|')}))*$`,
    },
  },
  { name: 'name', description: 'The name their definition gives itself' },
  { name: 'business_key', description: 'Only those launched with this business key' },
  { name: 'participant', description: 'Only those in which it is the turn of this participant' },
  { name: 'launched_from', description: 'Launched at this time or later', schema: TIME },
  { name: 'launched_to', description: 'Launched before this time', schema: TIME },
  {
    name: 'ended_from',
    description: 'Ended at this time or later; then those that ended last come first',
    schema: TIME,
  },
  { name: 'ended_to', description: 'Ended before this time; then those that ended last come first', schema: TIME },
];
const LIST_QUERY: readonly QuerySpec[] = [
  ...FILTERS,
  { name: 'tag', description: 'Only those in which this tag is entered' },
  { name: 'field.', description: 'field.<path>=<value>: only those with this value in their fields, dots lead inside' },
  { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
  { name: 'cursor', description: 'The next_cursor of the page before' },
];

/** The filters of a query. @throws Problem */
function askedOf(query: URLSearchParams): Required<Omit<WorkflowsQuery, 'tenant' | 'limit' | 'after'>> {
  const statuses = query.get('status')?.split(',') ?? null;
  if (statuses?.some((status) => !WORKFLOW_STATUSES.some((one) => one === status)))
    throw new Problem(
      'query_invalid',
      `status must be one of ${WORKFLOW_STATUSES.join(', ')}, or several of them separated by commas`,
    );
  const known = statuses as readonly Status[] | null;
  return {
    status: known === null ? null : known.length === 1 ? (known[0] ?? null) : known,
    name: query.get('name'),
    participant: query.get('participant'),
    businessKey: query.get('business_key'),
    launched: { from: timeOf(query, 'launched_from'), to: timeOf(query, 'launched_to') },
    ended: { from: timeOf(query, 'ended_from'), to: timeOf(query, 'ended_to') },
  };
}

async function list(parts: Parts, call: Call) {
  const { query } = call;
  const limit = limitOf(query);
  const inside = filterOf(query);
  const asked = { tenant: call.principal.tenant, ...askedOf(query) };
  // The order is another one, so its cursors are.
  const order = asked.ended.from === null && asked.ended.to === null ? 'workflows' : 'workflows by their end';
  const after = cursorOf(order, query);
  const { items, next } =
    inside === null
      ? await parts.store.read.workflows({ ...asked, limit, after })
      : await lookInside(parts, asked, limit, after, inside);
  return jsonReply(200, {
    workflows: items.map(summaryView),
    next_cursor: next === null ? null : cursorFor(order, next),
  });
}

/** Workflows one after the other, newest first, until enough fit or enough was looked into. */
async function lookInside(
  parts: Parts,
  asked: Omit<WorkflowsQuery, 'limit' | 'after'>,
  limit: number,
  after: string | null,
  inside: Filter,
): Promise<Page<WorkflowSummary>> {
  const items: WorkflowRow[] = [];
  let next = after;
  let looked = 0;
  let characters = 0;
  do {
    const page = await parts.store.read.workflowRows({
      ...asked,
      limit: Math.min(limit - items.length, LOOKED_INTO_MAX - looked, LOOKED_INTO_AT_ONCE),
      after: next,
    });
    for (const { row, workitem } of page.items) {
      if (fits(row, workitem, inside)) items.push(row);
      looked += 1;
      characters += row.state.length + row.fields.length;
      // Others want to be served between two large ones.
      await new Promise((resolve) => setImmediate(resolve));
    }
    next = page.next;
  } while (
    next !== null &&
    items.length < limit &&
    looked < LOOKED_INTO_MAX &&
    characters < LOOKED_INTO_CHARACTERS_MAX
  );
  return { items, next };
}

type Filter = { readonly tag: string | null; readonly fields: readonly (readonly [readonly string[], string])[] };

function filterOf(query: URLSearchParams): Filter | null {
  const fields: [readonly string[], string][] = [];
  for (const [name, value] of query) if (name.startsWith('field.')) fields.push([name.slice(6).split('.'), value]);
  const tag = query.get('tag');
  return tag === null && fields.length === 0 ? null : { tag, fields };
}

/** Tags and the root's fields lie in the workflow's own row and in the workitem it may wait for. */
function fits(row: WorkflowRow, workitem: WorkitemRow | null, filter: Filter): boolean {
  const workitems = new Map(workitem === null ? [] : [[workitem.id, workitem]]);
  const shown = showWorkflow({ ...bareView(row), workitems }, null);
  if (filter.tag !== null && !shown.tags.includes(filter.tag)) return false;
  return filter.fields.every(([path, wanted]) => isSame(valueAt(shown.fields, path), wanted));
}

function valueAt(fields: Json, path: readonly string[]): Json | undefined {
  let value: Json | undefined = fields;
  for (const key of path) {
    if (Array.isArray(value)) value = /^\d{1,9}$/.test(key) ? (value as readonly Json[])[Number(key)] : undefined;
    else value = isObject(value) ? ownValue(value, key) : undefined;
  }
  return value;
}

/** A query holds texts only: `5` fits 5 and "5", `true` fits true and "true", `{"a":1}` fits that object. */
function isSame(value: Json | undefined, wanted: string): boolean {
  if (value === undefined) return false;
  if (value === wanted) return true;
  try {
    return equalJson(value, JSON.parse(wanted) as Json);
  } catch {
    return false;
  }
}

/**
 * A page of a history, in either order. Filters look at one page of rows and no further, so a page can hold fewer entries than `limit`, or none,
 * and there is more all the same.
 */
async function history(parts: Parts, call: Call) {
  const id = workflowIdOf(call);
  const { query, principal } = call;
  const after = entryNumberOf(query.get('after') ?? '0');
  const before = query.has('before') ? entryNumberOf(query.get('before') ?? '', 'before') : null;
  const order = query.get('order') ?? 'asc';
  if (order !== 'asc' && order !== 'desc') throw new Problem('query_invalid', 'order must be asc or desc');
  const wants = readKinds(query.get('kinds'));
  if (typeof wants !== 'function') throw new Problem('query_invalid', wants.complaint);
  const expid = query.get('expid');
  const limit = limitOf(query, PAGE_MAX);
  const kept = await parts.store.read.kept(principal.tenant, id);
  if (kept === null) throw noSuchWorkflow(id);
  const end = Math.min(before ?? kept.lastN + 1, kept.lastN + 1);
  const rows =
    order === 'asc'
      ? await parts.store.read.history(principal.tenant, id, after, limit)
      : await parts.store.read.historyBefore(principal.tenant, id, end, limit);
  const found = rows
    .flatMap((row) => (order === 'asc' ? entriesOf(id, row, after) : [...entriesOf(id, row, after)].reverse()))
    .filter(({ n }) => n < end);
  const shown = found.filter(({ kind, expid: at }) => wants(kind) && (expid === null || at === expid)).slice(0, limit);
  // What was looked at goes as far as the last one shown, or as everything that was read.
  const last = (shown.length === limit ? shown.at(-1) : found.at(-1))?.n ?? null;
  const hasMore = last !== null && (order === 'asc' ? last + 1 < end : last > after + 1);
  const named = shown.map((entry) => {
    const { actor } = entry;
    const key = typeof actor === 'string' && actor.startsWith('key:') ? parts.identity.keys.held(actor.slice(4)) : null;
    return key === null ? entry : { ...entry, actor_name: key.name };
  });
  return jsonReply(200, {
    history: named,
    first_kept: kept.firstKept,
    next_after: order === 'asc' && hasMore ? last : null,
    ...(order === 'asc' ? {} : { next_before: hasMore ? last : null }),
  });
}
