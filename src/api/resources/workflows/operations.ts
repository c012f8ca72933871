import { entriesOf } from '../../../events/entry.ts';
import { readKinds } from '../../../events/kinds.ts';
import { Fault } from '../../../model/fault.ts';
import type { WorkflowRow } from '../../../model/rows.ts';
import type { Tree } from '../../../model/tree.ts';
import { answers, answersOrRehearsal } from '../../answers.ts';
import { happenOrRehearse } from '../../happen.ts';
import { noSuchWorkflow, workflowIdOf } from '../../ids.ts';
import { type Call, jsonReply, type Operation, type QuerySpec, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, entryNumberOf, limitOf, PAGE_MAX } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { Rehearsable } from '../../schema-parts.ts';
import { timeOrNull } from '../../time.ts';
import { lostParameters, warningHeader } from '../../warnings.ts';
import { askedOf, FILTERS, INSIDE_FILTERS, insideOf } from './filters.ts';
import { retryOperation } from './retry.ts';
import { Cancel, History, Workflow, WorkflowCount, WorkflowList, WorkflowTree } from './schemas.ts';
import { show } from './show.ts';
import { getSource, getTree } from './source.ts';
import { glanceView, summaryView } from './view.ts';

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
      query: [...FILTERS, ...INSIDE_FILTERS],
      answers: answers(200, 'count, or at_least where there are more', WorkflowCount, 400),
      handle: (call) => count(parts, call),
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
        {
          name: 'omit',
          description: 'workitem_fields: workitems without their fields, which may be most of the answer',
        },
      ],
      answers: {
        ...answers(200, 'As it stands', Workflow, 404),
        303: { description: 'Where text/html is wanted most: the page of the workflow is at Location' },
      },
      alsoAs: 'text/html',
      handle: (call) => show(parts, call),
    },
    {
      id: 'getWorkflowDefinition',
      method: 'get',
      path: `${ID_PATH}/definition`,
      summary: 'The definition it was launched with, byte for byte as it was posted',
      access: 'read',
      answers: {
        ...answers(200, 'As application/xml, application/json or text/plain; posted as a tree: JSON', null, 404),
        200: {
          description: 'The text; posted as a tree: JSON',
          type: 'text/plain',
          also: ['application/xml', 'application/json'],
        },
      },
      handle: (call) => getSource(parts, call),
    },
    {
      id: 'getTree',
      method: 'get',
      path: `${ID_PATH}/tree`,
      summary: 'The tree of a workflow, and what is live in it',
      access: 'read',
      query: [{ name: 'cursor', description: 'The expressions_cursor of the page before' }],
      answers: answers(200, 'As it stands', WorkflowTree, 404),
      handle: (call) => getTree(parts, call),
    },
    {
      id: 'cancel',
      method: 'post',
      path: `${ID_PATH}/cancel`,
      summary: 'Cancel a workflow: participants are told, on_cancel handlers run, then it is over',
      access: 'operate',
      fixed: true,
      body: { schema: Cancel, checked: 'by handler' },
      answers: answersOrRehearsal(400),
      handle: (call) => cancel(parts, call),
    },
    {
      id: 'deleteWorkflow',
      method: 'delete',
      path: ID_PATH,
      summary: 'The same as cancel',
      access: 'operate',
      answers: answers(201, 'OK', null, 404),
      handle: (call) => cancel(parts, call),
    },
    simple(parts, 'kill', 'End a workflow at once: no handlers run'),
    simple(parts, 'pause', 'Hold a workflow: answers are kept, nothing new is tried, timers stand still'),
    simple(parts, 'resume', 'Let a paused workflow go on'),
    retryOperation(parts),
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
    body: { schema: Rehearsable, checked: 'here' },
    answers: answersOrRehearsal(404, 409, 422),
    handle: (call) => happenOrRehearse(parts, call, workflowIdOf(call), { kind }),
  };
}

/** A workflow that is over counts as not found: there is nothing left to cancel (docs/api-v1.md). */
async function cancel(parts: Parts, call: Call): Promise<Reply> {
  const id = workflowIdOf(call);
  try {
    const compensate = call.body['compensate'];
    const isWanted = compensate === true || compensate === 'true';
    const event = isWanted ? ({ kind: 'cancel', compensate: true } as const) : ({ kind: 'cancel' } as const);
    const reply = await happenOrRehearse(parts, call, id, event);
    const lost = warningHeader(lostParameters(call.body, Object.keys(Cancel.properties)));
    return { ...reply, headers: { ...reply.headers, ...lost } };
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'workflow_over') throw noSuchWorkflow(id);
    throw thrown;
  }
}

/** What is counted exactly. */
const COUNT_MAX = 10_000;

const ORDER = { type: 'string', enum: ['asc', 'desc'], default: 'asc' };
const LIST_QUERY: readonly QuerySpec[] = [
  ...FILTERS,
  ...INSIDE_FILTERS,
  {
    name: 'include',
    description: 'turn: whose turn it is; error: the newest error that waits; or both, separated by a comma',
    schema: { type: 'string', pattern: '^(turn|error)(,(turn|error))?$' },
  },
  {
    name: 'order',
    description: 'asc: the oldest first; desc (unless said): the newest',
    schema: { ...ORDER, default: 'desc' },
  },
  { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
  { name: 'cursor', description: 'The next_cursor of the page before' },
];

/** Where no index leads to all that is asked for, as many are looked into as one page of the list looks into. */
async function count(parts: Parts, { principal, query }: Call) {
  const asked = { tenant: principal.tenant, ...askedOf(query) };
  const { n, lookedBackTo } = await parts.search.count(asked, insideOf(query), COUNT_MAX + 1);
  if (n > COUNT_MAX) return jsonReply(200, { at_least: COUNT_MAX });
  return jsonReply(
    200,
    lookedBackTo === null ? { count: n } : { at_least: n, looked_back_to: timeOrNull(lookedBackTo) },
  );
}

/** @throws Problem */
function includedIn(query: URLSearchParams): ReadonlySet<string> {
  const named = query.get('include')?.split(',') ?? [];
  if (named.some((one) => one !== 'turn' && one !== 'error'))
    throw new Problem('query_invalid', 'include must be turn, error, or both separated by a comma');
  return new Set(named);
}

async function list(parts: Parts, call: Call) {
  const { query } = call;
  const limit = limitOf(query);
  const inside = insideOf(query);
  const asked = { tenant: call.principal.tenant, ...askedOf(query) };
  // The order is another one, so its cursors are.
  const way = query.get('order') ?? 'desc';
  if (way !== 'asc' && way !== 'desc') throw new Problem('query_invalid', 'order must be asc or desc');
  const isOldestFirst = way === 'asc';
  if (isOldestFirst && inside !== null)
    throw new Problem('query_invalid', 'order=asc cannot be had together with a filter on tags or fields');
  const list = asked.ended.from === null && asked.ended.to === null ? 'workflows' : 'workflows by their end';
  const order = isOldestFirst ? `${list}, oldest first` : list;
  const after = cursorOf(order, query);
  const { items, next, lookedBackTo } = await parts.search.list({ ...asked, limit, after, isOldestFirst }, inside);
  const included = includedIn(query);
  const glances =
    included.size === 0
      ? null
      : await parts.store.read.glance(
          call.principal.tenant,
          items.map(({ id }) => id),
        );
  return jsonReply(200, {
    workflows: items.map((row) => ({ ...summaryView(row), ...glanceView(row.id, included, glances?.get(row.id)) })),
    next_cursor: next === null ? null : cursorFor(order, next),
    ...(lookedBackTo === undefined ? {} : { looked_back_to: timeOrNull(lookedBackTo) }),
  });
}

/**
 * A page of a history, in either order. Filters look at one page of rows and no further, so a page can hold fewer entries than `limit`, or none,
 * and there is more all the same.
 */
/** Of BPMN the elements by their places; null for other definitions, and where calls have places of their own that look the same. */
async function elementsOf(parts: Parts, row: WorkflowRow | null): Promise<ReadonlyMap<string, string> | null> {
  const tree = row === null ? null : await parts.trees.tree(row.definition);
  if (tree === null || tree.name !== 'bpmn:process') return null;
  const known = ELEMENTS.get(tree);
  if (known !== undefined) return known;
  const found = new Map<string, string>();
  let hasCalls = false;
  const visit = (at: Tree, expid: string): void => {
    const element = at.attributes.get('id');
    if (typeof element === 'string' && expid !== '0') found.set(expid, element);
    if (at.name === 'bpmn:call') hasCalls = true;
    for (const [i, child] of at.children.entries()) visit(child, `${expid}_${i}`);
  };
  visit(tree, '0');
  if (hasCalls) found.clear();
  ELEMENTS.set(tree, found);
  return found;
}
const ELEMENTS = new WeakMap<Tree, ReadonlyMap<string, string>>();

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
  const row = await parts.store.read.workflow(principal.tenant, id);
  const elements = await elementsOf(parts, row);
  const named = shown.map((entry) => {
    const { actor } = entry;
    const key = typeof actor === 'string' && actor.startsWith('key:') ? parts.identity.keys.held(actor.slice(4)) : null;
    const element = typeof entry['expid'] === 'string' ? elements?.get(entry['expid']) : undefined;
    const launched = entry.kind === 'workflow.launched' && row !== null ? { definition: row.definition } : null;
    if (key === null && element === undefined && launched === null) return entry;
    return {
      ...entry,
      ...launched,
      ...(key !== null && { actor_name: key.name }),
      ...(element !== undefined && { element }),
    };
  });
  return jsonReply(200, {
    history: named,
    first_kept: kept.firstKept,
    next_after: order === 'asc' && hasMore ? last : null,
    ...(order === 'asc' ? {} : { next_before: hasMore ? last : null }),
  });
}
