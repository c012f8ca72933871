import { showWorkflow } from '../../../engine/show.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { Status } from '../../../model/rows.ts';
import { makeTree } from '../../../model/tree.ts';
import type { WorkflowSummary } from '../../../store/store.ts';
import { type Call, jsonReply, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { timeView } from '../../time.ts';
import { placesOf } from '../definitions/places.ts';
import { noSuchDefinition } from '../definitions/running.ts';

/* Where the tokens of several workflows are. They are looked into one by one, so that each answer has a bound. */

/** Workflows one answer looks into, and strands of each. */
const LOOKED_INTO_MAX = 200;
const STRANDS_MAX = 1_000;
const LIVE: readonly Status[] = ['running', 'paused', 'cancelling', 'error'];

type Shown = ReturnType<typeof showWorkflow>;

async function tokensOf(
  parts: Parts,
  tenant: Call['principal']['tenant'],
  row: { readonly id: string },
): Promise<Shown | null> {
  const whole = await parts.store.read.whole(tenant, row.id as never, { limit: STRANDS_MAX, after: null });
  if (whole?.workflow == null) return null;
  return showWorkflow(whole, await parts.trees.tree(whole.workflow.definition));
}

/** The active version of a definition: what its workflows do, element by element, or place by place. @throws Problem */
export async function definitionStats(parts: Parts, call: Call): Promise<Reply> {
  const { tenant } = call.principal;
  const name = call.params['definition_name'] ?? '';
  const definition = parts.registry.definitions.active(tenant, name);
  if (definition === null) throw noSuchDefinition(name);
  const found: WorkflowSummary[] = [];
  let isComplete = true;
  for (const hash of await hashesOf(parts, definition.hash)) {
    const asked = { tenant, status: LIVE, name: null, participant: null, definition: hash };
    const limit = LOOKED_INTO_MAX - found.length;
    const page = limit === 0 ? null : await parts.store.read.workflows({ ...asked, limit, after: null });
    found.push(...(page?.items ?? []));
    isComplete &&= page !== null && page.next === null;
  }
  // The same text may be launched by itself, too.
  const own = found.filter(({ definitionName }) => definitionName === name);
  if (definition.format !== 'bpmn') {
    // What a diagram calls an element is a place here, and what waits is a workitem; a token that has failed is live, too.
    const { places, isWhole } = await placesOf(parts, tenant, own);
    return jsonReply(200, {
      ...{ name, version: definition.version, workflows: own.length, complete: isComplete && isWhole },
      elements: places.map(([id, { live, workitems, failed }]) => ({
        ...{ id, live: live + failed, waiting: workitems, failed },
      })),
    });
  }
  const elements = new Map<string, { live: number; waiting: number; failed: number }>();
  for (const row of own) {
    for (const { id, live, waiting, failed } of (await tokensOf(parts, tenant, row))?.bpmn?.elements ?? []) {
      const sum = elements.get(id) ?? { live: 0, waiting: 0, failed: 0 };
      elements.set(id, { live: sum.live + live, waiting: sum.waiting + waiting, failed: sum.failed + failed });
    }
  }
  return jsonReply(200, {
    name,
    version: definition.version,
    workflows: own.length,
    complete: isComplete,
    elements: [...elements]
      .filter(([, { live, waiting, failed }]) => live + waiting + failed > 0)
      .map(([id, counts]) => ({ id, ...counts })),
  });
}

/** The hash of a definition, and those of its trees that begin with one of its start events (`start`). */
async function hashesOf({ trees, definitions }: Parts, hash: string): Promise<readonly string[]> {
  const tree = await trees.tree(hash);
  if (tree === null) return [hash];
  const others = tree.children.flatMap(({ attributes }, at) => {
    if (attributes.get('type') !== 'startEvent') return [];
    const begun = new Map(tree.attributes).set('starts', [at]);
    return [definitions.prepare(makeTree(tree.name, begun, tree.children)).hash];
  });
  return [...new Set([hash, ...others.slice(0, STARTS_MAX)])];
}
/** Start events whose workflows are looked for. */
const STARTS_MAX = 20;

/** Workflows in which tokens wait at gateways that nothing can ever set free. */
export async function listStuck(parts: Parts, call: Call): Promise<Reply> {
  const { tenant } = call.principal;
  const limit = limitOf(call.query);
  const asked = { tenant, status: LIVE, name: call.query.get('name'), participant: null };
  const found: JsonObject[] = [];
  let after = cursorOf('stuck', call.query);
  let looked = 0;
  do {
    const page = await parts.store.read.workflows({ ...asked, limit: Math.min(50, LOOKED_INTO_MAX - looked), after });
    for (const row of page.items) {
      looked += 1;
      const tree = await parts.trees.tree(row.definition);
      const tokens = tree?.name === 'bpmn:process' ? await tokensOf(parts, tenant, row) : null;
      const process = tokens?.expressions.find((one) => one.name === 'bpmn:process');
      for (const element of process === undefined ? [] : (tokens?.bpmn?.stuck ?? []))
        found.push({
          workflow_id: row.id,
          ...{ expression_id: process?.id ?? '', expid: process?.expid ?? '', workitem_id: null },
          element,
          class: 'Stuck',
          message: `tokens wait at ${element} that nothing can set free any more`,
          at: timeView(row.updatedAt),
          definition: row.definition,
          name: row.name,
        });
    }
    after = page.next;
  } while (after !== null && looked < LOOKED_INTO_MAX && found.length < limit);
  return jsonReply(200, { errors: found, next_cursor: after === null ? null : cursorFor('stuck', after) });
}
