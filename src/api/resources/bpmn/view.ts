import type { showWorkflow } from '../../../engine/show.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { Status } from '../../../model/rows.ts';
import { timeOrNull } from '../../time.ts';

type Shown = ReturnType<typeof showWorkflow>;

/** What the status document of a BPMN workflow has beyond that of others. */
export function bpmnView({ bpmn }: Shown): JsonObject {
  if (bpmn === null) return {};
  return {
    format: 'bpmn',
    process: bpmn.process,
    elements: bpmn.elements,
    waits: bpmn.waits.map(({ seq, since, ...wait }) => ({ ...wait, since: timeOrNull(since) })),
    stuck: bpmn.stuck,
  };
}

/** The four words of other engines. */
export const stateWord = (status: Status): string =>
  status === 'completed'
    ? 'COMPLETED'
    : status === 'error'
      ? 'FAILED'
      : status === 'cancelled' || status === 'killed'
        ? 'TERMINATED'
        : 'ACTIVE';
