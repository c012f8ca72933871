import { showWorkflow } from '../../../engine/show.ts';
import { INPUT_BYTES_MAX, validate } from '../../../language/json-schema.ts';
import type { WorkflowId } from '../../../model/ids.ts';
import { isObject, type JsonObject, ownValue } from '../../../model/json.ts';
import type { WorkflowRow } from '../../../model/rows.ts';
import { isStorable } from '../../../model/storable.ts';
import { answers } from '../../answers.ts';
import { drawingFor } from '../../diagram/layout.ts';
import { type ElementState, svgOf } from '../../diagram/svg.ts';
import { callersFields } from '../../fields.ts';
import { happen } from '../../happen.ts';
import { noSuchWorkflow, workflowIdOf } from '../../ids.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeOrNull } from '../../time.ts';
import { inputInvalid } from '../definitions/running.ts';
import { messageOf, nameOf, received, secondsOf } from '../signals/operations.ts';
import { EventAnswer } from '../signals/schemas.ts';
import { DefinitionStats, Diagram, Message, Taken } from './schemas.ts';
import { definitionStats } from './tokens.ts';

const ID_PATH = '/v1/workflows/:workflow_id';
const NOT_MODIFIED = { description: 'It is the one you have (If-None-Match)' };

/** What can be done with workflows whose definition is BPMN. */
export function bpmnOperations(parts: Parts): readonly Operation[] {
  return [
    {
      id: 'sendMessage',
      method: 'post',
      path: `${ID_PATH}/messages/:name`,
      summary:
        'A message to one workflow: whoever has waited for it longest takes it, else it is kept (`?ttl=` seconds)',
      access: 'launch',
      body: { schema: Message, checked: 'here', isData: true },
      queryIsData: true,
      answers: answers(202, 'What became of it', EventAnswer, 404, 409, 422),
      handle: (call) => sendMessage(parts, call),
    },
    {
      id: 'throwSignal',
      method: 'post',
      path: `${ID_PATH}/signals/:name`,
      summary: 'A signal to one workflow: every event that waits for it takes it; signals are not kept',
      access: 'operate',
      body: { schema: Message, checked: 'here', isData: true },
      answers: answers(202, 'How many took it', Taken, 404, 422),
      handle: async (call) => {
        const given = await happen(parts, call, workflowIdOf(call), {
          kind: 'signal',
          name: nameOf(call),
          fields: callersFields(call.body),
        });
        return jsonReply(202, given);
      },
    },
    {
      id: 'getDiagram',
      method: 'get',
      path: `${ID_PATH}/diagram.svg`,
      summary: 'The diagram of a BPMN workflow, with its tokens',
      access: 'read',
      answers: {
        ...answers(200, 'The picture', null, 404, 409),
        200: { description: 'The picture', type: 'image/svg+xml' },
        304: NOT_MODIFIED,
      },
      handle: (call) => diagram(parts, call, 'svg'),
    },
    {
      id: 'getDiagramData',
      method: 'get',
      path: `${ID_PATH}/diagram.json`,
      summary: 'The same as data: shapes, edges, and where the tokens are',
      access: 'read',
      answers: { ...answers(200, 'The diagram', Diagram, 404, 409), 304: NOT_MODIFIED },
      handle: (call) => diagram(parts, call, 'json'),
    },
    {
      id: 'getDefinitionStats',
      method: 'get',
      path: '/v1/definitions/:definition_name/stats',
      summary: 'Of the active version of a definition: where its workflows are, by element of BPMN, else by place',
      access: 'read',
      answers: answers(200, 'Counts by element', DefinitionStats, 404),
      handle: (call) => definitionStats(parts, call),
    },
  ];
}

/** Parameters of a message's query that are none of its data. */
const NO_DATA = new Set(['ttl', 'wait', 'token']);

/**
 * A message to one workflow. In BPMN it is a stimulus of that workflow, taken within its step, and what is kept for it lies in the workflow;
 * in the tree language it is an event for this workflow alone.
 */
async function sendMessage(parts: Parts, call: Call): Promise<Reply> {
  const id = workflowIdOf(call);
  const name = nameOf(call);
  const row = await parts.store.read.workflow(call.principal.tenant, id);
  if (row === null || row.endedAt !== null) throw noSuchWorkflow(id);
  const given = [...call.query].filter(([key]) => !NO_DATA.has(key));
  if (given.some((pair) => pair.some((text) => !isStorable(text))))
    throw new Problem('query_invalid', 'The query contains U+0000 or half a surrogate pair');
  const data = callersFields({ ...Object.fromEntries(given), ...call.body });
  await checkData(parts, row, name, data);
  const keepSeconds = secondsOf(call.query.get('ttl') ?? undefined, '#/ttl');
  const tree = await parts.trees.tree(row.definition);
  const incoming = messageOf(parts, {
    name,
    id: null,
    source: `/v1/workflows/${id}/messages/${encodeURIComponent(name)}`,
    key: null,
    data,
    sort: 'message',
    mode: 'direct',
    workflow: id,
    keepSeconds,
    hops: 0,
  });
  if (tree?.name !== 'bpmn:process') {
    const [view] = await received(parts.receiver, call, [incoming]);
    return jsonReply(202, view ?? {});
  }
  const taken = await happen(parts, call, id, {
    ...{ kind: 'message', name, fields: data, keep: keepSeconds !== 0 },
    seconds: keepSeconds,
  });
  const { delivered, element, kept, until } = (isObject(taken) ? taken : {}) as {
    readonly delivered?: number;
    readonly element?: string;
    readonly kept?: boolean;
    readonly until?: number | null;
  };
  const isTaken = delivered === 1;
  return jsonReply(202, {
    status: 'accepted',
    id: incoming.id,
    event_id: incoming.id,
    started: [],
    resumed: isTaken ? [id] : [],
    delivered: isTaken,
    kept: kept === true,
    kept_until: timeOrNull(until ?? null),
    duplicate: false,
    ...(element !== undefined && { element }),
  });
}

/** What the stored definition of a workflow says of the data of its messages holds. @throws Problem `input_invalid` */
async function checkData(
  { registry }: Parts,
  { tenant, definitionName, definitionVersion }: WorkflowRow,
  name: string,
  data: JsonObject,
): Promise<void> {
  if (definitionName == null || definitionVersion == null) return;
  const definition = await registry.definitions.load(tenant, definitionName, definitionVersion);
  const messages = definition === null ? undefined : ownValue(definition.options, 'messages');
  const schema = isObject(messages) ? ownValue(messages, name) : undefined;
  if (schema === undefined) return;
  if (JSON.stringify(data).length > INPUT_BYTES_MAX)
    throw new Problem('limit_exceeded', `The data of ${name} has more than ${INPUT_BYTES_MAX} bytes`);
  const verdict = validate(schema, data);
  if (verdict.kind === 'exhausted')
    throw new Problem('limit_exceeded', `To hold this message against its schema takes more work than is allowed`);
  if (verdict.kind === 'invalid') throw inputInvalid(`the message ${name}`, verdict.complaints);
}

/** Branches that are looked at for their tokens. */
const STRANDS_MAX = 1_000;

async function diagram(parts: Parts, call: Call, format: 'svg' | 'json'): Promise<Reply> {
  const id: WorkflowId = workflowIdOf(call);
  const whole = await parts.store.read.whole(call.principal.tenant, id, { limit: STRANDS_MAX, after: null });
  if (whole?.workflow == null) throw noSuchWorkflow(id);
  const drawn = await parts.trees.tree(whole.workflow.definition);
  const shown = showWorkflow(whole, drawn);
  if (shown.bpmn === null || drawn === null)
    throw new Problem('conflict', 'The definition of this workflow is not BPMN');
  const states = new Map<string, ElementState>();
  for (const element of shown.bpmn.elements) states.set(element.id, element);
  const drawing = drawingFor(drawn);
  const { definition, ver } = whole.workflow;
  const bytes = (text: string): Reply => ({
    kind: 'bytes',
    status: 200,
    type: format === 'svg' ? 'image/svg+xml' : 'application/json',
    bytes: Buffer.from(text, 'utf8'),
    etag: `"${definition.slice(0, 32)}-${ver}-${format}"`,
    headers: { 'Content-Security-Policy': "default-src 'none'", 'Cache-Control': 'no-cache' },
  });
  if (format === 'svg') return bytes(svgOf(drawing, states));
  const { process, elements, stuck } = shown.bpmn;
  return bytes(JSON.stringify({ process, ...drawing, elements, stuck }));
}
