import { definitionOf, showExpression, showWorkflow } from '../../../engine/show.ts';
import { Fault } from '../../../model/fault.ts';
import type { Loaded, Need } from '../../../model/stimulus.ts';
import { expressionIdOf, noSuchWorkflow, shown, workflowIdOf } from '../../ids.ts';
import { type Call, jsonReply, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { timeView } from '../../time.ts';
import { expressionView } from '../workflows/view.ts';

/** The strands of a page one after the other; the root's, which come with every page, belong to the first. */
export async function listExpressions(parts: Parts, call: Call): Promise<Reply> {
  const id = workflowIdOf(call);
  const { query, principal } = call;
  const [parent, state] = [query.get('parent'), query.get('state')];
  const list = `expressions in ${id}`;
  const after = cursorOf(list, query);
  const read = await parts.store.read.whole(principal.tenant, id, { limit: limitOf(query), after });
  if (read?.workflow == null) throw noSuchWorkflow(id);
  const definition = await parts.trees.tree(read.workflow.definition);
  const ofRoot = new Set(
    after === null ? [] : showWorkflow({ ...read, strands: new Map() }, null).expressions.map((one) => one.id),
  );
  const found = showWorkflow(read, definition).expressions.filter(
    (one) =>
      !ofRoot.has(one.id) && (parent === null || one.parent_id === parent) && (state === null || one.state === state),
  );
  return jsonReply(200, {
    expressions: found.map(expressionView),
    next_cursor: read.next === null ? null : cursorFor(list, read.next),
  });
}

export async function getExpression(parts: Parts, call: Call): Promise<Reply> {
  const workflow = workflowIdOf(call);
  const expression = expressionIdOf(call, 'expression_not_found');
  const row = await parts.store.read.workflow(call.principal.tenant, workflow);
  if (row === null) throw noSuchWorkflow(workflow);
  const needs: readonly Need[] = [
    { kind: 'find', expression },
    { kind: 'workitem', id: expression },
    { kind: 'variables', scope: expression },
    { kind: 'agenda_kind', of: 'timer' },
  ];
  const loaded = await look(parts, { workflow, needs });
  // In a sub-process that is stored it is of another definition than the workflow.
  const hash = (loaded === undefined ? null : definitionOf(loaded, expression)) ?? row.definition;
  const found = loaded === undefined ? null : showExpression(loaded, expression, await parts.trees.tree(hash));
  if (found === null)
    throw new Fault('expression_not_found', `There is no live expression ${shown(expression)} in ${workflow}`);
  const { fields, variables, handlers, timers, tree, differs, ...live } = found;
  return jsonReply(200, {
    ...expressionView(live),
    ...{ fields, variables, handlers: { ...handlers } },
    timers: timers.map((timer) => ({ ...timer, due_at: timeView(timer.due_at) })),
    ...{ tree, differs },
  });
}

/** Rows as a step would be given them; where they can only be had locked, they are let go at once. */
async function look(
  { store }: Pick<Parts, 'store'>,
  request: { readonly workflow: NonNullable<Loaded['workflow']>['id']; readonly needs: readonly Need[] },
): Promise<Loaded | undefined> {
  if (store.look !== null) return (await store.look([request])).get(request.workflow);
  const tx = await store.begin([request]);
  await tx.rollback();
  if (tx.busy.length > 0) throw new Fault('unavailable', 'The workflow is being stepped; ask again');
  return tx.loaded.get(request.workflow);
}
