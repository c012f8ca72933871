import type { WorkflowsQuery } from './store.ts';

/* What lists and counts of workflows ask for, as SQL. */

/** What a list asks for, as conditions on `w`. One statement per combination of filters, so that each has the plan of its index. */
export function conditionsOf({
  tenant,
  status,
  name,
  participant,
  businessKey,
  launched,
  ended,
  updated,
  definition,
  errorClass,
}: Omit<WorkflowsQuery, 'limit' | 'after'>) {
  const values: unknown[] = [tenant];
  const used: string[] = [];
  const conditions = ['w.tenant = $1'];
  const filter = (
    label: string,
    given: readonly unknown[] | null,
    condition: (first: string, second: string) => string,
  ): void => {
    if (given === null) return;
    used.push(label);
    conditions.push(condition(`$${values.length + 1}`, `$${values.length + 2}`));
    values.push(...given);
  };
  const one = (value: unknown): readonly unknown[] | null => (value === null || value === undefined ? null : [value]);
  const isEnded = (ended?.from ?? null) !== null || (ended?.to ?? null) !== null;
  const several = typeof status === 'object' && status !== null ? [...new Set(status)] : null;
  filter('key', one(businessKey), (given) => `w.business_key = ${given}`);
  filter('name', one(name), (given) => `w.name = ${given}`);
  filter(
    'participant',
    one(participant),
    (given) => `exists (
      select 1 from workitem t
      where t.tenant = $1 and t.participant = ${given} and t.state in ('open', 'failed')
        and t.shard = w.shard and t.workflow_id = w.id)`,
  );
  filter(
    'error',
    one(errorClass),
    (given) => `exists (
      select 1 from error e
      where e.tenant = $1 and e.class = ${given} and e.shard = w.shard and e.workflow_id = w.id)`,
  );
  // The index has the first eight characters.
  filter(
    'definition',
    one(definition),
    (given) => `left(w.definition, 8) = left(${given}, 8) and left(w.definition, length(${given})) = ${given}`,
  );
  filter('updated_from', one(updated?.from), (given) => `w.updated_at >= ${given}`);
  filter('updated_to', one(updated?.to), (given) => `w.updated_at < ${given}`);
  filter('from', one(launched?.from), (given) => `w.launched_at >= ${given}`);
  filter('to', one(launched?.to), (given) => `w.launched_at < ${given}`);
  if (isEnded) {
    used.push('ended');
    conditions.push('w.ended_at is not null');
  }
  filter('ended_from', one(ended?.from), (given) => `w.ended_at >= ${given}`);
  filter('ended_to', one(ended?.to), (given) => `w.ended_at < ${given}`);
  /** In the order of their ends a status is looked at on the way; else each has an order of its own, and these are merged. */
  const branches: string[] = [];
  if (several !== null && isEnded) filter('status_any', [several], (given) => `w.status = any(${given}::text[])`);
  else if (several === null) filter('status', one(status), (given) => `w.status = ${given}`);
  else {
    used.push(`status${several.length}`);
    for (const each of several) {
      values.push(each);
      branches.push(`w.status = $${values.length}`);
    }
  }
  return { values, used, conditions, branches, filter, by: isEnded ? ('ended_at' as const) : ('launched_at' as const) };
}

/** The same with its parameters behind `by` others. */
export const behind = (text: string, by: number): string => text.replaceAll(/\$(\d+)/g, (_, n) => `$${Number(n) + by}`);

/** Selects from `w` under these conditions, each branch by itself. */
export function selectBy(
  columns: string,
  conditions: readonly string[],
  branches: readonly string[],
  rest: string,
): string {
  const where = conditions.join(' and ');
  const single = (more: string): string => `select ${columns} from workflow w where ${where}${more} ${rest}`;
  if (branches.length === 0) return single('');
  return branches.map((branch) => `(${single(` and ${branch}`)})`).join(' union all ');
}
