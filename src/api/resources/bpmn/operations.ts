import { showWorkflow } from '../../../engine/show.ts';
import type { WorkflowId } from '../../../model/ids.ts';

import { answers } from '../../answers.ts';
import { drawingFor } from '../../diagram/layout.ts';
import { type ElementState, svgOf } from '../../diagram/svg.ts';
import { callersFields } from '../../fields.ts';
import { happen } from '../../happen.ts';
import { noSuchWorkflow, workflowIdOf } from '../../ids.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { Message, Taken } from './schemas.ts';

const ID_PATH = '/v1/workflows/:workflow_id';
/** Characters of the name of a message or signal. */
const NAME_MAX = 300;

/** What can be done with workflows whose definition is BPMN. */
export function bpmnOperations(parts: Parts): readonly Operation[] {
  return [
    {
      id: 'sendMessage',
      method: 'post',
      path: `${ID_PATH}/messages/:name`,
      summary: 'A message to one workflow: the event that has waited for it longest takes it, else it is kept',
      access: 'operate',
      body: { schema: Message, checked: 'here' },
      query: [{ name: 'ttl', description: '0: not kept when nobody waits for it' }],
      answers: answers(202, 'It is taken or kept', Taken, 404, 409, 422),
      handle: async (call) => {
        const id = workflowIdOf(call);
        const ttl = call.query.get('ttl');
        if (ttl !== null && ttl !== '0')
          throw new Problem('query_invalid', 'ttl can be 0 only: kept as long as the workflow, or not');
        const given = await happen(parts, call, id, {
          kind: 'message',
          name: nameOf(call),
          fields: callersFields(call.body),
          keep: ttl === null,
        });
        return jsonReply(202, given);
      },
    },
    {
      id: 'throwSignal',
      method: 'post',
      path: `${ID_PATH}/signals/:name`,
      summary: 'A signal to one workflow: every event that waits for it takes it; signals are not kept',
      access: 'operate',
      body: { schema: Message, checked: 'here' },
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
      answers: answers(200, 'image/svg+xml', null, 404, 409),
      handle: (call) => diagram(parts, call),
    },
  ];
}

function nameOf(call: Call): string {
  const name = call.params['name'] ?? '';
  if (name.length > NAME_MAX) throw new Problem('request_invalid', `the name is longer than ${NAME_MAX} characters`);
  return name;
}

/** Branches that are looked at for their tokens. */
const STRANDS_MAX = 1_000;

async function diagram(parts: Parts, call: Call): Promise<Reply> {
  const id: WorkflowId = workflowIdOf(call);
  const whole = await parts.store.read.whole(call.principal.tenant, id, { limit: STRANDS_MAX, after: null });
  if (whole?.workflow == null) throw noSuchWorkflow(id);
  const drawn = await parts.trees.tree(whole.workflow.definition);
  const shown = showWorkflow(whole, drawn);
  if (shown.bpmn === null || drawn === null)
    throw new Problem('conflict', 'The definition of this workflow is not BPMN');
  const states = new Map<string, ElementState>();
  for (const element of shown.bpmn.elements) states.set(element.id, { ...element, done: 0 });
  const svg = svgOf(drawingFor(drawn), states);
  return {
    kind: 'text',
    status: 200,
    type: 'image/svg+xml',
    text: svg,
    headers: { 'Content-Security-Policy': "default-src 'none'", 'Cache-Control': 'no-cache' },
  };
}
