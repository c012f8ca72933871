import type { WorkflowId } from '../model/ids.ts';
import { LOST_TRY } from '../model/rows.ts';
import type { Tenant } from '../model/tenant.ts';
import type { ClaimedMessage } from './store.ts';
import { type DatabaseRow, rowOf, selected, WORKITEM } from './tables/of-workflow.ts';

/* What every claim has in common: what it counts, and what it brings. */

/** Lost tries are logged as long as the log is no longer than this; the next outcome keeps the newest (engine/outcomes.ts). */
const LOG_CHARACTERS_MAX = 16_000;

/**
 * A claim that nobody gave back is of a node that stopped, perhaps during the try: that one is counted, so that no two tries have the same
 * number. When it began is not known; when it was due is.
 */
export const countingLost = (lost: string): string => `
      tries = t.tries + case when ${lost} then 1 else 0 end,
      log = case when ${lost} and length(t.log) <= ${LOG_CHARACTERS_MAX} then
        case when length(t.log) > 2 then left(t.log, -1) || ',' else '[' end
        || '{"number":' || (t.tries + 1) || ',"send":"' || t.send || '","at":' || t.due_at
        || ',"milliseconds":0,"status":null,"error":"${LOST_TRY}","nextAt":' || t.due_at || '}]'
        else t.log end`;

/** What a claim brings, from a list `mine` of claimed rows that is joined to `joined`. */
export const broughtFrom = (from: string, ofBase = ''): string => `
  select m.workflow_id as workflow, m.tenant, ${selected(WORKITEM, 'm')},
    -- a base is large and many workitems share it: it comes with one of them
    case when m.inherits is not null
      and (lag(m.workflow_id) over beside, lag(m.inherits) over beside) is distinct from (m.workflow_id, m.inherits)
    then (
      select v.value from variable v
      where v.shard = m.shard and v.workflow_id = m.workflow_id and v.scope = m.inherits and v.name = '^' ${ofBase}
    ) end as base_value,
    (select w.trace from workflow w where w.shard = m.shard and w.id = m.workflow_id ${ofBase.replace('v.', 'w.')}) as trace
  from ${from}
  window beside as (order by m.workflow_id, m.inherits, m.id)
  order by m.due_at, m.id`;

/** What was claimed; one of the workitems that inherit from a base has brought it for the others. */
export function messagesOf(claim: string, records: readonly DatabaseRow[]): readonly ClaimedMessage[] {
  const bases = new Map<string, string>();
  const keyOf = (record: DatabaseRow): string => `${record['workflow']} ${record['inherits']}`;
  for (const record of records)
    if (typeof record['base_value'] === 'string') bases.set(keyOf(record), record['base_value']);
  return records.map((record) => {
    const workflow = record['workflow'] as WorkflowId;
    const row = rowOf(WORKITEM, record);
    const base = row.inherits === null ? null : (bases.get(keyOf(record)) ?? null);
    return {
      workflow,
      tenant: record['tenant'] as Tenant,
      claim,
      row,
      base,
      trace: (record['trace'] ?? null) as string | null,
    };
  });
}
