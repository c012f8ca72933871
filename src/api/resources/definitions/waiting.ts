import { showWorkflow } from '../../../engine/show.ts';
import { lookup } from '../../../language/lookup.ts';
import type { WorkflowId } from '../../../model/ids.ts';
import { isObject, type Json, type JsonObject, ownValue, withoutKeys } from '../../../model/json.ts';
import { isOver } from '../../../model/rows.ts';
import type { Tenant } from '../../../model/tenant.ts';
import type { Definition } from '../../../registry/definitions.ts';
import { type Call, jsonReply, type Reply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';

/*
 * `Prefer: wait=5`: the answer of a launch is that of the workflow, when it is over by then.
 */

/** Seconds that are waited at most. */
export const WAIT_SECONDS_MAX = 30;
/** Requests of one node that wait at once; others are answered at once. */
export const WAITING_MAX = 1_000;

export type Waiting = { readonly seconds: number };
const held = new WeakMap<Parts, { count: number }>();

/** How long a caller wants to wait for the end; null: not at all. */
export function waitingOf(parts: Parts, call: Call): Waiting | null {
  const [, seconds] =
    /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i.exec((call.header('prefer') ?? '').slice(0, 500)) ?? [];
  if (seconds === undefined || Number(seconds) === 0) return null;
  return (held.get(parts)?.count ?? 0) >= WAITING_MAX ? null : { seconds: Math.min(Number(seconds), WAIT_SECONDS_MAX) };
}

/** The answer once the workflow is over or in error; null: it is neither in time. @throws Problem when it is in error, or was cancelled */
export async function answerWhenOver(
  parts: Parts,
  about: {
    readonly tenant: Tenant;
    readonly id: WorkflowId;
    readonly definition: Definition;
    readonly waiting: Waiting;
  },
): Promise<Reply | null> {
  const { tenant, id, definition, waiting } = about;
  const counted = held.get(parts) ?? { count: 0 };
  held.set(parts, counted);
  counted.count += 1;
  try {
    const standing = await parts.events.ofWorkflows.settled(
      { tenant, workflow: id },
      ({ status }) => isOver(status) || status === 'error',
      waiting.seconds * 1_000,
    );
    if (standing === null) return null;
  } finally {
    counted.count -= 1;
  }
  const applied = { 'Preference-Applied': `wait=${waiting.seconds}` };
  const read = await parts.store.read.whole(tenant, id, { limit: 1, after: null });
  if (read?.workflow == null) return null;
  const { status } = read.workflow;
  const { options } = definition;
  if (status === 'cancelled' || status === 'killed')
    throw new Problem('workflow_cancelled', `The workflow ${id} was ${status}`, {
      told: { workflow_id: id },
      headers: applied,
    });
  if (status === 'error') {
    const [error] = read.errors.values();
    const byClass = ownValue(options, 'errors');
    // Classes of Ruote's have its name before theirs.
    const wanted =
      isObject(byClass) && error !== undefined
        ? (ownValue(byClass, error.class) ?? ownValue(byClass, error.class.replace(/^Ruote::/, '')))
        : undefined;
    throw new Problem('workflow_failed', error?.message ?? `The workflow ${id} is in error`, {
      told: { workflow_id: id, class: error?.class ?? null },
      headers: applied,
      ...(typeof wanted === 'number' ? { status: wanted } : {}),
    });
  }
  if (status !== 'completed') return null;
  const { fields } = showWorkflow({ ...read, strands: new Map() }, null);
  return jsonReply(statusIn(options, fields), answerIn(options, fields), applied);
}

/** The value that `answer` names, else all fields. */
function answerIn(options: JsonObject, fields: JsonObject) {
  const answer = ownValue(options, 'answer');
  return typeof answer === 'string' ? fieldAt(fields, answer) : withoutKeys(fields, 'params');
}

function statusIn(options: JsonObject, fields: JsonObject): number {
  const from = ownValue(options, 'status_from');
  const value = typeof from === 'string' ? Number(fieldAt(fields, from) ?? Number.NaN) : 200;
  return Number.isInteger(value) && value >= 200 && value <= 599 ? value : 200;
}

/** A field of the end of a workflow: `f:result`, or its path alone. */
const fieldAt = (fields: JsonObject, written: string): Json =>
  lookup(fields, written.replace(/^(?:f|fld|field):/, '')) ?? null;
