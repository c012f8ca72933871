import type pg from 'pg';
import { attributedBy } from '../../src/engine/attributes.ts';
import { makeSearch } from '../../src/engine/search.ts';
import type { Status } from '../../src/model/rows.ts';
import { readTenant, type Tenant } from '../../src/model/tenant.ts';
import { cursorAt } from '../../src/store/page.ts';
import type { Attribute, Store, WorkflowsQuery } from '../../src/store/store.ts';

/*
 * Very many workflows, and what is asked of them: for the time that takes (bench/lists.ts) and for the plans of it (test/store/plans.test.ts).
 */

const AT = Date.parse('2026-01-01T00:00:00Z');
/** One workflow each second. */
const EVERY_MS = 1_000;
export const [LARGE, MIDDLE, SINGLE] = ['large', 'middle', 'single'].map((name) => readTenant(name) as Tenant) as [
  Tenant,
  Tenant,
  Tenant,
];

/** Nine in ten of one tenant, nearly all others of the second, one of the third; two in ten run and wait for a participant. */
export async function fillWithWorkflows(
  client: pg.Client,
  workflows: number,
  [large, middle, single]: readonly [Tenant, Tenant, Tenant] = [LARGE, MIDDLE, SINGLE],
): Promise<void> {
  const state = JSON.stringify({ text: 'x'.repeat(400) });
  await client.query(
    `insert into workflow (shard, id, tenant, name, definition, launched_at, callbacks, retry, fields, status, header, state,
       updated_at, ended_at, ver, last_n)
     select n % 256, 'w' || n,
       case when n = 0 then '${single}' when n % 10 = 1 then '${middle}' else '${large}' end,
       case when n % 3 = 0 then null else 'name ' || n % 50 end, md5((n % 100)::text), ${AT} + n * ${EVERY_MS}::bigint, '""', null, '{}',
       s, '{}', $1, ${AT} + n * ${EVERY_MS}::bigint, case when s in ('completed', 'cancelled', 'killed') then ${AT} + n * ${EVERY_MS}::bigint + 500 end, 1, 1
     from (select n, (array['completed', 'completed', 'completed', 'completed', 'completed', 'completed', 'running', 'running', 'cancelled',
       case when n % 1000 = 9 then 'error' when n % 2000 = 19 then 'paused' else 'completed' end])[n % 10 + 1] as s
       from generate_series(0, ${workflows - 1}) n) g`,
    [state],
  );
  await client.query(
    `insert into workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, opened_at, revision, tries, log)
     select shard, id, '0_0', tenant, '0', case when launched_at / 1000 % 5000 = 6 then 'rare' else 'usual' end, 'open', '{}', '{}', launched_at, 1, 0, '[]'
     from workflow where status = 'running'`,
  );
  await client.query(
    `insert into error (shard, workflow_id, id, tenant, path, workitem, class, message, at, details)
     select shard, id, '0_0', tenant, '0', false, 'RuntimeError', 'broke', launched_at, '{}' from workflow where status = 'error'`,
  );
  // Half of them have the one tag, one in a hundred the other, one in ten thousand a value of its own.
  await client.query(
    `insert into attribute (shard, workflow_id, name, value, tenant, launched_at)
     select shard, id, a.name, a.value, tenant, launched_at from workflow
     cross join lateral (values
       ('tag', case when launched_at / 1000 % 2 = 0 then 'common' when launched_at / 1000 % 100 = 1 then 'uncommon' end),
       ('field.region', 'region ' || launched_at / 1000 % 4),
       ('field.customer', 'customer ' || launched_at / 1000 % 10000)) as a(name, value)
     where a.value is not null`,
  );
  for (const table of ['workflow', 'workitem', 'error', 'attribute']) await client.query(`vacuum analyze ${table}`);
}

export type Question = { readonly name: string; readonly ask: () => Promise<unknown> };

/** Each filter, and each pair of filters: the first page, one that lies as far behind as a thousand pages lead, and the count. */
export function questionsOf(store: Store, tenant: Tenant, workflows: number): readonly Question[] {
  const end = AT + workflows * EVERY_MS;
  const search = makeSearch(store, attributedBy([]));
  const all = { status: null, name: null, participant: null } as const;
  const middle = AT + (end - AT) / 2;
  const singles: { readonly [name: string]: Partial<WorkflowsQuery> } = {
    nothing: {},
    'a status': { status: 'running' },
    'a rare status': { status: 'error' },
    'two statuses': { status: ['error', 'paused'] satisfies Status[] },
    'a name': { name: 'name 7' },
    'a participant': { participant: 'usual' },
    launched: { launched: { from: middle, to: middle + 86_400_000 } },
    ended: { ended: { from: middle, to: middle + 86_400_000 } },
  };
  const names = Object.keys(singles);
  const pairs = names.flatMap((one, i) => names.slice(i + 1).map((other) => [one, other] as const));
  const asked = new Map<string, Partial<WorkflowsQuery>>(Object.entries(singles));
  for (const [one, other] of pairs)
    if (one !== 'nothing') asked.set(`${one}, ${other}`, { ...singles[one], ...singles[other] });
  asked.set('a rare participant', { participant: 'rare' });

  const attributes: { readonly [name: string]: readonly Attribute[] } = {
    'a common tag': [{ name: 'tag', value: 'common' }],
    'an uncommon tag': [{ name: 'tag', value: 'uncommon' }],
    'a customer': [{ name: 'field.customer', value: 'customer 4321' }],
    'a tag and a field': [
      { name: 'tag', value: 'common' },
      { name: 'field.region', value: 'region 2' },
    ],
    'a tag and no such field': [
      { name: 'tag', value: 'common' },
      { name: 'field.region', value: 'region 3' },
    ],
  };

  const far = cursorAt([Math.max(AT, end - Math.min(100_000, workflows / 2) * EVERY_MS), '']);
  const questions: Question[] = [];
  const add = (name: string, ask: Question['ask']): void => void questions.push({ name, ask });
  for (const [name, filter] of asked) {
    const query = { tenant, ...all, ...filter };
    add(name, () => search.list({ ...query, limit: 100, after: null }, null));
    add(`${name}, far behind`, () => search.list({ ...query, limit: 100, after: far }, null));
    add(`${name}, counted`, () => search.count(query, null, 10_001));
  }
  for (const [name, of] of Object.entries(attributes))
    for (const [other, filter] of Object.entries(singles)) {
      const query = { tenant, ...all, ...filter, attributes: of };
      const both = other === 'nothing' ? name : `${name}, ${other}`;
      add(both, () => store.read.found({ ...query, limit: 100, after: null }));
      add(`${both}, far behind`, () => store.read.found({ ...query, limit: 100, after: far }));
      add(`${both}, counted`, () => store.read.countFound(query, 10_001));
    }
  add('errors', () => store.read.errors({ tenant, limit: 100, after: null }));
  add('errors of a class', () => store.read.errors({ tenant, class: 'RuntimeError', limit: 100, after: null }));
  return questions;
}
