import { LIMITS } from '../../../definition/limits.ts';
import type { JsonObject } from '../../../model/json.ts';
import { answers } from '../../answers.ts';
import { jsonReply, type Operation } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { makeRun, referenceIn } from '../definitions/running.ts';
import { launchOne, makeLaunchCheck } from './launch.ts';
import { Launch, Launched } from './schemas.ts';
import { makeSourceKeeper } from './source.ts';

const { bytes: DEFINITION_BYTES_MAX } = LIMITS;

export function launchOperation(parts: Parts): Operation {
  const check = makeLaunchCheck(parts);
  const keepSource = makeSourceKeeper(parts);
  const run = makeRun(parts);
  return {
    id: 'launch',
    method: 'post',
    path: '/v1/workflows',
    summary: 'Launch a workflow',
    access: 'launch',
    fixed: true,
    body: { schema: Launch, checked: 'by handler' },
    answers: {
      ...answers(201, 'It is launched; Location is its address', Launched, 400, 404, 409, 422),
      200: { description: 'There is one with this business key already', schema: Launched },
    },
    handle: async (call) => {
      const stored = referenceIn(call.body);
      if (stored !== null) {
        const { definition: _definition, ...body } = call.body;
        return run(call, { ...stored, body, startedBy: 'api', isFixed: true });
      }
      const { order, targets, businessKey, warnings } = check(
        call.body,
        call.principal.tenant,
        null,
        true,
        call.isForm,
      );
      const { workflow } = call.body;
      call.large(
        'definition',
        typeof workflow === 'string' ? workflow.length : order.text.length,
        DEFINITION_BYTES_MAX,
      );
      const source = await keepSource(order.hash, call.body['workflow']);
      const { id, isNew } = await launchOne(parts, call, { ...order, source, callbacks: targets ?? {} }, businessKey);
      const location = { Location: `${parts.basePath()}/v1/workflows/${id}` };
      if (!isNew) return jsonReply(200, { id, existing: true }, location);
      const told: JsonObject =
        warnings.length === 0 ? { id } : { id, warnings: warnings.map((warning) => ({ ...warning })) };
      return jsonReply(201, told, location);
    },
  };
}
