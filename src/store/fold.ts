import { shardOf } from '../model/ids.ts';
import type { Connections, Statement } from './connections.ts';
import { noted } from './retire.ts';
import type { Store } from './store.ts';

/* Throwing away history rows of a workflow that goes on. */

const foldText = (returning: string, before: string): string => `
  with history_gone as (
    delete from history t where t.shard = $1 and t.workflow_id = $2 and t.first_n = any($3::integer[])${returning}),${before}
  folded as (
    update workflow w set history_first = greatest(w.history_first, $4::integer) where w.shard = $1 and w.id = $2 returning 1)
  select count(*) as n from folded`;
const fold: Statement = { name: 'fold_history', text: foldText(' returning t.position', noted) };
const foldInShard: Statement = { name: 'fold_history_in_shard', text: foldText('', '') };

export const makeFold = (connections: Connections, hasPositions: boolean): Pick<Store, 'foldHistory'> => ({
  foldHistory: async ({ workflow, firstNs, firstKept }) => {
    const values = [shardOf(workflow), workflow, firstNs, firstKept];
    await connections.run(hasPositions ? fold : foldInShard, values);
  },
});
