import { showWorkflow } from '../../../engine/show.ts';
import type { Status } from '../../../model/rows.ts';
import type { WorkflowSummary } from '../../../store/store.ts';
import { type Call, jsonReply, type Reply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { noSuchDefinition } from './running.ts';

/* Where the workflows of a definition stand. They are looked into one by one, the newest first, so that an answer has a bound. */

/** Workflows one answer looks into, and strands of each. */
const LOOKED_INTO_MAX = 200;
const STRANDS_MAX = 1_000;
const LIVE: readonly Status[] = ['running', 'paused', 'cancelling', 'error'];
const HASH = /^[0-9a-f]{8,64}$/;

type Counts = { live: number; failed: number; workitems: number };

/** How many expressions are live, and how many have failed, at each place of a definition: by its hash, or by the name of a stored one. @throws Fault */
export async function definitionPlaces(parts: Parts, call: Call): Promise<Reply> {
  const { tenant } = call.principal;
  const name = call.params['definition_name'] ?? '';
  const stored = parts.registry.definitions.active(tenant, name);
  const definition = stored?.hash ?? (HASH.test(name) ? name : null);
  if (definition === null) throw noSuchDefinition(name);
  const asked = { tenant, status: LIVE, name: null, participant: null, definition };
  const page = await parts.store.read.workflows({ ...asked, limit: LOOKED_INTO_MAX, after: null });
  const { places, isWhole } = await placesOf(parts, tenant, page.items);
  return jsonReply(200, {
    definition,
    workflows: page.items.length,
    complete: page.next === null && isWhole,
    places: places.map(([expid, counts]) => ({ expid, ...counts })),
  });
}

/** How many expressions are live, have failed, and wait for a participant, place by place of these workflows. `isWhole`: none had more than is looked at. */
export async function placesOf(
  parts: Parts,
  tenant: Call['principal']['tenant'],
  workflows: readonly Pick<WorkflowSummary, 'id'>[],
): Promise<{ readonly places: readonly (readonly [expid: string, counts: Counts])[]; readonly isWhole: boolean }> {
  const places = new Map<string, Counts>();
  const at = (expid: string): Counts => {
    const counts = places.get(expid) ?? { live: 0, failed: 0, workitems: 0 };
    places.set(expid, counts);
    return counts;
  };
  let isWhole = true;
  for (const { id } of workflows) {
    const loaded = await parts.store.read.whole(tenant, id, { limit: STRANDS_MAX, after: null });
    // It ended meanwhile and is gone.
    if (loaded?.workflow == null) continue;
    isWhole &&= loaded.next === null;
    const shown = showWorkflow(loaded, null);
    const failed = new Set(shown.errors.map((error) => error.expression_id));
    for (const expression of shown.expressions) {
      const counts = at(expression.expid);
      if (failed.has(expression.id)) counts.failed += 1;
      else counts.live += 1;
    }
    for (const item of loaded.workitems.values())
      if (item.state === 'open') at(item.id.slice(0, item.id.indexOf('!'))).workitems += 1;
  }
  return { places: [...places].sort(([a], [b]) => (a < b ? -1 : 1)), isWhole };
}
