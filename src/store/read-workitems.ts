import { shardOf, type WorkflowId } from '../model/ids.ts';
import type { Connections, Statement } from './connections.ts';
import { cursorAt, foundIn, PAGE_BYTES_MAX, pageSize, readCursor } from './page.ts';
import type { ReadItem, Reads } from './store.ts';
import { type DatabaseRow, rowOf, selected, WORKITEM } from './tables/of-workflow.ts';

/*
 * Reading workitems for those who look on. Their fields may be large, and those of a wide fork share one large base, so that pages are
 * bounded in bytes where they are read: the database measures texts without unpacking them.
 */

const base = `left join variable v
    on v.shard = t.shard and v.workflow_id = t.workflow_id and v.scope = t.inherits and v.name = '^'`;

const workitemByKey: Statement = {
  name: 'read_workitem',
  text: `select t.workflow_id as workflow, ${selected(WORKITEM, 't')}, v.value as base_value from workitem t ${base}
  where t.shard = $1 and t.workflow_id = $2 and t.id = $3 and t.tenant = $4`,
};

/** One page, in the order of the columns of `order`. A base comes with the first of its workitems only, and is weighed there. */
function pageBy(name: string, order: readonly string[], where: string, limit: string, source = 'workitem'): Statement {
  const by = (alias: string): string => order.map((column) => `${alias}.${column}`).join(', ');
  return {
    name,
    text: `
  with page as (
    select t.*, v.value as base_value from ${source} t ${base}
    where ${where}
    order by ${by('t')}
    limit ${limit}
  ), placed as (
    select p.*, count(*) over () as found, row_number() over (order by ${by('p')}) as place,
      row_number() over (partition by p.shard, p.workflow_id, p.inherits order by ${by('p')}) = 1 as brings_base
    from page p
  ), weighed as (
    select p.*, sum(octet_length(p.params) + octet_length(p.log) + coalesce(octet_length(p.fields), 0)
        + coalesce(octet_length(p.added), 0)
        + case when p.brings_base then coalesce(octet_length(p.base_value), 0) else 0 end) over (order by ${by('p')}) as bytes
    from placed p
  )
  select t.workflow_id as workflow, ${selected(WORKITEM, 't')}, t.found,
    case when t.brings_base then t.base_value end as base_value
  from weighed t
  where t.place = 1 or t.bytes <= ${PAGE_BYTES_MAX}
  order by ${by('t')}`,
  };
}

const ofParticipant = pageBy(
  'read_workitems_of_participant',
  ['opened_at', 'workflow_id', 'id'],
  `t.tenant = $1 and t.participant = $2 and ($3::text is null or t.state = $3)
      and ($4::text is null or t.workflow_id = $4)
      and t.opened_at >= $5 and (t.opened_at, t.workflow_id, t.id) > ($5, $6, $7)`,
  '$8',
);

const ofWorkflow = pageBy(
  'read_workitems_of_workflow',
  ['id'],
  't.shard = $1 and t.workflow_id = $2 and t.tenant = $3 and ($4::text is null or t.state = $4) and t.id > $5',
  '$6',
);

const ofTenant = pageBy(
  'read_workitems_of_tenant',
  ['shard', 'workflow_id', 'id'],
  't.tenant = $1 and ($2::text is null or t.state = $2) and (t.shard, t.workflow_id, t.id) > ($3, $4, $5)',
  '$6',
);

/** Participants of a tenant that are looked at for what is overdue. */
const PARTICIPANTS_MAX = 5_000;

/**
 * Of each participant the oldest, by the index that has them in this order: the names of participants are skipped through, one probe each, for
 * there is no index over all of a tenant by age, which every step would have to write.
 */
const overdue = pageBy(
  'read_workitems_overdue',
  ['opened_at', 'workflow_id', 'id'],
  'true',
  '$10',
  `(
    with recursive p as (
      (select w.participant from workitem w where w.tenant = $1 order by w.participant limit 1)
      union all
      select (
        select w.participant from workitem w
        where w.tenant = $1 and w.participant > p.participant order by w.participant limit 1)
      from p where p.participant is not null
    ), names as (
      select p.participant, coalesce(($2::jsonb ->> p.participant)::bigint, $3::bigint) as opened_before
      from p where p.participant is not null and ($4::text is null or p.participant = $4)
      limit ${PARTICIPANTS_MAX}
    )
    select x.* from names n cross join lateral (
      select w.* from workitem w
      where w.tenant = $1 and w.participant = n.participant and w.opened_at < n.opened_before
        and w.state in ('open', 'failed') and ($5::text is null or w.state = $5) and ($6::text is null or w.workflow_id = $6)
        and w.opened_at >= $7 and (w.opened_at, w.workflow_id, w.id) > ($7, $8, $9)
      order by w.opened_at, w.workflow_id, w.id
      limit $10
    ) x
  )`,
);

const FIRST = ['', ''] as const;

export function readsOfWorkitems(connections: Pick<Connections, 'run'>): Pick<Reads, 'workitems' | 'workitem'> {
  async function page(
    statement: Statement,
    values: readonly unknown[],
    size: number,
    keyOf: (item: Omit<ReadItem, 'place'>) => readonly (string | number)[],
  ): ReturnType<Reads['workitems']> {
    const { rows } = await connections.run(statement, [...values, size + 1]);
    const bases = new Map<string, string | null>();
    const items = rows.slice(0, size).map((record) => {
      const item = itemOf(record, bases);
      return { ...item, place: cursorAt(keyOf(item)) };
    });
    return { items, next: foundIn(rows) > items.length ? (items.at(-1)?.place ?? null) : null };
  }

  return {
    workitems: ({ tenant, participant, workflow, state, overdue: late = null, limit, after }) => {
      const size = pageSize(limit);
      if (late !== null) {
        const place = after === null ? [-1, ...FIRST] : readCursor(after, ['number', 'string', 'string']);
        const values = [tenant, JSON.stringify(late.of), late.before, participant, state, workflow, ...place];
        return page(overdue, values, size, (item) => [item.row.openedAt, item.workflow, item.row.id]);
      }
      if (participant !== null) {
        const place = after === null ? [-1, ...FIRST] : readCursor(after, ['number', 'string', 'string']);
        const values = [tenant, participant, state, workflow, ...place];
        return page(ofParticipant, values, size, (item) => [item.row.openedAt, item.workflow, item.row.id]);
      }
      if (workflow !== null) {
        const place = after === null ? [''] : readCursor(after, ['string']);
        return page(ofWorkflow, [shardOf(workflow), workflow, tenant, state, ...place], size, ({ row }) => [row.id]);
      }
      const place = after === null ? [-1, ...FIRST] : readCursor(after, ['number', 'string', 'string']);
      return page(ofTenant, [tenant, state, ...place], size, (item) => [
        shardOf(item.workflow),
        item.workflow,
        item.row.id,
      ]);
    },
    workitem: async (tenant, { workflow, workitem }) => {
      const { rows } = await connections.run(workitemByKey, [shardOf(workflow), workflow, workitem, tenant]);
      return rows[0] === undefined ? null : itemOf(rows[0], new Map());
    },
  };
}

/** @param bases those that came with earlier rows of the page */
function itemOf(record: DatabaseRow, bases: Map<string, string | null>): Omit<ReadItem, 'place'> {
  const workflow = record['workflow'] as WorkflowId;
  const row = rowOf(WORKITEM, record);
  const key = `${workflow} ${row.inherits}`;
  const value = (record['base_value'] as string | null) ?? bases.get(key) ?? null;
  bases.set(key, value);
  return { workflow, row, base: value };
}
