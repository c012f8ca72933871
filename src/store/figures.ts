import type { WorkflowId } from '../model/ids.ts';
import type { Status } from '../model/rows.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Connections, Result, Statement } from './connections.ts';
import type { Figures } from './store.ts';

/*
 * Counts over many rows, for /metrics and GET /v1/stats. They look at more rows than anything else does, so each has two bounds: so many rows,
 * and so long; whoever asks keeps what was answered for a while.
 */

/** What is due is counted so far: beyond, it is enough to know that there is much. */
export const DUE_MAX = 10_000;
/** Other counts end here, where the database is its own process; and where it is in ours, and everybody waits for it. */
export const COUNTED_MAX = 1_000_000;
export const COUNTED_EMBEDDED_MAX = 50_000;
/** A count that takes longer is given up. */
export const FIGURE_MS_MAX = 2_000;
/** Launches of a tenant that are looked at for what is busiest, and names that are told. */
const BUSIEST_MAX = 20_000;
const NAMES_MAX = 10;
/** Addresses of one participant that are told, and definitions it is asked by; of so many workitems, the oldest. */
const URLS_MAX = 20;
const USED_IN_MAX = 20;
const USED_LOOKED_MAX = 10_000;
/** Definitions of the last launches that are told. */
const SEEN_MAX = 500;
/** More tenants than this are not looked at. */
const TENANTS_MAX = 10_000;

const LIVE: readonly Status[] = ['running', 'error', 'paused', 'cancelling'];

/** Statements in two forms: of one tenant (`$1`), and of all. */
type Both = (tenant: Tenant | null) => Statement;
const both = (name: string, text: (where: string, given: (n: number) => string) => string): Both => {
  const one = { name: `figures_${name}`, text: text('t.tenant = $1', (n) => `$${n + 1}`) };
  const all = { name: `figures_${name}_all`, text: text('true', (n) => `$${n}`) };
  return (tenant) => (tenant === null ? all : one);
};

/** A statement that is asked of one tenant alone. */
const one = (name: string, text: string): Both => {
  const statement = { name: `figures_${name}`, text };
  return () => statement;
};

/** Every tenant there is, one step of the index each. */
const EVERY_TENANT = `
  recursive tenants(tenant, n) as (
    (select tenant, 1 from workflow order by tenant limit 1)
    union all
    select (select w.tenant from workflow w where w.tenant > t.tenant order by w.tenant limit 1), t.n + 1
    from tenants t where t.tenant is not null and t.n < ${TENANTS_MAX}
  )`;

const statements = (most: number) => ({
  // From tenant to tenant and from status to status by the index of both: what has ended is not looked at.
  live: ((): Both => {
    const counted = `
  select s.status, sum(c.n)::bigint as n from tenants t
  cross join (values ${LIVE.map((status) => `('${status}')`).join(', ')}) as s(status)
  cross join lateral (
    select count(*) as n from (
      select 1 from workflow w where w.tenant = t.tenant and w.status = s.status limit ${most}
    ) found
  ) c
  where t.tenant is not null group by s.status`;
    return (tenant) =>
      tenant === null
        ? {
            name: 'figures_live_all',
            text: `
  with${EVERY_TENANT}${counted}`,
          }
        : { name: 'figures_live', text: `with tenants(tenant) as (select $1::text)${counted}` };
  })(),
  messages: both(
    'messages',
    (where, given) => `
  select count(*) as n, min(due_at) as oldest from (
    select due_at from workitem t
    where send is not null and held_at is null and due_at <= ${given(1)}
      and (claim is null or lease_until < now()) and ${where}
    order by due_at limit ${DUE_MAX}
  ) due`,
  ),
  timers: both(
    'timers',
    (where, given) => `
  select count(*) as n, min(due_at) as oldest from (
    select a.due_at from agenda a
    ${where === 'true' ? '' : 'join workflow t on t.shard = a.shard and t.id = a.workflow_id'}
    where a.held_at is null and a.due_at <= ${given(1)} and ${where}
    order by a.due_at limit ${DUE_MAX}
  ) due`,
  ),
  workitems: both(
    'workitems',
    (where, given) => `
  select count(*) filter (where state = 'open') as open, count(*) filter (where state = 'failed') as failed,
    count(*) filter (
      where state <> 'closed' and opened_at < coalesce((${given(2)}::jsonb ->> participant)::bigint, ${given(1)})
    ) as overdue,
    count(*) filter (where send is not null and tries > 0) as failing
  from (select state, opened_at, send, tries, participant from workitem t where ${where} limit ${most}) found`,
  ),
  busiest: ((): Both => {
    const took = (part: number): string =>
      `percentile_cont(${part}) within group (order by (ended_at - launched_at)::float8) filter (where ended_at is not null)`;
    const text = (since: string): string => `
  select name, count(*) as launched, count(*) filter (where ended_at is null) as live,
    count(*) filter (where status = 'error') as failed, ${took(0.5)} as p50, ${took(0.95)} as p95
  from tenants t cross join lateral (
    select w.name, w.status, w.launched_at, w.ended_at from workflow w
    where w.tenant = t.tenant and w.launched_at >= ${since} order by w.launched_at desc limit ${BUSIEST_MAX}
  ) found
  where name is not null group by name order by count(*) desc, name limit ${NAMES_MAX}`;
    const all = { name: 'figures_busiest_all', text: `with${EVERY_TENANT}${text('$1')}` };
    const one = { name: 'figures_busiest', text: `with tenants(tenant) as (select $1::text)${text('$2')}` };
    return (tenant) => (tenant === null ? all : one);
  })(),
  errors: both(
    'errors',
    (where) => `select count(*) as n from (select 1 from error t where ${where} limit ${most}) found`,
  ),
  participants: one(
    'participants',
    `
  select p.name, f.* from unnest($2::text[]) as p(name) cross join lateral (
    select count(*) filter (where state = 'open') as open, count(*) filter (where state = 'failed') as failed,
      count(*) filter (where send is not null and tries > 0) as failing,
      min(opened_at) filter (where state <> 'closed') as oldest,
      (array_agg(distinct url) filter (where url is not null))[1:${URLS_MAX}] as urls
    from (
      select state, send, tries, opened_at, url from workitem w
      where w.tenant = $1 and w.participant = p.name order by w.opened_at limit ${most}
    ) found
  ) f`,
  ),
  usedIn: one(
    'used_in',
    `
  select w.name, count(*) as n from (
    select shard, workflow_id from workitem t
    where t.tenant = $1 and t.participant = $2 order by t.opened_at limit ${USED_LOOKED_MAX}
  ) found
  join workflow w on w.shard = found.shard and w.id = found.workflow_id
  group by w.name order by count(*) desc, w.name limit ${USED_IN_MAX}`,
  ),
  seen: one(
    'seen',
    `
  select definition, name, count(*) as launched, count(*) filter (where ended_at is null) as live,
    count(*) filter (where status = 'error') as failed, min(launched_at) as first, max(launched_at) as last,
    (array_agg(id order by launched_at desc))[1] as workflow, max(definition_name) as stored
  from (
    select w.id, w.definition, w.name, w.status, w.launched_at, w.ended_at, w.definition_name from workflow w
    where w.tenant = $1 and w.launched_at >= $2 order by w.launched_at desc limit ${BUSIEST_MAX}
  ) found
  group by definition, name order by max(launched_at) desc, definition limit ${SEEN_MAX}`,
  ),
  // What was never stored is counted with the rest, under no name: it tells whether all were looked at.
  kept: one(
    'kept',
    `
  select name, sum(live)::bigint as live, sum(failed)::bigint as failed, sum(launched)::bigint as launched from (
    select w.definition_name as name, count(*) as live, count(*) filter (where w.status = 'error') as failed, 0 as launched
    from (values ${LIVE.map((status) => `('${status}')`).join(', ')}) as s(status)
    cross join lateral (
      select definition_name, status from workflow t where t.tenant = $1 and t.status = s.status limit ${most}
    ) w group by w.definition_name
    union all
    select w.definition_name, 0, 0, count(*) from (
      select definition_name from workflow t
      where t.tenant = $1 and t.launched_at >= $2 order by t.launched_at desc limit ${most}
    ) w group by w.definition_name
  ) parts group by name order by name`,
  ),
});

export function makeFigures(reads: Connections, profile: string): Figures {
  const isEmbedded = profile === 'embedded';
  const most = isEmbedded ? COUNTED_EMBEDDED_MAX : COUNTED_MAX;
  const { live, messages, timers, workitems, errors, busiest, participants, usedIn, seen, kept } = statements(most);

  /** One statement with a time of its own. */
  async function ask(of: Both, tenant: Tenant | null, ...values: readonly unknown[]): Promise<Result['rows']> {
    const given = tenant === null ? values : [tenant, ...values];
    if (isEmbedded) return (await reads.run(of(tenant), given)).rows;
    const connection = await reads.take();
    let isGood = false;
    try {
      await connection.say(`begin read only; set local statement_timeout = ${FIGURE_MS_MAX}`);
      const { rows } = await connection.run(of(tenant), given);
      await connection.say('commit');
      isGood = true;
      return rows;
    } finally {
      // Whatever was left open ends with the connection.
      connection.giveBack(!isGood);
    }
  }

  const dueIn = ([row]: Result['rows']): { readonly due: number; readonly oldestDueAt: number | null } => ({
    due: row?.['n'] as number,
    oldestDueAt: row?.['oldest'] as number | null,
  });
  return {
    live: async (tenant) => {
      const found = new Map((await ask(live, tenant)).map((row) => [row['status'] as Status, row['n'] as number]));
      return new Map(LIVE.map((status) => [status, found.get(status) ?? 0]));
    },
    messages: async (tenant, now) => dueIn(await ask(messages, tenant, now)),
    timers: async (tenant, now) => dueIn(await ask(timers, tenant, now)),
    workitems: async (tenant, { before, of: others }) => {
      // Without times of their own nobody is looked up by name.
      const byName = Object.keys(others).length === 0 ? null : JSON.stringify(others);
      const [row] = await ask(workitems, tenant, before, byName);
      const of = (name: string): number => row?.[name] as number;
      return { open: of('open'), failed: of('failed'), overdue: of('overdue'), failing: of('failing') };
    },
    errors: async (tenant) => (await ask(errors, tenant))[0]?.['n'] as number,
    busiest: async (tenant, since) =>
      (await ask(busiest, tenant, since)).map((row) => ({
        name: row['name'] as string,
        launched: row['launched'] as number,
        live: row['live'] as number,
        failed: row['failed'] as number,
        p50Ms: row['p50'] as number | null,
        p95Ms: row['p95'] as number | null,
      })),
    participants: async (tenant, names) =>
      new Map(
        (await ask(participants, tenant, names)).map((row) => [
          row['name'] as string,
          {
            open: row['open'] as number,
            failed: row['failed'] as number,
            failing: row['failing'] as number,
            oldestAt: row['oldest'] as number | null,
            urls: (row['urls'] ?? []) as readonly string[],
          },
        ]),
      ),
    usedIn: async (tenant, participant) =>
      (await ask(usedIn, tenant, participant)).map((row) => ({
        name: row['name'] as string | null,
        workitems: row['n'] as number,
      })),
    kept: async (tenant, since) => {
      const rows = await ask(kept, tenant, since);
      const sum = (of: 'live' | 'launched'): number => rows.reduce((total, row) => total + (row[of] as number), 0);
      return {
        // Each state, and the launches, are counted that far.
        isWhole: sum('live') < most && sum('launched') < most,
        definitions: rows.flatMap((row) =>
          row['name'] === null
            ? []
            : [
                {
                  name: row['name'] as string,
                  live: row['live'] as number,
                  failed: row['failed'] as number,
                  launched: row['launched'] as number,
                },
              ],
        ),
      };
    },
    seen: async (tenant, since) =>
      (await ask(seen, tenant, since)).map((row) => ({
        hash: row['definition'] as string,
        name: row['name'] as string | null,
        stored: row['stored'] as string | null,
        launched: row['launched'] as number,
        live: row['live'] as number,
        failed: row['failed'] as number,
        firstAt: row['first'] as number,
        lastAt: row['last'] as number,
        workflow: row['workflow'] as WorkflowId,
      })),
  };
}
