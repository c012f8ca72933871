import type { LiveExpression } from '../../../interpreter/inspect.ts';
import type { WorkflowId } from '../../../model/ids.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { ErrorRow } from '../../../model/rows.ts';
import { readKeptTrace } from '../../../runtime/trace-context.ts';
import type { WorkflowSummary } from '../../../store/store.ts';
import { timeOrNull, timeView } from '../../time.ts';
import { errorView } from '../errors/view.ts';

export const summaryView = (row: WorkflowSummary): JsonObject => ({
  id: row.id,
  name: row.name,
  status: row.status,
  launched_at: timeView(row.launchedAt),
  updated_at: timeView(row.updatedAt),
  ended_at: timeOrNull(row.endedAt),
  ...(row.businessKey === null ? {} : { business_key: row.businessKey }),
  ...(row.definitionName == null
    ? {}
    : { definition: { name: row.definitionName, version: row.definitionVersion ?? 0 } }),
  definition_hash: row.definition,
  ...traceIdOf(row),
});

/** A live expression; parts that it has none of are left out. */
export const expressionView = ({
  element,
  branch,
  progress,
  since,
  breakpoints,
  ownTree,
  ...expression
}: LiveExpression): JsonObject => ({
  ...expression,
  ...(since === null ? {} : { since: timeView(since) }),
  ...(breakpoints.length === 0 ? {} : { breakpoints: [...breakpoints] }),
  ...(ownTree === null ? {} : { tree: ownTree }),
  ...(element === null ? {} : { element }),
  ...(branch === null ? {} : { branch: { ...branch } }),
  ...(progress === null ? {} : { progress: { ...progress } }),
});

/** What a list tells of a workflow beside the usual, where it is asked for. */
export const glanceView = (
  workflow: WorkflowId,
  included: ReadonlySet<string>,
  glance: { readonly turn: readonly string[]; readonly error: ErrorRow | null } | undefined,
): JsonObject => ({
  ...(included.has('turn') ? { turn: [...(glance?.turn ?? [])] } : {}),
  ...(included.has('error') ? { error: glance?.error == null ? null : errorView(workflow, glance.error) } : {}),
});

/** The trace its launch belongs to. */
function traceIdOf({ trace }: WorkflowSummary): JsonObject {
  const context = readKeptTrace(trace);
  return context === null ? {} : { trace_id: context.traceId };
}
