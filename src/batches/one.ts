import type { Engine, EngineEvent } from '../engine/engine.ts';
import { Fault } from '../model/fault.ts';
import { unpackHistory } from '../model/history.ts';
import type { ExpressionId, WorkflowId } from '../model/ids.ts';
import type { JsonObject } from '../model/json.ts';
import { isOver, type Status } from '../model/rows.ts';
import { storable } from '../model/storable.ts';
import type { Tenant } from '../model/tenant.ts';
import { cut } from '../model/text.ts';
import { treeFromJson } from '../model/tree.ts';
import type { BatchItemRow, BatchRow, Reads, SettledItem, Standing } from '../store/store.ts';
import { type Asked, type BatchAction, type BatchParams, objectOf } from './asked.ts';

/*
 * One item of a batch, exactly once. Its step leaves the batch's mark in the history of the workflow, committed with it; and it is only taken
 * while nothing was recorded since the workflow was looked at. So whoever takes an item up, after a node that died or beside one that only
 * slept, looks for the mark first: where there is none, there never will be one but by a step that was taken after the look.
 */

/** A workflow that moves on again and again while it is looked at is left alone after so many looks. */
export const LOOKS_MAX = 50;
/** History rows read at once in search of a mark. */
const MARK_ROWS = 1_000;
const MESSAGE_CHARACTERS_MAX = 500;

export type OneParts = {
  readonly engine: Pick<Engine, 'advance'>;
  readonly read: Pick<Reads, 'standings' | 'history'>;
  /** True once this node stops: what is not begun is left. */
  readonly isStopping: () => boolean;
};

/** `retry`: nothing can be told now, the database or the engine is not to be had. */
export type Came = SettledItem | 'retry';

/** Answers that mean: there is nothing to be done here. */
const NOTHING_TO_DO: ReadonlySet<string> = new Set([
  'conflict',
  'workflow_not_found',
  'workitem_not_found',
  'expression_not_found',
  'error_not_found',
  'workflow_over',
]);
const notFound = (action: BatchAction): string => (action === 'replay' ? 'error_not_found' : 'workitem_not_found');
const LATER: ReadonlySet<string> = new Set(['overloaded', 'unavailable']);

/**
 * @param standing how its workflow stood a moment ago; undefined: it is not there
 * @param notedN where its history stood before the item was first tried
 */
export async function doOne(
  parts: OneParts,
  batch: BatchRow,
  item: BatchItemRow,
  standing: Standing | undefined,
  notedN: number,
): Promise<Came> {
  const { seq } = item;
  const workflow = item.workflow as WorkflowId;
  const tenant = batch.tenant as Tenant;
  const ended = (
    state: SettledItem['state'],
    code: string | null = null,
    message: string | null = null,
  ): SettledItem => ({
    ...{ seq, state, code },
    message: message === null ? null : cut(storable(message), MESSAGE_CHARACTERS_MAX),
  });
  const statuses = statusesOf(batch);
  let now = standing;
  for (let look = 0; look < LOOKS_MAX; look++) {
    if (now === undefined) return ended('skipped', 'workflow_not_found', `There is no workflow ${workflow}`);
    if (now.lastN > notedN && (await isMarked(parts.read, batch, item, notedN))) return ended('done');
    if (isOver(now.status) && statuses === null)
      return ended('skipped', 'workflow_over', `The workflow is over: it is ${now.status}`);
    if (statuses !== null && !statuses.includes(now.status))
      return ended('skipped', 'changed', `The workflow is ${now.status} now, and the filter wanted others`);
    if (item.object === null && objectOf(batch.action as BatchAction) !== 'workflow')
      return ended('skipped', notFound(batch.action as BatchAction), 'There is nothing of the kind in this workflow');
    if (parts.isStopping()) return ended('left');
    const { lastN } = now;
    const origin = {
      ...{ by: 'caller' as const, tenant, actor: batch.actor, reason: batch.reason },
      batch: { id: batch.id, item: seq },
    };
    let answer: Awaited<ReturnType<Engine['advance']>>[number] | undefined;
    try {
      [answer] = await parts.engine.advance([
        { workflow, event: eventOf(batch, item), origin, onlyIf: { kind: 'unmoved', lastN, statuses } },
      ]);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      return LATER.has(thrown.code) ? 'retry' : ended('failed', thrown.code, thrown.message);
    }
    if (answer === undefined) throw new Error('The engine gave no answer to an item of a batch');
    if (answer.ok) return ended('done');
    if (answer.code !== 'precondition_failed')
      return ended(NOTHING_TO_DO.has(answer.code) ? 'skipped' : 'failed', answer.code, answer.message);
    now = (await parts.read.standings([{ tenant, workflow }])).get(workflow);
  }
  return ended('failed', 'conflict', `The workflow moved on ${LOOKS_MAX} times while it was looked at`);
}

/** Of one whose batch was stopped while a node was at it: whether it was done. */
export async function cameOfStopped(read: OneParts['read'], batch: BatchRow, item: BatchItemRow): Promise<SettledItem> {
  const isDone = item.lastN !== null && (await isMarked(read, batch, item, item.lastN));
  return { seq: item.seq, state: isDone ? 'done' : 'left', code: null, message: null };
}

async function isMarked(read: OneParts['read'], batch: BatchRow, item: BatchItemRow, notedN: number): Promise<boolean> {
  const { seq } = item;
  const workflow = item.workflow as WorkflowId;
  for (let after = notedN; ; ) {
    const rows = await read.history(batch.tenant as Tenant, workflow, after, MARK_ROWS);
    for (const row of rows)
      if (
        row.entries.includes(batch.id) &&
        unpackHistory(row.entries, workflow).some(({ batch: of, batch_item: nth }) => of === batch.id && nth === seq)
      )
        return true;
    const last = rows.at(-1);
    if (last === undefined || last.lastN <= after) return false;
    after = last.lastN;
  }
}

/** What the filter wanted; null: whatever there is. */
function statusesOf({ asked }: BatchRow): readonly Status[] | null {
  const { search } = JSON.parse(asked) as Partial<Extract<Asked, { readonly search: unknown }>>;
  const status = search?.query.status ?? null;
  return status === null ? null : [status].flat();
}

function eventOf(batch: BatchRow, { object }: BatchItemRow): EngineEvent {
  const action = batch.action as BatchAction;
  if (objectOf(action) === 'workflow') return { kind: action as 'cancel' | 'kill' | 'pause' | 'resume' };
  const id = (object ?? '') as ExpressionId;
  if (action === 'redeliver') return { kind: 'redeliver', workitem: id };
  const { fields, tree, merge } = JSON.parse(batch.params) as BatchParams;
  if (action === 'proceed') return { kind: 'proceed', workitem: id, fields: fields ?? {} };
  return {
    kind: 'replay',
    expression: id,
    fields: fields as JsonObject | null,
    tree: tree === null ? null : treeFromJson(tree),
    ...(merge === true ? { merge } : {}),
  };
}
