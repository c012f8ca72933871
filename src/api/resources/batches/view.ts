import type { Asked, BatchParams } from '../../../batches/asked.ts';
import type { ExpressionId } from '../../../model/ids.ts';
import type { JsonObject } from '../../../model/json.ts';
import { treeFromJson, treeToJson } from '../../../model/tree.ts';
import type { BatchItemRow, BatchRow, FoundItem } from '../../../store/store.ts';
import { timeOrNull, timeView } from '../../time.ts';

export function batchView(row: BatchRow): JsonObject {
  const asked = JSON.parse(row.asked) as Asked;
  const params = JSON.parse(row.params) as BatchParams;
  const tree = params.tree === null ? null : treeFromJson(params.tree);
  const isKnown = row.state !== 'collecting';
  const { done, failed, skipped } = row;
  return {
    id: row.id,
    action: row.action,
    filter: asked.filter,
    ...(asked.filter === null ? { ids: asked.ids } : {}),
    params: {
      ...(params.fields === null ? {} : { fields: params.fields }),
      ...(tree === null ? {} : { tree: treeToJson(tree) }),
      ...(params.merge === true ? { merge: true } : {}),
    },
    reason: row.reason,
    actor: row.actor,
    rate: row.rate,
    state: row.state,
    created_at: timeView(row.createdAt),
    started_at: timeOrNull(row.startedAt),
    ended_at: timeOrNull(row.endedAt),
    total: isKnown ? row.total : null,
    ...{ done, failed, skipped },
    left: isKnown ? row.total - done - failed - skipped : null,
    problem: row.problem,
  };
}

export const itemView = ({ workflow, object, state, code, message }: BatchItemRow): JsonObject => ({
  workflow_id: workflow,
  object,
  outcome: state,
  code,
  message,
});

export const foundView = ({ workflow, object }: FoundItem): JsonObject => ({
  workflow_id: workflow,
  object: object as ExpressionId | null,
});
