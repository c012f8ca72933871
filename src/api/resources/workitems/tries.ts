import { rulesOfItem } from '../../../engine/agreed.ts';
import { readRetryRules, rulesFor, triesMax } from '../../../engine/retry-rules.ts';
import type { WorkflowRow, WorkitemRow } from '../../../model/rows.ts';
import type { Parts } from '../../parts.ts';

/** How many tries the message of a workitem has at most; null: nobody says. `retry`: of its workflow. */
export function triesMaxOf(
  parts: Pick<Parts, 'about' | 'registry'>,
  { retry, tenant }: Pick<WorkflowRow, 'retry' | 'tenant'>,
): (item: Pick<WorkitemRow, 'terms' | 'participant' | 'send'>) => number | null {
  const { schedule } = parts.about;
  if (schedule === undefined) return () => null;
  const launched = readRetryRules(retry);
  const { participants, own } = parts.registry;
  const lookups = { find: participants.find, own };
  return (item) => {
    const rules = rulesFor(rulesOfItem(launched, item, tenant, lookups), item.participant);
    return triesMax(rules, schedule, item.send ?? 'active');
  };
}
