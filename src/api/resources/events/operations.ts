import { shutdownFrame } from '../../../events/frames.ts';
import { type KindFilter, readKinds } from '../../../events/kinds.ts';
import { readPlace } from '../../../events/place.ts';
import { ID_LENGTH_MAX, type WorkflowId } from '../../../model/ids.ts';
import { isOver } from '../../../model/rows.ts';
import { answers } from '../../answers.ts';
import { noSuchWorkflow, workflowIdOf } from '../../ids.ts';
import type { Call, Operation, QuerySpec, Reply } from '../../operation.ts';
import { entryNumberOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { HistoryEntry } from '../workflows/schemas.ts';

/* Those who watch: history as server-sent events. */

/** Workflows one stream may name. */
const WORKFLOWS_MAX = 100;
const STREAM_TYPE = 'text/event-stream; charset=utf-8';
const KINDS: QuerySpec = {
  name: 'kinds',
  description: 'Only events of these kinds, comma-separated: workitem.opened, or workflow.* for all of a family',
};

export function eventOperations(parts: Parts): readonly Operation[] {
  return [
    {
      id: 'watchWorkflow',
      method: 'get',
      path: '/v1/workflows/:workflow_id/events',
      summary: 'What happens to a workflow, as server-sent events, from its beginning or behind Last-Event-ID',
      access: 'read',
      ticket: true,
      query: [{ name: 'after', description: 'Only entries with a greater n; Last-Event-ID wins over it' }, KINDS],
      answers: {
        ...answers(200, 'id is n, event is the kind, data is the entry', null, 400, 404),
        200: {
          description:
            'id is n, event is kind, data is the history entry with workflow_id; also live, reset and shutdown',
          type: 'text/event-stream',
          schema: HistoryEntry,
        },
        204: { description: 'The workflow is over and everything was seen: do not come back' },
      },
      handle: (call) => watchWorkflow(parts, call),
    },
    {
      id: 'watchAll',
      method: 'get',
      path: '/v1/events/stream',
      summary:
        'What happens to all workflows in the order of commit, as server-sent events, from now or behind Last-Event-ID',
      access: 'read',
      ticket: true,
      query: [
        {
          name: 'after',
          description: 'The last id that was seen, or 0 for all that is kept; Last-Event-ID wins over it',
        },
        {
          name: 'workflow_id',
          description: `Only events of these workflows, comma-separated, at most ${WORKFLOWS_MAX}`,
        },
        KINDS,
        { name: 'digest', description: '1: each second also how many events of each kind there were in all' },
      ],
      answers: {
        ...answers(200, '', null, 400, 501),
        200: {
          description:
            'event is kind, data is the history entry with workflow_id; also live, digest, reset and shutdown',
          type: 'text/event-stream',
          schema: HistoryEntry,
        },
      },
      handle: (call) => watchAll(parts, call),
    },
  ];
}

async function watchWorkflow(parts: Parts, call: Call): Promise<Reply> {
  const workflow = workflowIdOf(call);
  const { tenant } = call.principal;
  const wants = kindsOf(call);
  const after = entryNumberOf(call.header('last-event-id') ?? call.query.get('after') ?? '0');
  const row = await parts.store.read.workflow(tenant, workflow);
  if (row === null) throw noSuchWorkflow(workflow);
  // Whoever comes back to a workflow that is over is told to stay away: an EventSource heeds 204.
  if (isOver(row.status) && after === row.lastN) return { kind: 'empty', status: 204, headers: {} };
  const standing = { status: row.status, lastN: row.lastN };
  return stream(parts, (sink, signal) =>
    parts.events.ofWorkflows.follow({ tenant, workflow, after, wants, standing }, sink, signal),
  );
}

function watchAll(parts: Parts, call: Call): Reply {
  const { ofAll } = parts.events;
  if (ofAll === null)
    throw new Problem('not_supported', 'This database has no order of all events; watch workflows one by one');
  const given = call.header('last-event-id') ?? call.query.get('after');
  const after = given === null ? null : readPlace(given);
  if (given !== null && after === null)
    throw new Problem('query_invalid', 'after must be an id that this stream gave, or 0 for all that is kept');
  const digest = call.query.get('digest') ?? '0';
  if (digest !== '0' && digest !== '1') throw new Problem('query_invalid', 'digest must be 0 or 1');
  const reader = {
    tenant: call.principal.tenant,
    after,
    workflows: workflowsOf(call),
    wants: kindsOf(call),
    digest: digest === '1',
  };
  return stream(parts, (sink, signal) => ofAll.follow(reader, sink, signal));
}

function workflowsOf(call: Call): ReadonlySet<WorkflowId> | null {
  const given = call.query.get('workflow_id');
  if (given === null) return null;
  const ids = given.split(',').map((id) => id.trim());
  if (ids.length > WORKFLOWS_MAX)
    throw new Problem(
      'query_invalid',
      `workflow_id names ${ids.length} workflows; at most ${WORKFLOWS_MAX} are possible`,
    );
  if (ids.some((id) => !/^[\w-]+$/.test(id) || id.length > ID_LENGTH_MAX))
    throw new Problem('query_invalid', 'workflow_id must be ids of workflows, comma-separated');
  return new Set(ids.map((id) => id as WorkflowId));
}

function kindsOf(call: Call): KindFilter {
  const wants = readKinds(call.query.get('kinds'));
  if (typeof wants !== 'function') throw new Problem('query_invalid', wants.complaint);
  return wants;
}

const stream = (parts: Parts, open: Extract<Reply, { kind: 'stream' }>['open']): Reply => ({
  kind: 'stream',
  status: 200,
  type: STREAM_TYPE,
  // Proxies that gather an answer before they hand it on would keep events back.
  headers: { 'X-Accel-Buffering': 'no' },
  open,
  farewell: () => shutdownFrame(parts.ids.fraction()),
});
