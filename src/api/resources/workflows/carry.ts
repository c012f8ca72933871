import { CARRIED_CHARACTERS_MAX, type Carried, CarriedWrong } from '../../../engine/carried-check.ts';
import { linesOf, placeCarried, type Read, readCarried } from '../../../engine/carry.ts';
import type { Tenant } from '../../../model/tenant.ts';
import { answers } from '../../answers.ts';
import { noSuchWorkflow, workflowIdOf } from '../../ids.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeView } from '../../time.ts';
import { takenBusinessKey } from './business-key.ts';
import { callbackComplaint } from './launch-options.ts';
import { Imported } from './schemas.ts';

/* Workflows as files, from one server to another. */

/** Bytes of one import, which may hold many workflows: what comes in a minute. */
export const IMPORT_BYTES_MAX = 1024 * 1024 * 1024;
const LINES = 'application/x-ndjson';

export function carryOperations(parts: Parts): readonly Operation[] {
  return [
    {
      id: 'exportWorkflow',
      method: 'get',
      path: '/v1/workflows/:workflow_id/export',
      summary: 'A workflow with all its rows, as lines of JSON; it goes on, unless it is paused or cancelled',
      access: 'admin',
      audit: { action: 'workflow.export' },
      answers: { ...answers(404, '', null, 404, 409, 422), 200: { description: 'The lines', type: LINES } },
      handle: (call) => exported(parts, call),
      patient: true,
    },
    {
      id: 'importWorkflows',
      method: 'post',
      path: '/v1/import',
      summary: 'Workflows from such lines: each goes on where it was, as another one where there is new_ids',
      access: 'admin',
      audit: { action: 'workflow.import' },
      query: [
        { name: 'new_ids', description: '1: each gets a new id, and no business key' },
        { name: 'dry_run', description: '1: everything is read and held against the rules, nothing is written' },
      ],
      body: {
        schema: IMPORT,
        checked: 'spooled',
        bytesMax: IMPORT_BYTES_MAX,
        heldMax: CARRIED_CHARACTERS_MAX,
      },
      answers: answers(200, 'They are here', Imported, 400, 409, 413, 415, 422),
      handle: (call) => imported(parts, call),
      patient: true,
    },
  ];
}

const IMPORT = { title: 'Import', description: 'The lines of exports, application/x-ndjson' } as const;

async function exported({ store, clock, about }: Parts, call: Call): Promise<Reply> {
  const id = workflowIdOf(call);
  const at = timeView(clock.now());
  const lines = await linesOf(store, call.principal.tenant, id, { version: about.version, at });
  if (lines === null) throw noSuchWorkflow(id);
  if (lines === 'busy')
    throw new Problem('conflict', `The workflow ${id} moves on all the time; pause it, or try again`);
  if (lines === 'large')
    throw new Problem('limit_exceeded', `The workflow ${id} has more than ${CARRIED_CHARACTERS_MAX} characters`);
  return {
    kind: 'text',
    status: 200,
    type: LINES,
    text: `${lines.join('\n')}\n`,
    headers: { 'Content-Disposition': `attachment; filename="${id}.ndjson"` },
  };
}

/**
 * Reads the file twice: first everything is held against the rules, then one workflow after the other is written. So of a file with something wrong in it
 * nothing is taken, and no more than one workflow is held at a time.
 */
async function imported(parts: Parts, call: Call): Promise<Reply> {
  const isNew = flagOf(call, 'new_ids');
  const isDry = flagOf(call, 'dry_run');
  const checked = told();
  for await (const one of workflowsIn(parts, call, isNew)) {
    await checkNew(parts, call.principal.tenant, one, checked, isNew);
    checked.add(one);
  }
  if (isDry) return jsonReply(200, { ...checked.shown(), dry_run: true });
  const placed = told();
  for await (const one of workflowsIn(parts, call, isNew)) {
    await place(parts, call.principal.tenant, one.carried, isNew);
    placed.add(one);
  }
  parts.owed();
  return jsonReply(200, placed.shown());
}

type Told = {
  readonly ids: ReadonlySet<string>;
  readonly keys: ReadonlySet<string>;
  add(one: Read): void;
  shown(): {
    readonly imported: readonly { readonly id: string; readonly was?: string }[];
    readonly definitions: number;
  };
};

/** What is remembered of workflows that have been read: their names alone. */
function told(): Told {
  const workflows: { readonly id: string; readonly was?: string }[] = [];
  const [ids, keys, definitions] = [new Set<string>(), new Set<string>(), new Set<string>()];
  return {
    ids,
    keys,
    add: ({ carried: { workflow, definitions: hashes }, was }) => {
      workflows.push({ id: workflow.id, ...(workflow.id === was ? {} : { was }) });
      ids.add(workflow.id);
      if (workflow.businessKey !== null) keys.add(workflow.businessKey);
      for (const hash of hashes.keys()) definitions.add(hash);
    },
    shown: () => ({ imported: workflows, definitions: definitions.size }),
  };
}

/** @throws Problem when its id or its business key is another's, here or in the file */
async function checkNew(
  { store }: Parts,
  tenant: Tenant,
  { carried: { workflow } }: Read,
  before: Told,
  isNew: boolean,
): Promise<void> {
  if (isNew) return;
  const { id, businessKey } = workflow;
  if (before.ids.has(id)) throw malformed(new CarriedWrong(`the workflow ${id} is in them twice`));
  if ((await store.read.workflow(tenant, id)) !== null) throw exists(id);
  if (businessKey === null) return;
  if (before.keys.has(businessKey) || (await store.businessKeys.get(tenant, businessKey)) !== null)
    throw takenBusinessKey();
}

async function place(parts: Parts, tenant: Tenant, carried: Carried, isNew: boolean): Promise<void> {
  const { store, ids } = parts;
  const { id, businessKey } = carried.workflow;
  // Somebody else's key stays theirs; of a copy the original keeps it.
  const key = isNew ? null : businessKey;
  if (key !== null && !(await store.businessKeys.take(tenant, key, id))) throw takenBusinessKey();
  const token = ids.hex().slice(0, TOKEN_DIGITS);
  try {
    const placed = await placeCarried(
      store,
      { ...carried, workflow: { ...carried.workflow, businessKey: key } },
      { token, owner: parts.nodeId, attributed: parts.search.attributed },
    );
    if (placed === 'exists') throw exists(id);
  } catch (error) {
    if (key !== null) await store.businessKeys.free(tenant, key, id);
    throw error instanceof CarriedWrong ? malformed(error) : error;
  }
}
/** As those of steps (engine/saving.ts). */
const TOKEN_DIGITS = 16;

async function* workflowsIn(parts: Parts, call: Call, isNew: boolean): AsyncGenerator<Read, void, undefined> {
  const { spooled } = call;
  if (spooled == null) throw new Error('The bytes of an import are received by whoever routes it');
  const type = (call.header('content-type')?.split(';')[0] ?? '').trim().toLowerCase();
  if (type !== LINES && type !== 'application/ndjson')
    throw new Problem('media_type_unsupported', `Workflows come as ${LINES}`);
  try {
    yield* readCarried(
      spooled.pieces(),
      call.principal.tenant,
      (url) => callbackComplaint(parts, url),
      isNew ? () => parts.ids.workflow(parts.clock.now()) : null,
    );
  } catch (error) {
    throw error instanceof CarriedWrong ? malformed(error) : error;
  }
}

const malformed = (error: CarriedWrong): Problem =>
  new Problem('body_malformed', `The workflows cannot be read: ${error.message}`);
const exists = (id: string): Problem =>
  new Problem('workflow_exists', `There is a workflow ${id} already; new_ids=1 makes another one of it`);

function flagOf(call: Call, name: string): boolean {
  const value = call.query.get(name);
  if (value !== null && value !== '0' && value !== '1') throw new Problem('query_invalid', `${name} must be 0 or 1`);
  return value === '1';
}
