import { type BatchAction, type BatchParams, objectOf, type Search } from '../../../batches/asked.ts';
import { objectsIn } from '../../../batches/find.ts';
import { Fault } from '../../../model/fault.ts';
import { ID_LENGTH_MAX, type WorkflowId } from '../../../model/ids.ts';
import { isObject, type JsonObject } from '../../../model/json.ts';
import type { Tenant } from '../../../model/tenant.ts';
import { treeToStored } from '../../../model/tree.ts';
import { type FoundItem, OBJECT_STATES } from '../../../store/store.ts';
import { callersFields } from '../../fields.ts';
import { shown, workitemKeyOf } from '../../ids.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { treeOf } from '../expressions/changes.ts';
import { askedOf, FILTERS, INSIDE_FILTERS, insideOf } from '../workflows/filters.ts';
import { IDS_MAX } from './schemas.ts';

/* The body of a batch as what is asked for. Complaints name the place in the body. */

const ID_PAGE = 500;

export const invalid = (detail: string, pointer: string): Problem =>
  new Problem('request_invalid', detail, { complaints: [{ detail, pointer }] });

/** What names beside those of the list an action takes in its filter. */
const OWN: { readonly [Action in BatchAction]?: readonly string[] } = {
  replay: ['error_class'],
  redeliver: ['state'],
  proceed: ['state'],
};

/** The filter of a body, `all` as one that is empty. @throws Problem */
export function searchOf(
  action: BatchAction,
  body: JsonObject,
): { readonly filter: JsonObject; readonly search: Search } {
  const given = isObject(body['filter'] ?? null) ? (body['filter'] as JsonObject) : { all: true };
  const query = new URLSearchParams();
  const own = OWN[action] ?? [];
  for (const [name, value] of Object.entries(given)) {
    const pointer = `#/filter/${name}`;
    if (name === 'all') {
      if (value !== true || Object.keys(given).length > 1)
        throw invalid('all must be true, and alone in its filter', pointer);
      continue;
    }
    const isKnown =
      own.includes(name) ||
      [...FILTERS, ...INSIDE_FILTERS].some((spec) =>
        spec.name.endsWith('.') ? name.startsWith(spec.name) : spec.name === name,
      );
    if (!isKnown)
      throw invalid(
        `There is no filter ${shown(name)}; there are ${[...FILTERS, ...INSIDE_FILTERS].map((spec) => spec.name).join(', ')}${own.map((more) => `, ${more}`).join('')}`,
        pointer,
      );
    query.set(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  const state = OBJECT_STATES.find((one) => one === query.get('state')) ?? null;
  if (query.has('state') && state === null)
    throw invalid(`state must be one of ${OBJECT_STATES.join(', ')}`, '#/filter/state');
  try {
    return {
      filter: given,
      search: { query: askedOf(query), inside: insideOf(query), errorClass: query.get('error_class'), state },
    };
  } catch (thrown) {
    if (thrown instanceof Problem) throw invalid(thrown.message, '#/filter');
    throw thrown;
  }
}

/** Fields and tree of a replay. @throws Problem */
export function paramsOf(parts: Parts, action: BatchAction, body: JsonObject): BatchParams {
  const given = (body['params'] ?? {}) as JsonObject;
  if (action !== 'replay' && action !== 'proceed' && Object.keys(given).length > 0)
    throw invalid(`A ${action} takes no params`, '#/params');
  if (action === 'proceed' && given['tree'] !== undefined) throw invalid('A proceed takes no tree', '#/params/tree');
  const { fields, tree, merge } = given;
  if (merge === true && (action !== 'replay' || fields === undefined))
    throw invalid('merge says what becomes of the fields of a replay', '#/params/merge');
  return {
    fields: fields === undefined ? null : callersFields(fields as JsonObject),
    tree: tree === undefined ? null : treeToStored(treeOf(parts, tree, '#/params/tree')),
    ...(merge === true ? { merge } : {}),
  };
}

/** The items that ids name, each once. @throws Problem, Fault */
export async function itemsOf(
  parts: Pick<Parts, 'store'>,
  tenant: Tenant,
  action: BatchAction,
  ids: readonly string[],
): Promise<readonly FoundItem[]> {
  const isOfWorkflows = objectOf(action) === 'workflow';
  const found = new Map<string, FoundItem>();
  const add = (item: FoundItem): void => {
    found.set(`${item.workflow} ${item.object}`, item);
    if (found.size > IDS_MAX)
      throw new Fault('limit_exceeded', `These ids name more than ${IDS_MAX} ${objectOf(action)}s; use a filter`);
  };
  const whole: WorkflowId[] = [];
  for (const [i, id] of ids.entries()) {
    const key = workitemKeyOf(id);
    if (/^[\w-]+$/.test(id) && id.length <= ID_LENGTH_MAX) whole.push(id as WorkflowId);
    else if (key !== null && !isOfWorkflows) add({ workflow: key.workflow, object: key.workitem });
    else
      throw invalid(`${shown(id)} is not the id of a ${isOfWorkflows ? 'workflow' : objectOf(action)}`, `#/ids/${i}`);
  }
  for (let at = 0; at < whole.length; at += ID_PAGE) {
    const page = [...new Set(whole.slice(at, at + ID_PAGE))];
    const objects = isOfWorkflows
      ? []
      : await objectsIn(parts.store.read, { tenant, action, search: null }, page, IDS_MAX);
    for (const item of objects) add(item);
    const withObjects = new Set(objects.map(({ workflow }) => workflow));
    // One that has none is told of as one to which there is nothing to do.
    for (const workflow of page) if (!withObjects.has(workflow)) add({ workflow, object: null });
  }
  return [...found.values()];
}
