import { showWorkflow } from '../../../engine/show.ts';
import { type LiveExpression, launchedWith } from '../../../interpreter/inspect.ts';
import { placeToBegin, whyNotFrom } from '../../../interpreter/life/entering.ts';
import { Fault } from '../../../model/fault.ts';
import { type ExpressionId, expidOf, type WorkflowId } from '../../../model/ids.ts';
import { isObject, type Json, type JsonObject, withoutKeys } from '../../../model/json.ts';
import { readOptions } from '../../../model/participants.ts';
import type { WorkflowRow } from '../../../model/rows.ts';
import type { Callbacks, Loaded } from '../../../model/stimulus.ts';
import { type Tree, textKey, treeToStored } from '../../../model/tree.ts';
import { answersOrRehearsal } from '../../answers.ts';
import { callersFields } from '../../fields.ts';
import { happen, happenOrRehearse } from '../../happen.ts';
import { noSuchWorkflow, shown, workflowIdOf } from '../../ids.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { launchOne } from './launch.ts';
import { Retried, Retry } from './retry-schemas.ts';

/* A workflow goes on from a step, as itself or as another one: what stands before that step is not done again. */

/** Strands of a workflow that are looked through for what is live at a place. */
const STRANDS_MAX = 10_000;
const STRANDS_PER_PAGE = 1_000;
/** Errors of one workflow that are replayed at once. */
const ERRORS_MAX = 100;
/** Places that are named where a name stands for several. */
const NAMED_MAX = 10;

export function retryOperation(parts: Parts): Operation {
  return {
    id: 'retryWorkflow',
    method: 'post',
    path: '/v1/workflows/:workflow_id/retry',
    summary: 'Go on from a step, or from what is in error: what stands before it is not done again',
    access: 'operate',
    body: { schema: Retry, checked: 'here' },
    answers: {
      ...answersOrRehearsal(404, 409, 422),
      201: { description: 'It goes on', schema: Retried },
    },
    handle: (call) => retry(parts, call),
  };
}

/** The retried workflow as it stands. */
type Old = {
  readonly id: WorkflowId;
  readonly row: WorkflowRow;
  readonly tree: Tree;
  readonly read: Loaded & { readonly next: string | null };
};

async function retry(parts: Parts, call: Call): Promise<Reply> {
  const id = workflowIdOf(call);
  const { tenant } = call.principal;
  const { body } = call;
  const read = await parts.store.read.whole(tenant, id, { limit: STRANDS_PER_PAGE, after: null });
  if (read?.workflow == null) throw noSuchWorkflow(id);
  const row = read.workflow;
  const tree = await parts.trees.tree(row.definition);
  if (tree === null) throw new Error(`The definition ${row.definition} of ${id} is not there`);
  const old = { id, row, tree, read };
  const from = typeof body['from'] === 'string' ? body['from'] : null;
  const given = isObject(body['fields']) ? callersFields(body['fields']) : null;
  if (body['fork'] === true || body['fork'] === 'true') return fork(parts, call, old, from, given);
  if (row.endedAt !== null)
    throw new Fault(
      'workflow_over',
      `The workflow ${id} is over (${row.status}); with "fork": true another one begins at that step`,
    );
  return from === null ? replayErrors(parts, call, old, given) : goOnFrom(parts, call, old, from, given);
}

/** What is in error tries again. */
async function replayErrors(parts: Parts, call: Call, { id }: Old, given: JsonObject | null): Promise<Reply> {
  const errors = await errorsOf(parts, call, id);
  const [only] = errors;
  if (only === undefined)
    throw new Problem('conflict', `Nothing in ${id} is in error: say from which step it is to go on`);
  if (errors.length > ERRORS_MAX)
    throw new Problem('limit_exceeded', `More than ${ERRORS_MAX} errors wait in ${id}: replay them by a batch`);
  const event = (expression: ExpressionId) =>
    ({ kind: 'replay', expression, fields: given, tree: null, merge: true }) as const;
  if (errors.length === 1) return answered(await happenOrRehearse(parts, call, id, event(only)), id, expidOf(only));
  if (isRehearsal(call))
    throw new Problem('conflict', `${errors.length} errors wait in ${id}: say "from" to be told what would happen`);
  let replayed = 0;
  for (const expression of errors)
    try {
      await happen(parts, call, id, event(expression));
      replayed++;
    } catch (thrown) {
      // Dealt with in the meantime, by somebody else or by what the one before it set off.
      if (!(thrown instanceof Fault && thrown.code === 'error_not_found')) throw thrown;
    }
  if (replayed === 0) throw new Problem('conflict', `The errors of ${id} were dealt with in the meantime`);
  return jsonReply(201, { id, from: null });
}

async function errorsOf(parts: Parts, call: Call, id: WorkflowId): Promise<readonly ExpressionId[]> {
  const found = await parts.store.read.objects({
    ...{ tenant: call.principal.tenant, workflows: [id], of: 'errors' },
    ...{ class: null, participant: null, state: null, limit: ERRORS_MAX + 1 },
  });
  return found.flatMap(({ object }) => (object === null ? [] : [object as ExpressionId]));
}

const isRehearsal = ({ body }: Call): boolean => body['dry_run'] === true || body['dry_run'] === 'true';

const answered = (reply: Reply, id: WorkflowId, from: string): Reply =>
  reply.status === 200 ? reply : jsonReply(201, { id, from });

async function goOnFrom(parts: Parts, call: Call, old: Old, from: string, given: JsonObject | null): Promise<Reply> {
  const { id, tree } = old;
  const place = placeOf(tree, from);
  const live = await liveAround(parts, call, old, place);
  const named = from.includes('!') ? live.filter((one) => one.id === from) : live;
  const [at, ...others] = named;
  if (at === undefined)
    throw new Fault('expression_not_found', `Nothing is live at ${shown(from)} in ${id}, nor around it`);
  if (others.length > 0)
    throw new Problem(
      'conflict',
      `${named.length} expressions are live at ${at.expid}: name one, ${named
        .slice(0, NAMED_MAX)
        .map((one) => one.id)
        .join(', ')}`,
    );
  const merged = { fields: given, tree: null, merge: true } as const;
  if (at.expid !== place) {
    if (tree.name === 'bpmn:process') throw moveInstead(id, at.id);
    const event = { kind: 'reapply', expression: at.id, ...merged, enter: pathBetween(at.expid, place) } as const;
    return answered(await happenOrRehearse(parts, call, id, event), id, place);
  }
  const kind = at.state === 'failed' ? 'replay' : 'reapply';
  return answered(await happenOrRehearse(parts, call, id, { kind, expression: at.id, ...merged }), id, place);
}

const moveInstead = (id: WorkflowId, expression: string): Problem =>
  new Problem(
    'conflict',
    `Of BPMN a token is moved: POST /v1/workflows/${id}/expressions/${expression}/move, or …/tokens for one more`,
  );

/** What is live at a place, or else at the innermost place around it. */
async function liveAround(parts: Parts, call: Call, old: Old, place: string): Promise<readonly LiveExpression[]> {
  const { id, tree } = old;
  let { read } = old;
  const around = new Map<string, LiveExpression>();
  for (let strands = 0; ; ) {
    for (const one of showWorkflow(read, tree).expressions)
      if (place === one.expid || place.startsWith(`${one.expid}_`)) around.set(one.id, one);
    strands += read.strands.size;
    if (read.next === null) break;
    if (strands >= STRANDS_MAX)
      throw new Problem(
        'limit_exceeded',
        `${id} has more than ${STRANDS_MAX} branches: reapply an expression by its id`,
      );
    const next = await parts.store.read.whole(call.principal.tenant, id, {
      limit: STRANDS_PER_PAGE,
      after: read.next,
    });
    if (next === null) throw noSuchWorkflow(id);
    read = next;
  }
  const all = [...around.values()];
  const depth = all.reduce((most, { expid }) => Math.max(most, expid.length), 0);
  return all.filter(({ expid }) => expid.length === depth);
}

/** The indexes that lead from one place down to another. */
const pathBetween = (above: string, place: string): readonly number[] =>
  place
    .slice(above.length + 1)
    .split('_')
    .map(Number);

/** Which place somebody means. @throws Problem when it is none, or several */
function placeOf(tree: Tree, from: string): string {
  const written = from.includes('!') ? from.slice(0, from.indexOf('!')) : from;
  if (/^0(_\d{1,6}){0,1000}$/.test(written)) {
    if (isPlace(tree, written)) return written;
    throw noStep(`The definition has no place ${shown(written)}`);
  }
  const places = placesNamed(tree, from);
  const [place, ...others] = places;
  if (place === undefined)
    throw noStep(`No step is called ${shown(from)}: give its place, such as 0_1, its name, tag or element`);
  if (others.length > 0)
    throw noStep(
      `${places.length} steps are called ${shown(from)}, at ${places.slice(0, NAMED_MAX).join(', ')}: give a place`,
    );
  return place;
}

const noStep = (detail: string): Problem =>
  new Problem('request_invalid', detail, { complaints: [{ detail, pointer: '#/from' }] });

function isPlace(tree: Tree, place: string): boolean {
  let at: Tree | undefined = tree;
  for (const index of place === '0' ? [] : pathBetween('0', place)) at = at?.children[index];
  return at !== undefined;
}

/** Where a name, a tag, the text of a head or an element of BPMN stands, in the order of the tree. */
function placesNamed(tree: Tree, name: string): readonly string[] {
  const found: string[] = [];
  const isMeant = ({ name: head, attributes }: Tree, text: string | undefined): boolean =>
    head === name || text === name || ['ref', 'tag', 'id'].some((key) => attributes.get(key) === name);
  const waiting: (readonly [Tree, string])[] = [[tree, '0']];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [at, place] = next;
    if (place !== '0' && isMeant(at, textKey(at))) found.push(place);
    for (const [index, child] of [...at.children.entries()].reverse()) waiting.push([child, `${place}_${index}`]);
  }
  return found;
}

/** Another workflow with the same definition, callbacks and options, which begins at the step; the old one stays as it is. */
async function fork(parts: Parts, call: Call, old: Old, from: string | null, given: JsonObject | null): Promise<Reply> {
  const { id, row, tree } = old;
  if (isRehearsal(call)) throw noRehearsal();
  const place = from === null ? await placeOfError(parts, call, old) : placeOf(tree, from);
  const path = place === '0' ? [] : pathBetween('0', place);
  const trouble = whyNotFrom(tree, path);
  if (trouble !== null)
    throw new Problem(
      'conflict',
      `Nothing can begin at ${place}: ${trouble}. From ${placeToBegin('0', path, (one) => whyNotFrom(tree, one))} on all of that can begin again`,
    );
  const fields = showWorkflow({ ...old.read, strands: new Map() }, tree).fields;
  const forked = await launchOne(
    parts,
    call,
    { ...relaunch(old, { ...callersFields(fields), ...given }), ...(path.length > 0 && { enter: path }) },
    null,
  );
  const told = { id: forked.id, from: place, retry_of: row.id };
  return jsonReply(201, told, { Location: `${parts.basePath()}/v1/workflows/${forked.id}` });

  function noRehearsal(): Problem {
    const detail = `dry_run tells what would happen to ${id}: with "fork" nothing does`;
    return new Problem('request_invalid', detail, { complaints: [{ detail, pointer: '#/dry_run' }] });
  }
}

/** Where it is in error; where nothing is, the beginning. @throws Problem where several are */
async function placeOfError(parts: Parts, call: Call, { id }: Old): Promise<string> {
  const places = new Set((await errorsOf(parts, call, id)).map(expidOf));
  const [place = '0', ...others] = places;
  if (others.length === 0) return place;
  throw new Problem('conflict', `${places.size} steps of ${id} are in error: say "from"`);
}

/** The launch of the other one. */
function relaunch({ row, tree }: Old, fields: JsonObject) {
  const { revision, historyMax, labels, hops } = launchedWith(row);
  const { definitionName, definitionVersion } = row;
  const meta: JsonObject = row.meta == null ? {} : (JSON.parse(row.meta) as JsonObject);
  return {
    ...{ tree, hash: row.definition, text: JSON.stringify(treeToStored(tree)) },
    ...{ name: row.name, revision, fields, hops, retryOf: row.id },
    callbacks: JSON.parse(row.callbacks) as Callbacks | readonly Callbacks[],
    retry: row.retry === null ? null : (JSON.parse(row.retry) as Json),
    ...(row.options != null && { options: readOptions(row.options) }),
    source: row.source,
    ...(definitionName != null &&
      definitionVersion != null && { stored: { name: definitionName, version: definitionVersion } }),
    meta: { ...withoutKeys(meta, 'continued_from'), retry_of: row.id },
    ...(historyMax !== null && { historyMax }),
    ...(row.retainDays != null && { retainDays: row.retainDays }),
    ...(labels !== null && { tags: labels }),
  };
}
