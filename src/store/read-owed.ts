import { shardOf, type WorkflowId } from '../model/ids.ts';
import type { Connections, Statement } from './connections.ts';
import { cursorAt, PAGE_BYTES_MAX, pageSize, readCursor } from './page.ts';
import { type ReadItem, type Reads, TURNS_MAX } from './store.ts';
import { AGENDA, type DatabaseRow, ERROR, rowOf, selected, WORKITEM } from './tables/of-workflow.ts';

/*
 * What is owed and what is due, for those who look on: messages and timers of a whole tenant. Messages that are owed come in the order in which they are
 * due, those whose tries are spent newest first, each by the index that has them so.
 */

/** How the message of the workitem `t` stands (store.ts, ObjectState); null: it is delivered, or the workitem was given up. */
export const STANDS = `case
    when t.send is not null and t.tries = 0 then 'owed'
    when t.send is not null then 'failing'
    when t.state = 'failed' and exists (
      select 1 from error e where e.shard = t.shard and e.workflow_id = t.workflow_id and e.id = t.id and e.class = 'RetriesExceeded'
    ) then 'spent'
  end`;

/** As outbox/message.ts tells hosts. */
const HOST = `coalesce(lower(substring(t.url from '//([^/?#]*)')), '-')`;
/** Fields are not shown here. */
const NAMED = {
  ...WORKITEM,
  columns: WORKITEM.columns.filter(({ key }) => !['fields', 'params', 'inherits', 'added'].includes(key)),
};
const columns = `t.workflow_id as workflow, ${selected(NAMED, 't')}, null as fields, '{}' as params, null as inherits, null as added`;

/**
 * Conditions that are asked for, each with a value of its own behind those that are always there; a statement for each set of them. Labels are short,
 * for Postgres reads 63 characters of a name.
 */
function narrowed(
  name: string,
  values: readonly unknown[],
  conditions: readonly (readonly [label: string, value: unknown, condition: (given: string) => string])[],
  text: (more: string) => string,
): readonly [Statement, readonly unknown[]] {
  const all = [...values];
  const used: string[] = [];
  const more = conditions.flatMap(([label, value, condition]) => {
    if (value === null || value === undefined) return [];
    used.push(label);
    all.push(value);
    return [` and ${condition(`$${all.length}`)}`];
  });
  return [{ name: [name, ...used].join('_'), text: text(more.join('')) }, all];
}

type OfMessages = Parameters<Reads['messages']>[0];
type Place = readonly [at: number, workflow: string, id: string];

const ofMessages = ({ participant, host, workflow = null, opened }: OfMessages): Parameters<typeof narrowed>[2] => [
  ['p', participant, (given) => `t.participant = ${given}`],
  ['h', host, (given) => `${HOST} = ${given}`],
  // By the key of the rows of one workflow.
  ['s', workflow === null ? null : shardOf(workflow), (given) => `t.shard = ${given}`],
  ['w', workflow, (given) => `t.workflow_id = ${given}`],
  ['f', opened?.from, (given) => `t.opened_at >= ${given}`],
  ['t', opened?.to, (given) => `t.opened_at < ${given}`],
];

/** `$2`…`$4` the place, `$5` how many. */
const owed = (query: OfMessages, place: Place, size: number): readonly [Statement, readonly unknown[]] =>
  narrowed(
    'read_messages_owed',
    [query.tenant, ...place, size],
    [
      ...ofMessages(query),
      ['r', query.state === null ? null : query.state === 'failing', (given) => `(t.tries > 0) = ${given}`],
      ['m', query.message, (given) => `t.send = ${given}`],
    ],
    (more) => `
  select ${columns}, t.due_at as at, w.retry as of_retry from workitem t
  join workflow w on w.shard = t.shard and w.id = t.workflow_id
  where t.send is not null and t.held_at is null and t.tenant = $1${more}
    and t.due_at >= $2 and (t.due_at, t.workflow_id, t.id) > ($2, $3, $4)
  order by t.due_at, t.workflow_id, t.id limit $5`,
  );

/** What is spent was `active`: a notice that nobody takes is no error. */
const spent = (query: OfMessages, place: Place, size: number): readonly [Statement, readonly unknown[]] =>
  narrowed(
    'read_messages_spent',
    [query.tenant, ...place, size],
    [...ofMessages(query), ['m', query.message, (given) => `${given}::text = 'active'`]],
    (more) => `
  select ${columns}, e.at, w.retry as of_retry from error e
  join workitem t on t.shard = e.shard and t.workflow_id = e.workflow_id and t.id = e.id
  join workflow w on w.shard = e.shard and w.id = e.workflow_id
  where e.tenant = $1 and e.class = 'RetriesExceeded' and t.send is null and t.state = 'failed'${more}
    and e.at <= $2 and (e.at < $2 or (e.workflow_id, e.id) > ($3, $4))
  order by e.at desc, e.workflow_id, e.id limit $5`,
  );

const timers = (
  { tenant, due, workflow = null }: Parameters<Reads['timers']>[0],
  place: Place,
  size: number,
): readonly [Statement, readonly unknown[]] =>
  narrowed(
    'read_timers',
    [tenant, ...place, size],
    [
      ['f', due?.from, (given) => `t.due_at >= ${given}`],
      ['t', due?.to, (given) => `t.due_at < ${given}`],
      ['s', workflow === null ? null : shardOf(workflow), (given) => `t.shard = ${given}`],
      ['w', workflow, (given) => `t.workflow_id = ${given}`],
    ],
    (more) => `
  select t.workflow_id as workflow, w.name as of_name, ${selected(AGENDA, 't')} from agenda t
  join workflow w on w.shard = t.shard and w.id = t.workflow_id
  where w.tenant = $1 and t.kind = 'timer' and t.held_at is null${more}
    and t.due_at >= $2 and (t.due_at, t.workflow_id, t.id) > ($2, $3, $4)
  order by t.due_at, t.workflow_id, t.id limit $5`,
  );

const BARE_ERROR = { ...ERROR, columns: ERROR.columns.filter(({ key }) => key !== 'details') };
/** Workitems of one workflow that are looked at: of a fork of thousands some will do. */
const GLANCED_AT_MAX = 100;
const glance: Statement = {
  name: 'read_glance',
  text: `
  select r.w as workflow, turn.participants, ${selected(BARE_ERROR, 'e')}, '{}' as details
  from jsonb_to_recordset($2::jsonb) as r(s smallint, w text)
  left join lateral (
    select json_agg(participant order by since, participant) as participants from (
      select participant, min(opened_at) as since from (
        select participant, opened_at from workitem t
        where t.shard = r.s and t.workflow_id = r.w and t.tenant = $1 and t.state in ('open', 'failed') limit ${GLANCED_AT_MAX}
      ) few group by participant order by since, participant limit ${TURNS_MAX}) waiting
  ) turn on true
  left join lateral (
    select * from error e where e.shard = r.s and e.workflow_id = r.w and e.tenant = $1 order by e.at desc, e.id limit 1
  ) e on true`,
};

const FIRST = ['', ''] as const;
const LATEST = Number.MAX_SAFE_INTEGER;

export function readsOfOwed(connections: Pick<Connections, 'run'>): Pick<Reads, 'messages' | 'timers' | 'glance'> {
  return {
    messages: async (query) => {
      const { state, limit, after } = query;
      const size = pageSize(limit);
      const place: Place =
        after === null
          ? [state === 'spent' ? LATEST : -1, ...FIRST]
          : readCursor(after, ['number', 'string', 'string']);
      const { rows } = await connections.run(...(state === 'spent' ? spent : owed)(query, place, size + 1));
      const items: (ReadItem & { readonly bytes: number })[] = rows.map((record: DatabaseRow) => {
        const row = rowOf(WORKITEM, record);
        const of = record['workflow'] as WorkflowId;
        const place = cursorAt([record['at'] as number, of, row.id]);
        const retry = record['of_retry'] as string | null;
        return { workflow: of, row, base: null, place, retry, bytes: row.log.length };
      });
      let bytes = 0;
      const fits = items.findIndex((item, i) => {
        bytes += item.bytes;
        return i > 0 && bytes > PAGE_BYTES_MAX;
      });
      const shown = items.slice(0, fits < 0 ? size : Math.min(size, fits));
      return { items: shown, next: items.length > shown.length ? (shown.at(-1)?.place ?? null) : null };
    },
    glance: async (tenant, workflows) => {
      const within = workflows.map((id) => ({ s: shardOf(id), w: id }));
      const { rows } = await connections.run(glance, [tenant, JSON.stringify(within)]);
      return new Map(
        rows.map((record) => [
          record['workflow'] as WorkflowId,
          {
            turn: (record['participants'] ?? []) as readonly string[],
            error: record['id'] === null ? null : rowOf(ERROR, record),
          },
        ]),
      );
    },
    timers: async (query) => {
      const size = pageSize(query.limit);
      const place: Place =
        query.after === null ? [-1, ...FIRST] : readCursor(query.after, ['number', 'string', 'string']);
      const { rows } = await connections.run(...timers(query, place, size + 1));
      const items = rows.map((record) => {
        const row = rowOf(AGENDA, record);
        const workflow = record['workflow'] as WorkflowId;
        const at = cursorAt([row.dueAt, workflow, row.id]);
        return { workflow, name: record['of_name'] as string | null, row, place: at };
      });
      const shown = items.slice(0, size);
      return { items: shown, next: items.length > size ? (shown.at(-1)?.place ?? null) : null };
    },
  };
}
