import type { WorkflowsQuery } from './store.ts';
import { behind, conditionsOf, selectBy } from './workflow-conditions.ts';

/*
 * Counts of workflows by two filters that no index leads to together, such as a name and when they ended. One filter leads, by its index, and what
 * it leads to is held against the others. A filter that alone has few is walked through whole, so the count is exact; where each has many, only the
 * newest are looked at. So no count walks through a table, however large that is.
 */

type Asked = Omit<WorkflowsQuery, 'limit' | 'after'>;
type Run = (
  text: string,
  values: readonly unknown[],
) => Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>;
type Count = (asked: Asked, most: number) => Promise<number>;
export type Counted = { readonly n: number; readonly lookedBackTo: number | null };

const isRange = (range: Asked['launched']): boolean => (range?.from ?? range?.to ?? null) !== null;

/** Whether a count would have to walk through workflows that do not fit. What other filters there are have few, or an index of their own. */
export function isWalked(asked: Asked): boolean {
  const others = [asked.participant, asked.businessKey, asked.definition, asked.errorClass];
  if (others.some((one) => one !== null && one !== undefined) || isRange(asked.updated)) return false;
  const [isEnded, isNamed, hasStatus] = [isRange(asked.ended), asked.name !== null, asked.status !== null];
  return isEnded ? isNamed || hasStatus || isRange(asked.launched) : isNamed && hasStatus;
}

/** The filters that an index leads to alone, each with the range of time that the index has in it. */
function leadsOf({ tenant, name, status, launched, ended }: Asked): readonly Asked[] {
  const none = { tenant, name: null, status: null, participant: null };
  const during = launched === undefined ? {} : { launched };
  const leads: Asked[] = [];
  if (name !== null) leads.push({ ...none, ...during, name });
  if (status !== null) leads.push({ ...none, ...during, status });
  if (ended !== undefined && isRange(ended)) {
    leads.push({ ...none, ended });
    if (isRange(launched)) leads.push({ ...none, ...during });
  }
  return leads;
}

/** @param most no more are counted, nor walked through */
export async function countWalking(run: Run, count: Count, asked: Asked, most: number): Promise<Counted> {
  const leads = leadsOf(asked);
  for (const lead of leads)
    if ((await count(lead, most)) < most) return { n: (await walk(run, lead, asked, most)).n, lookedBackTo: null };
  // In the order of the list, so that what was not looked at is what comes after.
  const { n, looked, last } = await walk(
    run,
    leads.find(({ ended }) => isRange(ended)) ?? leads[0] ?? asked,
    asked,
    most,
  );
  return { n, lookedBackTo: looked < most || n >= most ? null : last };
}

type Walked = { readonly n: number; readonly looked: number; readonly last: number | null };

async function walk(run: Run, lead: Asked, asked: Asked, most: number): Promise<Walked> {
  const { values, conditions, branches, by } = conditionsOf(lead);
  const limit = `$${values.length + 1}`;
  const newest = selectBy('w.*', conditions, branches, `order by w.${by} desc limit ${limit}`);
  const fits = conditionsOf(asked);
  const all = [...fits.conditions, ...(fits.branches.length === 0 ? [] : [`(${fits.branches.join(' or ')})`])].join(
    ' and ',
  );
  const { rows } = await run(
    `select (count(*) filter (where ${behind(all, values.length + 1)}))::integer as n, count(*)::integer as looked, min(w.${by}) as last
  from (select * from (${newest}) one limit ${limit}) w`,
    [...values, most, ...fits.values],
  );
  return rows[0] as Walked;
}
