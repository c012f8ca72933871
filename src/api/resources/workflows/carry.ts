import { CARRIED_CHARACTERS_MAX, CarriedWrong } from '../../../engine/carried-check.ts';
import { linesOf, placeCarried, readCarried } from '../../../engine/carry.ts';
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

/** Bytes of one import. */
export const IMPORT_BYTES_MAX = CARRIED_CHARACTERS_MAX;
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
      body: { schema: IMPORT, checked: 'raw', bytesMax: IMPORT_BYTES_MAX },
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

async function imported(parts: Parts, call: Call): Promise<Reply> {
  const { store, ids, clock } = parts;
  const { tenant } = call.principal;
  const isNew = flagOf(call, 'new_ids');
  const workflows = readBody(parts, call, isNew ? () => ids.workflow(clock.now()) : null);
  if (!isNew) for (const { was } of workflows) if ((await store.read.workflow(tenant, was)) !== null) throw exists(was);
  const told = {
    imported: workflows.map(({ carried, was }) => ({
      id: carried.workflow.id,
      ...(carried.workflow.id === was ? {} : { was }),
    })),
    definitions: new Set(workflows.flatMap(({ carried }) => [...carried.definitions.keys()])).size,
  };
  if (flagOf(call, 'dry_run')) return jsonReply(200, { ...told, dry_run: true });
  for (const { carried } of workflows) {
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
  parts.owed();
  return jsonReply(200, told);
}
/** As those of steps (engine/saving.ts). */
const TOKEN_DIGITS = 16;

function readBody(
  parts: Parts,
  call: Call,
  freshId: Parameters<typeof readCarried>[3],
): ReturnType<typeof readCarried> {
  const { raw } = call;
  if (raw === null) throw new Error('The bytes of an import are read by whoever routes it');
  const type = (raw.type.split(';')[0] ?? '').trim().toLowerCase();
  if (type !== LINES && type !== 'application/ndjson')
    throw new Problem('media_type_unsupported', `Workflows come as ${LINES}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(raw.bytes);
  } catch {
    throw new Problem('body_malformed', 'The body cannot be read: it is not UTF-8');
  }
  try {
    return readCarried(text, call.principal.tenant, (url) => callbackComplaint(parts, url), freshId);
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
