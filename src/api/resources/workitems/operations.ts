import type { OnlyIf } from '../../../engine/engine.ts';
import { readLog } from '../../../engine/outcomes.ts';
import { workitemFields } from '../../../engine/show.ts';
import { Fault } from '../../../model/fault.ts';
import type { ExpressionId, WorkflowId } from '../../../model/ids.ts';
import type { Json, JsonObject } from '../../../model/json.ts';
import { claimOf, readReferenceText, readTerms } from '../../../model/participants.ts';
import type { WorkitemRow } from '../../../model/rows.ts';
import type { Answering } from '../../../model/stimulus.ts';
import type { Tenant } from '../../../model/tenant.ts';
import { durationMs } from '../../../registry/participant-spec.ts';
import { answers } from '../../answers.ts';
import { callersFields, readFieldsOf } from '../../fields.ts';
import { happen } from '../../happen.ts';
import { noSuchWorkitem, shown, workitemKeyOf } from '../../ids.ts';
import { makeCheck } from '../../middleware/validate.ts';
import { type Call, jsonReply, OK, type Operation, printedReply, type Reply } from '../../operation.ts';
import { isOverdue, overdueNow } from '../../overdue.ts';
import { cursorFor, cursorOf, limitOf, printPage } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { Reasoned } from '../../schema-parts.ts';
import { timeOrNull } from '../../time.ts';
import { lostParameters, warningHeader } from '../../warnings.ts';
import {
  Claim,
  Deliveries,
  Fail,
  Heartbeat,
  HeartbeatTold,
  Proceed,
  Release,
  Respond,
  Workitem,
  WorkitemList,
  WorkitemPatch,
} from './schemas.ts';
import { makeItemTexts, tryView, workitemView } from './view.ts';

/*
 * Workitems: the list, one of them, and all that may be done to it. It is one thing, for every operation finds its workitem, and tells that it is
 * gone, in the same words.
 */

type Key = { readonly workflow: WorkflowId; readonly workitem: ExpressionId };

export function workitemOperations(parts: Parts): readonly Operation[] {
  const path = '/v1/workflows/:workflow_id/workitems/:workitem_id';
  const checkFields = makeCheck(Proceed.properties.fields);
  return [
    {
      id: 'proceed',
      method: 'post',
      path: `${path}/proceed`,
      summary: 'Hand a workitem back',
      access: 'operate',
      capability: 'workitem',
      fixed: true,
      body: { schema: Proceed, checked: 'by handler' },
      answers: answers(201, 'OK: the step is committed', null, 400, 412),
      handle: async (call) => {
        const fields = Object.hasOwn(call.body, 'fields') ? readFieldsOf(call.body['fields'], checkFields) : {};
        if (typeof fields === 'string')
          throw new Problem('fields_invalid', fields, { complaints: [{ detail: fields, pointer: '#/fields' }] });
        const key = await keyOf(parts, call);
        await proceed(parts, call, key, fields);
        const hint = '; what goes into the workitem is given as fields[...]';
        const warnings = lostParameters(call.body, Object.keys(Proceed.properties), hint);
        if (warnings.length > 0)
          parts.log.warn('a proceed had parameters that are not read', {
            event: 'proceed.parameters_ignored',
            request_id: call.requestId,
            workflow_id: key.workflow,
            parameters: warnings.map(({ pointer }) => pointer.slice(2)),
          });
        return warnings.length === 0 ? OK : { ...OK, headers: warningHeader(warnings) };
      },
    },
    {
      id: 'respond',
      method: 'post',
      path: '/v1/workitems/:workitem_id/respond',
      summary: 'Hand a workitem back, by its id alone',
      access: 'operate',
      capability: 'workitem',
      body: { schema: Respond, checked: 'here' },
      answers: answers(201, 'OK: the step is committed', null, 404, 409, 412, 422),
      handle: async (call) => {
        const text = call.params['workitem_id'] ?? '';
        const key = workitemKeyOf(text);
        if (key === null) throw noSuchWorkitem(text);
        await proceed(parts, call, key, callersFields((call.body['fields'] ?? {}) as JsonObject));
        return OK;
      },
    },
    {
      id: 'failWorkitem',
      method: 'post',
      path: `${path}/fail`,
      summary: 'Give a workitem up',
      access: 'operate',
      capability: 'workitem',
      body: { schema: Fail, checked: 'here' },
      answers: answers(201, 'OK: the error handling of the definition applies', null, 404, 409, 412, 422),
      handle: async (call) => {
        const key = await keyOf(parts, call);
        const seen = await asSeen(parts, call, key);
        const code = call.body['error_code'];
        if (typeof code === 'string') {
          if (!(await isBpmn(parts, call, key)))
            throw new Problem('request_invalid', 'error_code is for workflows whose definition is BPMN', {
              complaints: [{ detail: 'error_code is for BPMN', pointer: '#/error_code' }],
            });
          await happenAt(
            parts,
            call,
            key.workflow,
            {
              kind: 'fail',
              workitem: key.workitem,
              class: 'BpmnError',
              message: String(call.body['message']),
              code,
              fields: callersFields((call.body['fields'] ?? {}) as JsonObject),
              by: answering(call),
            },
            seen,
          );
          return OK;
        }
        await happenAt(
          parts,
          call,
          key.workflow,
          {
            kind: call.body['retry'] === true ? 'refuse' : 'fail',
            workitem: key.workitem,
            class: String(call.body['class'] ?? 'RuntimeError'),
            message: String(call.body['message']),
            ...(call.body['retry'] === true ? {} : { by: answering(call) }),
          },
          seen,
        );
        return OK;
      },
    },
    {
      id: 'heartbeat',
      method: 'post',
      path: `${path}/heartbeat`,
      summary: 'Tell that the work goes on',
      access: 'operate',
      capability: 'workitem',
      body: { schema: Heartbeat, checked: 'here' },
      answers: answers(200, 'When the next sign of life is due, and by when the work', HeartbeatTold, 404, 409, 422),
      handle: async (call) => {
        const key = await keyOf(parts, call);
        const told = (await happenAt(parts, call, key.workflow, {
          kind: 'heartbeat',
          workitem: key.workitem,
          extendMs: extension(call),
          progress: progressOf(call),
        })) as { readonly heartbeat_at: number | null; readonly deadline_at: number | null };
        return jsonReply(200, {
          heartbeat_due_at: timeOrNull(told.heartbeat_at),
          deadline_at: timeOrNull(told.deadline_at),
        });
      },
    },
    {
      id: 'claimWorkitem',
      method: 'post',
      path: `${path}/claim`,
      summary: 'Take a workitem for somebody, so that colleagues leave it alone',
      access: 'operate',
      body: { schema: Claim, checked: 'here' },
      answers: answers(200, 'It is claimed; the same assignee again extends it', Workitem, 404, 409, 422),
      handle: async (call) => {
        const key = await keyOf(parts, call);
        const ttlMs = durationMs((call.body['ttl'] ?? CLAIM_SECONDS) as Json);
        if (ttlMs === null || ttlMs > CLAIM_SECONDS_MAX * 1000)
          throw wrong('ttl', `must be a duration above zero, at most ${CLAIM_SECONDS_MAX} seconds`);
        await happenAt(parts, call, key.workflow, {
          kind: 'claim',
          workitem: key.workitem,
          assignee: String(call.body['assignee']),
          claimant: call.principal.actor,
          ttlMs,
        });
        return show(parts, call, await open(parts, call));
      },
    },
    {
      id: 'releaseWorkitem',
      method: 'post',
      path: `${path}/release`,
      summary: 'Let a claimed workitem go',
      access: 'operate',
      body: { schema: Release, checked: 'here' },
      answers: answers(200, 'Nobody has claimed it', Workitem, 404, 409, 422),
      handle: async (call) => {
        const key = await keyOf(parts, call);
        const { assignee } = call.body;
        const by = answering(call);
        await happenAt(parts, call, key.workflow, {
          kind: 'release',
          workitem: key.workitem,
          by: typeof assignee === 'string' ? { ...by, assignee } : by,
        });
        return show(parts, call, await open(parts, call));
      },
    },
    {
      id: 'redeliver',
      method: 'post',
      path: `${path}/redeliver`,
      summary: 'Try the callback now',
      access: 'operate',
      body: { schema: Reasoned, checked: 'here' },
      answers: answers(201, 'OK: it is due', null, 404, 409, 422),
      handle: async (call) => {
        const key = await keyOf(parts, call);
        await happenAt(parts, call, key.workflow, { kind: 'redeliver', workitem: key.workitem });
        return OK;
      },
    },
    {
      id: 'listDeliveries',
      method: 'get',
      path: `${path}/deliveries`,
      summary: 'Every try of its callback',
      access: 'read',
      answers: answers(200, 'Oldest first', Deliveries, 404, 409),
      handle: async (call) => {
        const { row } = await open(parts, call);
        return jsonReply(200, { deliveries: readLog(row.log).map(tryView) });
      },
    },
    {
      id: 'getWorkitem',
      method: 'get',
      path,
      summary: 'One workitem',
      access: 'read',
      capability: 'workitem',
      answers: answers(200, 'With its ETag', Workitem, 404, 409),
      handle: async (call) => show(parts, call, await open(parts, call)),
    },
    {
      id: 'editWorkitem',
      method: 'patch',
      path,
      summary: 'Change fields of a workitem that waits',
      access: 'operate',
      body: { schema: WorkitemPatch, checked: 'here' },
      answers: answers(200, 'As it is now', Workitem, 404, 409, 412, 422, 428),
      handle: async (call) => {
        const { key, row } = await open(parts, call);
        const revision = expectedRevision(call, row.revision);
        const fields = callersFields(call.body['fields'] as JsonObject);
        await happenAt(parts, call, key.workflow, {
          kind: 'edit',
          workitem: key.workitem,
          fields,
          revision,
          by: answering(call),
        });
        return show(parts, call, await open(parts, call));
      },
    },
    {
      id: 'listWorkitems',
      method: 'get',
      path: '/v1/workitems',
      summary: 'Workitems that wait for their participants',
      access: 'read',
      query: [
        { name: 'participant', description: 'Only those of this participant' },
        { name: 'workflow_id', description: 'Only those of this workflow' },
        { name: 'status', description: 'open, or failed: its tries are spent or it was given up' },
        { name: 'claimed', description: '1: only those that somebody has claimed; 0: only others' },
        { name: 'assignee', description: 'Only those this one has claimed' },
        { name: 'overdue', description: '1: only those that wait for longer than they should, the oldest first' },
        {
          name: 'order',
          description: 'oldest: those that wait longest first, of all participants',
          schema: { type: 'string', enum: ['oldest'] },
        },
        { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(200, 'A page; with large fields it can hold fewer than limit', WorkitemList, 400),
      handle: async (call) => {
        const state = call.query.get('status');
        if (state !== null && state !== 'open' && state !== 'failed')
          throw new Problem('query_invalid', 'status must be open or failed');
        const late = call.query.get('overdue');
        if (late !== null && late !== '1') throw new Problem('query_invalid', 'overdue must be 1');
        const claimed = call.query.get('claimed');
        if (claimed !== null && claimed !== '0' && claimed !== '1')
          throw new Problem('query_invalid', 'claimed must be 0 or 1');
        const overdue = overdueNow(parts);
        const now = parts.clock.now();
        // The orders of the two lists are not the same, and a cursor belongs to one.
        const order = call.query.get('order');
        if (order !== null && order !== 'oldest') throw new Problem('query_invalid', 'order must be oldest');
        const aged = late !== null ? overdue : order === null ? null : { before: Number.MAX_SAFE_INTEGER, of: {} };
        const list = late !== null ? 'overdue' : order === null ? 'workitems' : 'workitems, oldest first';
        const page = await parts.store.read.workitems({
          tenant: call.principal.tenant,
          participant: call.query.get('participant'),
          workflow: call.query.get('workflow_id') as WorkflowId | null,
          state,
          overdue: aged,
          limit: limitOf(call.query),
          after: cursorOf(list, call.query),
        });
        const assignee = call.query.get('assignee');
        const isWanted = (row: WorkitemRow): boolean => {
          if (claimed === null && assignee === null) return true;
          const claim = claimOf(row, now);
          if (claimed !== null && (claim !== null) !== (claimed === '1')) return false;
          return assignee === null || claim?.assignee === assignee;
        };
        const print = makeItemTexts(overdue, now);
        const { texts, shown } = await printPage(page.items, ({ workflow, row, base }) =>
          // A closed workitem only owes its participant a notice; it is nobody's turn any more.
          row.state === 'closed' || !isWanted(row) ? null : print(workflow, row, base),
        );
        const next = shown < page.items.length ? (page.items[shown - 1]?.place ?? null) : page.next;
        const cursor = JSON.stringify(next === null ? null : cursorFor(list, next));
        return printedReply(200, `{"workitems":[${texts.join(',')}],"next_cursor":${cursor}}`);
      },
    },
  ];
}

/** Whether a workitem is one of a BPMN element. */
async function isBpmn(parts: Parts, call: Call, key: Key): Promise<boolean> {
  const found = await parts.store.read.workitem(call.principal.tenant, key);
  if (found === null) throw noSuchWorkitem(call.params['workitem_id'] ?? '');
  const params = JSON.parse(found.row.params) as JsonObject;
  return typeof params['element_type'] === 'string';
}

/**
 * Which workitem is meant.
 *
 * @throws Fault `workitem_not_found` when nothing waits under that id, whatever the path says; `workflow_mismatched` when it
 *   waits in another workflow than the path's
 */
async function keyOf(parts: Parts, call: Call): Promise<Key> {
  const text = call.params['workitem_id'] ?? '';
  const key = workitemKeyOf(text);
  if (key === null) throw noSuchWorkitem(text);
  if (key.workflow === call.params['workflow_id']) return key;
  const found = await parts.store.read.workitem(call.principal.tenant, key);
  if (found === null || found.row.state === 'closed') throw noSuchWorkitem(text);
  throw new Fault(
    'workflow_mismatched',
    `The workitem belongs to the workflow ${key.workflow}, not to the one in the path`,
  );
}

/** @throws Problem `already_proceeded` where nothing waits under that id in a workflow that is there: ids are given out by us alone */
async function proceed(parts: Parts, call: Call, key: Key, fields: JsonObject): Promise<void> {
  try {
    const event = { kind: 'proceed', workitem: key.workitem, fields, by: answering(call) } as const;
    await happenAt(parts, call, key.workflow, event, await asSeen(parts, call, key));
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === 'workitem_not_found')) throw thrown;
    if ((await parts.store.read.workflow(call.principal.tenant, key.workflow)) === null) throw thrown;
    throw new Problem(
      'already_proceeded',
      `The workitem ${shown(call.params['workitem_id'] ?? '')} is not open: it was proceeded, ended otherwise, or never was`,
    );
  }
}

type Open = { readonly key: Key } & NonNullable<Awaited<ReturnType<Parts['store']['read']['workitem']>>>;

async function open(parts: Parts, call: Call): Promise<Open> {
  const key = await keyOf(parts, call);
  const found = await parts.store.read.workitem(call.principal.tenant, key);
  if (found === null || found.row.state === 'closed') throw noSuchWorkitem(call.params['workitem_id'] ?? '');
  return { key, ...found };
}

/** As `happen`; that the workflow is over or gone means that the workitem is gone (docs/api-v1.md). */
async function happenAt(
  parts: Parts,
  call: Call,
  workflow: WorkflowId,
  event: Parameters<typeof happen>[3],
  onlyIf?: OnlyIf,
): Promise<Json> {
  try {
    return await happen(parts, call, workflow, event, onlyIf === undefined ? {} : { onlyIf });
  } catch (thrown) {
    if (thrown instanceof Fault && GONE.has(thrown.code)) throw noSuchWorkitem(call.params['workitem_id'] ?? '');
    throw thrown;
  }
}

const GONE: ReadonlySet<string> = new Set(['workflow_not_found', 'workflow_over', 'workitem_not_found']);

/** As whom a caller answers, where a colleague may have claimed the workitem. */
const answering = (call: Call): Answering => ({
  assignee: call.header('rota-assignee'),
  claimant: call.principal.kind === 'capability' ? null : call.principal.actor,
});

/** A claim lasts so long unless its caller says otherwise, and at most so long. */
const CLAIM_SECONDS = 3_600;
const CLAIM_SECONDS_MAX = 30 * 86_400;
/** Bytes of what a sign of life tells of its progress. */
const PROGRESS_BYTES_MAX = 4_096;

const wrong = (parameter: string, what: string): Problem =>
  new Problem('request_invalid', `${parameter} ${what}`, {
    complaints: [{ detail: `${parameter} ${what}`, pointer: `#/${parameter}` }],
  });

function extension({ body }: Call): number | null {
  const { extend } = body;
  if (extend === undefined) return null;
  const ms = durationMs(extend);
  if (ms === null) throw wrong('extend', 'must be a duration such as "1h", or a number of seconds, above zero');
  return ms;
}

function progressOf({ body }: Call): Json {
  const { progress } = body;
  if (progress === undefined) return null;
  if (Buffer.byteLength(JSON.stringify(progress)) > PROGRESS_BYTES_MAX)
    throw wrong('progress', `may have at most ${PROGRESS_BYTES_MAX} bytes as JSON`);
  return progress;
}

/**
 * With `If-Match`: only while nobody has edited the workitem since. One that is not there is for the step to tell.
 *
 * @throws Fault `precondition_failed`
 */
async function asSeen(parts: Parts, call: Call, { workflow, workitem }: Key): Promise<OnlyIf | undefined> {
  const given = call.header('if-match');
  if (given === null || given.trim() === '*') return undefined;
  const found = await parts.store.read.workitem(call.principal.tenant, { workflow, workitem });
  if (found === null || found.row.state === 'closed') return undefined;
  const revision = expectedRevision(call, found.row.revision);
  return revision === null ? undefined : { kind: 'unedited', workitem, revision };
}

const etagOf = (revision: number): string => `"${revision}"`;

async function show(parts: Parts, { principal: { tenant } }: Call, { key, row, base }: Open): Promise<Reply> {
  const form = await formOf(parts, tenant, row);
  const more = {
    ...(isOverdue(row, overdueNow(parts)) && { overdue: true }),
    ...(form !== null && { form }),
  };
  return jsonReply(200, workitemView(key.workflow, row, workitemFields(row, base), parts.clock.now(), more), {
    ETag: etagOf(row.revision),
  });
}

/** What its participant is asked for, as its definition or the registry says; null: nothing is said. */
async function formOf({ registry }: Parts, tenant: Tenant, row: WorkitemRow): Promise<Json> {
  const { entry, of } = readTerms(row.terms);
  if (entry === undefined) return null;
  if (of === undefined) return registry.participants.find(tenant, row.participant)?.form ?? null;
  const reference = readReferenceText(of);
  await registry.own.load(tenant, reference);
  return registry.own.find(tenant, reference, row.participant)?.form ?? null;
}

/** The revision an edit may build on. Weak tags never match (RFC 9110, 13.1.1). */
function expectedRevision(call: Call, current: number): number | null {
  const given = call.header('if-match');
  if (given === null)
    throw new Problem('precondition_required', 'Send the ETag of the workitem you have seen as If-Match');
  if (given.trim() === '*') return null;
  if (given.split(',').some((tag) => tag.trim() === etagOf(current))) return current;
  throw new Fault('precondition_failed', `The workitem is at ${etagOf(current)} now; look at it again first`);
}
